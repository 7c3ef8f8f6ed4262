import pytest
import yaml

from k8s_manifests.text import to_yaml


def test_documents_are_separated_and_keys_keep_their_order() -> None:
    assert to_yaml({"b": 1, "a": [1, {"c": []}]}, {"d": {}}) == "b: 1\na:\n  - 1\n  - c: []\n---\nd: {}\n"


def test_no_document_is_no_text() -> None:
    assert to_yaml() == ""


@pytest.mark.parametrize(
    "value",
    [
        "on",
        "No",
        "null",
        "~",
        "",
        "1e3",
        "0x1f",
        "0o17",
        "017",
        "1_000",
        "1:30",
        "2.5.2",
        ".5",
        "a: b",
        "# no",
        "- x",
        "é\n\tü",
    ],
)
def test_a_string_stays_a_string_in_a_yaml_1_1_reader(value: str) -> None:
    assert yaml.safe_load(to_yaml({"key": value})) == {"key": value}


@pytest.mark.parametrize("value", ["1e3", "-1e3", "1E+3"])
def test_what_go_reads_as_a_number_is_quoted_although_pyyaml_would_not_mind(value: str) -> None:
    assert to_yaml({"key": value}) == f'key: "{value}"\n'


def test_a_callers_document_is_not_shared_with_the_next_callers() -> None:
    document = {"key": ["a"]}
    to_yaml(document)
    document["key"].append("b")

    assert to_yaml(document) == "key:\n  - a\n  - b\n"
