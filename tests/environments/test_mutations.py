"""Whatever is wrong with a file, the answer is problems: no change of a valid file makes the reading itself fail."""

import copy
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from environments.loading import Report

WRONG: list[Any] = ["wrong", None, 7, -1, 3.5, True, [], {}, ["x"], {"x": 1}, ""]
DELETE = object()


def _paths(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the place of every value below `value`."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*at, key)
        yield from _paths(inner, (*at, key))


def _mutated(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(data)
    parent = changed
    for part in path[:-1]:
        parent = parent[part]
    if value is DELETE:
        del parent[path[-1]]
    else:
        parent[path[-1]] = value
    return changed


def _assert_sound(report: Report, path: tuple[Any, ...], value: Any) -> None:
    what = f"{path} = {'nothing' if value is DELETE else value!r}"
    assert (report.environment is None) == bool(report.errors), what
    for problem in report.problems:
        assert problem.path, what
        assert problem.value, what
        assert problem.allowed, what
        assert problem.fix, what
        # the last resort of structure.py: an error type of pydantic's without words of ours
        assert "docs/reference/environment.md" not in problem.fix, what
        assert len(problem.render().splitlines()) == 4, what


def test_a_small_file_with_any_value_replaced_by_anything(
    plain: Callable[[str], Any], judged: Callable[[Any], Report]
) -> None:
    data = plain("test")

    for path in _paths(data):
        for value in (DELETE, "wrong", None, 7, {"x": 1}):
            _assert_sound(judged(_mutated(data, path, value)), path, value)


@pytest.mark.parametrize(("name", "step"), [("dev", 1), ("staging", 2), ("prod", 3)])
def test_a_large_file_with_a_value_replaced(
    name: str, step: int, plain: Callable[[str], Any], judged: Callable[[Any], Report]
) -> None:
    data = plain(name)
    values = itertools.cycle([DELETE, *WRONG])

    for path, value in zip(itertools.islice(_paths(data), 0, None, step), values, strict=False):
        _assert_sound(judged(_mutated(data, path, value)), path, value)


def test_a_file_of_which_two_sections_are_broken_at_once(
    plain: Callable[[str], Any], judged: Callable[[Any], Report]
) -> None:
    data = plain("test")

    for first, second in itertools.permutations(data, 2):
        changed = {**data, first: "wrong", second: None}
        _assert_sound(judged(changed), (first, second), "wrong")
