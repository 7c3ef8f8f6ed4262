"""Broken environment files through the command: everything that is wrong is told, with key, value, what is allowed, what to do.

The cases are data, `cases/<topic>.yaml`: a valid file, what is changed in it, and every problem in full.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from environments import checks, cli
from environments.salvage import salvage

CASES: list[dict[str, Any]] = [
    {"topic": file.stem, **case}
    for file in sorted((Path(__file__).parent / "cases").glob("*.yaml"))
    for case in yaml.safe_load(file.read_text(encoding="utf-8"))
]

NOTICES = {"version_notice", "generation_notice", "unused_leaves", "quota_against_queues"}
"""Checks that only warn; `checks/` tests them by themselves."""

Break = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture
def broken(edited: Callable[..., dict[str, Any]]) -> Break:
    """The plain values of a case."""
    return lambda case: edited(
        case["base"],
        case.get("set"),
        remove=case.get("remove", ()),
        rename=case.get("rename"),
        duplicate=case.get("duplicate"),
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['topic']}: {case['case']}")
def test_every_problem_of_a_broken_file_is_told(
    case: dict[str, Any], broken: Break, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "case.yaml"
    file.write_text(json.dumps(broken(case)), encoding="utf-8")

    with pytest.raises(SystemExit) as exited:
        cli.main(["check", str(file)])

    assert exited.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    *blocks, count = printed.err.strip().split("\n\n")
    wanted = [
        f"error: {file}:1  {problem['path']}\n"
        f"  got      {problem['got']}\n"
        f"  allowed  {problem['allowed']}\n"
        f"  fix      {problem['fix']}"
        for problem in case["problems"]
    ]
    assert sorted(blocks) == sorted(wanted)
    assert count == f"{len(wanted)} error{'s' if len(wanted) > 1 else ''}"


def test_every_check_refuses_some_case(broken: Break) -> None:
    """A check that no case reaches could be deleted without a test failing."""
    reached: set[str] = set()
    every: set[str] = set()
    for case in CASES:
        for check, arguments in checks.calls(salvage(broken(case))):
            every.add(f"{check.__module__}.{check.__name__}")
            try:
                found = list(check(*arguments))
            except AttributeError:
                continue
            if any(finding.level == "error" for finding in found):
                reached.add(f"{check.__module__}.{check.__name__}")

    silent = {name for name in every - reached if name.rsplit(".", 1)[1] not in NOTICES}
    assert silent == set()


def test_no_case_is_told_twice() -> None:
    names = [(case["topic"], case["case"]) for case in CASES]

    assert len(set(names)) == len(names) >= 150
