"""Frees drivers by hand: what `archer finalizers release` does when there is no Archer to do it."""

from collections.abc import Sequence

from archer.backends.kubernetes import live, names, records
from archer.backends.kubernetes.finalizer import take_off
from archer.backends.kubernetes.records import DriverRecord
from archer.kubernetes.client import ApiClient
from archer.kubernetes.errors import ApiError


def kept(client: ApiClient, namespace: str) -> Sequence[DriverRecord]:
    """The drivers that our finalizer keeps, by name. Raises BackendUnavailableError."""
    try:
        pages = client.pages(names.pods(namespace), labelSelector=f"{names.ROLE_LABEL}=driver")
        drivers = [records.driver(pod) for page in pages for pod in page.items]
    except ApiError as error:
        raise live.unavailable(error, f"list the drivers of namespace {namespace}") from error
    return sorted((driver for driver in drivers if driver.held), key=lambda driver: driver.name)


def free(client: ApiClient, namespace: str, pod: str) -> bool:
    """Take the finalizer off; False when it was off already. Raises BackendUnavailableError."""
    try:
        return take_off(client, namespace, pod)
    except ApiError as error:
        raise live.unavailable(error, f"take the finalizer off {pod}") from error
