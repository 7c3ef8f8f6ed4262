"""`archer-api.md`: every call of the native API, from the same OpenAPI document that a server gives out."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, cast

from archer.api.app import create_app
from archer.metrics import Metrics
from archer.reference.markdown import GENERATED, table
from archer.service import Service

_HEAD = f"""# Archer's API

{GENERATED}

The document for programs is at `/api/openapi.json` of every server. Times are RFC 3339 in UTC with milliseconds. Every
error is `application/problem+json` with `status`, `code` (for programs, never changes), `detail`, and `problems`, each
with `path`, `value`, `allowed` and `fix`; unknown fields and unknown query parameters are errors. The door wants
`Content-Type: application/json` on every POST (415 otherwise), takes bodies of at most 1 MiB (413 otherwise), and answers
503 with `Retry-After` while the database can't be read or written. With `ARCHER_AUTHENTICATION` it wants
`Authorization: Bearer archer_...`, or a proxy that it trusts, for everything but `/healthz`, `/readyz` and `/metrics` (401
otherwise), and answers 403 with what it takes to [what one may not do](archer-roles.md); without it, a `Host` that names
this machine (421 otherwise).
A job is named by its id, its number, or its EMR id. A 2xx means: it is on disk.
"""


class _NoService:
    """The description needs the application's shape, and nothing that works."""

    def counters(self) -> Mapping[Any, int]:
        return {}

    def queue_ages(self) -> Mapping[str, float]:
        return {}

    def versions(self, _job_ids: Collection[str]) -> Mapping[str, int]:
        return {}


def openapi() -> dict[str, Any]:
    """The OpenAPI document, without a database behind it."""
    app = create_app(cast("Service", _NoService()))
    assert isinstance(app.state.metrics, Metrics)
    return app.openapi()


def api_page() -> str:
    document = openapi()
    calls = [
        _call(method, path, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    shapes = [_shape(name, document) for name in _used_shapes(document)]
    return "\n".join([_HEAD, *calls, "## Shapes\n", *shapes])


def _call(method: str, path: str, operation: Mapping[str, Any]) -> str:
    parts = [f"## `{method.upper()} {path}`\n", operation.get("description", operation["summary"]) + "\n"]
    parameters = [_parameter(entry) for entry in operation.get("parameters", ()) if entry["in"] != "path"]
    if parameters:
        parts.append(table(("parameter", "value", "meaning"), parameters) + "\n")
    body = operation.get("requestBody")
    if body:
        parts.append(f"Body: {_type_of(body['content']['application/json']['schema'])}\n")
    answers = ", ".join(_answer(status, answer) for status, answer in sorted(operation["responses"].items()))
    parts.append(f"Answers: {answers}.\n")
    return "\n".join(parts)


def _parameter(entry: Mapping[str, Any]) -> tuple[str, str, str]:
    schema = entry["schema"]
    place = " (header)" if entry["in"] == "header" else ""
    return (f"`{entry['name']}`{place}", _type_of(schema), entry.get("description", schema.get("description", "")))


def _answer(status: str, answer: Mapping[str, Any]) -> str:
    contents: list[dict[str, Any]] = list(answer.get("content", {}).values())
    schema = contents[0].get("schema", {}) if contents else {}
    kind = _type_of(schema) if schema else ""
    return f"{status} {kind}" if kind.startswith("[") else status


def _used_shapes(document: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(document["components"]["schemas"]):
        # FastAPI's own, which our problem documents replace
        if name not in {"HTTPValidationError", "ValidationError"}:
            yield name


def _shape(name: str, document: Mapping[str, Any]) -> str:
    schema = document["components"]["schemas"][name]
    head = f"### {name}\n\n{' '.join(schema.get('description', '').split())}\n"
    if "enum" in schema:
        return f"### {name}\n\nOne of {', '.join(f'`{word}`' for word in schema['enum'])}.\n"
    required = set(schema.get("required", ()))
    rows = [
        (f"`{field}`" + ("" if field in required else " (optional)"), _type_of(entry), entry.get("description", ""))
        for field, entry in schema.get("properties", {}).items()
    ]
    return head + "\n" + table(("field", "value", "meaning"), rows) + "\n"


def _type_of(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_type_of(choice) for choice in schema["anyOf"])
    if "const" in schema or "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema.get("enum", [schema.get("const")]))
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {_type_of(schema.get('items', {}))}"
    bounds = [str(schema[key]) for key in ("minimum", "maximum") if key in schema]
    return f"{kind}, {' to '.join(bounds)}" if bounds else str(kind)
