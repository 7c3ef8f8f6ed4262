"""Judges a manifest before anybody is asked to store it: by the CRD's own schema, and by what no schema says.

`crd_schema.json` is the schema of the release that the platform installs, the part that a client writes; `python -m
archer.spark_application FILE` makes it again from a CRD. Kubernetes' own extensions of JSON schema are put
into its words: int-or-string becomes a choice, preserve-unknown-fields opens an object that is otherwise closed, because
the API server would drop an unknown field in silence.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from archer.errors import Problem
from archer.problems import shown
from archer.spark_application import names
from archer.spark_application.quick_check import Check, compiled

Json = dict[str, Any]

FILE: Final = Path(__file__).with_name("crd_schema.json")
MAX_MANIFEST_BYTES: Final = 1_400_000
"""etcd takes 1.5 MiB for an object, and the operator's status comes on top."""
MAX_CONF_BYTES: Final = 900_000
"""Spark keeps the properties in a ConfigMap, which takes 1 MiB."""
MAX_ANNOTATIONS_BYTES: Final = 256 * 1024
"""Of one object: https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/."""
_OUR_FAULT: Final = "report it: Archer made a manifest that the operator's CRD refuses"


def trimmed(definition: Mapping[str, Any]) -> Json:
    """The schema of a CRD's only version, without the status, as `crd_schema.json` holds it."""
    (version,) = definition["spec"]["versions"]
    schema: Json = json.loads(json.dumps(version["schema"]["openAPIV3Schema"]))
    schema["properties"].pop("status", None)
    return schema


def as_json_schema(schema: Any) -> Any:
    """The structural schema in JSON schema's words."""
    if isinstance(schema, list):
        return [as_json_schema(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("x-kubernetes-int-or-string"):
        pattern = {"pattern": schema["pattern"]} if "pattern" in schema else {}
        return {"anyOf": [{"type": "integer"}, {"type": "string", **pattern}]}
    found: Json = {
        key: value for key, value in schema.items() if not key.startswith("x-kubernetes-") and key != "format"
    }
    if "properties" in schema:
        found["properties"] = {key: as_json_schema(value) for key, value in schema["properties"].items()}
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            found["additionalProperties"] = False
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            found[key] = as_json_schema(schema[key])
    return found


@cache
def _validator() -> Draft202012Validator:
    schema = as_json_schema(json.loads(FILE.read_bytes()))
    # metadata is the API server's own business, not the CRD's
    schema["properties"]["metadata"] = {"type": "object"}
    return Draft202012Validator(schema)


@cache
def _quick() -> Check:
    return compiled(_validator().schema)


def problems_of(manifest: Mapping[str, Any]) -> list[Problem]:
    """Everything for which the API server, the operator or Spark would refuse the manifest."""
    found = [] if _quick()(manifest) else [_as_problem(error) for error in _validator().iter_errors(manifest)]
    return [*found, *_name_problems(manifest), *_label_problems(manifest), *_size_problems(manifest)]


def _as_problem(error: ValidationError) -> Problem:
    deepest = best_match(error.context) if error.context else None
    path = [str(part) for part in error.absolute_path]
    message = error.message if deepest is None else deepest.message
    text = json.dumps(error.instance, default=str)
    value = shown(error.instance) if len(text) < 200 else "something else"
    return Problem(
        path=".".join(path) or "(document)",
        value=value,
        allowed=f"what the CRD takes ({message[:300]})",
        fix=_OUR_FAULT,
    )


def _name_problems(manifest: Mapping[str, Any]) -> Iterator[Problem]:
    name = str(manifest.get("metadata", {}).get("name", ""))
    if not names.is_application_name(name):
        allowed = f"a lower-case DNS label that begins with a letter, at most {names.MAX_NAME} characters"
        yield Problem(path="metadata.name", value=shown(name), allowed=allowed, fix=_OUR_FAULT)


def _label_problems(manifest: Mapping[str, Any]) -> Iterator[Problem]:
    places = {"metadata": manifest.get("metadata", {})}
    for role in ("driver", "executor"):
        template = manifest.get("spec", {}).get(role, {}).get("template", {})
        places[f"spec.{role}.template.metadata"] = template.get("metadata", {})
    for path, metadata in places.items():
        for key, value in (metadata.get("labels") or {}).items():
            if not (names.is_label_key(key) and names.is_label_value(value)):
                allowed = "a label as Kubernetes takes it: 63 characters, letters, digits, - _ ."
                yield Problem(path=f"{path}.labels.{key}", value=shown(value), allowed=allowed, fix="change it")
        annotations = metadata.get("annotations") or {}
        size = sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items())
        if size > MAX_ANNOTATIONS_BYTES:
            allowed = f"annotations of at most {MAX_ANNOTATIONS_BYTES} bytes together"
            yield Problem(path=f"{path}.annotations", value=f"{size} bytes", allowed=allowed, fix="shorten them")


def _size_problems(manifest: Mapping[str, Any]) -> Iterator[Problem]:
    conf = manifest.get("spec", {}).get("sparkConf") or {}
    conf_bytes = sum(len(key.encode()) + len(str(value).encode()) + 2 for key, value in conf.items())
    if conf_bytes > MAX_CONF_BYTES:
        allowed = f"properties of at most {MAX_CONF_BYTES} bytes together, which Spark's ConfigMap holds"
        fix = "put long values into a file and name it in application.files"
        yield Problem(path="conf", value=f"{conf_bytes} bytes", allowed=allowed, fix=fix)
    size = len(json.dumps(manifest, ensure_ascii=False).encode())
    if size > MAX_MANIFEST_BYTES:
        allowed = f"a job whose manifest has at most {MAX_MANIFEST_BYTES} bytes, which etcd stores"
        fix = "put long arguments, variables and properties into files and name them"
        yield Problem(path="(document)", value=f"{size} bytes", allowed=allowed, fix=fix)
