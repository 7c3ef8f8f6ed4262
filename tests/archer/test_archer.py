"""Archer's public names, and what importing it costs."""

import importlib
import subprocess
import sys

import pytest

import archer
from archer import errors


def test_public_names_are_sorted_and_importable() -> None:
    assert archer.__all__ == sorted(archer.__all__)
    for name in archer.__all__:
        assert getattr(archer, name).__name__ == name


def test_a_name_that_there_is_not_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Jbo'"):
        _ = archer.Jbo


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("archer", ("pydantic", "sqlalchemy", "fastapi", "httpx")),
        ("archer.model", ("pydantic", "sqlalchemy", "fastapi", "httpx")),
        # beside every job: standard library only
        ("archer.backends.local.runner", ("pydantic", "sqlalchemy", "fastapi", "psutil", "structlog", "asyncio")),
        ("archer.backends.local.keeper", ("pydantic", "sqlalchemy", "fastapi", "psutil", "structlog", "asyncio")),
        ("archer.submission", ("sqlalchemy", "fastapi")),
    ],
)
def test_a_light_module_stays_light(module: str, heavy: tuple[str, ...]) -> None:
    program = f"import sys, {module}; print([name for name in {heavy!r} if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_every_error_has_a_code_of_its_own() -> None:
    found = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.ArcherError) and kind is not errors.MalformedRequestError
    ]
    codes = [kind.code for kind in found]

    assert len(found) > 10
    assert len(set(codes)) == len(codes)


def test_the_tree_in_the_docstring_names_every_error() -> None:
    tree = importlib.import_module("archer.errors").__doc__ or ""

    for name, kind in vars(errors).items():
        if isinstance(kind, type) and issubclass(kind, errors.ArcherError):
            assert name in tree, name
