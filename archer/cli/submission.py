"""Makes the body of a submission from a file, from options, or from both; options win.

Paths of this machine become absolute here, because the server has another working directory. Everything else is left to
the server: it has the rules, the defaults and the complete list of what is wrong.
"""

import getpass
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from archer.client_errors import Json, RequestRefusedError

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
# `s3a://bucket/x.py`, `local:///opt/x.py`: not a path of this machine
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._-]+")
_NAME_AT_MOST = 63
_PATH_LISTS = ("py_files", "jars", "files", "archives")


def read_submission(source: str, stdin: TextIO) -> Json:
    """The submission in a JSON or YAML file, or on stdin for `-`; its relative paths are taken from the file's folder.

    Raises RequestRefusedError when there is no such file, or no object in it.
    """
    try:
        text = stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
    except OSError as error:
        raise RequestRefusedError(f"`--from` must be a readable file, got {source!r} ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise RequestRefusedError(f"`--from` must be UTF-8 text, got {source!r} ({error.reason})") from error
    submission = _parsed(text, "standard input" if source == "-" else source)
    folder = Path.cwd() if source == "-" else Path(source).absolute().parent
    _make_absolute(submission, folder)
    return submission


def merged(base: Mapping[str, Any], given: Mapping[str, Any]) -> Json:
    """`base` with `given` on top: objects key by key, everything else replaced; None in `given` means not given.

    What `base` has in the wrong shape stays, so that the server can say so, unless an option sets something there.
    """
    result = dict(base)
    for key, value in given.items():
        if isinstance(value, Mapping):
            under = result.get(key)
            inner = merged(under if isinstance(under, Mapping) else {}, value)
            if merged({}, value):
                result[key] = inner
        elif value is not None:
            result[key] = value
    return result


def completed(submission: Mapping[str, Any], *, named: bool = True) -> Json:
    """With what the command line knows and the server cannot: a name after the file, and, when `named`, who submits."""
    result = dict(submission)
    application = result.get("application")
    file = application.get("file") if isinstance(application, Mapping) else None
    if "name" not in result and isinstance(file, str) and (name := _name_after(file)):
        result["name"] = name
    if named and not result.get("user"):
        result["user"] = _login()
    return result


def absolute(path: str, folder: Path | None = None) -> str:
    """A path of this machine made absolute, with `#alias` kept; URIs stay as they are."""
    if not path or _SCHEME.match(path):
        return path
    file, hash_sign, alias = path.partition("#")
    expanded = Path(file).expanduser()
    return str((folder or Path.cwd()) / expanded) + hash_sign + alias


def absolute_all(paths: Sequence[str] | None) -> list[str] | None:
    """Each of a repeated, comma-separated option's paths made absolute; None when the option was not given."""
    if not paths:
        return None
    return [absolute(path) for group in paths for path in group.split(",") if path]


def _parsed(text: str, source: str) -> Json:
    try:
        value = json.loads(text)
    except ValueError as error:
        # a file that says it is JSON gets JSON's message; the rest may be YAML, which is the wider language
        value = _yaml(text, source) if not source.endswith(".json") else _refuse(f"{source} is not JSON: {error}")
    if not isinstance(value, dict):
        _refuse(f"{source} must hold one object with the submission's fields, got {type(value).__name__}")
    return dict(value)


def _yaml(text: str, source: str) -> Any:
    # PyYAML costs 20 ms that only this path should pay
    import yaml  # noqa: PLC0415

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        at = f" at line {where.line + 1}, column {where.column + 1}" if where else ""
        _refuse(f"{source} is neither JSON nor YAML: {getattr(error, 'problem', None) or 'unreadable'}{at}")


def _refuse(message: str) -> Any:
    raise RequestRefusedError(message, api_code="malformed-submission")


def _make_absolute(submission: Json, folder: Path) -> None:
    application = submission.get("application")
    if not isinstance(application, dict):
        return
    if isinstance(application.get("file"), str):
        application["file"] = absolute(application["file"], folder)
    for key in _PATH_LISTS:
        if isinstance(paths := application.get(key), list):
            application[key] = [absolute(path, folder) if isinstance(path, str) else path for path in paths]


def _name_after(file: str) -> str:
    stem = Path(file.rstrip("/")).stem
    return _NOT_IN_A_NAME.sub("-", stem).strip("-._")[:_NAME_AT_MOST]


def _login() -> str | None:
    try:
        return getpass.getuser()
    except OSError:
        # a container may run under a number without a name: then nobody is named
        return None
