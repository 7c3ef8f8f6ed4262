"""The committed CRDs, and a validator that answers as a strict API server does."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from k8s_manifests.crds import DEFINITIONS

Schema = dict[str, Any]


@pytest.fixture(scope="session")
def crds() -> dict[str, dict[str, Any]]:
    """CRDs by kind."""
    return {definition.kind: json.loads(definition.path.read_text(encoding="utf-8")) for definition in DEFINITIONS}


@pytest.fixture(scope="session")
def schemas(crds: dict[str, dict[str, Any]]) -> dict[str, Schema]:
    """OpenAPI schemas by kind."""
    return {kind: crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"] for kind, crd in crds.items()}


def as_strict_json_schema(schema: Schema, *, resource: bool = False) -> Schema:
    """The schema with Kubernetes' extensions said in plain JSON schema.

    Unknown fields are refused as with `fieldValidation: Strict`, unless they are preserved; null is taken where the
    schema says nullable. apiVersion, kind and metadata of the resource itself are the API server's own business.
    """
    found = {key: value for key, value in schema.items() if not key.startswith("x-kubernetes-")}
    if "properties" in schema:
        found["properties"] = {key: as_strict_json_schema(value) for key, value in schema["properties"].items()}
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            found["additionalProperties"] = False
    elif schema.get("type") == "object" and "additionalProperties" not in schema and not resource:
        found["additionalProperties"] = True
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            found[key] = as_strict_json_schema(schema[key])
    if schema.get("nullable"):
        found["type"] = [schema["type"], "null"]
    return found


Refusals = Callable[[dict[str, Any]], list[str]]


@pytest.fixture(scope="session")
def refusals(schemas: dict[str, Schema]) -> Refusals:
    """What the schema of an object's kind says against it: "path: message", sorted; empty when it is admitted."""
    validators = {
        kind: Draft202012Validator(as_strict_json_schema(schema, resource=True), format_checker=FormatChecker())
        for kind, schema in schemas.items()
    }

    def judge(manifest: dict[str, Any]) -> list[str]:
        errors = validators[manifest["kind"]].iter_errors(manifest)
        return sorted(f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in errors)

    return judge
