"""Hides secrets in what Archer shows: values of secret-looking keys, passwords inside URLs and options.

A submission is stored as it was given, because the job needs it; what leaves through the API, the command line or the
page goes through here first. Keys are judged by name, the way Spark judges them (`spark.redaction.regex`,
https://spark.apache.org/docs/4.0.0/configuration.html#runtime-environment), with a few names more. This module does not
touch logs: what a job prints itself is shown as printed.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

MASK = "********"
"""What stands where a secret was: a fixed length, so that it tells nothing about the secret's."""

_NAMES = (
    r"(?:secret|passw(?:or)?d|passphrase|token|(?:access|api|private|account|encryption|signing)[._-]?key(?![a-z])"
    r"|(?<![a-z])(?:pass|pwd|jwt|bearer|authorization)(?![a-z])|sig(?:nature)?\b)"
)
# `sig` and `signature` are what presigned URLs of S3 and Azure call theirs

_SECRET_KEY = re.compile(_NAMES, re.IGNORECASE)
_KEY = re.compile(r"(?<![\w.-])([\w.-]+)=")
_VALUE = re.compile(r"\"[^\"]*\"|'[^']*'|[^\s&;,]+")
_URL_PASSWORD = re.compile(r"(?P<before>://[^/\s:@]*):(?P<password>[^/\s@]+)@")
_OPTION = re.compile(r"--?[\w.-]+")
# Names are looked for in a key that was cut out before: one expression for key, name and rest takes time that grows with
# the square of a word's length, two minutes for an argument of 64 KiB.


@lru_cache(maxsize=4096)
def is_secret_key(key: str) -> bool:
    """Whether the value of a conf, environment or parameter key of this name is hidden."""
    return _SECRET_KEY.search(key) is not None


def redact_text(text: str) -> str:
    """`text` without the passwords in its URLs and the values in its `secret-looking-name=value` pairs."""
    if "=" not in text and "@" not in text:
        # most values: neither expression can match
        return text
    text = _URL_PASSWORD.sub(rf"\g<before>:{MASK}@", text)
    pieces: list[str] = []
    done = 0
    for found in _KEY.finditer(text):
        # a key inside a value that is hidden already is hidden with it
        if found.start() < done or not is_secret_key(found[1]):
            continue
        value = _VALUE.match(text, found.end())
        if value is not None:
            pieces += text[done : found.end()], MASK
            done = value.end()
    return "".join((*pieces, text[done:]))


def redact_arguments(arguments: Iterable[str]) -> list[str]:
    """Command-line words, with `--password=x`, the word after a bare `--password`, and URL passwords masked."""
    shown: list[str] = []
    secret_follows = False
    for word in arguments:
        # another option after `--token` means that this one was a flag: nothing to hide then
        shown.append(MASK if secret_follows and not word.startswith("--") else redact_text(word))
        secret_follows = _OPTION.fullmatch(word) is not None and is_secret_key(word)
    return shown


def redact_json(value: Any, *, hidden: bool = False) -> Any:
    """Any JSON value (a submission, an attempt's spec) with its secrets masked; the shape stays as it is.

    Lists of strings are read as command lines; strings at or under a secret-looking key are masked whole (`hidden`).
    """
    if isinstance(value, Mapping):
        named = value.get("name") if "value" in value else None
        # as Kubernetes writes a variable: its name is a value too
        secret = isinstance(named, str) and is_secret_key(named)
        return {
            name: redact_json(item, hidden=hidden or is_secret_key(name) or (secret and name == "value"))
            for name, item in value.items()
        }
    if isinstance(value, list):
        if not hidden and all(isinstance(item, str) for item in value):
            return redact_arguments(value)
        return [redact_json(item, hidden=hidden) for item in value]
    if isinstance(value, str):
        return MASK if hidden else redact_text(value)
    return value
