"""The AWS Load Balancer Controller, for one feature: pods of `moka-system` become targets of target groups that exist.

The load balancer, its target groups and its security group rules are CDK's; the controller makes none and has no right to.
Typed by hand after https://github.com/kubernetes-sigs/aws-load-balancer-controller/tree/v3.5.0. What cannot be switched
off: its Ingress controller starts, watches the one namespace and finds nothing; its webhook server starts and needs a
certificate. What is needed of the webhooks: the mutating one for new TargetGroupBindings, which finds the ARN of the name
that a manifest gives (the controller itself reads only the ARN), and the validating one, which refuses a second binding of
one group. The other seven, on pods, Services, Ingresses and classes, are not registered.

The certificate is made in the cluster by a Job and kept in a Secret that no manifest holds: no key is in git or in a
template, and an apply never replaces it.
"""

from dataclasses import dataclass
from typing import Any, Final

from constructs import Construct

from k8s_manifests import labels
from k8s_manifests.base import MokaChart
from k8s_manifests.jobs import JobProps, add_job
from k8s_manifests.kinds import Kind
from k8s_manifests.network_policies import (
    ClusterNetwork,
    add_component_policy,
    api_server,
    aws,
    called_by_api_server,
    scraped,
)
from k8s_manifests.placement import Placement
from k8s_manifests.pods import Container, HttpProbe, Pod, Resources, SecretVolume, Step
from k8s_manifests.priority_classes import PLATFORM
from k8s_manifests.rbac import Rule, Subject, add_cluster_role, add_role, add_service_account, irsa
from k8s_manifests.target_group_crds import GROUP, VERSION
from k8s_manifests.workloads import DeploymentProps, ServiceProps, add_deployment, add_service

NAME: Final = "load-balancer-controller"
WEBHOOK: Final = "load-balancer-controller-webhook"
"""Name of the Service, the two webhook configurations and the Secret of the certificate."""
CERTIFICATE: Final = "load-balancer-controller-certificate"
"""Name of the Job that makes the certificate, in front of its hash, and of its service account."""
CERTIFICATE_FOLDER: Final = "/certificate"
LOCK: Final = "aws-load-balancer-controller-leader"
WEBHOOK_PORT: Final = 9443
METRICS_PORT: Final = 8080
HEALTH_PORT: Final = 61779
IMAGE_USER: Final = 65532
NOBODY: Final = 65534

_WATCH: Final = ("get", "list", "watch")
_ADMISSION: Final = "admissionregistration.k8s.io"

CLUSTER_RULES: Final = (
    Rule(resources=("nodes",), verbs=_WATCH),
    # read at start by the part that serves Ingresses; there are none
    Rule(groups=("networking.k8s.io",), resources=("ingressclasses",), verbs=_WATCH),
    Rule(groups=(GROUP,), resources=("ingressclassparams",), verbs=_WATCH),
)
"""What has no namespace. `--watch-namespace` keeps all else to one."""

OWN_NAMESPACE_RULES: Final = (
    Rule(groups=(GROUP,), resources=("targetgroupbindings",), verbs=(*_WATCH, "patch")),
    Rule(groups=(GROUP,), resources=("targetgroupbindings/status",), verbs=("patch",)),
    Rule(resources=("pods", "services"), verbs=_WATCH),
    Rule(groups=("discovery.k8s.io",), resources=("endpointslices",), verbs=_WATCH),
    Rule(groups=("networking.k8s.io",), resources=("ingresses",), verbs=_WATCH),
    Rule(resources=("events",), verbs=("create", "patch")),
    Rule(groups=("coordination.k8s.io",), resources=("leases",), verbs=("create",)),
    Rule(groups=("coordination.k8s.io",), resources=("leases",), names=(LOCK,), verbs=("get", "update")),
)

CERTIFICATE_CLUSTER_RULES: Final = (
    Rule(
        groups=(_ADMISSION,),
        resources=("mutatingwebhookconfigurations", "validatingwebhookconfigurations"),
        names=(WEBHOOK,),
        verbs=("get", "patch"),
    ),
)
CERTIFICATE_OWN_NAMESPACE_RULES: Final = (
    Rule(resources=("secrets",), verbs=("create",)),
    Rule(resources=("secrets",), names=(WEBHOOK,), verbs=("get",)),
)


@dataclass(frozen=True, kw_only=True)
class LoadBalancerControllerProps:
    """One installation of the controller."""

    environment: str
    cluster: str
    """Name of the EKS cluster."""
    version: str
    image: str
    certificate_image: str
    region: str
    vpc: str
    """The flag that tells the VPC, by id or by tag: pods may not ask the instance's metadata."""
    namespace: str
    """Namespace of the controller, and of the pods that it binds."""
    account: str
    """Service account that the AWS role trusts."""
    role_arn: str | None
    """IAM role of the service account (IRSA); None where EKS Pod Identity gives it."""
    placement: Placement
    network: ClusterNetwork


class LoadBalancerControllerChart(MokaChart):
    """Rights, webhooks, certificate, Deployment."""

    def __init__(self, scope: Construct, construct_id: str, props: LoadBalancerControllerProps) -> None:
        common = labels.common(name=NAME, environment=props.environment, version=props.version)
        super().__init__(scope, construct_id, labels=common)
        self._props = props
        self._add_webhooks()
        self._add_certificate()
        self._add_controller()

    def _add_webhooks(self) -> None:
        """Add both configurations without `caBundle`, which the Job writes."""
        own = {labels.COMPONENT: "controller"}
        namespace = self._props.namespace
        mutating, validating = (
            _webhook("mutate", namespace, "CREATE"),
            _webhook("validate", namespace, "CREATE", "UPDATE"),
        )
        self.add(Kind.MUTATING_WEBHOOK_CONFIGURATION, WEBHOOK, {"webhooks": [mutating]}, labels=own)
        self.add(Kind.VALIDATING_WEBHOOK_CONFIGURATION, WEBHOOK, {"webhooks": [validating]}, labels=own)

    def _add_certificate(self) -> None:
        namespace, own = self._props.namespace, {labels.COMPONENT: "certificate"}
        subject = Subject(name=CERTIFICATE, namespace=namespace)
        add_service_account(self, subject, labels=own)
        add_cluster_role(self, CERTIFICATE, CERTIFICATE_CLUSTER_RULES, subject=subject, labels=own)
        add_role(self, CERTIFICATE, CERTIFICATE_OWN_NAMESPACE_RULES, namespace=namespace, subject=subject, labels=own)
        selector = labels.selector(name=NAME, component="certificate")
        add_component_policy(self, CERTIFICATE, (api_server(self._props.network),), namespace=namespace, pods=selector)
        host = f"{WEBHOOK}.{namespace}.svc"
        where = (f"--namespace={namespace}", f"--secret-name={WEBHOOK}", "--ca-name=ca.crt")
        keys = ("--secret-type=kubernetes.io/tls", "--cert-name=tls.crt", "--key-name=tls.key")
        add_job(
            self,
            JobProps(
                name=CERTIFICATE,
                namespace=namespace,
                selector=selector,
                steps=(
                    # does nothing when the Secret is there
                    self._step("create", f"--host={host}", *where, *keys),
                    # server-side apply of the bundle alone; in 1.7.3 the default mode updates and applies
                    self._step("patch", f"--webhook-name={WEBHOOK}", "--patch-mode=patch", *where),
                ),
                service_account=CERTIFICATE,
                user_id=NOBODY,
                placement=self._props.placement,
                priority_class=PLATFORM,
            ),
        )

    def _step(self, command: str, *args: str) -> Step:
        return Step(
            name=command,
            image=self._props.certificate_image,
            args=(command, *args),
            resources=Resources(cpu_millis=50, cpu_limit_millis=500, memory_mib=64),
        )

    def _add_controller(self) -> None:
        props, own = self._props, {labels.COMPONENT: "controller"}
        namespace = props.namespace
        subject = Subject(name=props.account, namespace=namespace)
        add_service_account(self, subject, labels=own, annotations=irsa(props.role_arn))
        add_cluster_role(self, NAME, CLUSTER_RULES, subject=subject, labels=own)
        add_role(self, NAME, OWN_NAMESPACE_RULES, namespace=namespace, subject=subject, labels=own)
        certificate = SecretVolume(name="certificate", path=CERTIFICATE_FOLDER, secret=WEBHOOK)
        container = Container(
            name=NAME,
            image=props.image,
            args=_args(props),
            ports={"webhook": WEBHOOK_PORT, "metrics": METRICS_PORT},
            resources=Resources(cpu_millis=50, cpu_limit_millis=500, memory_mib=192),
            liveness=HttpProbe(path="/healthz", port=HEALTH_PORT),
            # the webhook server has its certificate
            readiness=HttpProbe(path="/readyz", port=HEALTH_PORT),
            files=(certificate,),
        )
        selector = labels.selector(name=NAME, component="controller")
        pod = Pod(
            container=container,
            service_account=subject.name,
            user_id=IMAGE_USER,
            placement=props.placement,
            priority_class=PLATFORM,
        )
        add_deployment(self, DeploymentProps(name=NAME, namespace=namespace, selector=selector, replicas=2, pod=pod))
        add_service(self, ServiceProps(name=WEBHOOK, namespace=namespace, selector=selector, ports={"webhook": 443}))
        metrics = {"metrics": METRICS_PORT}
        add_service(
            self,
            ServiceProps(name=f"{NAME}-metrics", namespace=namespace, selector=selector, ports=metrics, scraped=True),
        )
        flows = (
            api_server(props.network),
            *aws(props.network, pod_identity=props.role_arn is None),
            called_by_api_server(props.network, WEBHOOK_PORT),
            scraped(METRICS_PORT),
        )
        add_component_policy(self, NAME, flows, namespace=namespace, pods=selector)


def _args(props: LoadBalancerControllerProps) -> tuple[str, ...]:
    return (
        f"--cluster-name={props.cluster}",
        f"--aws-region={props.region}",
        props.vpc,
        f"--watch-namespace={props.namespace}",
        f"--leader-election-id={LOCK}",
        f"--leader-election-namespace={props.namespace}",
        f"--metrics-bind-addr=:{METRICS_PORT}",
        f"--health-probe-bind-addr=:{HEALTH_PORT}",
        f"--webhook-bind-port={WEBHOOK_PORT}",
        f"--webhook-cert-dir={CERTIFICATE_FOLDER}",
        "--feature-gates=" + ",".join(f"{feature}=false" for feature in _OFF),
        # a class that no Ingress names; with none given it would take all that name no class
        "--ingress-class=moka-none",
        # no security group of its own: the rules are the Archer stack's
        "--enable-backend-security-group=false",
        "--enable-pod-readiness-gate-inject=false",
        "--enable-shield=false",
        "--enable-waf=false",
        "--enable-wafv2=false",
    )


_OFF: Final = ("EnableServiceController", "NLBGatewayAPI", "ALBGatewayAPI", "GatewayListenerSet")
"""Features that are on by default and would watch or make what CDK makes."""


def _webhook(verb: str, namespace: str, *operations: str) -> dict[str, Any]:
    """Return the mutating or validating webhook of TargetGroupBindings."""
    return {
        "name": f"{verb[0]}targetgroupbinding.{GROUP}",
        "admissionReviewVersions": ["v1"],
        "clientConfig": {
            "service": {
                "name": WEBHOOK,
                "namespace": namespace,
                "port": 443,
                "path": f"/{verb}-{GROUP.replace('.', '-')}-{VERSION}-targetgroupbinding",
            }
        },
        "failurePolicy": "Fail",
        "matchPolicy": "Equivalent",
        "rules": [
            {
                "apiGroups": [GROUP],
                "apiVersions": [VERSION],
                "operations": list(operations),
                "resources": ["targetgroupbindings"],
                "scope": "Namespaced",
            }
        ],
        "sideEffects": "None",
        "timeoutSeconds": 10,
    }
