"""Permissions of the Spark operator: what its code calls with our arguments, and nothing that it does not.

Read from https://github.com/kubeflow/spark-operator/tree/v2.5.2 and compared with its Helm chart's rules. Different on
purpose:
- `list` and `watch` on Ingresses are granted: 2.5.1 dropped them (#2914, #2917) but still reads Ingresses through the
  cached client, so the first job with a UI ingress would park a worker for ever.
- The group `extensions` is gone: Kubernetes stopped serving its Ingresses in 1.22.
- The webhook gets nothing in job namespaces: its pod mutator is not registered with the API server (design D10) and
  quota enforcement is off, and only those two read there. Nor may it touch a MutatingWebhookConfiguration beyond the
  list and watch that its informer needs.
"""

from typing import Final

from k8s_manifests.rbac import Rule

CONTROLLER_LOCK: Final = "spark-operator-controller-lock"
WEBHOOK_LOCK: Final = "spark-operator-webhook-lock"
WEBHOOK_SECRET: Final = "spark-operator-webhook-certs"  # noqa: S105 - the Secret's name, not its content
WEBHOOK_CONFIGURATION: Final = "spark-operator-webhook"

_OPERATOR_GROUP: Final = "sparkoperator.k8s.io"
_EVENTS: Final = Rule(resources=("events",), verbs=("create", "update", "patch"))


def _lock(name: str) -> tuple[Rule, Rule]:
    """Return the rules for leader election by one lease; its creation cannot be limited by name."""
    group = ("coordination.k8s.io",)
    return (
        Rule(groups=group, resources=("leases",), verbs=("create",)),
        Rule(groups=group, resources=("leases",), names=(name,), verbs=("get", "update")),
    )


CONTROLLER_CLUSTER: Final = (
    Rule(groups=("apiextensions.k8s.io",), resources=("customresourcedefinitions",), verbs=("get",)),
)
"""Cluster-wide rules of the controller."""

CONTROLLER_OWN_NAMESPACE: Final[tuple[Rule, ...]] = (*_lock(CONTROLLER_LOCK), _EVENTS)

CONTROLLER_JOB_NAMESPACE: Final[tuple[Rule, ...]] = (
    Rule(resources=("pods",), verbs=("get", "list", "watch", "create", "update", "delete")),
    Rule(resources=("configmaps",), verbs=("get", "list", "watch", "create", "update", "patch")),
    Rule(resources=("services",), verbs=("get", "list", "watch", "create", "update", "patch", "delete")),
    _EVENTS,
    Rule(
        groups=("networking.k8s.io",),
        resources=("ingresses",),
        verbs=("get", "list", "watch", "create", "update", "delete"),
    ),
    Rule(
        groups=(_OPERATOR_GROUP,),
        resources=("sparkapplications",),
        verbs=("get", "list", "watch", "create", "delete"),
    ),
    Rule(
        groups=(_OPERATOR_GROUP,),
        resources=("scheduledsparkapplications", "sparkconnects"),
        verbs=("get", "list", "watch"),
    ),
    Rule(
        groups=(_OPERATOR_GROUP,),
        resources=("sparkapplications/status", "scheduledsparkapplications/status", "sparkconnects/status"),
        verbs=("update",),
    ),
    # owner references with blockOwnerDeletion need this where the admission plugin checks them
    Rule(
        groups=(_OPERATOR_GROUP,),
        resources=("sparkapplications/finalizers", "scheduledsparkapplications/finalizers", "sparkconnects/finalizers"),
        verbs=("update",),
    ),
)
"""Rules of the controller in each job namespace; spark-submit runs with them too."""

_WEBHOOK_CONFIGURATIONS: Final = ("mutatingwebhookconfigurations", "validatingwebhookconfigurations")

WEBHOOK_CLUSTER: Final = (
    Rule(groups=("admissionregistration.k8s.io",), resources=_WEBHOOK_CONFIGURATIONS, verbs=("list", "watch")),
    # the leader writes its CA bundle here
    Rule(
        groups=("admissionregistration.k8s.io",),
        resources=("validatingwebhookconfigurations",),
        names=(WEBHOOK_CONFIGURATION,),
        verbs=("get", "update"),
    ),
)

WEBHOOK_OWN_NAMESPACE: Final = (
    _EVENTS,
    Rule(resources=("secrets",), verbs=("create",)),
    Rule(resources=("secrets",), names=(WEBHOOK_SECRET,), verbs=("get", "update")),
    *_lock(WEBHOOK_LOCK),
)
