"""cdk.json starts Python with -O, which removes `assert`: nothing that a synth runs may decide anything with one."""

import ast
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_the_cdk_starts_python_optimised() -> None:
    assert json.loads((ROOT / "cdk.json").read_text())["app"] == "python -O app.py"


def narrows(test: ast.expr) -> bool:
    """Whether an assertion only tells the type checker what is so: isinstance(…), … is not None."""
    if isinstance(test, ast.Call):
        return isinstance(test.func, ast.Name) and test.func.id == "isinstance"
    return isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.IsNot)


@pytest.mark.parametrize("folder", ["infra", "constructs/moka_constructs", "environments"])
def test_no_assert_decides_anything_in_a_synth(folder: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Assert) and not narrows(node.test)
    ]

    assert found == []
