"""YuniKorn: the scheduler of all pods in teams' namespaces, and the admission controller that sends them to it.

Typed by hand after the Helm chart of 1.9 (https://github.com/apache/yunikorn-release/tree/master/helm-charts/yunikorn) and
the code of 1.9.0 (https://github.com/apache/yunikorn-k8shim/tree/v1.9.0). Names are fixed where the code names them.
Not here: the webhooks, which the admission controller registers itself; the web page, which shows every team's jobs to
everybody who reaches it; host network, which the VPC CNI makes needless.
"""

from dataclasses import dataclass
from typing import Final

from constructs import Construct

from environments.names import OPERATOR_NAMESPACE, YUNIKORN_NAMESPACE
from environments.tenancy import Queues
from k8s_manifests import labels
from k8s_manifests import yunikorn_rbac as rules
from k8s_manifests.base import MokaChart
from k8s_manifests.images import YUNIKORN_VERSION
from k8s_manifests.kinds import Kind
from k8s_manifests.network_policies import (
    ClusterNetwork,
    Flow,
    add_component_policy,
    add_policy,
    api_server,
    called_by_api_server,
    pods_here,
    scraped,
)
from k8s_manifests.placement import Placement
from k8s_manifests.pods import Container, HttpProbe, Pod, Resources
from k8s_manifests.priority_classes import PLATFORM
from k8s_manifests.rbac import Rule, Subject, add_cluster_role, add_role, add_service_account
from k8s_manifests.spark_operator import CONTROLLER as OPERATOR_ACCOUNT
from k8s_manifests.workloads import DeploymentProps, ServiceProps, add_deployment, add_service
from k8s_manifests.yunikorn_queues import queues_yaml

NAME: Final = "yunikorn"
SCHEDULER: Final = "yunikorn-scheduler"
ADMISSION: Final = "yunikorn-admission-controller"
SCHEDULER_ACCOUNT: Final = "yunikorn-admin"
SCHEDULER_SERVICE: Final = "yunikorn-service"
ADMISSION_SERVICE: Final = "yunikorn-admission-controller-service"
DEFAULTS: Final = "yunikorn-defaults"
CONFIGS: Final = "yunikorn-configs"
REST_PORT: Final = 9080
ADMISSION_PORT: Final = 9089
IMAGE_USER: Final = 4444
CREATE_ONLY: Final = "moka.dev/create-only"
"""Annotation, value "true": an apply makes the object when it is missing and never touches it again."""
PROCESSED_NAMESPACES: Final = "^spark-"
"""The default is every namespace but kube-system: the platform would wait for the scheduler that it runs."""


@dataclass(frozen=True, kw_only=True)
class YuniKornProps:
    """One installation of YuniKorn."""

    environment: str
    cluster: str
    """Name of the EKS cluster, in the scheduler's metrics and answers."""
    scheduler_image: str
    admission_image: str
    placeholder_image: str
    """What the placeholders of a gang run; the default would come from the internet."""
    queues: Queues
    pods: int
    """Pods that the scheduler may have to know at once."""
    nodes: int
    """Nodes that the scheduler may have to know at once."""
    placement: Placement
    network: ClusterNetwork


class YuniKornChart(MokaChart):
    """Configuration, scheduler and admission controller in their own namespace."""

    def __init__(self, scope: Construct, construct_id: str, props: YuniKornProps) -> None:
        common = labels.common(name=NAME, environment=props.environment, version=YUNIKORN_VERSION)
        super().__init__(scope, construct_id, labels=common)
        self._props = props
        self._add_configuration()
        add_policy(self, "default-deny", (), namespace=YUNIKORN_NAMESPACE)
        self._add_scheduler()
        self._add_admission()

    def _add_configuration(self) -> None:
        """Add what the two read at start and watch afterwards; `yunikorn-configs` wins where both have a key."""
        queues = {"queues.yaml": queues_yaml(self._props.queues)}
        for name, data in ((DEFAULTS, _settings(self._props)), (CONFIGS, queues)):
            self.add(Kind.CONFIG_MAP, name, {"data": data}, namespace=YUNIKORN_NAMESPACE)

    def _add_scheduler(self) -> None:
        subject = Subject(name=SCHEDULER_ACCOUNT, namespace=YUNIKORN_NAMESPACE)
        self._add_account("scheduler", SCHEDULER, subject, rules.SCHEDULER_CLUSTER, rules.CONFIGURATION)
        resources = _scheduler_resources(self._props)
        container = Container(
            name="yunikorn-scheduler-k8s",
            image=self._props.scheduler_image,
            env=_go_memory(resources),
            pod_fields={"NAMESPACE": "metadata.namespace"},
            ports={"metrics": REST_PORT},
            resources=resources,
            # the address answers before the first list of pods is read; a health check that found a wrong sum is no
            # reason to lose the scheduler's memory
            liveness=HttpProbe(path="/ws/v1/clusters", port=REST_PORT, timeout_seconds=10, failure_threshold=6),
            readiness=HttpProbe(path="/ws/v1/clusters", port=REST_PORT),
        )
        # no leader election: two schedulers would give the same room away twice
        self._add_workload("scheduler", SCHEDULER, subject, container, replicas=1, alone=True)
        selector = labels.selector(name=NAME, component="scheduler")
        service = ServiceProps(
            name=SCHEDULER_SERVICE,
            namespace=YUNIKORN_NAMESPACE,
            selector=selector,
            ports={"metrics": REST_PORT},
            scraped=True,
            metrics_path="/ws/v1/metrics",
        )
        add_service(self, service)
        admission = labels.selector(name=NAME, component="admission-controller")
        flows = (
            api_server(self._props.network),
            # its REST interface knows no users: it lists every job, and pprof is on it
            Flow(direction="Ingress", peers=pods_here({"matchLabels": admission}), tcp_ports=(REST_PORT,)),
            scraped(REST_PORT),
        )
        add_component_policy(self, SCHEDULER, flows, namespace=YUNIKORN_NAMESPACE, pods=selector)

    def _add_admission(self) -> None:
        subject = Subject(name=ADMISSION, namespace=YUNIKORN_NAMESPACE)
        self._add_account(
            "admission-controller", ADMISSION, subject, rules.ADMISSION_CLUSTER, rules.ADMISSION_OWN_NAMESPACE
        )
        # empty: the controller fills it with its CAs and renews them; whoever wrote it again would break its webhooks
        self.add(
            Kind.SECRET,
            rules.CERTIFICATES,
            {"type": "Opaque"},
            namespace=YUNIKORN_NAMESPACE,
            labels={labels.COMPONENT: "admission-controller"},
            annotations={CREATE_ONLY: "true"},
        )
        resources = Resources(cpu_millis=50, cpu_limit_millis=500, memory_mib=256)
        health = HttpProbe(path="/health", port=ADMISSION_PORT, scheme="HTTPS")
        container = Container(
            name=ADMISSION,
            image=self._props.admission_image,
            env=_go_memory(resources),
            pod_fields={"NAMESPACE": "metadata.namespace"},
            ports={"webhook-api": ADMISSION_PORT},
            resources=resources,
            liveness=health,
            readiness=health,
            # at its first start it makes two CAs of 2048 bits
            startup=HttpProbe(path="/health", port=ADMISSION_PORT, scheme="HTTPS", failure_threshold=30),
        )
        # both may renew at once: they write with the version that they read, and read again when they lose
        self._add_workload("admission-controller", ADMISSION, subject, container, replicas=2)
        selector = labels.selector(name=NAME, component="admission-controller")
        service = ServiceProps(
            name=ADMISSION_SERVICE, namespace=YUNIKORN_NAMESPACE, selector=selector, ports={"webhook-api": 443}
        )
        add_service(self, service)
        scheduler = labels.selector(name=NAME, component="scheduler")
        flows = (
            api_server(self._props.network),
            called_by_api_server(self._props.network, ADMISSION_PORT),
            # a new queues.yaml is shown to the scheduler before it is stored
            Flow(direction="Egress", peers=pods_here({"matchLabels": scheduler}), tcp_ports=(REST_PORT,)),
        )
        add_component_policy(self, ADMISSION, flows, namespace=YUNIKORN_NAMESPACE, pods=selector)

    def _add_account(
        self, component: str, role: str, subject: Subject, cluster: tuple[Rule, ...], own: tuple[Rule, ...]
    ) -> None:
        marked = {labels.COMPONENT: component}
        add_service_account(self, subject, labels=marked)
        add_cluster_role(self, role, cluster, subject=subject, labels=marked)
        add_role(self, role, own, namespace=YUNIKORN_NAMESPACE, subject=subject, labels=marked)

    def _add_workload(
        self, component: str, name: str, subject: Subject, container: Container, *, replicas: int, alone: bool = False
    ) -> None:
        pod = Pod(
            container=container,
            service_account=subject.name,
            user_id=IMAGE_USER,
            placement=self._props.placement,
            priority_class=PLATFORM,
        )
        add_deployment(
            self,
            DeploymentProps(
                name=name,
                namespace=YUNIKORN_NAMESPACE,
                selector=labels.selector(name=NAME, component=component),
                replicas=replicas,
                pod=pod,
                alone=alone,
            ),
        )


def _settings(props: YuniKornProps) -> dict[str, str]:
    """Return what is not queues: https://yunikorn.apache.org/docs/user_guide/service_config."""
    return {
        "service.clusterId": props.cluster,
        "service.volumeBindTimeout": "10m",
        "service.placeholderImage": props.placeholder_image,
        # the restricted profile of teams' namespaces wants a number; pause's own user
        "service.placeholderRunAsUser": "65535",
        "service.placeholderRunAsGroup": "65535",
        "service.placeholderFsGroup": "65535",
        "admissionController.filtering.processNamespaces": PROCESSED_NAMESPACES,
        "admissionController.filtering.bypassNamespaces": "^kube-system$,^moka-",
        # drivers are made by the operator; it may say whose they are, so that limits count users and not the operator
        "admissionController.accessControl.externalUsers": (
            f"^system:serviceaccount:{OPERATOR_NAMESPACE}:{OPERATOR_ACCOUNT}$"
        ),
        "log.level": "INFO",
    }


def _scheduler_resources(props: YuniKornProps) -> Resources:
    """Return the scheduler's size: what it holds of each pod and node in memory, and room for the garbage collector.

    Each pod is in the informer's cache and in the core, about 100 KiB together; a node with its labels and images about 512.
    """
    memory = 512 + props.pods // 10 + props.nodes // 2
    # one core is enough between bursts; a scheduling cycle takes what is free
    return Resources(cpu_millis=300, cpu_limit_millis=4000, memory_mib=-(-memory // 128) * 128)


def _go_memory(resources: Resources) -> dict[str, str]:
    """Return the Go runtime's limit, four fifths of the container's, so that it collects before the kernel kills."""
    return {"GOMEMLIMIT": str(resources.memory_mib * 1024 * 1024 * 4 // 5), "GOGC": "100"}
