"""A cluster of the test's making: one attempt's application and driver, and threads to ask with."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from archer.backends.kubernetes import names
from testbed import spark_manifests as made
from testbed.fake_kubernetes import FakeKubernetes


@pytest.fixture
def api() -> FakeKubernetes:
    """Nothing is there."""
    return FakeKubernetes()


@pytest.fixture
def ended(api: FakeKubernetes) -> FakeKubernetes:
    """A driver that ended well, its application and two executors."""
    api.objects |= {
        names.applications(made.NAMESPACE, made.NAME): made.application("COMPLETED"),
        names.pods(made.NAMESPACE, f"{made.NAME}-driver"): made.driver("Succeeded", exit_code=0),
        **{
            names.pods(made.NAMESPACE, f"{made.NAME}-exec-{number}"): made.executor(number, "Succeeded", exit_code=0)
            for number in (1, 2)
        },
    }
    return api


@pytest.fixture
def workers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as workers:
        yield workers
