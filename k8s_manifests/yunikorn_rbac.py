"""Permissions of YuniKorn's scheduler and admission controller: what 1.9.0 calls, found by running it, and nothing else.

The Helm chart binds the scheduler to the built-in roles `system:kube-scheduler` and `system:volume-scheduler`, which change
with the cluster's version, and lets it read and write Secrets that it never touches. Here each rule follows one use in
https://github.com/apache/yunikorn-k8shim/tree/v1.9.0/pkg: the informers of `client/apifactory.go`, the calls of
`client/kubeclient.go`, and Kubernetes' volume binder, which writes claims and volumes.
"""

from typing import Final

from k8s_manifests.rbac import Rule

CERTIFICATES: Final = "admission-controller-secrets"
"""Secret that the admission controller fills with its two CAs; the name is fixed in its code."""
WEBHOOKS: Final[dict[str, str]] = {
    "mutatingwebhookconfigurations": "yunikorn-admission-controller-mutations",
    "validatingwebhookconfigurations": "yunikorn-admission-controller-validations",
}
"""What it registers itself, by resource; these names are fixed, too."""

_WATCH: Final = ("list", "watch")

SCHEDULER_CLUSTER: Final = (
    # made and deleted: placeholders of gangs; deleted: victims of preemption; updated: what volumes and resizing need
    Rule(resources=("pods",), verbs=("get", *_WATCH, "create", "update", "delete")),
    Rule(resources=("pods/binding",), verbs=("create",)),
    Rule(resources=("pods/status",), verbs=("update",)),
    Rule(groups=("events.k8s.io",), resources=("events",), verbs=("create", "patch")),
    Rule(resources=("nodes", "namespaces", "services", "replicationcontrollers"), verbs=_WATCH),
    # the volume binder chooses a volume for a claim, or a node for a claim that waits for its first pod
    Rule(resources=("persistentvolumes", "persistentvolumeclaims"), verbs=(*_WATCH, "update")),
    Rule(groups=("apps",), resources=("replicasets", "statefulsets"), verbs=_WATCH),
    Rule(groups=("scheduling.k8s.io",), resources=("priorityclasses",), verbs=_WATCH),
    Rule(
        groups=("storage.k8s.io",),
        resources=("storageclasses", "csinodes", "csidrivers", "csistoragecapacities", "volumeattachments"),
        verbs=_WATCH,
    ),
)

CONFIGURATION: Final = (Rule(resources=("configmaps",), verbs=("get", *_WATCH)),)
"""In its own namespace: `yunikorn-defaults` and `yunikorn-configs`, read once by name and then watched."""

ADMISSION_CLUSTER: Final = (
    Rule(groups=("admissionregistration.k8s.io",), resources=tuple(WEBHOOKS), verbs=("create",)),
    *(
        Rule(groups=("admissionregistration.k8s.io",), resources=(resource,), names=(name,), verbs=("get", "update"))
        for resource, name in WEBHOOKS.items()
    ),
    Rule(resources=("namespaces",), verbs=_WATCH),
    Rule(groups=("scheduling.k8s.io",), resources=("priorityclasses",), verbs=_WATCH),
)

ADMISSION_OWN_NAMESPACE: Final = (
    Rule(resources=("secrets",), names=(CERTIFICATES,), verbs=("get", "update")),
    *CONFIGURATION,
)
