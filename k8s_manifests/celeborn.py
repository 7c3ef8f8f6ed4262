"""Celeborn, the remote shuffle service that a job may choose: masters that agree among themselves, workers on NVMe.

Typed by hand after the chart of 0.7 (https://github.com/apache/celeborn/tree/v0.7.0/charts/celeborn), which has neither probes nor
limits and leaves the workers' ports to chance. Different on purpose: fixed ports, so that network policies can name them; masters on
volumes of their own (theirs are folders of the node); workers on emptyDir, which is the NVMe array of the pools of role
`celeborn`, so no pod needs a folder of the node, root, or a container that changes owners, and the namespace is restricted.

A deleted worker loses what it held, as a lost node does; its replicas serve it. So an apply never restarts workers by itself
(`OnDelete`): with two copies of each block, one worker after the other within the life of a shuffle would lose some.
"""

from dataclasses import dataclass
from typing import Final

from constructs import Construct

from environments.names import CELEBORN_NAMESPACE
from k8s_manifests import labels
from k8s_manifests.base import MokaChart
from k8s_manifests.celeborn_addresses import CELEBORN_MASTER_PORT, master_host
from k8s_manifests.celeborn_settings import (
    FOLDER,
    MASTER_HTTP_PORT,
    RATIS_FOLDER,
    RATIS_PORT,
    SCRATCH_FOLDER,
    SHUTDOWN_SECONDS,
    WORKER_FOLDER,
    WORKER_HTTP_PORT,
    settings_files,
)
from k8s_manifests.images import CELEBORN
from k8s_manifests.kinds import Kind
from k8s_manifests.network_policies import (
    CELEBORN_WORKER_PORTS,
    SPARK_PODS,
    Flow,
    add_component_policy,
    add_policy,
    pods_here,
    scraped,
)
from k8s_manifests.placement import Placement
from k8s_manifests.pods import ConfigVolume, Container, HttpProbe, Pod, Resources, ScratchVolume
from k8s_manifests.priority_classes import PLATFORM
from k8s_manifests.rbac import Subject, add_service_account
from k8s_manifests.storage_classes import GP3
from k8s_manifests.workloads import Claim, ServiceProps, StatefulSetProps, add_service, add_stateful_set

NAME: Final = "celeborn"
"""Also the label by which jobs' network policies know it."""
IMAGE_USER: Final = 10006
MASTER_HEAP_MIB: Final = 2048


@dataclass(frozen=True, kw_only=True)
class WorkerSize:
    """What one worker takes of its node: nearly all."""

    cpu_millis: int
    heap_mib: int
    off_heap_mib: int
    """Buffers of what is written and sent."""
    disk_mib: int


@dataclass(frozen=True, kw_only=True)
class CelebornProps:
    """One installation of Celeborn."""

    environment: str
    image: str
    masters: int
    workers: int
    worker: WorkerSize
    job_namespaces: tuple[str, ...]
    master_placement: Placement
    worker_placement: Placement


class CelebornChart(MokaChart):
    """Settings, masters, workers in their own namespace."""

    def __init__(self, scope: Construct, construct_id: str, props: CelebornProps) -> None:
        common = labels.common(name=NAME, environment=props.environment, version=CELEBORN.version)
        super().__init__(scope, construct_id, labels=common)
        self._props = props
        self._files = settings_files(masters=props.masters, disk_mib=props.worker.disk_mib)
        add_policy(self, "default-deny", (), namespace=CELEBORN_NAMESPACE)
        add_service_account(self, Subject(name=NAME, namespace=CELEBORN_NAMESPACE))
        self.add(Kind.CONFIG_MAP, NAME, {"data": self._files}, namespace=CELEBORN_NAMESPACE)
        self._add_masters()
        self._add_workers()

    def _add_masters(self) -> None:
        props = self._props
        container = self._container(
            "master",
            {"CELEBORN_MASTER_MEMORY": f"{MASTER_HEAP_MIB}m"},
            {"rpc": CELEBORN_MASTER_PORT, "ratis": RATIS_PORT, "metrics": MASTER_HTTP_PORT},
            Resources(cpu_millis=200, cpu_limit_millis=2000, memory_mib=MASTER_HEAP_MIB + 1024),
        )
        claim = Claim(name="ratis", path=RATIS_FOLDER, storage_class=GP3, size_gib=20)
        self._add("master", container, props.masters, props.master_placement, stop_seconds=60, claim=claim)
        jobs = tuple(
            {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
                "podSelector": SPARK_PODS,
            }
            for namespace in props.job_namespaces
        )
        own, workers = self._selector("master"), self._selector("worker")
        among = pods_here({"matchLabels": own})
        flows = (
            Flow(
                direction="Ingress",
                peers=(*jobs, *pods_here({"matchLabels": workers})),
                tcp_ports=(CELEBORN_MASTER_PORT,),
            ),
            Flow(direction="Ingress", peers=among, tcp_ports=(CELEBORN_MASTER_PORT, RATIS_PORT)),
            Flow(direction="Egress", peers=among, tcp_ports=(CELEBORN_MASTER_PORT, RATIS_PORT)),
            # masters ask workers to release slots
            Flow(direction="Egress", peers=pods_here({"matchLabels": workers}), tcp_ports=CELEBORN_WORKER_PORTS),
            scraped(MASTER_HTTP_PORT),
        )
        add_component_policy(self, f"{NAME}-master", flows, namespace=CELEBORN_NAMESPACE, pods=own)

    def _add_workers(self) -> None:
        props, size = self._props, self._props.worker
        rpc, fetch, push, replicate = CELEBORN_WORKER_PORTS
        container = self._container(
            "worker",
            {
                "CELEBORN_WORKER_MEMORY": f"{size.heap_mib}m",
                "CELEBORN_WORKER_OFFHEAP_MEMORY": f"{size.off_heap_mib}m",
            },
            {"rpc": rpc, "fetch": fetch, "push": push, "replicate": replicate, "metrics": WORKER_HTTP_PORT},
            Resources(
                cpu_millis=size.cpu_millis,
                cpu_limit_millis=size.cpu_millis + 1000,
                memory_mib=size.heap_mib + size.off_heap_mib + 1024,
            ),
            ScratchVolume(name="disk", path=WORKER_FOLDER, size_mib=size.disk_mib),
        )
        self._add(
            "worker",
            container,
            props.workers,
            props.worker_placement,
            stop_seconds=SHUTDOWN_SECONDS + 120,
            by_hand=True,
        )
        jobs = tuple(
            {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
                "podSelector": SPARK_PODS,
            }
            for namespace in props.job_namespaces
        )
        own, masters = self._selector("worker"), self._selector("master")
        among, of_masters = pods_here({"matchLabels": own}), pods_here({"matchLabels": masters})
        flows = (
            Flow(direction="Ingress", peers=(*jobs, *among, *of_masters), tcp_ports=CELEBORN_WORKER_PORTS),
            # each block is written on to a second worker
            Flow(direction="Egress", peers=among, tcp_ports=CELEBORN_WORKER_PORTS),
            Flow(direction="Egress", peers=of_masters, tcp_ports=(CELEBORN_MASTER_PORT,)),
            scraped(WORKER_HTTP_PORT),
        )
        add_component_policy(self, f"{NAME}-worker", flows, namespace=CELEBORN_NAMESPACE, pods=own)

    def _selector(self, role: str) -> dict[str, str]:
        return labels.selector(name=NAME, component=role)

    def _container(
        self, role: str, env: dict[str, str], ports: dict[str, int], resources: Resources, *disks: ScratchVolume
    ) -> Container:
        # a name that is not known yet ends the process
        hosts = " ".join(master_host(number) for number in range(self._props.masters))
        script = (
            f"for host in {hosts}; do until getent hosts $host; do echo waiting for $host; sleep 2; done; done; "
            f"exec /opt/celeborn/sbin/start-{role}.sh"
        )
        health = HttpProbe(path="/ping", port=ports["metrics"], timeout_seconds=10, failure_threshold=6)
        return Container(
            name=NAME,
            image=self._props.image,
            command=("/usr/bin/tini", "--", "/bin/bash", "-c"),
            args=(script,),
            env={
                "CELEBORN_NO_DAEMONIZE": "1",
                "CELEBORN_CONF_DIR": FOLDER,
                "CELEBORN_LOG_DIR": f"{SCRATCH_FOLDER}/logs",
                "CELEBORN_PID_DIR": SCRATCH_FOLDER,
                **env,
            },
            ports=ports,
            resources=resources,
            liveness=health,
            readiness=HttpProbe(path="/ping", port=ports["metrics"]),
            startup=HttpProbe(path="/ping", port=ports["metrics"], failure_threshold=60),
            scratch=(ScratchVolume(name="tmp", path=SCRATCH_FOLDER, size_mib=1024), *disks),
            files=(ConfigVolume(name="settings", path=FOLDER, config_map=NAME),),
        )

    def _add(
        self,
        role: str,
        container: Container,
        replicas: int,
        placement: Placement,
        *,
        stop_seconds: int,
        claim: Claim | None = None,
        by_hand: bool = False,
    ) -> None:
        """Add the StatefulSet and the Service that names its pods and leads to their metrics."""
        name, selector = f"{NAME}-{role}", self._selector(role)
        pod = Pod(
            container=container,
            service_account=NAME,
            api_token=False,
            user_id=IMAGE_USER,
            placement=placement,
            priority_class=PLATFORM,
            stop_seconds=stop_seconds,
            # a moved worker has lost what it held
            evictable=not by_hand,
        )
        add_stateful_set(
            self,
            StatefulSetProps(
                name=name,
                namespace=CELEBORN_NAMESPACE,
                selector=selector,
                replicas=replicas,
                pod=pod,
                claim=claim,
                rolled_by_hand=by_hand,
                configuration="".join(self._files.values()),
            ),
        )
        add_service(
            self,
            ServiceProps(
                name=name,
                namespace=CELEBORN_NAMESPACE,
                selector=selector,
                ports=dict(container.ports),
                scraped=True,
                metrics_path="/metrics/prometheus",
                headless=True,
            ),
        )
