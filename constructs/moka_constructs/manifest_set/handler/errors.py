"""What can go wrong with a set: each problem names the object and the reason, and all of a step are told at once."""

import json
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Problem:
    """One object and what is wrong with it."""

    subject: str
    """The object as people read it: `Deployment moka-operator/spark-operator-controller`."""
    reason: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.reason}"


class SetError(Exception):
    """A step of the delivery failed; `problems` says for which objects and why."""

    def __init__(self, step: str, problems: Iterable[Problem]) -> None:
        self.step = step
        self.problems = tuple(problems)
        super().__init__("\n".join([f"{step}:", *(f"  {problem}" for problem in self.problems)]))


class OutOfTimeError(Exception):
    """The time that the whole delivery has is over; nothing more is sent to the cluster."""


class UnreachableError(Exception):
    """The API server cannot be reached, or lets nobody in."""

    def __init__(self, message: str, *, unknown: bool = False) -> None:
        """Say why; `unknown` when there is no such host at all."""
        super().__init__(message)
        self.unknown = unknown


def shortened(text: str, most: int) -> str:
    """Return `text` in at most `most` bytes of JSON, its middle cut out: what happened stands at both ends."""
    kept = len(text)
    short = text
    while _size(short) > most:
        kept = kept * 9 // 10
        short = f"{text[: kept * 3 // 4]} … {text[len(text) - kept // 4 :]}"
    return short


def _size(text: str) -> int:
    """Return the bytes that JSON needs for the letters, those outside of ASCII escaped."""
    return len(json.dumps(text)) - 2
