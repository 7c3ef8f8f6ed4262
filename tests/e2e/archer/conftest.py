"""A cluster as Archer meets it: our charts' namespaces and rights, an operator, nodes that pretend; and Archer's backend there.

The backend has the rights of Archer's group and no others. Tests see the cluster as its administrator, to do what people,
collectors and broken nodes do.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml

from archer.backends.interface import Observation, Phase
from archer.backends.kubernetes.backend import KubernetesBackend
from archer.errors import BackendUnavailableError
from archer.ids import attempt_name, new_job_id
from archer.kubernetes.access import Access
from archer.kubernetes.client import ApiClient
from environments import load
from environments.loading import FOLDER
from environments.names import ARCHER_GROUP
from testbed.archer_builders import make_attempt, make_cluster_config
from testbed.archer_rights import install_archer_rights
from testbed.kubernetes import ApiError
from testbed.nodes import PretendedNodes
from testbed.operator_chart import OperatorChart
from testbed.real_spark_operator import chosen_operator
from testbed.spark_applications import API, DRIVER, EXECUTOR, FINALIZER, KIND, default_spec, pod_template
from testbed.spark_operator.process import OperatorProcess

if TYPE_CHECKING:
    from pathlib import Path

    from archer.model import Attempt
    from testbed.control_plane import ControlPlane
    from testbed.kubernetes import Client, Manifest

TEAM: Final = "ads"
NAMESPACE: Final = f"spark-{TEAM}"
PATIENCE_SECONDS: Final = 150.0
_FLAGS: Final = {"driver-pod-creation-grace-period": "3s", "leader-election": "false"}


@dataclass
class Ground:
    """A control plane with everything that Archer needs there."""

    plane: ControlPlane
    operator: OperatorProcess
    node: str
    archer: Path
    """The kubeconfig of Archer's group."""
    nodes: PretendedNodes
    new_node: Callable[[], str]
    """Makes another node for drivers; its name."""


@pytest.fixture(scope="module")
def ground(plane_factory: Callable[..., ControlPlane], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """A control plane of the module's own: tests here stop its parts."""
    document = yaml.safe_load((FOLDER / "test.yaml").read_text())
    quota = {"vcores": 64, "memory_gib": 512, "pods": 1000}
    document["teams"] = [{"name": TEAM, "queues": ["root.shared"], "submitters": ["everyone"], "quota": quota}]
    file = tmp_path_factory.mktemp("environment") / "test.yaml"
    file.write_text(yaml.safe_dump(document))
    environment = load(file)
    cluster = environment.clusters[0]
    chart = OperatorChart.of(environment, cluster)
    with plane_factory() as plane:
        chart.install(plane)
        install_archer_rights(plane, environment, cluster)
        with PretendedNodes(plane) as nodes:
            pool = next(pool for pool in cluster.pools if pool.name == "driver")
            node = nodes.add_pool(environment, cluster, pool)[0]
            operator = chosen_operator(plane, chart, namespaces=(NAMESPACE,), flags=_FLAGS)
            with operator:
                yield Ground(
                    plane=plane,
                    operator=operator,
                    node=node,
                    archer=plane.kubeconfig_as("archer", [ARCHER_GROUP]),
                    nodes=nodes,
                    new_node=lambda: nodes.add_pool(environment, cluster, pool)[0],
                )


@dataclass
class Shop:
    """Archer's backend, what the database would hold, and what the backend told."""

    ground: Ground
    backend: KubernetesBackend
    admin: Client
    attempts: dict[str, Attempt]
    texts: dict[tuple[str, int, str], str] = field(default_factory=dict)
    seen: dict[str, list[Observation]] = field(default_factory=dict)
    """What each attempt was observed to be, repetitions left out."""

    def spec(
        self, annotations: Mapping[str, str] | None = None, *, executors: Mapping[str, Any] | None = None, **driver: Any
    ) -> tuple[str, Manifest]:
        """The name and application of a new attempt; the annotations say how its driver ends, `executors` theirs."""
        job = new_job_id(datetime.now(UTC))
        name = attempt_name(job, 1)
        labels = {"archer.moka.dev/job-id": job, "archer.moka.dev/attempt": "1"}
        place: dict[str, Any] = {
            "schedulerName": "default-scheduler",
            "nodeSelector": {"kubernetes.io/hostname": self.ground.node},
            "tolerations": [{"operator": "Exists"}],
        }
        body = default_spec()
        template = pod_template(DRIVER, **{**place, **driver})
        template["metadata"] = {"annotations": dict(annotations or {}), "finalizers": [FINALIZER], "labels": labels}
        body["driver"]["template"] = template
        theirs = pod_template(EXECUTOR, **place)
        theirs["metadata"] = {"annotations": dict(executors or {}), "labels": labels}
        body["executor"] |= {"template": theirs, "deleteOnTermination": False}
        body["sparkConf"] = {"spark.kubernetes.executor.podNamePrefix": name}
        metadata = {"name": name, "namespace": NAMESPACE, "labels": labels}
        made = {"apiVersion": API, "kind": KIND, "metadata": metadata, "spec": body}
        self.attempts[name] = make_attempt(job_id=job, name=name, spec=made)
        return name, made

    def launch(self, annotations: Mapping[str, str] | None = None, **more: Any) -> str:
        """Launch a new attempt; its name."""
        name, made = self.spec(annotations, **more)
        self.backend.launch(name, made)
        return name

    def look(self) -> Collection[str]:
        """Observe what has news, as the tracker does."""
        try:
            names = [name for name in self.backend.news(NAMESPACE) or () if name in self.attempts]
            found = self.backend.observe(names)
        except BackendUnavailableError:
            return ()
        for name, observation in found.items():
            told = self.seen.setdefault(name, [])
            if not told or told[-1] != observation:
                told.append(observation)
        return names

    def wait(self, name: str, *phases: Phase, by_news: bool = True) -> Observation:
        """Wait until the attempt is in one of these phases, as news tell; without news, by looking all the time."""
        return self.wait_for(name, lambda seen: seen.phase in phases, f"{phases}", by_news=by_news)

    def wait_for(
        self, name: str, condition: Callable[[Observation], bool], what: str, *, by_news: bool = True
    ) -> Observation:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            self.look()
            if not by_news:
                try:
                    self.seen.setdefault(name, []).append(self.backend.observe([name])[name])
                except BackendUnavailableError:
                    time.sleep(0.1)
            for observation in self.seen.get(name, ())[-1:]:
                if condition(observation):
                    return observation
            time.sleep(0.05)
        raise AssertionError(f"{name}: not within {PATIENCE_SECONDS:.0f} s: {what}; seen: {self.seen.get(name)}")

    def pod(self, name: str) -> Manifest | None:
        """The driver's pod as it is."""
        return self.admin.find("v1", "Pod", f"{name}-driver", NAMESPACE)

    def application(self, name: str) -> Manifest | None:
        return self.admin.find(API, KIND, name, NAMESPACE)

    def delete_pod(self, name: str) -> None:
        """As a person does, or a collector."""
        self.admin.delete("v1", "Pod", f"{name}-driver", NAMESPACE, missing_ok=True)

    def delete_application(self, name: str) -> None:
        self.admin.delete(API, KIND, name, NAMESPACE, propagation="Background")

    def executors(self, name: str) -> list[Manifest]:
        selector = f"sparkoperator.k8s.io/app-name={name},spark-role=executor"
        return self.admin.list("v1", "Pod", NAMESPACE, labelSelector=selector)

    def settle(self, condition: Callable[[], Any], what: str) -> Any:
        """Wait for something in the cluster."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (found := condition()):
            assert time.monotonic() < deadline, f"not within {PATIENCE_SECONDS:.0f} s: {what}"
            time.sleep(0.05)
        return found

    def held(self, name: str) -> bool:
        """Whether our finalizer is on the driver's pod."""
        pod = self.pod(name)
        return pod is not None and FINALIZER in pod["metadata"].get("finalizers", [])


@pytest.fixture
def shop(ground: Ground) -> Iterator[Shop]:
    """A backend that listens, and nothing in its namespace when the test is over."""
    attempts: dict[str, Attempt] = {}
    texts: dict[tuple[str, int, str], str] = {}
    config = make_cluster_config("root.ads", teams={TEAM: ["root.ads"]})
    backend = KubernetesBackend(
        config=config,
        cluster=config.clusters[0],
        client=ApiClient(Access.from_kubeconfig(ground.archer)),
        known=lambda names: {name: attempts[name] for name in names if name in attempts},
        text=lambda job, attempt, kind: texts.get((job, attempt, kind)),
        settle_seconds=1,
    )
    with ground.plane.client() as admin:
        _empty(admin)
        backend.listen(NAMESPACE)
        try:
            yield Shop(ground=ground, backend=backend, admin=admin, attempts=attempts, texts=texts)
        finally:
            backend.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("kubernetes-")]


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Prints a line of figures, past pytest's capture: they are what the run is for."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def line(text: str) -> None:
        with capture.global_and_fixture_disabled() if capture is not None else contextlib.nullcontext():
            sys.stdout.write(f"\n{text}\n")
            sys.stdout.flush()

    return line


def _empty(admin: Client) -> None:
    """Wait until nothing of an earlier test is left; an operator may make a driver after its application was deleted."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while apps := [(KIND, API, each) for each in admin.list(API, KIND, NAMESPACE)] + [
        ("Pod", "v1", each) for each in admin.list("v1", "Pod", NAMESPACE)
    ]:
        assert time.monotonic() < deadline, f"left in {NAMESPACE}: {[each['metadata']['name'] for _, _, each in apps]}"
        for kind, version, each in apps:
            name = each["metadata"]["name"]
            with contextlib.suppress(ApiError):  # it may have gone meanwhile
                if each["metadata"].get("finalizers"):
                    admin.patch(version, kind, name, NAMESPACE, body={"metadata": {"finalizers": None}})
                admin.delete(version, kind, name, NAMESPACE, grace_period_seconds=0, missing_ok=True)
        time.sleep(0.2)
