"""The backend as a whole, where no server is needed; `tests/e2e/archer/test_backend.py` tries it on a real one."""

from collections.abc import Iterator

import pytest

from archer.backends.interface import Backend, Phase, StopReason, Sweeping
from archer.backends.kubernetes import names
from archer.backends.kubernetes.backend import KubernetesBackend
from archer.errors import BackendUnavailableError
from archer.kubernetes.errors import ClusterUnreachableError
from testbed import spark_manifests as made
from testbed.archer_builders import JOB_ID, make_attempt, make_cluster_config
from testbed.fake_kubernetes import FakeKubernetes

DRIVER = names.pods(made.NAMESPACE, f"{made.NAME}-driver")
APPLICATION = names.applications(made.NAMESPACE, made.NAME)


@pytest.fixture
def backend(api: FakeKubernetes) -> Iterator[KubernetesBackend]:
    """A backend whose database knows one attempt, which it follows nowhere."""
    config = make_cluster_config("root.ads", "root.etl", teams={"ads": ["root.ads"], "etl": ["root.etl"]})
    attempt = make_attempt(name=made.NAME, spec={"metadata": {"namespace": made.NAMESPACE}, "spec": {}})
    backend = KubernetesBackend(
        config=config,
        cluster=config.clusters[0],
        client=api.client,
        known=lambda attempts: {made.NAME: attempt} if made.NAME in attempts else {},
        text=lambda job, number, kind: f"{kind} of {job} {number}" if kind == "driver-log" else None,
    )
    yield backend
    backend.close()


def test_it_is_a_backend_that_sweeps(backend: KubernetesBackend) -> None:
    asked: Backend = backend

    assert isinstance(asked, Sweeping)
    assert (asked.cluster, asked.capacity) == ("batch", None)


def test_its_namespaces_are_those_of_the_teams_on_the_cluster(backend: KubernetesBackend) -> None:
    assert backend.namespaces == ("spark-ads", "spark-etl")


def test_a_namespace_that_nobody_listens_to_has_neither_news_nor_a_sweep(backend: KubernetesBackend) -> None:
    for call in (backend.news, backend.sweep):
        with pytest.raises(BackendUnavailableError, match="not listened to"):
            call("spark-ads")


def test_an_attempt_that_nobody_ever_wrote_down_is_neither_stopped_nor_released(
    backend: KubernetesBackend, api: FakeKubernetes
) -> None:
    backend.stop("nobody", StopReason.CANCEL)
    backend.release("nobody")

    assert api.calls == []


def test_a_server_that_does_not_follow_the_namespace_releases_all_the_same(
    backend: KubernetesBackend, ended: FakeKubernetes
) -> None:
    assert backend.observe([made.NAME])[made.NAME].phase is Phase.ENDED

    backend.release(made.NAME)

    assert set(ended.objects) == {APPLICATION, DRIVER}
    assert ended.objects[DRIVER]["metadata"]["finalizers"] == ["other.example/keep"]
    assert backend.finalizers().released == 1


def test_a_release_never_fails_for_a_cluster_that_is_away(backend: KubernetesBackend, ended: FakeKubernetes) -> None:
    ended.faults["GET", APPLICATION] = [ClusterUnreachableError("silence")]

    backend.release(made.NAME)

    assert made.FINALIZER in ended.objects[DRIVER]["metadata"]["finalizers"]


def test_a_stop_is_why_nothing_is_left(backend: KubernetesBackend, api: FakeKubernetes) -> None:
    api.objects[APPLICATION] = made.application()

    backend.stop(made.NAME, StopReason.START_TIMEOUT)

    outcome = backend.observe([made.NAME])[made.NAME].outcome
    assert outcome is not None
    assert outcome.stopped_for == "start-timeout"
    backend.release(made.NAME)
    # the name is free of it: what was asked of an attempt ends with the attempt
    assert backend.observe([made.NAME])[made.NAME].phase is Phase.VANISHED


def test_the_recorded_log_is_read_when_the_pod_is_gone(backend: KubernetesBackend) -> None:
    piece = backend.read_log(made.NAME, "driver", offset=0, limit=1000)

    assert piece.data.decode() == f"driver-log of {JOB_ID} 1"
    assert backend.read_log("nobody", "driver", offset=3, limit=10).data == b""
