"""Kubernetes' rules for structural schemas and CRDs, which an API server checks when a CRD is applied.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
"""

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]
TYPES = {"string", "integer", "number", "boolean", "array", "object"}
ALLOWED = {
    "additionalProperties",
    "anyOf",
    "default",
    "enum",
    "format",
    "items",
    "maxLength",
    "maximum",
    "minLength",
    "minimum",
    "nullable",
    "pattern",
    "properties",
    "required",
    "type",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
    "x-kubernetes-preserve-unknown-fields",
}


def nodes(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    yield path, schema
    for key, value in schema.get("properties", {}).items():
        yield from nodes(value, f"{path}.{key}")
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from nodes(schema[key], f"{path}[]")


def test_every_node_has_one_type_or_is_an_int_or_string(schemas: dict[str, Schema]) -> None:
    for schema in schemas.values():
        for path, node in nodes(schema):
            if node.get("x-kubernetes-int-or-string"):
                assert "type" not in node, path
                assert node["anyOf"] == [{"type": "integer"}, {"type": "string"}], path
            else:
                assert node["type"] in TYPES, path
                assert "anyOf" not in node, path


def test_only_keywords_that_structural_schemas_may_have_are_used(schemas: dict[str, Schema]) -> None:
    for schema in schemas.values():
        for path, node in nodes(schema):
            assert set(node) <= ALLOWED, path


def test_arrays_say_what_they_hold_and_objects_are_either_structs_or_maps(schemas: dict[str, Schema]) -> None:
    for schema in schemas.values():
        for path, node in nodes(schema):
            assert ("items" in node) == (node.get("type") == "array"), path
            assert not {"properties", "additionalProperties"} <= set(node), path


def test_required_fields_exist(schemas: dict[str, Schema]) -> None:
    for schema in schemas.values():
        for path, node in nodes(schema):
            assert set(node.get("required", ())) <= set(node.get("properties", ())), path


def test_keys_of_list_maps_are_scalars_that_every_item_has(schemas: dict[str, Schema]) -> None:
    found = 0
    for schema in schemas.values():
        for path, node in nodes(schema):
            if node.get("x-kubernetes-list-type") != "map":
                assert "x-kubernetes-list-map-keys" not in node, path
                continue
            item = node["items"]
            for key in node["x-kubernetes-list-map-keys"]:
                assert item["properties"][key]["type"] in {"string", "integer", "boolean"}, path
                assert key in item["required"] or "default" in item["properties"][key], f"{path}: {key}"
                found += 1
    assert found > 40


def test_defaults_fit_their_fields(schemas: dict[str, Schema]) -> None:
    kinds = {"string": str, "boolean": bool, "integer": int}
    for schema in schemas.values():
        for path, node in nodes(schema):
            if "default" in node:
                assert isinstance(node["default"], kinds[node["type"]]), path


def test_a_crd_has_one_served_and_stored_version_with_a_status(crds: dict[str, Any]) -> None:
    for crd in crds.values():
        (version,) = crd["spec"]["versions"]
        assert version["served"] is version["storage"] is True
        assert version["subresources"] == {"status": {}}


def test_names_fit_together(crds: dict[str, Any]) -> None:
    for kind, crd in crds.items():
        names = crd["spec"]["names"]
        assert (names["kind"], names["listKind"], names["singular"]) == (kind, f"{kind}List", kind.lower())
        assert crd["metadata"]["name"] == f"{names['plural']}.{crd['spec']['group']}"
        # without it the API server refuses a CRD in a group under k8s.io
        assert crd["metadata"]["annotations"]["api-approved.kubernetes.io"].startswith("https://github.com/")


def test_printed_columns_lead_to_fields_that_exist(crds: dict[str, Any], schemas: dict[str, Schema]) -> None:
    for kind, crd in crds.items():
        for column in crd["spec"]["versions"][0]["additionalPrinterColumns"]:
            node = schemas[kind]
            first, *rest = column["jsonPath"].removeprefix(".").split(".")
            if first == "metadata":
                assert rest == ["creationTimestamp"]
                continue
            for part in (first, *rest):
                node = node["properties"][part]
            assert node["type"] in {"string", "boolean", "integer"}, column


def test_rendered_crds_are_the_committed_ones_with_the_platforms_labels(dev: Any, crds: dict[str, Any]) -> None:
    rendered = {
        each["spec"]["names"]["kind"]: each
        for each in dev.of_kind("CustomResourceDefinition")
        if each["spec"]["group"] == "sparkoperator.k8s.io"
    }

    assert list(rendered) == list(crds)
    for kind, crd in crds.items():
        assert rendered[kind]["spec"] == crd["spec"]
        assert rendered[kind]["metadata"]["annotations"] == crd["metadata"]["annotations"]
        assert rendered[kind]["metadata"]["labels"]["app.kubernetes.io/version"] == "2.5.2"
