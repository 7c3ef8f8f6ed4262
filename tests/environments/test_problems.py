"""How a problem is printed."""

import json
from typing import Any

import pytest

from environments.problems import MISSING, Problem, Words, choose, closest, cut, listed, render_json, render_text, show

PROBLEM = Problem(
    file="environments/dev.yaml",
    line=12,
    path="network.nat",
    value='"per-zone"',
    allowed="one of none, single, per_zone",
    fix="write per_zone",
)


def test_a_problem_is_four_lines() -> None:
    assert PROBLEM.render() == (
        "error: environments/dev.yaml:12  network.nat\n"
        '  got      "per-zone"\n'
        "  allowed  one of none, single, per_zone\n"
        "  fix      write per_zone"
    )


def test_a_problem_of_the_whole_file_has_neither_line_nor_path() -> None:
    whole = Problem(file="x.yaml", line=None, path="", value="an empty file", allowed="a mapping", fix="copy one")

    assert whole.render().splitlines()[0] == "error: x.yaml"


def test_the_last_line_counts() -> None:
    warning = Problem(file="x", line=1, path="a", value="1", allowed="2", fix="3", level="warning")

    assert render_text([PROBLEM, PROBLEM, warning]).splitlines()[-1] == "2 errors, 1 warning"
    assert render_text([warning]).splitlines()[-1] == "1 warning"
    assert render_text([]) == ""


def test_the_json_form_counts_and_lists() -> None:
    told = json.loads(render_json([PROBLEM]))

    assert (told["errors"], told["warnings"]) == (1, 0)
    assert told["problems"][0]["path"] == "network.nat"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (MISSING, "nothing"),
        (None, "null"),
        (True, "true"),
        (7, "7"),
        ("text", '"text"'),
        ("naïve", '"naïve"'),
        (Words("3 blocks"), "3 blocks"),
        ([], "[]"),
        (["a", 1], "[a, 1]"),
        ([{"a": 1}], "a list of 1 item"),
        (["x" * 40, "y" * 40], "a list of 2 items"),
        ({"a": 1, "b": 2}, "a mapping with a, b"),
        ({}, "a mapping of 0 keys"),
        ({str(number): 1 for number in range(9)}, "a mapping of 9 keys"),
    ],
)
def test_a_value_is_shown_short(value: Any, shown: str) -> None:
    assert show(value) == shown


def test_a_long_arn_is_cut_in_the_middle() -> None:
    arn = "arn:aws:acm:us-east-1:111111111111:certificate/00000000-0000-4000-8000-0000000000d1"

    shown = show(arn)

    assert len(shown) == 72
    assert shown.startswith('"arn:aws:acm:us-east-1:111111111111:certificate')
    assert shown.endswith('0000000000d1"')
    assert "…" in shown
    assert cut("short") == "short"


def test_a_list_of_options_is_cut_with_a_count() -> None:
    assert listed([]) == "none"
    assert listed(["a", "b", "a"]) == "a, b"
    assert listed(range(15)) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 3 more"


def test_a_misspelling_finds_its_word() -> None:
    assert closest("bach", ["batch", "adhoc"]) == "batch"
    assert closest("xyz", ["batch", "adhoc"]) is None
    assert choose("bach", ["batch"], "else") == "write batch"
    assert choose("xyz", ["batch"], "else") == "else"
