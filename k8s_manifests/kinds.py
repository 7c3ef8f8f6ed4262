"""The Kubernetes kinds that charts render, each with its API version and whether it lives in a namespace.

One table, so that a chart cannot give a ClusterRole a namespace or forget one on a Deployment (the operator's own Helm
chart does both). A kind that is not here cannot be rendered: add it with the group and version of the default
Kubernetes minor, https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.35/.
"""

from enum import Enum


class Kind(Enum):
    """A kind: (API version, kind, namespaced)."""

    NAMESPACE = ("v1", "Namespace", False)
    RESOURCE_QUOTA = ("v1", "ResourceQuota", True)
    LIMIT_RANGE = ("v1", "LimitRange", True)
    SERVICE_ACCOUNT = ("v1", "ServiceAccount", True)
    SERVICE = ("v1", "Service", True)
    CONFIG_MAP = ("v1", "ConfigMap", True)
    SECRET = ("v1", "Secret", True)
    ROLE = ("rbac.authorization.k8s.io/v1", "Role", True)
    ROLE_BINDING = ("rbac.authorization.k8s.io/v1", "RoleBinding", True)
    CLUSTER_ROLE = ("rbac.authorization.k8s.io/v1", "ClusterRole", False)
    CLUSTER_ROLE_BINDING = ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", False)
    NETWORK_POLICY = ("networking.k8s.io/v1", "NetworkPolicy", True)
    PRIORITY_CLASS = ("scheduling.k8s.io/v1", "PriorityClass", False)
    STORAGE_CLASS = ("storage.k8s.io/v1", "StorageClass", False)
    PRIORITY_LEVEL_CONFIGURATION = ("flowcontrol.apiserver.k8s.io/v1", "PriorityLevelConfiguration", False)
    FLOW_SCHEMA = ("flowcontrol.apiserver.k8s.io/v1", "FlowSchema", False)
    DEPLOYMENT = ("apps/v1", "Deployment", True)
    STATEFUL_SET = ("apps/v1", "StatefulSet", True)
    DAEMON_SET = ("apps/v1", "DaemonSet", True)
    JOB = ("batch/v1", "Job", True)
    POD_DISRUPTION_BUDGET = ("policy/v1", "PodDisruptionBudget", True)
    MUTATING_WEBHOOK_CONFIGURATION = ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", False)
    VALIDATING_WEBHOOK_CONFIGURATION = ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", False)
    CUSTOM_RESOURCE_DEFINITION = ("apiextensions.k8s.io/v1", "CustomResourceDefinition", False)
    TARGET_GROUP_BINDING = ("elbv2.k8s.aws/v1beta1", "TargetGroupBinding", True)
    """Of the AWS Load Balancer Controller: https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/targetgroupbinding/spec/."""
    SECURITY_GROUP_POLICY = ("vpcresources.k8s.aws/v1beta1", "SecurityGroupPolicy", True)
    """Of the controller that EKS runs itself: https://docs.aws.amazon.com/eks/latest/userguide/sg-pods-example-deployment.html."""

    @property
    def api_version(self) -> str:
        return self.value[0]

    @property
    def kind(self) -> str:
        return self.value[1]

    @property
    def namespaced(self) -> bool:
        return self.value[2]


def is_namespaced(api_version: str, kind: str) -> bool:
    """Return whether objects of that kind live in a namespace. Raises KeyError for a kind that charts may not render."""
    for known in Kind:
        if (known.api_version, known.kind) == (api_version, kind):
            return known.namespaced
    raise KeyError(f"{api_version}/{kind}")
