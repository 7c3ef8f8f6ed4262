"""Fluent Bit on every node of drivers and executors: containers' logs go to the environment's bucket while they are written.

The place of a log follows from the name of its file alone, `<pod>_<namespace>_<container>-<id>.log`, because Archer names
attempts `<job id>-<attempt>` and Spark names pods after them: no question to the API server, no right there, and nothing but
Archer's jobs is shipped. https://docs.fluentbit.io/manual/data-pipeline/outputs/s3

What a log's object is called: `logs/<job id>/<attempt>/<pod>/<container>/<epoch ms of the first record>-<number>.log.gz`. The
output knows times by the second, so the three last digits of the time are zeros; the number counts all uploads of the node,
and keeps its place through restarts. Not in it: standard output apart from standard error, and the runtime's own time stamps.
"""

from dataclasses import dataclass
from typing import Final

from constructs import Construct

from k8s_manifests import labels
from k8s_manifests.base import MokaChart
from k8s_manifests.images import FLUENT_BIT
from k8s_manifests.kinds import Kind
from k8s_manifests.network_policies import ClusterNetwork, add_component_policy, add_policy, aws, scraped
from k8s_manifests.placement import Placement
from k8s_manifests.pods import ConfigVolume, Container, HttpProbe, NodeVolume, Pod, Resources
from k8s_manifests.rbac import Subject, add_service_account, irsa
from k8s_manifests.workloads import DaemonSetProps, ServiceProps, add_daemon_set, add_service

NAME: Final = "log-shipper"
PORT: Final = 2020
SETTINGS_FOLDER: Final = "/etc/log-shipper"
SETTINGS_FILE: Final = "fluent-bit.conf"
LOG_FOLDER: Final = "/var/log"
"""`containers/` has links to `pods/`, which is on the NVMe array where the node has one: mounted with what is mounted below."""
STATE_FOLDER: Final = "/var/lib/moka-log-shipper"
"""How far each file was read, and what is not uploaded yet. On the node: with an emptyDir, each rollout would ship all again."""
PRIORITY_CLASS: Final = "system-node-critical"
"""Started first, preempted never, and stopped last when the kubelet shuts its node down in order."""
WHY_NOT_RESTRICTED: Final = (
    "reads containers' logs in /var/log of the node, which belong to root, and keeps its place in /var/lib/moka-log-shipper; "
    "it has no capability, no token, a read-only root and no network but DNS and AWS"
)

FILE_NAME: Final = (
    r"(?<pod>(?<job>j-[0-9a-hjkmnp-tv-z]{26})-(?<attempt>[0-9]+)-(driver|exec-[0-9]+))"
    r"_(?<namespace>spark-[a-z0-9-]+)_(?<container>[a-z0-9-]+)-(?<id>[0-9a-f]{64})\.log$"
)
"""Name of a container's log; whatever is called otherwise gets no place and is not shipped."""
TAG: Final = "job.<job>.<attempt>.<pod>.<container>"
"""Parts are counted from 0; none of the names may hold a dot."""
KEY: Final = "/logs/$TAG[1]/$TAG[2]/$TAG[3]/$TAG[4]/%s000-$INDEX.log.gz"

UPLOAD_SECONDS: Final = 60
"""An object is closed so long after its first record: a pod's last lines are in the bucket a minute after its end."""
UPLOAD_MIB: Final = 16
"""Or as soon as it is that large, before compression."""
STATE_MIB: Final = 2048
"""What may wait on the node for S3; beyond it the newest records are refused and read again later."""
STOP_SECONDS: Final = 90
"""A spot node has two minutes."""


@dataclass(frozen=True, kw_only=True)
class LogShipperProps:
    """The shipper of one cluster."""

    environment: str
    image: str
    region: str
    namespace: str
    account: str
    """Service account that the AWS role trusts."""
    role_arn: str | None
    """IAM role of the service account (IRSA); None where EKS Pod Identity gives it."""
    bucket: str
    placement: Placement
    network: ClusterNetwork


class LogShipperChart(MokaChart):
    """Settings, DaemonSet, metrics, network policy, in a namespace of its own."""

    def __init__(self, scope: Construct, construct_id: str, props: LogShipperProps) -> None:
        common = labels.common(name=NAME, environment=props.environment, version=FLUENT_BIT.version)
        super().__init__(scope, construct_id, labels=common)
        namespace, own = props.namespace, {labels.COMPONENT: "agent"}
        add_policy(self, "default-deny", (), namespace=namespace)
        subject = Subject(name=props.account, namespace=namespace)
        add_service_account(self, subject, labels=own, annotations=irsa(props.role_arn))
        settings = shipper_settings(bucket=props.bucket, region=props.region)
        self.add(Kind.CONFIG_MAP, NAME, {"data": {SETTINGS_FILE: settings}}, namespace=namespace, labels=own)
        selector = labels.selector(name=NAME, component="agent")
        pod = Pod(
            container=_container(props),
            service_account=subject.name,
            api_token=False,
            user_id=0,
            not_restricted=WHY_NOT_RESTRICTED,
            placement=props.placement,
            priority_class=PRIORITY_CLASS,
            stop_seconds=STOP_SECONDS,
        )
        add_daemon_set(
            self,
            DaemonSetProps(name=NAME, namespace=namespace, selector=selector, pod=pod, configuration=settings),
        )
        add_service(
            self,
            ServiceProps(
                name=NAME,
                namespace=namespace,
                selector=selector,
                ports={"metrics": PORT},
                scraped=True,
                metrics_path="/api/v2/metrics/prometheus",
            ),
        )
        flows = (*aws(props.network, pod_identity=props.role_arn is None), scraped(PORT))
        add_component_policy(self, NAME, flows, namespace=namespace, pods=selector)


def shipper_settings(*, bucket: str, region: str) -> str:
    """Return Fluent Bit's configuration."""
    sections = {
        "SERVICE": {
            "Flush": "5",
            # what is left is uploaded at the end
            "Grace": str(STOP_SECONDS - 30),
            "Log_Level": "warn",
            "HTTP_Server": "On",
            "HTTP_Listen": "0.0.0.0",
            "HTTP_Port": str(PORT),
            "storage.path": f"{STATE_FOLDER}/chunks",
            "storage.backlog.mem_limit": "16M",
        },
        "INPUT": {
            "Name": "tail",
            "Path": f"{LOG_FOLDER}/containers/j-*_spark-*_*.log",
            "Tag": TAG,
            "Tag_Regex": FILE_NAME,
            # joins the parts of a line that containerd cuts at 16 KiB
            "multiline.parser": "cri",
            "Read_from_Head": "On",
            # a pod may live for seconds only
            "Refresh_Interval": "2",
            "Rotate_Wait": "30",
            "Buffer_Max_Size": "256k",
            "Skip_Long_Lines": "On",
            "Mem_Buf_Limit": "32M",
            "DB": f"{STATE_FOLDER}/position.db",
            "DB.locking": "true",
            "storage.type": "filesystem",
        },
        "OUTPUT": {
            "Name": "s3",
            "Match": "job.*",
            "bucket": bucket,
            "region": region,
            # the line as the program wrote it, not a JSON object around it
            "log_key": "log",
            "s3_key_format": KEY,
            "s3_key_format_tag_delimiters": ".",
            # one request per object, so that the role needs no right on uploads in parts
            "use_put_object": "On",
            "compression": "gzip",
            "total_file_size": f"{UPLOAD_MIB}M",
            "upload_timeout": f"{UPLOAD_SECONDS}s",
            "store_dir": f"{STATE_FOLDER}/s3",
            "store_dir_limit_size": f"{STATE_MIB}M",
            "Retry_Limit": "20",
        },
    }
    return "\n".join(
        f"[{section}]\n" + "".join(f"    {key} {value}\n" for key, value in settings.items())
        for section, settings in sections.items()
    )


def _container(props: LogShipperProps) -> Container:
    return Container(
        name="fluent-bit",
        image=props.image,
        command=("/fluent-bit/bin/fluent-bit",),
        args=("--config", f"{SETTINGS_FOLDER}/{SETTINGS_FILE}"),
        env={"AWS_REGION": props.region},
        ports={"metrics": PORT},
        # an object is in memory as a whole while it is compressed and sent
        resources=Resources(cpu_millis=50, cpu_limit_millis=500, memory_mib=192),
        liveness=HttpProbe(path="/api/v1/uptime", port=PORT, timeout_seconds=10, failure_threshold=6),
        readiness=HttpProbe(path="/api/v1/uptime", port=PORT),
        files=(ConfigVolume(name="settings", path=SETTINGS_FOLDER, config_map=NAME),),
        node_folders=(
            NodeVolume(name="logs", path=LOG_FOLDER),
            NodeVolume(name="state", path=STATE_FOLDER, writable=True),
        ),
    )
