from __future__ import annotations

from typing import Any

import pytest

from moka.plan.references import exported_values, imported_values, needed_resources


def needs_of_last(value: Any, **more: Any) -> tuple[str, ...]:
    plain = {"Type": "AWS::S3::Bucket"}
    return needed_resources({"A": plain, "B": plain, "C": {**plain, "Properties": {"P": value}, **more}})["C"]


@pytest.mark.parametrize(
    ("value", "needed"),
    [
        ({"Ref": "A"}, ("A",)),
        ({"Fn::GetAtt": ["A", "Arn"]}, ("A",)),
        ({"Fn::GetAtt": "A.Endpoint.Address"}, ("A",)),
        ({"Fn::Sub": "x-${A}-${B.Arn}"}, ("A", "B")),
        ({"Fn::Sub": ["${V}-${A}", {"V": {"Fn::GetAtt": ["B", "Arn"]}}]}, ("A", "B")),
        ({"Fn::Join": ["", ["a", {"Fn::Select": [0, {"Fn::Split": ["/", {"Ref": "B"}]}]}]]}, ("B",)),
        ({"Fn::If": ["Big", {"Ref": "A"}, {"Ref": "B"}]}, ("A", "B")),
        ([{"deep": [{"er": {"Ref": "B"}}]}, {"Ref": "A"}], ("A", "B")),
    ],
)
def test_every_way_to_refer_to_a_resource_is_an_edge(value: Any, needed: tuple[str, ...]) -> None:
    assert needs_of_last(value) == needed


@pytest.mark.parametrize(
    "value",
    [
        {"Ref": "AWS::Region"},
        {"Ref": "SomeParameter"},
        {"Fn::Sub": "${!A} ${AWS::AccountId}"},
        {"Fn::Sub": ["${A}", {"A": "a variable of its own"}]},
        {"Ref": "C"},
        {"Fn::ImportValue": "A"},
        "A",
    ],
)
def test_parameters_own_variables_and_text_are_no_edges(value: Any) -> None:
    assert needs_of_last(value) == ()


@pytest.mark.parametrize("depends_on", ["A", ["A"]])
def test_depends_on_is_an_edge_in_both_forms(depends_on: Any) -> None:
    assert needs_of_last("nothing", DependsOn=depends_on) == ("A",)


def test_imports_are_found_at_any_depth_and_exports_by_name() -> None:
    template = {
        "Resources": {"R": {"Properties": {"P": [{"Fn::Select": [0, {"Fn::ImportValue": "net:Vpc"}]}]}}},
        "Outputs": {"A": {"Value": 1}, "B": {"Value": 2, "Export": {"Name": "mine:B"}}},
    }

    assert list(imported_values(template)) == ["net:Vpc"]
    assert list(exported_values(template)) == ["mine:B"]
