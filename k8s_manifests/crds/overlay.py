"""What the release's CRDs say and the `kubeflow-spark-api` models do not: bounds, enums, list and map types, defaults.

The models (generated from the same Go types) carry properties, types and required fields. Everything else is written
down here once per type and field, from https://github.com/kubeflow/spark-operator/tree/v2.5.2/config/crd/bases; for the
types of Kubernetes itself that is what the markers in https://github.com/kubernetes/api/tree/v0.32.5 say. Keys are
"<model class without its prefix>.<property>". A test holds the result against the release's fingerprint.
"""

from typing import Any, Final

QUANTITY_PATTERN: Final = (
    r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$"
)
"""Shape of a resource quantity."""

_QUALIFIED_NAME: Final = (
    r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$"
)

FIELDS: Final[dict[str, dict[str, Any]]] = {
    # Spark's own types
    "SparkApplicationSpec.mode": {"enum": ["cluster", "client"]},
    "SparkApplicationSpec.pythonVersion": {"enum": ["2", "3"]},
    "SparkApplicationSpec.type": {"enum": ["Java", "Python", "Scala", "R"]},
    "RestartPolicy.type": {"enum": ["Never", "Always", "OnFailure"]},
    "RestartPolicy.onFailureRetries": {"minimum": 0},
    "RestartPolicy.onSubmissionFailureRetries": {"minimum": 0},
    "RestartPolicy.onFailureRetryInterval": {"minimum": 1},
    "RestartPolicy.onSubmissionFailureRetryInterval": {"minimum": 1},
    "DriverSpec.cores": {"minimum": 1},
    # the doubled backslashes and missing anchors are the release's own
    "DriverSpec.podName": {"pattern": r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"},
    "ExecutorSpec.cores": {"minimum": 1},
    "ExecutorSpec.instances": {"minimum": 1},
    "PrometheusSpec.port": {"minimum": 1024, "maximum": 49151},
    "SparkApplicationStatus.lastSubmissionAttemptTime": {"nullable": True},
    "SparkApplicationStatus.terminationTime": {"nullable": True},
    "ScheduledSparkApplicationStatus.lastRun": {"nullable": True},
    "ScheduledSparkApplicationStatus.nextRun": {"nullable": True},
    "connect.ExecutorSpec.cores": {"minimum": 1},
    "connect.ExecutorSpec.instances": {"minimum": 0},
    "connect.ServerSpec.cores": {"minimum": 1},
    "connect.SparkConnectStatus.conditions": {
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
    },
    # Kubernetes' types
    "Condition.message": {"maxLength": 32768},
    "Condition.reason": {"minLength": 1, "maxLength": 1024, "pattern": "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$"},
    "Condition.status": {"enum": ["True", "False", "Unknown"]},
    "Condition.type": {"maxLength": 316, "pattern": _QUALIFIED_NAME},
    "Condition.observedGeneration": {"minimum": 0},
    "PortStatus.error": {"maxLength": 316, "pattern": _QUALIFIED_NAME},
    "ConfigMapKeySelector.name": {"default": ""},
    "SecretKeySelector.name": {"default": ""},
    "ConfigMapEnvSource.name": {"default": ""},
    "SecretEnvSource.name": {"default": ""},
    "LocalObjectReference.name": {"default": ""},
    "ConfigMapVolumeSource.name": {"default": ""},
    "ConfigMapProjection.name": {"default": ""},
    "SecretProjection.name": {"default": ""},
    "GRPCAction.service": {"default": ""},
    "ContainerPort.protocol": {"default": "TCP"},
    "ServicePort.protocol": {"default": "TCP"},
    "AzureDiskVolumeSource.fsType": {"default": "ext4"},
    "AzureDiskVolumeSource.readOnly": {"default": False},
    "ISCSIVolumeSource.iscsiInterface": {"default": "default"},
    "RBDVolumeSource.keyring": {"default": "/etc/ceph/keyring"},
    "RBDVolumeSource.pool": {"default": "rbd"},
    "RBDVolumeSource.user": {"default": "admin"},
    "ScaleIOVolumeSource.fsType": {"default": "xfs"},
    "ScaleIOVolumeSource.storageMode": {"default": "ThinProvisioned"},
    "ServiceSpec.selector": {"x-kubernetes-map-type": "atomic"},
}
"""Keywords to add to a property, by type and property; `connect.` marks the types of SparkConnect's API version."""

LIST_MAP_KEYS: Final[dict[str, list[str]]] = {
    "Container.env": ["name"],
    "Container.ports": ["containerPort", "protocol"],
    "Container.volumeDevices": ["devicePath"],
    "Container.volumeMounts": ["mountPath"],
    "ResourceRequirements.claims": ["name"],
    "ServiceSpec.ports": ["port", "protocol"],
    "ServiceStatus.conditions": ["type"],
}
"""Lists of Kubernetes' types that merge by key; its other lists are atomic."""

ATOMIC_TYPES: Final = frozenset(
    {
        "ConfigMapEnvSource",
        "ConfigMapKeySelector",
        "ConfigMapProjection",
        "ConfigMapVolumeSource",
        "LabelSelector",
        "LocalObjectReference",
        "NodeSelector",
        "NodeSelectorTerm",
        "ObjectFieldSelector",
        "ResourceFieldSelector",
        "SecretEnvSource",
        "SecretKeySelector",
        "SecretProjection",
        "TypedLocalObjectReference",
    }
)
"""Object types that one writer owns whole."""

INT64_PROPERTIES: Final = frozenset(
    {
        "expirationSeconds",
        "fsGroup",
        "observedGeneration",
        "onFailureRetryInterval",
        "onSubmissionFailureRetryInterval",
        "quantity",
        "retryInterval",
        "runAsGroup",
        "runAsUser",
        "seconds",
        "shuffleTrackingTimeout",
        "supplementalGroups",
        "terminationGracePeriodSeconds",
        "timeToLiveSeconds",
        "tolerationSeconds",
    }
)
"""Integer properties of 64 bits; the others have 32, and integers in a map have no format."""

ALSO_REQUIRED: Final[dict[str, tuple[str, ...]]] = {"PortStatus": ("error",)}
"""Required by the release's CRDs although the Go type says optional."""
