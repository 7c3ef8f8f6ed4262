"""What a CRD's schema says, as a table that two schemas can be compared by: ours and the release's.

Fields of Kubernetes' own types (affinity, volumes, containers …) are one row each with a fingerprint of all below; all
other fields are rows of their own. The table made from release 2.5.2 is committed beside the tests. To make it again
for another release: `python -m k8s_manifests.crds --facts FILE.yaml... > TABLE`, with the files of
https://github.com/kubeflow/spark-operator/tree/v2.5.2/config/crd/bases.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any, Final

Schema = dict[str, Any]

HEADER: Final = "path\ttype\trequired\tenum\tbounds\tpattern\tbelow"

_KUBERNETES_FIELDS: Final = frozenset(
    {
        "affinity",
        "conditions",
        "dnsConfig",
        "env",
        "envFrom",
        "hostAliases",
        "ingressTLS",
        "initContainers",
        "lifecycle",
        "podSecurityContext",
        "resources",
        "securityContext",
        "service",
        "sidecars",
        "tolerations",
        "volumeMounts",
        "volumes",
    }
)
_BOUNDS: Final = ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems")


def table(definitions: list[dict[str, Any]]) -> str:
    """Return the table of several CRDs, one line per field, sorted within each CRD; columns are separated by tabs."""
    lines = [HEADER]
    for definition in definitions:
        for version in definition["spec"]["versions"]:
            root = f"{definition['spec']['names']['kind']}.{version['name']}"
            lines += _rows(without_descriptions(version["schema"]["openAPIV3Schema"]), root, required=True)
    return "\n".join(lines) + "\n"


def without_descriptions(schema: Schema) -> Schema:
    """Return the schema without descriptions, at every level; a property called `description` stays."""
    found: Schema = {}
    for key, value in schema.items():
        if key == "description":
            continue
        if key == "properties":
            found[key] = {name: without_descriptions(below) for name, below in value.items()}
        elif key in {"items", "additionalProperties"}:
            found[key] = without_descriptions(value)
        else:
            found[key] = value
    return found


def fingerprint(schema: Schema) -> str:
    """Return the first 16 hex digits of the SHA-256 of the schema's canonical JSON."""
    canonical = json.dumps(schema, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def _rows(schema: Schema, path: str, *, required: bool) -> Iterator[str]:
    name = path.rsplit(".", 1)[-1].rstrip("[]{}")
    opaque = name in _KUBERNETES_FIELDS and ("properties" in schema or "items" in schema)
    bounds = ",".join(f"{key}={schema[key]}" for key in _BOUNDS if key in schema)
    yield "\t".join(
        (
            path,
            _type(schema),
            "required" if required else "",
            ",".join(schema.get("enum", ())),
            bounds,
            # a quantity's pattern is the same everywhere and long
            "" if schema.get("x-kubernetes-int-or-string") else schema.get("pattern", ""),
            fingerprint(schema) if opaque else "",
        )
    ).rstrip("\t")
    if opaque:
        return
    for key, below in sorted(schema.get("properties", {}).items()):
        yield from _rows(below, f"{path}.{key}", required=key in schema.get("required", ()))
    for key, suffix in (("items", "[]"), ("additionalProperties", "{}")):
        if key in schema:
            yield from _rows(schema[key], f"{path}{suffix}", required=False)


def _type(schema: Schema) -> str:
    kind = str(schema.get("type", "int-or-string" if schema.get("x-kubernetes-int-or-string") else "any"))
    words = [kind, *(str(schema[key]) for key in ("format",) if key in schema)]
    words += ["preserve-unknown"] if schema.get("x-kubernetes-preserve-unknown-fields") else []
    words += ["nullable"] if schema.get("nullable") else []
    return " ".join(words)
