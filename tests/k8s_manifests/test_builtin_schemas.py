"""Built-in kinds against schemas, as `kubectl apply --dry-run=server` with strict validation would judge them.

Kubernetes' OpenAPI document is in no package that can be installed here. Core and networking kinds are checked with the
io.k8s models that come with `kubeflow-spark-api` (generated from Kubernetes 1.32's OpenAPI): reading a manifest into its
model and writing it again must lose nothing, which finds unknown fields, and must not fail, which finds wrong types.
For the other kinds the schemas below are typed after https://kubernetes.io/docs/reference/kubernetes-api/.
"""

import copy
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from kubeflow_spark_api import models
from pydantic import ValidationError

MODELS: dict[str, Any] = {
    "Namespace": models.IoK8sApiCoreV1Namespace,
    "ResourceQuota": models.IoK8sApiCoreV1ResourceQuota,
    "LimitRange": models.IoK8sApiCoreV1LimitRange,
    "ServiceAccount": models.IoK8sApiCoreV1ServiceAccount,
    "Service": models.IoK8sApiCoreV1Service,
    "ConfigMap": models.IoK8sApiCoreV1ConfigMap,
    "Secret": models.IoK8sApiCoreV1Secret,
    "NetworkPolicy": models.IoK8sApiNetworkingV1NetworkPolicy,
}

STRING = {"type": "string", "minLength": 1}
COUNT = {"type": "integer", "minimum": 1}
STRINGS = {"type": "array", "items": {"type": "string"}, "minItems": 1}
LABELS = {"type": "object", "additionalProperties": {"type": "string"}}


def _struct(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


def _kind(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    metadata = _struct({"name": STRING}, {"namespace": STRING, "labels": LABELS, "annotations": LABELS})
    return _struct({"apiVersion": STRING, "kind": STRING, "metadata": metadata, **required}, optional)


SELECTOR = _struct(
    {},
    {
        "matchLabels": LABELS,
        "matchExpressions": {
            "type": "array",
            "items": _struct({"key": STRING, "operator": {"enum": ["In", "Exists"]}}, {"values": STRINGS}),
        },
    },
)
RULE = _struct(
    {"apiGroups": STRINGS, "resources": STRINGS, "verbs": STRINGS},
    {"resourceNames": STRINGS},
)
SUBJECT = {
    "oneOf": [
        _struct({"kind": {"const": "ServiceAccount"}, "name": STRING, "namespace": STRING}),
        _struct({"kind": {"const": "Group"}, "name": STRING, "apiGroup": {"const": "rbac.authorization.k8s.io"}}),
    ]
}


def _binding(role_kind: str) -> dict[str, Any]:
    reference = {"apiGroup": {"const": "rbac.authorization.k8s.io"}, "kind": {"const": role_kind}, "name": STRING}
    return _kind({"roleRef": _struct(reference), "subjects": {"type": "array", "items": SUBJECT, "minItems": 1}})


WEBHOOK = _struct(
    {
        "name": {"type": "string", "pattern": r"^[^.]+(\.[^.]+){2,}$"},
        "admissionReviewVersions": STRINGS,
        "clientConfig": _struct(
            {"service": _struct({"name": STRING, "namespace": STRING}, {"path": STRING, "port": {"type": "integer"}})}
        ),
        "sideEffects": {"enum": ["None", "NoneOnDryRun"]},
    },
    {
        "failurePolicy": {"enum": ["Fail", "Ignore"]},
        "matchPolicy": {"enum": ["Exact", "Equivalent"]},
        "namespaceSelector": SELECTOR,
        "objectSelector": SELECTOR,
        "rules": {
            "type": "array",
            "items": _struct(
                {"apiGroups": STRINGS, "apiVersions": STRINGS, "operations": STRINGS, "resources": STRINGS},
                {"scope": {"enum": ["*", "Cluster", "Namespaced"]}},
            ),
        },
        "timeoutSeconds": {"type": "integer", "minimum": 1, "maximum": 30},
    },
)
SCHEMAS: dict[str, dict[str, Any]] = {
    "Role": _kind({"rules": {"type": "array", "items": RULE}}),
    "ClusterRole": _kind({"rules": {"type": "array", "items": RULE}}),
    "RoleBinding": _binding("Role"),
    "ClusterRoleBinding": _binding("ClusterRole"),
    "PriorityClass": _kind(
        {"value": {"type": "integer", "maximum": 1_000_000_000}},
        {
            "globalDefault": {"type": "boolean"},
            "preemptionPolicy": {"enum": ["PreemptLowerPriority", "Never"]},
            "description": STRING,
        },
    ),
    "PodDisruptionBudget": _kind(
        {
            "spec": _struct(
                {"selector": SELECTOR, "maxUnavailable": {"type": "integer"}},
                {"unhealthyPodEvictionPolicy": {"enum": ["IfHealthyBudget", "AlwaysAllow"]}},
            )
        }
    ),
    # https://github.com/aws/amazon-vpc-resource-controller-k8s/blob/master/config/crd/bases/vpcresources.k8s.aws_securitygrouppolicies.yaml
    "SecurityGroupPolicy": _kind(
        {"spec": _struct({"podSelector": SELECTOR, "securityGroups": _struct({"groupIds": STRINGS})})}
    ),
    "TargetGroupBinding": _kind(
        {
            "spec": _struct(
                {
                    "serviceRef": _struct({"name": STRING, "port": STRING}),
                    "targetGroupName": {"type": "string", "minLength": 1, "maxLength": 32},
                    "targetType": {"enum": ["instance", "ip"]},
                }
            )
        }
    ),
    "ValidatingWebhookConfiguration": _kind({"webhooks": {"type": "array", "items": WEBHOOK}}),
    "MutatingWebhookConfiguration": _kind({"webhooks": {"type": "array", "items": WEBHOOK}}),
    "Job": _kind(
        {
            "spec": _struct(
                {"template": _struct({"metadata": _struct({"labels": LABELS}), "spec": {"type": "object"}})},
                {
                    "backoffLimit": {"type": "integer", "minimum": 0},
                    "activeDeadlineSeconds": {"type": "integer", "minimum": 1},
                },
            )
        }
    ),
    "StorageClass": _kind(
        {"provisioner": STRING},
        {
            "parameters": LABELS,
            "reclaimPolicy": {"enum": ["Delete", "Retain"]},
            "allowVolumeExpansion": {"type": "boolean"},
            "volumeBindingMode": {"enum": ["Immediate", "WaitForFirstConsumer"]},
        },
    ),
    "PriorityLevelConfiguration": _kind(
        {
            "spec": _struct(
                {
                    "type": {"const": "Limited"},
                    "limited": _struct(
                        {
                            "nominalConcurrencyShares": {"type": "integer", "minimum": 0},
                            "lendablePercent": {"type": "integer", "minimum": 0, "maximum": 100},
                            "limitResponse": _struct(
                                {
                                    "type": {"const": "Queue"},
                                    "queuing": _struct({"queues": COUNT, "handSize": COUNT, "queueLengthLimit": COUNT}),
                                }
                            ),
                        }
                    ),
                }
            )
        }
    ),
    "FlowSchema": _kind(
        {
            "spec": _struct(
                {
                    "priorityLevelConfiguration": _struct({"name": STRING}),
                    "matchingPrecedence": {"type": "integer", "minimum": 1, "maximum": 10_000},
                    "distinguisherMethod": _struct({"type": {"enum": ["ByUser", "ByNamespace"]}}),
                    "rules": {
                        "type": "array",
                        "items": _struct(
                            {
                                "subjects": {
                                    "type": "array",
                                    "items": {
                                        "oneOf": [
                                            _struct({"kind": {"const": "Group"}, "group": _struct({"name": STRING})}),
                                            _struct(
                                                {
                                                    "kind": {"const": "ServiceAccount"},
                                                    "serviceAccount": _struct({"name": STRING, "namespace": STRING}),
                                                }
                                            ),
                                        ]
                                    },
                                },
                                "resourceRules": {
                                    "type": "array",
                                    "items": _struct(
                                        dict.fromkeys(("apiGroups", "resources", "verbs", "namespaces"), STRINGS),
                                        {"clusterScope": {"type": "boolean"}},
                                    ),
                                },
                                "nonResourceRules": {
                                    "type": "array",
                                    "items": _struct(dict.fromkeys(("nonResourceURLs", "verbs"), STRINGS)),
                                },
                            }
                        ),
                    },
                }
            )
        }
    ),
    "StatefulSet": _kind(
        {
            "spec": _struct(
                {
                    "serviceName": STRING,
                    "selector": SELECTOR,
                    "template": _struct(
                        {"metadata": _struct({"labels": LABELS}, {"annotations": LABELS}), "spec": {"type": "object"}}
                    ),
                },
                {
                    "replicas": {"type": "integer", "minimum": 0},
                    "revisionHistoryLimit": {"type": "integer"},
                    "podManagementPolicy": {"enum": ["OrderedReady", "Parallel"]},
                    "updateStrategy": _struct({"type": {"enum": ["RollingUpdate", "OnDelete"]}}),
                    "volumeClaimTemplates": {"type": "array", "items": {"type": "object"}},
                },
            )
        }
    ),
    "DaemonSet": _kind(
        {
            "spec": _struct(
                {
                    "selector": SELECTOR,
                    "template": _struct(
                        {"metadata": _struct({"labels": LABELS}, {"annotations": LABELS}), "spec": {"type": "object"}}
                    ),
                },
                {
                    "revisionHistoryLimit": {"type": "integer"},
                    "updateStrategy": _struct(
                        {"type": {"enum": ["RollingUpdate", "OnDelete"]}},
                        {"rollingUpdate": _struct({}, {"maxUnavailable": {"type": ["integer", "string"]}})},
                    ),
                },
            )
        }
    ),
    "Deployment": _kind(
        {
            "spec": _struct(
                {
                    "selector": SELECTOR,
                    "template": _struct(
                        {"metadata": _struct({"labels": LABELS}, {"annotations": LABELS}), "spec": {"type": "object"}}
                    ),
                },
                {
                    "replicas": {"type": "integer", "minimum": 0},
                    "revisionHistoryLimit": {"type": "integer"},
                    "strategy": _struct(
                        {"type": {"enum": ["RollingUpdate", "Recreate"]}},
                        {
                            "rollingUpdate": _struct(
                                {}, {"maxSurge": {"type": "integer"}, "maxUnavailable": {"type": "integer"}}
                            )
                        },
                    ),
                },
            )
        }
    ),
}


def lost(model: Any, manifest: dict[str, Any]) -> Any:
    """What a manifest loses on its way through its model; equal values mean that nothing is lost."""
    return _without_empty(manifest), _without_empty(model.from_dict(copy.deepcopy(manifest)).to_dict())


def _without_empty(value: Any) -> Any:
    """The value with quantities as text and without empty lists, which the models do not tell from absent ones."""
    if isinstance(value, dict):
        return {key: _without_empty(each) for key, each in value.items() if each != []}
    return [_without_empty(each) for each in value] if isinstance(value, list) else value


def problems(manifest: dict[str, Any]) -> list[str]:
    """What is wrong with the manifest of a built-in kind."""
    kind = manifest["kind"]
    if kind in MODELS:
        return _model_problems(MODELS[kind], manifest)
    errors = Draft202012Validator(SCHEMAS[kind]).iter_errors(manifest)
    found = [f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in errors]
    if kind in {"Deployment", "StatefulSet", "DaemonSet", "Job"} and not found:
        found = _model_problems(models.IoK8sApiCoreV1PodSpec, manifest["spec"]["template"]["spec"])
    return found


def _model_problems(model: Any, content: dict[str, Any]) -> list[str]:
    try:
        before, after = lost(model, content)
    except (ValidationError, ValueError) as error:
        return [str(error)]
    return [] if before == after else [f"{before} became {after}"]


def test_every_rendered_object_fits_its_kind(every_cluster: list[Any]) -> None:
    found = [
        (manifest["kind"], manifest["metadata"]["name"], problem)
        for rendered in every_cluster
        for manifest in rendered.manifests
        if manifest["kind"] != "CustomResourceDefinition"
        for problem in problems(manifest)
    ]

    assert found == []


def test_every_rendered_kind_has_a_schema(every_cluster: list[Any]) -> None:
    kinds = {manifest["kind"] for rendered in every_cluster for manifest in rendered.manifests}

    assert kinds - {"CustomResourceDefinition"} == set(MODELS) | set(SCHEMAS)


NAMESPACE = ("Namespace", "spark-ads", None)
SERVICE = ("Service", "spark-operator-webhook-svc", "moka-operator")
POLICY = ("NetworkPolicy", "allow-dns", "spark-ads")
ROLE = ("Role", "spark-driver", "spark-ads")
DEPLOYMENT = ("Deployment", "spark-operator-webhook", "moka-operator")
SETTINGS = ("ConfigMap", "yunikorn-defaults", "moka-yunikorn")
SECRET = ("Secret", "admission-controller-secrets", "moka-yunikorn")
MUTATING = ("MutatingWebhookConfiguration", "load-balancer-controller-webhook", None)
BUDGET = ("PodDisruptionBudget", "spark-operator-webhook", "moka-operator")
WEBHOOKS = ("ValidatingWebhookConfiguration", "spark-operator-webhook", None)


@pytest.mark.parametrize(
    ("which", "path", "value"),
    [
        (NAMESPACE, "metadata.label", {}),
        (SERVICE, "spec.ports.0.port", "9443"),
        (SERVICE, "spec.selectors", {}),
        (POLICY, "spec.egress.0.too", [{}]),
        (("LimitRange", "containers", "spark-ads"), "spec.limits.0.defaults", {"cpu": "1"}),
        (ROLE, "rules.0.verb", ["get"]),
        (ROLE, "rules.0.verbs", "get"),
        (BUDGET, "spec.maxUnavailable", None),
        (DEPLOYMENT, "spec.replica", 2),
        (DEPLOYMENT, "spec.template.spec.nodeSelectors", {"a": "b"}),
        (DEPLOYMENT, "spec.template.spec.containers.0.arg", ["x"]),
        (DEPLOYMENT, "spec.template.spec.containers.0.args", "x"),
        (WEBHOOKS, "webhooks.0.timeoutSeconds", 31),
        (WEBHOOKS, "webhooks.0.name", "short.name"),
        (SETTINGS, "values", {}),
        (SETTINGS, "data.service\\.placeholderRunAsUser", 65535),
        (SECRET, "typo", "Opaque"),
        (MUTATING, "webhooks.0.failurePolicy", "Never"),
    ],
)
def test_the_check_finds_a_planted_fault(dev: Any, which: tuple[str, str, str | None], path: str, value: Any) -> None:
    manifest = copy.deepcopy(dev.one(*which))
    assert problems(manifest) == []

    node: Any = manifest
    *parents, last = (part.replace("\\", "") for part in re.split(r"(?<!\\)\.", path))
    for part in parents:
        node = node[int(part)] if isinstance(node, list) else node[part]
    node[last] = value

    assert problems(manifest) != []
