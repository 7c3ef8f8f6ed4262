"""What the tests on a real control plane share: the cluster, namespaces of their own, and how a skip is judged.

`make e2e` runs them. They run on a control plane that is started here, or on the cluster that MOKA_TESTBED_KUBECONFIG and
MOKA_TESTBED_CONTEXT name. What this machine cannot do is skipped with the reason; where CI is set, a skip is a failure.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from typing import TYPE_CHECKING

import pytest

from testbed.binaries import CONTROL_PLANE, binaries
from testbed.components import Settings
from testbed.control_plane import ControlPlane
from testbed.errors import NoGoError
from testbed.foreign import ForeignCluster
from testbed.kubernetes import ApiError
from testbed.real_spark_operator import VARIABLE, binary

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from testbed.cluster import Cluster
    from testbed.kubernetes import Client


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", f"real_operator: about the real operator alone; left out unless {VARIABLE} is set"
    )


def pytest_report_header() -> str:
    """Which operator the results are about."""
    program = binary()
    if program is not None:
        return f"spark operator: real, {program}"
    return (
        f"spark operator: the stand-in; set {VARIABLE} to a binary for the real one, and for the tests about it alone"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests about the real operator where there is none; pytest counts them as deselected."""
    if binary() is None:
        out = [item for item in items if item.get_closest_marker("real_operator")]
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if item not in out]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A skip where CI is set is a failure: the machine that guards the branch must be able to do everything."""
    report = yield
    if (
        report.skipped
        and not hasattr(report, "wasxfail")
        and os.environ.get("CI", "").lower() not in {"", "0", "false"}
    ):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: not run, and CI is set: {reason}"
    return report


@pytest.fixture(scope="session")
def programs() -> None:
    """The testbed's programs are there; built now if need be (about 10 minutes, once)."""
    try:
        binaries(*CONTROL_PLANE)
    except NoGoError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def plane_factory(programs: None) -> Iterator[Callable[..., ControlPlane]]:
    """Starts control planes of the caller's own: `plane_factory(terminated_pod_gc_threshold=5)`; all end with the session.

    A test that breaks something stops its plane itself, with `with plane_factory() as plane`, so that it doesn't linger.
    """
    with contextlib.ExitStack() as planes:

        def start(**settings: object) -> ControlPlane:
            plane = ControlPlane(Settings(**settings))  # type: ignore[arg-type]  # the caller's words, checked by Settings
            planes.callback(plane.stop)
            plane.start()
            return plane

        yield start


@pytest.fixture(scope="session")
def plane(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """The cluster for all tests of the session that stop nothing in it; each works in a namespace of its own.

    It is the one that the variables name, or else a control plane started here. Faults are for planes of `plane_factory`.
    """
    foreign = ForeignCluster.from_environment()
    if foreign is None:
        yield request.getfixturevalue("plane_factory")()
        return
    yield foreign
    foreign.close()


@pytest.fixture(scope="session")
def client(plane: Cluster) -> Client:
    """The administrator's client of `plane`."""
    return plane.client()


@pytest.fixture
def new_namespace(client: Client) -> Iterator[Callable[..., str]]:
    """Makes namespaces in `plane`, `new_namespace("spark-ads", labels={…})`; without a name, one that nobody has.

    One of that name that an earlier test left is waited for. At the end they are asked to go, their pods freed of finalizers.
    """
    made: list[str] = []

    def make(name: str | None = None, *, labels: dict[str, str] | None = None) -> str:
        name = name or f"test-{secrets.token_hex(4)}"
        _wait_for(
            lambda: client.find("v1", "Namespace", name) is None, f"namespace {name} is there and does not go away"
        )
        client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels or {}}})
        made.append(name)
        # pods are refused until it has its service account
        _wait_for(lambda: client.find("v1", "ServiceAccount", "default", name) is not None, f"no account in {name}")
        return name

    yield make
    for name in made:
        client.delete("v1", "Namespace", name, missing_ok=True)
        for pod in client.list("v1", "Pod", name):
            if pod["metadata"].get("finalizers"):
                with contextlib.suppress(ApiError):  # it may have gone meanwhile
                    client.patch("v1", "Pod", pod["metadata"]["name"], name, body={"metadata": {"finalizers": None}})


def _wait_for(condition: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + 180
    while not condition():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.05)


@pytest.fixture
def namespace(new_namespace: Callable[..., str]) -> str:
    """A namespace of this test's own."""
    return new_namespace()
