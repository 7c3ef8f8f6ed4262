"""Reads YAML into plain values and remembers the line of every key, so that a problem can be shown where it is.

Plain scalars follow YAML 1.2's core schema: only true and false are booleans, only decimal digits are integers, a date is
a string. So `on`, `0755` and `12:30` mean what they say, here and in an editor that reads `schema.json`. Refused: duplicate
keys, tags, merge keys, keys that are not plain words, aliases that contain themselves, and files that unfold without end.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from environments.problems import MISSING, SECRET_WORDS, Finding, Path, Problem, Words, show

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml is ten times faster and in every wheel of PyYAML; the pure loader is its stand-in elsewhere."""

MOST_BYTES: Final = 1_000_000
MOST_NODES: Final = 100_000
"""Values of one file, aliases unfolded: prod.yaml has under 2,000; a file that multiplies its aliases stops here."""
MOST_DEPTH: Final = 40

_NULL: Final = re.compile(r"|~|null|Null|NULL")
_INTEGER: Final = re.compile(r"[-+]?(0|[1-9][0-9]{0,18})")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+)")
_STANDARD_TAG: Final = "tag:yaml.org,2002:"


@dataclass
class Document:
    """A file's values, where they are, and what was already wrong while reading them."""

    file: str
    """Name for messages."""
    data: Any = MISSING
    """Plain values: dict, list, str, int, float, bool, None; MISSING when the file could not be read."""
    lines: dict[Path, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    """Problems of the text itself."""

    def problem(self, finding: Finding) -> Problem:
        """Return the finding in the file's own terms."""
        return Problem(
            file=self.file,
            line=self._line(finding.path) if finding.line is None else finding.line,
            path=self._words(finding.path),
            value="(not shown)" if _is_secret(finding.path) else show(finding.value),
            allowed=finding.allowed,
            fix=finding.fix,
            level=finding.level,
        )

    def at(self, path: Path) -> Any:
        """Return the value at `path`, MISSING when there is none."""
        value = self.data
        for part in path:
            value = inside(value, part)
        return value

    def _line(self, path: Path) -> int | None:
        """Return the line of the key, or of the nearest thing around it that is there."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return self.lines.get(())

    def _words(self, path: Path) -> str:
        """Return the path with list items by their names where these are unique: clusters[batch].pools[0]."""
        words = ""
        for position, part in enumerate(path):
            if isinstance(part, int):
                words += f"[{self._item(path[:position], part)}]"
            else:
                key = part if re.fullmatch(r"[\w-]+", part) else f'"{part}"'
                words += f".{key}" if words else key
        return words

    def _item(self, path: Path, index: int) -> str:
        items = self.at(path)
        if not isinstance(items, list):
            return str(index)
        names = [item.get("name") if isinstance(item, dict) else None for item in items]
        name = names[index] if index < len(names) else None
        return name if isinstance(name, str) and name and names.count(name) == 1 else str(index)


def _is_secret(path: Path) -> bool:
    """Whether the last key sounds like a secret; the model has no such field but ARNs, so it is an unknown one."""
    key = path[-1].lower() if path and isinstance(path[-1], str) else ""
    return any(word in key for word in SECRET_WORDS) and not key.endswith("_arn")


def inside(value: Any, part: str | int) -> Any:
    """Return what a mapping or list has under a key or index, MISSING when it has none."""
    if isinstance(value, dict) and part in value:
        return value[str(part)]
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return MISSING


class _RefusedError(Exception):
    """The text cannot be read to its end; carries the one finding that says why."""

    def __init__(self, value: str, allowed: str, fix: str, line: int | None = None) -> None:
        super().__init__(value)
        self.finding = Finding(path=(), value=value, allowed=allowed, fix=fix, line=line)


def parse(file: str, content: bytes) -> Document:
    """Return the document; what cannot be read is a finding of it and never an exception."""
    document = Document(file)
    try:
        document.data = _Builder(document).build_root(_compose(content))
    except _RefusedError as refused:
        document.findings.append(refused.finding)
    return document


def _compose(content: bytes) -> yaml.Node:
    """Return the root node of the text. Raises _RefusedError."""
    if len(content) > MOST_BYTES:
        raise _RefusedError(Words("a longer file"), f"at most {MOST_BYTES} bytes", "split the environment in two")
    text = ""
    try:
        text = content.decode("utf-8")
        _refuse_depth(text)
        root = yaml.compose(text, Loader=Loader)
    except UnicodeDecodeError as error:
        byte = Words(f"byte 0x{content[error.start]:02x}")
        raise _RefusedError(byte, "text in UTF-8", "save the file as UTF-8") from error
    except yaml.reader.ReaderError as error:
        code = ord(error.character) if isinstance(error.character, str) else int(error.character)
        raise _RefusedError(Words(f"character U+{code:04X}"), "printable text", "remove the character") from error
    except yaml.MarkedYAMLError as error:
        raise _syntax(text, error) from error
    if root is None:
        fix = "copy environments/dev.yaml and change it"
        raise _RefusedError(Words("an empty file"), "a mapping that starts with schema_version: 1", fix)
    return root


def _refuse_depth(text: str) -> None:
    """Refuse values nested deeper than MOST_DEPTH: libyaml's composer recurses and would end the process."""
    depth = 0
    for event in yaml.parse(text, Loader=Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MOST_DEPTH:
                line = _line_of(event.start_mark)
                raise _RefusedError(
                    Words("brackets without end"), f"at most {MOST_DEPTH} levels", "close the brackets", line
                )
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _syntax(text: str, error: yaml.MarkedYAMLError) -> _RefusedError:
    """Return a syntax error with its line and the fix that the usual ones have."""
    line = _line_of(error.problem_mark or error.context_mark) - 1
    rows = text.splitlines() or [""]
    row = rows[min(line, len(rows) - 1)]
    said = (error.problem or str(error)).lower()
    fix = "look at this line and the one above: quotes, brackets, a colon without a space, the indent"
    if "tab" in said.split() or "'\\t'" in said or row.startswith("\t"):
        fix = "replace the tab by spaces"
    elif "another document" in said:
        fix = "keep one environment in one file: remove the line ---"
    elif "undefined alias" in said:
        fix = "define the anchor (&name) above its first use (*name)"
    return _RefusedError(row.strip(), f"YAML ({said})", fix, line + 1)


def _line_of(mark: Any) -> int:
    """Return a mark's line, from 1; the marks of the two loaders have no common type."""
    return 1 if mark is None else int(mark.line) + 1


class _Builder:
    """Turns composed nodes into plain values."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._nodes = 0

    def build_root(self, node: yaml.Node) -> dict[str, Any]:
        """Return the file's mapping. Raises _RefusedError when it is another thing."""
        line = _line_of(node.start_mark)
        self._document.lines[()] = line
        data = self.build(node, (), ())
        if isinstance(data, dict):
            return data
        raise _RefusedError(
            Words(show(data)), "a mapping of keys to values", "start with the line schema_version: 1", line
        )

    def build(self, node: yaml.Node, path: Path, above: tuple[int, ...]) -> Any:
        """Return the node's value; MISSING for one that is refused. `above` holds the ids of the nodes around it."""
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise _RefusedError(Words("aliases that multiply"), f"at most {MOST_NODES} values", "write the values out")
        if id(node) in above or len(above) > MOST_DEPTH:
            self._refuse(path, "values without end", f"at most {MOST_DEPTH} levels", "write the alias's values out")
            return None
        if not node.tag.startswith(_STANDARD_TAG):
            self._refuse(path, f"the tag {node.tag}", "plain values without tags", "remove the tag")
            return None
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        above = (*above, id(node))
        if isinstance(node, yaml.SequenceNode):
            return self._list(node, path, above)
        return self._mapping(node, path, above)

    def _list(self, node: yaml.SequenceNode, path: Path, above: tuple[int, ...]) -> list[Any]:
        items = []
        for index, item in enumerate(node.value):
            self._document.lines.setdefault((*path, index), _line_of(item.start_mark))
            items.append(self.build(item, (*path, index), above))
        return items

    def _mapping(self, node: yaml.Node, path: Path, above: tuple[int, ...]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = _line_of(key_node.start_mark)
            if not isinstance(key_node, yaml.ScalarNode):
                self._refuse(
                    path, "a key that is a list or mapping", "keys that are words", "write the key as a word", line
                )
                continue
            key = str(key_node.value)
            if key == "<<" and not key_node.style:
                self._refuse(path, "the merge key <<", "keys of this section", "write the merged values out", line)
                continue
            if key in values:
                first = self._document.lines[(*path, key)]
                self._refuse(
                    (*path, key),
                    f"`{key}` a second time",
                    "each key once",
                    f"merge it with line {first}, or remove one",
                    line,
                )
                continue
            self._document.lines[(*path, key)] = line
            values[key] = self.build(value_node, (*path, key), above)
        return values

    def _refuse(self, path: Path, value: str, allowed: str, fix: str, line: int | None = None) -> None:
        self._document.findings.append(Finding(path=path, value=Words(value), allowed=allowed, fix=fix, line=line))


def _scalar(node: yaml.ScalarNode) -> str | int | float | bool | None:
    """Return a scalar's value by the core schema; a quoted one is a string."""
    text = str(node.value)
    if node.style:
        return text
    if _NULL.fullmatch(text):
        return None
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
