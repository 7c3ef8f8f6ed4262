"""Environment files of schema version 1, and how a test breaks one."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from environments.document import parse
from environments.loading import Report, judge
from environments.model import Environment

BASES = Path(__file__).parent / "version_1"

Edit = Callable[..., dict[str, Any]]
Judge = Callable[[dict[str, Any]], Report]


@pytest.fixture
def plain() -> Callable[[str], dict[str, Any]]:
    """The plain values of a valid file, by the environment's name."""

    def read(name: str) -> dict[str, Any]:
        document = parse(f"{name}.yaml", (BASES / f"{name}.yaml").read_bytes())
        assert isinstance(document.data, dict)
        return document.data

    return read


@pytest.fixture
def edited(plain: Callable[[str], dict[str, Any]]) -> Edit:
    """A valid file with changes: `edited("dev", {"clusters.0.name": "x"}, remove=["storage"])`."""

    def edit(
        name: str,
        changes: dict[str, Any] | None = None,
        *,
        remove: tuple[str, ...] | list[str] = (),
        rename: dict[str, str] | None = None,
        duplicate: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        data = plain(name)
        if duplicate:
            _duplicate(data, **duplicate)
        for path, value in (changes or {}).items():
            parent, last = _parent(data, path)
            parent[last] = value
        for path in remove:
            parent, last = _parent(data, path)
            del parent[last]
        for path, word in (rename or {}).items():
            parent, last = _parent(data, path)
            parent[word] = parent.pop(last)
        return data

    return edit


@pytest.fixture
def judged() -> Judge:
    """The report on plain values, as if they had been read from the file case.yaml."""
    return lambda data: judge(parse("case.yaml", json.dumps(data).encode()))


@pytest.fixture
def environment(edited: Edit, judged: Judge) -> Callable[..., Environment]:
    """A valid environment with changes, for checks that are called by themselves: nothing but its shape is judged."""

    def make(name: str, changes: dict[str, Any] | None = None, **more: Any) -> Environment:
        return Environment.model_validate_json(json.dumps(edited(name, changes, **more)), strict=True)

    return make


def _parent(data: Any, path: str) -> tuple[Any, Any]:
    """Return what holds the last part of a dotted path, and that part as key or index."""
    *above, last = path.split(".")
    for part in above:
        data = data[int(part)] if isinstance(data, list) else data[part]
    return data, int(last) if isinstance(data, list) else last


def _duplicate(data: dict[str, Any], *, of: str, to: str, changes: dict[str, Any], times: int = 1) -> None:
    """Append copies of a list item to a list; with several, each changed value gets a number."""
    source, last = _parent(data, of)
    target, name = _parent(data, to)
    for number in range(times):
        item = copy.deepcopy(source[last])
        item.update({key: f"{value}{number}" if times > 1 else value for key, value in changes.items()})
        target[name].append(item)
