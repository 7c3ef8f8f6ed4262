"""The text of a file: what YAML means here, where things are, and what is refused before the model sees it."""

from typing import Any

import pytest

from environments.document import MOST_BYTES, Document, parse
from environments.problems import MISSING, Finding, Problem


def _problem(content: bytes) -> Problem:
    document = parse("case.yaml", content)
    (finding,) = document.findings
    return document.problem(finding)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("1", 1),
        ("-4", -4),
        ("0", 0),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("yes", "yes"),
        ("on", "on"),
        ("012", "012"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("2026-08-01", "2026-08-01"),
        (".inf", ".inf"),
        ("1.35.6-20260714", "1.35.6-20260714"),
        ('"1"', "1"),
        ("'true'", "true"),
        ("111111111111", 111111111111),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
    ],
)
def test_a_plain_word_means_what_it_means_in_yaml_1_2(word: str, value: object) -> None:
    data = parse("case.yaml", f"key: {word}\n".encode()).data

    assert data == {"key": value}
    assert type(data["key"]) is type(value)


def test_a_key_is_a_word_whatever_it_looks_like() -> None:
    assert parse("case.yaml", b"on: 1\n2: 3\ntrue: 4\n").data == {"on": 1, "2": 3, "true": 4}


def test_an_alias_is_the_value_of_its_anchor() -> None:
    assert parse("case.yaml", b"a: &it [1]\nb: *it\n").data == {"a": [1], "b": [1]}


@pytest.mark.parametrize(
    ("content", "line", "value", "fix"),
    [
        (b"", None, "an empty file", "copy environments/dev.yaml and change it"),
        (b"# only a comment\n", None, "an empty file", "copy environments/dev.yaml and change it"),
        (b"- 1\n- 2\n", 1, "[1, 2]", "start with the line schema_version: 1"),
        (b"just words\n", 1, '"just words"', "start with the line schema_version: 1"),
        (b"a: 1\nb:\n\tc: 2\n", 3, '"c: 2"', "replace the tab by spaces"),
        (b"a: 1\n---\nb: 2\n", 2, '"---"', "keep one environment in one file: remove the line ---"),
        (b"a: *it\n", 1, '"a: *it"', "define the anchor (&name) above its first use (*name)"),
        (b"a: \xff\n", None, "byte 0xff", "save the file as UTF-8"),
        (b"a: \x01\n", None, "character U+0001", "remove the character"),
        (b"a: b\na: c\n", 2, "`a` a second time", "merge it with line 1, or remove one"),
        (b"a: !Ref b\n", 1, "the tag !Ref", "remove the tag"),
        (b"a: 1\n<<: {b: 2}\n", 2, "the merge key <<", "write the merged values out"),
        (b"a: 1\n? [b]\n: 2\n", 2, "a key that is a list or mapping", "write the key as a word"),
        (b"a: &it [*it]\n", 1, "values without end", "write the alias's values out"),
        (b"a: " + b"[" * 50 + b"]" * 50, 1, "brackets without end", "close the brackets"),
        (b"[" * 500_000, 1, "brackets without end", "close the brackets"),
    ],
)
def test_text_that_cannot_be_read_is_one_problem(content: bytes, line: int | None, value: str, fix: str) -> None:
    problem = _problem(content)

    assert (problem.line, problem.value, problem.fix) == (line, value, fix)


@pytest.mark.parametrize(
    ("content", "line"),
    [(b"a: b: c\n", 1), (b'a: 1\nb: "open\n', 2), (b"a: [1, 2\nb: 3\n", 2), (b"a: 1\n  b: 2\n", 2), (b"a: }\n", 1)],
)
def test_a_syntax_error_shows_its_line_and_where_to_look(content: bytes, line: int) -> None:
    problem = _problem(content)

    assert problem.line in {line, line + 1}
    assert problem.allowed.startswith("YAML (")
    assert problem.fix == "look at this line and the one above: quotes, brackets, a colon without a space, the indent"


def test_aliases_that_multiply_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 8)]

    assert _problem("\n".join(lines).encode()).value == "aliases that multiply"


def test_a_file_without_end_is_refused() -> None:
    assert _problem(b"#" * (MOST_BYTES + 1)).allowed == f"at most {MOST_BYTES} bytes"


def test_several_problems_of_the_text_are_all_told() -> None:
    findings = parse("case.yaml", b"a: 1\na: 2\nb: !x 3\nb: 4\n").findings

    assert len(findings) == 3


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ((), ""),
        (("network", "cidr"), "network.cidr"),
        (("clusters", 0, "pools", 1, "instance_types", 1), "clusters[batch].pools[executor].instance_types[1]"),
        (("clusters", 0, "pools", 2), "clusters[batch].pools[2]"),
        (("clusters", 0, "pools", 3), "clusters[batch].pools[3]"),
        (("clusters", 0, "pools", 9), "clusters[batch].pools[9]"),
        (("tags", "aws:owner"), 'tags."aws:owner"'),
    ],
)
def test_a_path_is_told_by_names_where_they_are_unique(path: Any, words: str) -> None:
    data = {
        "clusters": [{"name": "batch", "pools": [{"name": "a"}, {"name": "executor"}, {"name": "x"}, {"name": "x"}]}]
    }
    document = Document("case.yaml", data=data)

    assert document.problem(Finding(path=path, value=1, allowed="a", fix="b")).path == words


def test_a_missing_key_is_told_at_the_line_of_its_section() -> None:
    document = parse("case.yaml", b"a: 1\nnetwork:\n  mode: new\n")

    problem = document.problem(Finding(path=("network", "cidr"), value=MISSING, allowed="a", fix="b"))

    assert (problem.line, problem.value) == (2, "nothing")


@pytest.mark.parametrize("key", ["password", "db_Password", "secret_key", "github_token", "credentials"])
def test_a_value_that_sounds_secret_is_not_printed(key: str) -> None:
    document = parse("case.yaml", f"{key}: hunter2\n".encode())

    problem = document.problem(Finding(path=(key,), value="hunter2", allowed="a", fix="b"))

    assert "hunter2" not in problem.render()
