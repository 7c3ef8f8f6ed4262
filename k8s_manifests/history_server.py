"""The Spark History Server: pages of finished jobs, from the event logs in the environment's bucket.

One per environment, beside Archer: all clusters write to one bucket. It keeps nothing that is not in the bucket: what it has
read lies in memory and on a disk of the pod, and is read again by the next pod. The image is the Spark image.

The bucket's lifecycle rule deletes event logs (`storage.event_log_days`), for the role may only read. Spark's own cleaner
runs a few days behind it and forgets what is gone.
"""

from dataclasses import dataclass
from typing import Final

from constructs import Construct

from environments.names import SERVICE_PORTS
from k8s_manifests import labels
from k8s_manifests.base import MokaChart
from k8s_manifests.kinds import Kind
from k8s_manifests.network_policies import ClusterNetwork, add_component_policy, aws, from_load_balancer
from k8s_manifests.own_images import SPARK
from k8s_manifests.placement import Placement
from k8s_manifests.pods import ConfigVolume, Container, HttpProbe, Pod, Resources, ScratchVolume
from k8s_manifests.priority_classes import PLATFORM
from k8s_manifests.rbac import Subject, add_service_account, irsa
from k8s_manifests.workloads import DeploymentProps, ServiceProps, add_deployment, add_service

NAME: Final = "history-server"
PORT: Final = SERVICE_PORTS["history"]
SETTINGS_FOLDER: Final = "/etc/history-server"
SETTINGS_FILE: Final = "history-server.conf"
STORE_FOLDER: Final = "/var/history-server"
HEALTH_PATH: Final = "/api/v1/version"
"""Answers without a look at the applications; the load balancer asks for it, too."""

HEAP_MIB: Final = 2048
HYBRID_MIB: Final = 1024
"""Of the heap: the application that is being read, before it is on disk."""
BESIDE_HEAP_MIB: Final = 1024
"""Metaspace, threads, buffers of S3A, and RocksDB's caches, which are not on the heap."""
STORE_MIB: Final = 10 * 1024
FORGOTTEN_AFTER_DAYS: Final = 3
"""Lifecycle rules may act a day late; later than that the bucket has deleted a log on its own."""


@dataclass(frozen=True, kw_only=True)
class HistoryServerProps:
    """One History Server."""

    environment: str
    image: str
    """Full reference of the Spark image."""
    region: str
    namespace: str
    account: str
    """Service account that the AWS role trusts."""
    role_arn: str | None
    """IAM role of the service account (IRSA); None where EKS Pod Identity gives it."""
    event_logs: str
    """Where Spark writes event logs, s3a://…/."""
    event_log_days: int
    """Days until the bucket deletes an event log."""
    placement: Placement
    network: ClusterNetwork


class HistoryServerChart(MokaChart):
    """Settings, Deployment, Service, network policy."""

    def __init__(self, scope: Construct, construct_id: str, props: HistoryServerProps) -> None:
        common = labels.common(name=NAME, environment=props.environment, version=SPARK.version)
        super().__init__(scope, construct_id, labels=common)
        namespace, own = props.namespace, {labels.COMPONENT: "server"}
        subject = Subject(name=props.account, namespace=namespace)
        add_service_account(self, subject, labels=own, annotations=irsa(props.role_arn))
        settings = as_text(history_settings(props))
        self.add(Kind.CONFIG_MAP, NAME, {"data": {SETTINGS_FILE: settings}}, namespace=namespace, labels=own)
        selector = labels.selector(name=NAME, component="server")
        pod = Pod(
            container=_container(props),
            service_account=subject.name,
            api_token=False,
            user_id=SPARK.user,
            placement=props.placement,
            priority_class=PLATFORM,
            stop_seconds=45,
        )
        # one is enough for pages that are read: a rollout starts the next before it ends the last, a lost node costs minutes
        add_deployment(
            self,
            DeploymentProps(
                name=NAME, namespace=namespace, selector=selector, replicas=1, pod=pod, configuration=settings
            ),
        )
        add_service(self, ServiceProps(name=NAME, namespace=namespace, selector=selector, ports={"http": PORT}))
        flows = (from_load_balancer(props.network, PORT), *aws(props.network, pod_identity=props.role_arn is None))
        add_component_policy(self, NAME, flows, namespace=namespace, pods=selector)


def history_settings(props: HistoryServerProps) -> dict[str, str]:
    """Return its properties: https://spark.apache.org/docs/4.0.0/monitoring.html#spark-history-server-configuration-options."""
    return {
        "spark.history.ui.port": str(PORT),
        "spark.history.fs.logDirectory": props.event_logs,
        "spark.history.fs.update.interval": "30s",
        # a quarter of the machine's cores by default, and the machine is not ours alone
        "spark.history.fs.numReplayThreads": "2",
        "spark.history.fs.cleaner.enabled": "true",
        "spark.history.fs.cleaner.interval": "1d",
        "spark.history.fs.cleaner.maxAge": f"{props.event_log_days + FORGOTTEN_AFTER_DAYS}d",
        "spark.history.retainedApplications": "20",
        "spark.history.store.path": STORE_FOLDER,
        # the rest of the volume is for what is being written; beyond its size the kubelet evicts the pod
        "spark.history.store.maxDiskUsage": f"{STORE_MIB * 4 // 5}m",
        "spark.history.store.serializer": "PROTOBUF",
        "spark.history.store.hybridStore.enabled": "true",
        "spark.history.store.hybridStore.maxMemoryUsage": f"{HYBRID_MIB}m",
        "spark.history.store.hybridStore.diskBackend": "ROCKSDB",
        "spark.hadoop.fs.s3a.endpoint.region": props.region,
        # S3A's own chain has no web identity
        "spark.hadoop.fs.s3a.aws.credentials.provider": (
            "software.amazon.awssdk.auth.credentials."
            + ("ContainerCredentialsProvider" if props.role_arn is None else "WebIdentityTokenFileCredentialsProvider")
        ),
    }


def as_text(settings: dict[str, str]) -> str:
    """Return the properties as Spark reads them from a file."""
    return "".join(f"{key} {value}\n" for key, value in settings.items())


def _container(props: HistoryServerProps) -> Container:
    return Container(
        name=NAME,
        image=props.image,
        args=("history-server", "--properties-file", f"{SETTINGS_FOLDER}/{SETTINGS_FILE}"),
        env={
            "AWS_REGION": props.region,
            "SPARK_DAEMON_MEMORY": f"{HEAP_MIB}m",
            # a log that does not fit must end the process, or it answers nothing more and stays
            "SPARK_HISTORY_OPTS": "-XX:+ExitOnOutOfMemoryError",
        },
        ports={"http": PORT},
        resources=Resources(cpu_millis=150, cpu_limit_millis=2000, memory_mib=HEAP_MIB + BESIDE_HEAP_MIB),
        liveness=HttpProbe(path=HEALTH_PATH, port=PORT, timeout_seconds=10, failure_threshold=6),
        readiness=HttpProbe(path=HEALTH_PATH, port=PORT, timeout_seconds=5),
        startup=HttpProbe(path=HEALTH_PATH, port=PORT, failure_threshold=30),
        # until the load balancer knows that it goes
        drain_seconds=15,
        scratch=(
            ScratchVolume(name="store", path=STORE_FOLDER, size_mib=STORE_MIB),
            # RocksDB unpacks its library there
            ScratchVolume(name="tmp", path="/tmp", size_mib=512),  # noqa: S108 - the image's own scratch folder
        ),
        files=(ConfigVolume(name="settings", path=SETTINGS_FOLDER, config_map=NAME),),
    )
