"""The two CRDs that the AWS Load Balancer Controller needs when it only binds pods to target groups that exist.

TargetGroupBinding is typed by hand after the release's, without descriptions and without the version v1alpha1, which no
manifest here uses: https://github.com/kubernetes-sigs/aws-load-balancer-controller/blob/v3.5.0/config/crd/bases/elbv2.k8s.aws_targetgroupbindings.yaml.
IngressClassParams has no objects here, but the controller watches it and stops when the API server does not know it; its
schema is left open, because nothing reads it.
"""

from typing import Any, Final

from constructs import Construct

from k8s_manifests import labels
from k8s_manifests.base import MokaChart
from k8s_manifests.images import LOAD_BALANCER_CONTROLLER
from k8s_manifests.kinds import Kind

GROUP: Final = "elbv2.k8s.aws"
VERSION: Final = "v1beta1"

_TEXT: Final[dict[str, Any]] = {"type": "string"}
_INT_OR_TEXT: Final[dict[str, Any]] = {
    "anyOf": [{"type": "integer"}, {"type": "string"}],
    "x-kubernetes-int-or-string": True,
}


def _object(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "properties": properties, **({"required": list(required)} if required else {})}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _choice(*values: str) -> dict[str, Any]:
    return {"type": "string", "enum": list(values)}


_PEER: Final = _object(
    {"ipBlock": _object({"cidr": _TEXT}, "cidr"), "securityGroup": _object({"groupID": _TEXT}, "groupID")}
)
_PORT: Final = _object({"port": _INT_OR_TEXT, "protocol": _choice("TCP", "UDP")})
_EXPRESSION: Final = _object(
    {"key": _TEXT, "operator": _TEXT, "values": {**_list(_TEXT), "x-kubernetes-list-type": "atomic"}},
    "key",
    "operator",
)
_NODE_SELECTOR: Final = {
    **_object(
        {
            "matchExpressions": {**_list(_EXPRESSION), "x-kubernetes-list-type": "atomic"},
            "matchLabels": {"type": "object", "additionalProperties": _TEXT},
        }
    ),
    "x-kubernetes-map-type": "atomic",
}
_CONDITION: Final = _object(
    {
        "lastTransitionTime": {"type": "string", "format": "date-time"},
        "message": {"type": "string", "maxLength": 32768},
        "observedGeneration": {"type": "integer", "format": "int64", "minimum": 0},
        "reason": {
            "type": "string",
            "minLength": 1,
            "maxLength": 1024,
            "pattern": "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
        },
        "status": _choice("True", "False", "Unknown"),
        "type": {
            "type": "string",
            "maxLength": 316,
            "pattern": r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$",
        },
    },
    "lastTransitionTime",
    "message",
    "reason",
    "status",
    "type",
)

TARGET_GROUP_BINDING: Final = _object(
    {
        "apiVersion": _TEXT,
        "kind": _TEXT,
        "metadata": {"type": "object"},
        "spec": _object(
            {
                "assumeRoleExternalId": _TEXT,
                "iamRoleArnToAssume": _TEXT,
                "ipAddressType": _choice("ipv4", "ipv6"),
                "multiClusterTargetGroup": {"type": "boolean"},
                "networking": _object(
                    {"ingress": _list(_object({"from": _list(_PEER), "ports": _list(_PORT)}, "from", "ports"))}
                ),
                "nodeSelector": _NODE_SELECTOR,
                "serviceRef": _object({"name": _TEXT, "port": _INT_OR_TEXT}, "name", "port"),
                "targetGroupARN": _TEXT,
                "targetGroupName": _TEXT,
                "targetGroupProtocol": _choice("HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC"),
                "targetType": _choice("instance", "ip"),
                "vpcID": _TEXT,
            },
            "serviceRef",
        ),
        "status": _object(
            {"conditions": _list(_CONDITION), "observedGeneration": {"type": "integer", "format": "int64"}}
        ),
    }
)
"""openAPIV3Schema of TargetGroupBinding v1beta1."""

_COLUMNS: Final = (
    ("Service-Name", ".spec.serviceRef.name", "string", 0),
    ("Service-Port", ".spec.serviceRef.port", "string", 0),
    ("Target-Type", ".spec.targetType", "string", 0),
    ("ARN", ".spec.targetGroupARN", "string", 1),
    ("Name", ".spec.targetGroupName", "string", 2),
    ("Age", ".metadata.creationTimestamp", "date", 0),
)


class TargetGroupCrdsChart(MokaChart):
    """Both CRDs."""

    def __init__(self, scope: Construct, construct_id: str, *, environment: str) -> None:
        version = LOAD_BALANCER_CONTROLLER.version
        common = labels.common(name="load-balancer-controller-crds", environment=environment, version=version)
        super().__init__(scope, construct_id, labels=common)
        columns = [
            {"name": name, "jsonPath": path, "type": kind, **({"priority": priority} if priority else {})}
            for name, path, kind, priority in _COLUMNS
        ]
        self._add("TargetGroupBinding", "targetgroupbindings", "targetgroupbinding", TARGET_GROUP_BINDING, columns)
        open_schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        self._add("IngressClassParams", "ingressclassparams", "ingressclassparam", open_schema, None)

    def _add(
        self, kind: str, plural: str, singular: str, schema: dict[str, Any], columns: list[dict[str, Any]] | None
    ) -> None:
        """Add one CRD; with printer columns it is namespaced and has a status, without it is neither."""
        version = {
            "name": VERSION,
            "served": True,
            "storage": True,
            "schema": {"openAPIV3Schema": schema},
            **({"additionalPrinterColumns": columns, "subresources": {"status": {}}} if columns else {}),
        }
        spec = {
            "group": GROUP,
            "names": {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": singular},
            "scope": "Namespaced" if columns else "Cluster",
            "versions": [version],
        }
        self.add(Kind.CUSTOM_RESOURCE_DEFINITION, f"{plural}.{GROUP}", {"spec": spec})
