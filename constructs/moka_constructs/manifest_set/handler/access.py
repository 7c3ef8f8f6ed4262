"""The first contact: an access entry takes a while until the cluster knows it, and nothing is begun before it does."""

from typing import Final

from .client import METADATA_LIST, ApiError, Client
from .errors import UnreachableError

POLL_SECONDS: Final = 2.0
REFUSED: Final = frozenset({401, 403})


def wait_for_access(client: Client, seconds: float) -> None:
    """Return when the API server lets us read CRDs. Raises UnreachableError when it does not within `seconds`."""
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    until = client.deadline.remaining() - seconds
    while True:
        try:
            client.request("GET", path, query={"limit": "1"}, accept=METADATA_LIST)
        except ApiError as error:
            if error.status not in REFUSED:
                raise UnreachableError(f"{client.server.url} answers {error.status}: {error.message}") from error
            if client.deadline.remaining() <= until + POLL_SECONDS:
                why = f"{client.server.url} refuses: {error.message}; the identity needs an access entry with cluster-admin"
                raise UnreachableError(why) from error
            client.deadline.sleep(POLL_SECONDS)
        else:
            return
