"""What is wrong with an environment file, as data: checks and the loader say it, one place renders it.

A finding is told in the terms of the parsed data (a path of keys and indexes); `Document.problem` turns it into a problem
in the terms of the file (names of list items, a line). Nothing here decides what is wrong.
"""

import difflib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

Path = tuple[str | int, ...]
"""Keys and list indexes from the root: ("clusters", 0, "pools", 2, "name")."""

Level = Literal["error", "warning"]

MISSING: Final = object()
"""Value of a finding about a key that the file does not have."""

SHOWN_CHARACTERS: Final = 72
"""Longest value that is printed whole: an ARN of a certificate is 83 characters, its middle says nothing."""

SECRET_WORDS: Final = ("password", "secret", "token", "credential")
"""A value under an unknown key with such a name is not printed: the output ends in build logs."""


class Words(str):
    """A value told in words: it is printed without quotes."""

    __slots__ = ()


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong, before it is located in a file."""

    path: Path
    value: object
    """What the file says there; MISSING when it says nothing."""
    allowed: str
    """What fits, in words that complete "must be …"."""
    fix: str
    """What to do, with concrete values."""
    level: Level = "error"
    line: int | None = None
    """Line in the file, where the path alone does not lead to it: the second of two equal keys."""


Findings = Iterator[Finding]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong with a file, as it is printed."""

    file: str
    line: int | None
    """Line of the key, from 1; None when the problem is not inside the file."""
    path: str
    """Key path in the file's own terms: clusters[batch].pools[executor].instance_types[1]; empty for the whole file."""
    value: str
    allowed: str
    fix: str
    level: Level = "error"

    def render(self) -> str:
        """Return the problem as a block of four lines, without a line break at the end."""
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        head = f"{self.level}: {where}" + (f"  {self.path}" if self.path else "")
        return f"{head}\n  got      {self.value}\n  allowed  {self.allowed}\n  fix      {self.fix}"


def render_text(problems: Sequence[Problem]) -> str:
    """Return the blocks of all problems and a last line that counts them."""
    if not problems:
        return ""
    errors = sum(problem.level == "error" for problem in problems)
    counts = [_count(errors, "error"), _count(len(problems) - errors, "warning")]
    blocks = [problem.render() for problem in problems]
    return "\n\n".join([*blocks, ", ".join(count for count in counts if count)])


def render_json(problems: Iterable[Problem]) -> str:
    """Return `{"errors": 1, "warnings": 0, "problems": [{file, line, path, value, allowed, fix, level}]}`."""
    rows = [asdict(problem) for problem in problems]
    errors = sum(row["level"] == "error" for row in rows)
    return json.dumps(
        {"errors": errors, "warnings": len(rows) - errors, "problems": rows}, indent=2, ensure_ascii=False
    )


def _count(number: int, word: str) -> str:
    """Return "2 errors", "1 error" or nothing for 0."""
    return "" if number == 0 else f"{number} {word}" + ("s" if number > 1 else "")


def show(value: object) -> str:
    """Return a value as it is printed: JSON for scalars, cut in the middle when long, a count for lists and mappings."""
    if value is MISSING:
        return "nothing"
    if isinstance(value, Words):
        return str(value)
    if isinstance(value, dict):
        return (
            f"a mapping with {', '.join(map(str, value))}" if 0 < len(value) <= 6 else f"a mapping of {len(value)} keys"
        )
    if isinstance(value, list | tuple):
        return _show_list(value)
    if isinstance(value, str):
        return cut(json.dumps(value, ensure_ascii=False))
    return cut(json.dumps(value, default=str))


def _show_list(values: Sequence[Any]) -> str:
    scalars = all(isinstance(value, str | int | float | bool | None) for value in values)
    text = "[" + ", ".join(str(value) for value in values) + "]"
    if scalars and len(text) <= SHOWN_CHARACTERS:
        return text
    return f"a list of {len(values)}" + (" items" if len(values) != 1 else " item")


def cut(text: str, length: int = SHOWN_CHARACTERS) -> str:
    """Return `text`, its middle replaced when it is longer than `length`."""
    if len(text) <= length:
        return text
    tail = length // 3
    return f"{text[: length - tail - 1]}…{text[-tail:]}"


def listed(values: Iterable[object], *, most: int = 12) -> str:
    """Return values as "a, b, c", cut after `most` with a count of the rest; "none" when there are none."""
    words = [str(value) for value in dict.fromkeys(values)]
    if not words:
        return "none"
    if len(words) <= most:
        return ", ".join(words)
    return f"{', '.join(words[:most])} and {len(words) - most} more"


def closest(word: object, known: Iterable[str], *, likeness: float = 0.6) -> str | None:
    """Return the known word that `word` is probably a misspelling of, None when nothing is as alike as `likeness` (0 to 1)."""
    matches = difflib.get_close_matches(str(word), list(known), n=1, cutoff=likeness)
    return matches[0] if matches else None


def choose(word: object, known: Iterable[str], otherwise: str, *, likeness: float = 0.6) -> str:
    """Return the fix for a word that must be one of `known`: the nearest one, else `otherwise`."""
    near = closest(word, known, likeness=likeness)
    return f"write {near}" if near is not None else otherwise
