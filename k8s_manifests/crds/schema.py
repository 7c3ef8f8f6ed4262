"""Makes the structural OpenAPI schemas of the operator's resources from the `kubeflow-spark-api` models.

No descriptions: they are seven eighths of the release's CRDs, and a client-side apply of the originals fails on their
size. Needs the package `kubeflow-spark-api`, so it runs when CRDs are generated and never at render. It refuses
(TypeError) an annotation that it does not know, rather than write a schema that accepts anything.
"""

import datetime as dt
import typing
from typing import Any

from kubeflow_spark_api import models
from pydantic import BaseModel

from k8s_manifests.crds.overlay import (
    ALSO_REQUIRED,
    ATOMIC_TYPES,
    FIELDS,
    INT64_PROPERTIES,
    LIST_MAP_KEYS,
    QUANTITY_PATTERN,
)

Schema = dict[str, Any]

_KUBERNETES = ("IoK8sApiCoreV1", "IoK8sApiNetworkingV1", "IoK8sApimachineryPkgApisMetaV1")
_SPARK = "SparkV1beta2"
_CONNECT = "SparkV1alpha1"
_EITHER = [{"type": "integer"}, {"type": "string"}]

_EMBEDDED_METADATA: Schema = {
    "type": "object",
    "properties": {
        "annotations": {"type": "object", "additionalProperties": {"type": "string"}},
        "finalizers": {"type": "array", "items": {"type": "string"}},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "name": {"type": "string"},
        "namespace": {"type": "string"},
    },
}
"""Metadata inside a spec, as controller-gen writes it (generateEmbeddedObjectMeta)."""


def spark_application() -> Schema:
    """Return the schema of a SparkApplication, v1beta2."""
    return _resource(models.SparkV1beta2SparkApplication)


def scheduled_spark_application() -> Schema:
    """Return the schema of a ScheduledSparkApplication, v1beta2."""
    return _resource(models.SparkV1beta2ScheduledSparkApplication)


def spark_connect() -> Schema:
    """Return the schema of a SparkConnect, v1alpha1."""
    return _resource(models.SparkV1alpha1SparkConnect)


def _resource(model: type[BaseModel]) -> Schema:
    """Return a whole resource's schema; its own metadata is the API server's business."""
    schema = _object(model)
    schema["properties"]["metadata"] = {"type": "object"}
    return schema


def _short_name(model: type[BaseModel]) -> str:
    """Return the type's name as the overlay knows it."""
    name = model.__name__
    if name.startswith(_CONNECT):
        return f"connect.{name.removeprefix(_CONNECT)}"
    for prefix in (_SPARK, *_KUBERNETES):
        name = name.removeprefix(prefix)
    return name


def _object(model: type[BaseModel]) -> Schema:
    name = _short_name(model)
    if name == "ObjectMeta":
        return _EMBEDDED_METADATA
    if name == "PodTemplateSpec":
        # schemaless in the release: Spark's pod templates may hold fields that these models do not know
        return {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    fields = {field.alias or key: field for key, field in model.model_fields.items()}
    properties = {key: _property(model, key, field.annotation) for key, field in fields.items()}
    schema: Schema = {"type": "object", "properties": dict(sorted(properties.items()))}
    required = {key for key, field in fields.items() if field.is_required()} | set(ALSO_REQUIRED.get(name, ()))
    if required:
        schema["required"] = sorted(required)
    if name in ATOMIC_TYPES:
        schema["x-kubernetes-map-type"] = "atomic"
    return schema


def _property(model: type[BaseModel], key: str, annotation: Any) -> Schema:
    """Return a property's schema with what the overlay adds."""
    path = f"{_short_name(model)}.{key}"
    schema = {**_value(annotation, key)}
    if schema.get("type") == "array" and model.__name__.startswith(_KUBERNETES):
        keys = LIST_MAP_KEYS.get(path)
        schema["x-kubernetes-list-type"] = "atomic" if keys is None else "map"
        if keys is not None:
            schema["x-kubernetes-list-map-keys"] = keys
    return {**schema, **FIELDS.get(path, {})}


def _value(annotation: Any, key: str) -> Schema:
    """Return the schema of a type annotation; `key` is the property it belongs to."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Union:
        (only,) = (argument for argument in arguments if argument is not type(None))
        return _value(only, key)
    if origin is typing.Annotated:
        return _value(arguments[0], key)
    if origin is list:
        return {"type": "array", "items": _value(arguments[0], key)}
    if origin is dict:
        values = {"type": "integer"} if _is_integer(arguments[1]) else _value(arguments[1], key)
        return {"type": "object", "additionalProperties": values}
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _model_value(annotation)
    return _scalar(annotation, key)


def _is_integer(annotation: Any) -> bool:
    return annotation is int or (typing.get_origin(annotation) is typing.Annotated and annotation.__origin__ is int)


def _model_value(model: type[BaseModel]) -> Schema:
    if model is models.IoK8sApimachineryPkgApiResourceQuantity:
        return {"anyOf": _EITHER, "pattern": QUANTITY_PATTERN, "x-kubernetes-int-or-string": True}
    if model is models.IoK8sApimachineryPkgUtilIntstrIntOrString:
        return {"anyOf": _EITHER, "x-kubernetes-int-or-string": True}
    return _object(model)


def _scalar(annotation: Any, key: str) -> Schema:
    if annotation is str:
        return {"type": "string"}
    if annotation is bool:
        return {"type": "boolean"}
    if annotation is int:
        return {"type": "integer", "format": "int64" if key in INT64_PROPERTIES else "int32"}
    if annotation is dt.datetime:
        return {"type": "string", "format": "date-time"}
    raise TypeError(f"`{key}` has a type that no rule covers: {annotation!r}; add one to {__name__}")
