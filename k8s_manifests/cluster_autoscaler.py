"""The Cluster Autoscaler: starts nodes for pods that wait, and ends idle ones.

Typed by hand after https://github.com/kubernetes/autoscaler/tree/cluster-autoscaler-1.35.2/cluster-autoscaler/cloudprovider/aws/examples;
flags and priorities come from `autoscaler_settings.py`. Two replicas, of which one works: losing the node of the only one
would leave nobody to start another. It runs on the system pool, which it never changes.
"""

from dataclasses import dataclass
from typing import Any, Final

from constructs import Construct

from k8s_manifests import labels
from k8s_manifests.autoscaler_settings import LOCK, PRIORITY_CONFIG_MAP, STATUS_CONFIG_MAP, Flag
from k8s_manifests.base import MokaChart
from k8s_manifests.kinds import Kind
from k8s_manifests.network_policies import ClusterNetwork, add_component_policy, api_server, aws, scraped
from k8s_manifests.placement import Placement
from k8s_manifests.pods import Container, HttpProbe, Pod, Resources
from k8s_manifests.rbac import Rule, Subject, add_cluster_role, add_role, add_service_account, irsa
from k8s_manifests.workloads import DeploymentProps, ServiceProps, add_deployment, add_service

NAME: Final = "cluster-autoscaler"
PRIORITY_CLASS: Final = "system-cluster-critical"
"""Kubernetes' own: without it nothing that waits gets a node, the platform's pods included."""
PORT: Final = 8085
IMAGE_USER: Final = 65532
"""The user `nonroot` of distroless images."""

_WATCH: Final = ("get", "list", "watch")

CLUSTER_RULES: Final = (
    # taints nodes that it is about to take away
    Rule(resources=("nodes",), verbs=(*_WATCH, "update")),
    Rule(resources=("pods/eviction",), verbs=("create",)),
    Rule(resources=("events",), verbs=("create", "patch")),
    # what its copy of the scheduler looks at, and who owns the pods of a node
    Rule(
        resources=(
            "pods",
            "namespaces",
            "services",
            "replicationcontrollers",
            "persistentvolumes",
            "persistentvolumeclaims",
        ),
        verbs=_WATCH,
    ),
    Rule(groups=("apps",), resources=("daemonsets", "replicasets", "statefulsets"), verbs=_WATCH),
    Rule(groups=("batch",), resources=("jobs",), verbs=_WATCH),
    Rule(groups=("policy",), resources=("poddisruptionbudgets",), verbs=("list", "watch")),
    Rule(
        groups=("storage.k8s.io",),
        resources=("storageclasses", "csinodes", "csidrivers", "csistoragecapacities", "volumeattachments"),
        verbs=_WATCH,
    ),
)
"""Rules in the whole cluster. Upstream's example also grants `pods/status`, `endpoints`, `extensions` and patches of Jobs:
leftovers that 1.34 to 1.36 do not call with our flags."""

DEVICE_RULES: Final = (
    Rule(groups=("resource.k8s.io",), resources=("deviceclasses", "resourceclaims", "resourceslices"), verbs=_WATCH),
)
"""From 1.35 on it reads claims of devices and cannot be told not to; it does not start without."""

OWN_NAMESPACE_RULES: Final = (
    Rule(resources=("configmaps",), verbs=("create", "list", "watch")),
    Rule(resources=("configmaps",), names=(STATUS_CONFIG_MAP,), verbs=("get", "update", "delete")),
    Rule(groups=("coordination.k8s.io",), resources=("leases",), verbs=("create",)),
    Rule(groups=("coordination.k8s.io",), resources=("leases",), names=(LOCK,), verbs=("get", "update")),
)
"""Its status, its priorities, and the lease of the replica that works."""


@dataclass(frozen=True, kw_only=True)
class ClusterAutoscalerProps:
    """One installation of the autoscaler."""

    environment: str
    version: str
    image: str
    """Full reference; its minor must be the cluster's, because it simulates that scheduler."""
    region: str
    namespace: str
    account: str
    """Service account that the AWS role trusts."""
    role_arn: str | None
    """IAM role of the service account (IRSA); None where EKS Pod Identity gives it."""
    flags: tuple[Flag, ...]
    priorities: dict[str, Any]
    """The priority expander's ConfigMap, its `data` alone."""
    reads_devices: bool
    """Whether this minor reads claims of devices."""
    pods: int
    """Pods of the cluster at most: it holds all of them."""
    nodes: int
    """Nodes of the cluster at most."""
    placement: Placement
    network: ClusterNetwork


class ClusterAutoscalerChart(MokaChart):
    """Priorities, rights, Deployment, metrics."""

    def __init__(self, scope: Construct, construct_id: str, props: ClusterAutoscalerProps) -> None:
        common = labels.common(name=NAME, environment=props.environment, version=props.version)
        super().__init__(scope, construct_id, labels=common)
        namespace = props.namespace
        own = {labels.COMPONENT: "controller"}
        subject = Subject(name=props.account, namespace=namespace)
        add_service_account(self, subject, labels=own, annotations=irsa(props.role_arn))
        rules = CLUSTER_RULES + (DEVICE_RULES if props.reads_devices else ())
        add_cluster_role(self, NAME, rules, subject=subject, labels=own)
        add_role(self, NAME, OWN_NAMESPACE_RULES, namespace=namespace, subject=subject, labels=own)
        self.add(Kind.CONFIG_MAP, PRIORITY_CONFIG_MAP, {"data": props.priorities}, namespace=namespace, labels=own)
        selector = labels.selector(name=NAME, component="controller")
        pod = Pod(
            container=_container(props),
            service_account=subject.name,
            user_id=IMAGE_USER,
            placement=props.placement,
            priority_class=PRIORITY_CLASS,
        )
        add_deployment(self, DeploymentProps(name=NAME, namespace=namespace, selector=selector, replicas=2, pod=pod))
        add_service(
            self,
            ServiceProps(name=NAME, namespace=namespace, selector=selector, ports={"metrics": PORT}, scraped=True),
        )
        flows = (
            api_server(props.network),
            *aws(props.network, pod_identity=props.role_arn is None),
            scraped(PORT),
        )
        add_component_policy(self, NAME, flows, namespace=namespace, pods=selector)


def _container(props: ClusterAutoscalerProps) -> Container:
    return Container(
        name=NAME,
        image=props.image,
        # the image has no entrypoint but a default command, which arguments alone would replace
        command=("/cluster-autoscaler",),
        args=tuple(flag.argument for flag in props.flags),
        env={"AWS_REGION": props.region},
        ports={"metrics": PORT},
        resources=_resources(props),
        # fails when no loop ended for ten minutes; a replica that waits for the lease answers, too
        liveness=HttpProbe(path="/health-check", port=PORT),
        readiness=HttpProbe(path="/health-check", port=PORT),
    )


def _resources(props: ClusterAutoscalerProps) -> Resources:
    """Return its size: pods and nodes twice, in its cache and in the simulation; the project advises 1 GiB for 1,000 nodes."""
    memory = 320 + props.pods // 20 + props.nodes // 2
    return Resources(cpu_millis=100, cpu_limit_millis=1000, memory_mib=-(-memory // 64) * 64)
