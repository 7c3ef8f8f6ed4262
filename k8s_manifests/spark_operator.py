"""The Spark operator: a controller that turns SparkApplications into pods, and a webhook that refuses bad ones.

Typed by hand after release 2.5.2 (https://github.com/kubeflow/spark-operator/tree/v2.5.2/charts/spark-operator-chart);
no Helm at synth (design D8). The mutating webhook is left out: Archer writes whole specs, so that no admission call
stands between a job and its executors (D10). Flags not written here keep the binary's defaults, which for the work
queue are worse than the Helm chart's, so those are always written.
"""

from dataclasses import dataclass
from typing import Any, Final

from constructs import Construct

from environments.names import OPERATOR_NAMESPACE
from k8s_manifests import labels
from k8s_manifests import spark_operator_rbac as rbac_rules
from k8s_manifests.base import MokaChart
from k8s_manifests.errors import ChartError
from k8s_manifests.images import SPARK_OPERATOR
from k8s_manifests.kinds import Kind
from k8s_manifests.network_policies import (
    ClusterNetwork,
    Flow,
    add_component_policy,
    add_policy,
    api_server,
    called_by_api_server,
    scraped,
)
from k8s_manifests.placement import Placement
from k8s_manifests.pods import Container, HttpProbe, Pod, Resources, ScratchVolume
from k8s_manifests.priority_classes import PLATFORM
from k8s_manifests.rbac import Subject, add_cluster_role, add_role, add_service_account
from k8s_manifests.workloads import DeploymentProps, ServiceProps, add_deployment, add_service

NAME: Final = "spark-operator"
CONTROLLER: Final = "spark-operator-controller"
WEBHOOK: Final = "spark-operator-webhook"
WEBHOOK_SERVICE: Final = "spark-operator-webhook-svc"
WEBHOOK_PORT: Final = 9443
METRICS_PORT: Final = 8080
HEALTH_PORT: Final = 8081
IMAGE_USER: Final = 185

_VALIDATED: Final = (
    ("v1beta2", "sparkapplication"),
    ("v1beta2", "scheduledsparkapplication"),
    ("v1alpha1", "sparkconnect"),
)
"""Version and singular of the resources that the webhook validates."""


@dataclass(frozen=True, kw_only=True)
class SparkOperatorProps:
    """One installation of the operator."""

    environment: str
    image: str
    """Full reference of the operator's image."""
    job_namespaces: tuple[str, ...]
    """Namespaces of jobs, at least one: an empty list would mean the whole cluster to the binary."""
    workers: int
    """SparkApplications worked on at once; each runs a spark-submit JVM. 10 reach about 130 submits a minute."""
    cpu_millis: int
    """CPU request of the controller, thousandths of a vCPU: what it keeps when its node is busy."""
    placement: Placement
    network: ClusterNetwork

    def __post_init__(self) -> None:
        if not self.job_namespaces:
            raise ChartError(NAME, "needs at least one job namespace, got none; leave the chart out instead")


class SparkOperatorChart(MokaChart):
    """Controller and validating webhook in the operator's namespace, with roles in each job namespace."""

    def __init__(self, scope: Construct, construct_id: str, props: SparkOperatorProps) -> None:
        common = labels.common(name=NAME, environment=props.environment, version=SPARK_OPERATOR.version)
        super().__init__(scope, construct_id, labels=common)
        add_policy(self, "default-deny", (), namespace=OPERATOR_NAMESPACE)
        self._add_controller(props)
        self._add_webhook(props)

    def _add_controller(self, props: SparkOperatorProps) -> None:
        own = {labels.COMPONENT: "controller"}
        subject = Subject(name=CONTROLLER, namespace=OPERATOR_NAMESPACE)
        add_service_account(self, subject, labels=own)
        add_cluster_role(self, CONTROLLER, rbac_rules.CONTROLLER_CLUSTER, subject=subject, labels=own)
        scoped = [(OPERATOR_NAMESPACE, rbac_rules.CONTROLLER_OWN_NAMESPACE)]
        scoped += [(namespace, rbac_rules.CONTROLLER_JOB_NAMESPACE) for namespace in props.job_namespaces]
        for namespace, rules in scoped:
            add_role(self, CONTROLLER, rules, namespace=namespace, subject=subject, labels=own)
        container = Container(
            name=CONTROLLER,
            image=props.image,
            args=_controller_args(props),
            ports={"metrics": METRICS_PORT},
            resources=_controller_resources(props),
            liveness=HttpProbe(path="/healthz", port=HEALTH_PORT),
            readiness=HttpProbe(path="/readyz", port=HEALTH_PORT),
            # 2.5.2 leaves two pod-template files (about 12 KiB) behind per submit in some cases: 4 GiB last 350,000
            scratch=(ScratchVolume(name="tmp", path="/tmp", size_mib=4096),),  # noqa: S108 - Spark's own scratch folder
        )
        self._add_workload(props, "controller", CONTROLLER, container)

    def _add_webhook(self, props: SparkOperatorProps) -> None:
        own = {labels.COMPONENT: "webhook"}
        subject = Subject(name=WEBHOOK, namespace=OPERATOR_NAMESPACE)
        add_service_account(self, subject, labels=own)
        add_cluster_role(self, WEBHOOK, rbac_rules.WEBHOOK_CLUSTER, subject=subject, labels=own)
        rules = rbac_rules.WEBHOOK_OWN_NAMESPACE
        add_role(self, WEBHOOK, rules, namespace=OPERATOR_NAMESPACE, subject=subject, labels=own)
        certificates = "/etc/k8s-webhook-server/serving-certs"
        container = Container(
            name=WEBHOOK,
            image=props.image,
            args=_webhook_args(props),
            ports={"webhook": WEBHOOK_PORT, "metrics": METRICS_PORT},
            resources=Resources(cpu_millis=100, cpu_limit_millis=1000, memory_mib=256),
            liveness=HttpProbe(path="/healthz", port=HEALTH_PORT),
            readiness=HttpProbe(path="/readyz", port=HEALTH_PORT),
            scratch=(ScratchVolume(name="serving-certs", path=certificates, size_mib=16, sub_path="serving-certs"),),
        )
        self._add_workload(props, "webhook", WEBHOOK, container)
        selector = labels.selector(name=NAME, component="webhook")
        ports = {"webhook": WEBHOOK_PORT}
        service = ServiceProps(name=WEBHOOK_SERVICE, namespace=OPERATOR_NAMESPACE, selector=selector, ports=ports)
        add_service(self, service)
        webhooks = [_webhook(version, singular, props.job_namespaces) for version, singular in _VALIDATED]
        name = rbac_rules.WEBHOOK_CONFIGURATION
        self.add(Kind.VALIDATING_WEBHOOK_CONFIGURATION, name, {"webhooks": webhooks}, labels=own)

    def _add_workload(self, props: SparkOperatorProps, component: str, name: str, container: Container) -> None:
        """Add two replicas, the Service that serves their metrics, and who may talk to them."""
        selector = labels.selector(name=NAME, component=component)
        pod = Pod(
            container=container,
            service_account=name,
            user_id=IMAGE_USER,
            placement=props.placement,
            priority_class=PLATFORM,
        )
        add_deployment(
            self,
            DeploymentProps(name=name, namespace=OPERATOR_NAMESPACE, selector=selector, replicas=2, pod=pod),
        )
        add_service(
            self,
            ServiceProps(
                name=f"{name}-metrics",
                namespace=OPERATOR_NAMESPACE,
                selector=selector,
                ports={"metrics": METRICS_PORT},
                scraped=True,
            ),
        )
        flows: tuple[Flow, ...] = (api_server(props.network), scraped(METRICS_PORT))
        if component == "webhook":
            flows = (*flows, called_by_api_server(props.network, WEBHOOK_PORT))
        add_component_policy(self, name, flows, namespace=OPERATOR_NAMESPACE, pods=selector)


def _controller_resources(props: SparkOperatorProps) -> Resources:
    """Return the controller's size: a spark-submit JVM takes 200 to 400 MB (#2972) and up to 2.5 vCPU while it runs.

    The project measured 25 cores for 10 workers that never rest, status updates included; the limit is that:
    https://www.kubeflow.org/docs/components/spark-operator/performance/benchmarking/.
    """
    memory = 1024 + props.workers * 400
    return Resources(cpu_millis=props.cpu_millis, cpu_limit_millis=props.workers * 2500, memory_mib=memory)


def _common_args(props: SparkOperatorProps) -> tuple[str, ...]:
    return (
        "--zap-log-level=info",
        "--zap-encoder=json",
        f"--namespaces={','.join(props.job_namespaces)}",
        # the default of 30 s is short for the first list of a namespace with thousands of pods
        "--cache-sync-timeout=2m",
        "--enable-metrics=true",
        f"--metrics-bind-address=:{METRICS_PORT}",
        "--leader-election=true",
        f"--leader-election-lock-namespace={OPERATOR_NAMESPACE}",
    )


def _controller_args(props: SparkOperatorProps) -> tuple[str, ...]:
    return (
        "controller",
        "start",
        *_common_args(props),
        f"--leader-election-lock-name={rbac_rules.CONTROLLER_LOCK}",
        # a leader that loses its lease under load restarts, and submits in flight are lost (#2788): be patient
        "--leader-election-lease-duration=60s",
        "--leader-election-renew-deadline=45s",
        "--leader-election-retry-period=10s",
        f"--controller-threads={props.workers}",
        # one Service per job otherwise (#2984); drivers are reached through Archer and the History Server
        "--enable-ui-service=false",
        # "queue" is the pod and application label of that name: a label with a dot or slash is no valid metric label
        "--metrics-labels=namespace,queue",
        "--workqueue-ratelimiter-bucket-qps=1000",
        "--workqueue-ratelimiter-bucket-size=2000",
        # events count as failures in the rate limiter: with the chart's 6h a finished job may be noticed minutes late
        "--workqueue-ratelimiter-max-delay=30s",
        # the clock starts before spark-submit does
        "--driver-pod-creation-grace-period=60s",
        # executor states in the status are written on each change and read by nobody: Archer watches the pods
        "--max-tracked-executor-per-app=1",
        "--kube-api-qps=100",
        "--kube-api-burst=200",
    )


def _webhook_args(props: SparkOperatorProps) -> tuple[str, ...]:
    return (
        "webhook",
        "start",
        *_common_args(props),
        f"--leader-election-lock-name={rbac_rules.WEBHOOK_LOCK}",
        f"--webhook-secret-name={rbac_rules.WEBHOOK_SECRET}",
        f"--webhook-secret-namespace={OPERATOR_NAMESPACE}",
        f"--webhook-svc-name={WEBHOOK_SERVICE}",
        f"--webhook-svc-namespace={OPERATOR_NAMESPACE}",
        f"--webhook-port={WEBHOOK_PORT}",
        f"--mutating-webhook-name={rbac_rules.WEBHOOK_CONFIGURATION}",
        f"--validating-webhook-name={rbac_rules.WEBHOOK_CONFIGURATION}",
        "--metrics-labels=namespace",
        "--kube-api-qps=20",
        "--kube-api-burst=30",
    )


def _webhook(version: str, singular: str, job_namespaces: tuple[str, ...]) -> dict[str, Any]:
    """Return one validating webhook. It has no `caBundle`: the operator makes its certificate and writes that field."""
    slug = f"validate-sparkoperator-k8s-io-{version}-{singular}"
    return {
        "name": f"{slug}.sparkoperator.k8s.io",
        "admissionReviewVersions": ["v1"],
        "clientConfig": {
            "service": {
                "name": WEBHOOK_SERVICE,
                "namespace": OPERATOR_NAMESPACE,
                "port": WEBHOOK_PORT,
                "path": f"/{slug}",
            }
        },
        "failurePolicy": "Fail",
        "matchPolicy": "Equivalent",
        "namespaceSelector": {
            "matchExpressions": [
                {"key": "kubernetes.io/metadata.name", "operator": "In", "values": list(job_namespaces)}
            ]
        },
        "rules": [
            {
                "apiGroups": ["sparkoperator.k8s.io"],
                "apiVersions": [version],
                "operations": ["CREATE", "UPDATE"],
                "resources": [f"{singular}s"],
                "scope": "Namespaced",
            }
        ],
        "sideEffects": "None",
        "timeoutSeconds": 10,
    }
