from pathlib import Path
from typing import Any

import pytest

from k8s_manifests.crds.facts import fingerprint, table, without_descriptions

RELEASE = Path(__file__).parent / "facts" / "spark-operator-2.5.2.tsv"

FINGERPRINTS = {
    "SparkApplication": "dd9c7d5d2f226be0",
    "ScheduledSparkApplication": "2a34b293e902c584",
    "SparkConnect": "c4e37e52db40ca21",
}
"""Of the release's whole schemas without descriptions, https://github.com/kubeflow/spark-operator/tree/v2.5.2/config/crd/bases."""


def test_every_field_is_what_the_release_says_by_type_enum_bounds_and_required(crds: dict[str, Any]) -> None:
    release = [line for line in RELEASE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]

    assert table(list(crds.values())).splitlines() == release


@pytest.mark.parametrize("kind", FINGERPRINTS)
def test_the_whole_schema_equals_the_releases_but_for_descriptions(schemas: dict[str, Any], kind: str) -> None:
    # list and map types, defaults and Kubernetes' own types are in here too; the table above says where to look
    assert fingerprint(schemas[kind]) == FINGERPRINTS[kind]


def test_a_changed_bound_a_new_enum_value_and_a_lost_field_each_show_in_the_table() -> None:
    def crd(**properties: Any) -> dict[str, Any]:
        schema = {"type": "object", "properties": properties}
        return {
            "spec": {
                "names": {"kind": "Thing"},
                "versions": [{"name": "v1", "schema": {"openAPIV3Schema": schema}}],
            }
        }

    before = table([crd(a={"type": "integer", "minimum": 1}, b={"type": "string", "enum": ["x"]})]).splitlines()
    after = table([crd(a={"type": "integer", "minimum": 2}, b={"type": "string", "enum": ["x", "y"]})]).splitlines()
    lost = table([crd(a={"type": "integer", "minimum": 1})]).splitlines()

    assert [line for line in after if line not in before] == [
        "Thing.v1.a\tinteger\t\t\tminimum=2",
        "Thing.v1.b\tstring\t\tx,y",
    ]
    assert [line for line in before if line not in lost] == ["Thing.v1.b\tstring\t\tx"]


def test_only_descriptions_are_dropped_and_not_a_field_of_that_name() -> None:
    schema = {
        "description": "words",
        "type": "object",
        "properties": {"description": {"type": "string", "description": "words"}},
    }

    assert without_descriptions(schema) == {"type": "object", "properties": {"description": {"type": "string"}}}
