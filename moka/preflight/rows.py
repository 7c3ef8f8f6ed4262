"""What preflight says: verdicts of checks, the rows they become, and the exit code that follows.

A state is always a word. `unknown` means that the question could not be asked (an action denied, an endpoint out of
reach); it counts like `fail`, because what is not known to fit must not be deployed on.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """The outcome of one question."""

    PASS = "pass"  # noqa: S105 - a state, no password
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One thing that a check looked at."""

    subject: str
    """What was looked at: a quota, an id, a key path of the environment file."""
    state: State
    value: str
    """What is there."""
    needed: str = ""
    """What the environment needs; empty when the value says it all."""
    fix: str = ""
    """What to do, with concrete values; empty when the state is pass."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A verdict with the name of its check."""

    check: str
    verdict: Verdict

    def as_json(self) -> dict[str, str]:
        """Return {check, subject, state, value, needed, fix}."""
        verdict = self.verdict
        return {
            "check": self.check,
            "subject": verdict.subject,
            "state": verdict.state.value,
            "value": verdict.value,
            "needed": verdict.needed,
            "fix": verdict.fix,
        }


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that one run found."""

    environment: str
    account: str
    region: str
    rows: tuple[Row, ...]
    not_made: tuple[str, ...] = ()
    """Checks that were not made, because the account or region was the wrong one."""

    @property
    def exit_code(self) -> int:
        """0 when every row passes or warns, else 1."""
        return 1 if self.counts[State.FAIL] + self.counts[State.UNKNOWN] else 0

    @property
    def counts(self) -> Counter[State]:
        """Rows by state."""
        return Counter(row.verdict.state for row in self.rows)

    def as_json(self) -> dict[str, Any]:
        """Return {environment, account, region, exit_code, summary: {pass: 3, …}, rows: […], not_made: […]}."""
        return {
            "environment": self.environment,
            "account": self.account,
            "region": self.region,
            "exit_code": self.exit_code,
            "summary": {state.value: self.counts[state] for state in State},
            "rows": [row.as_json() for row in self.rows],
            "not_made": list(self.not_made),
        }


def passed(subject: str, value: str, needed: str = "") -> Verdict:
    """It fits."""
    return Verdict(subject=subject, state=State.PASS, value=value, needed=needed)


def warned(subject: str, value: str, *, needed: str = "", fix: str) -> Verdict:
    """A deploy works; someone should look."""
    return Verdict(subject=subject, state=State.WARN, value=value, needed=needed, fix=fix)


def failed(subject: str, value: str, *, needed: str, fix: str) -> Verdict:
    """A deploy, or the growth that the file allows, breaks here."""
    return Verdict(subject=subject, state=State.FAIL, value=value, needed=needed, fix=fix)


def unknown(subject: str, value: str, *, fix: str) -> Verdict:
    """The question could not be asked."""
    return Verdict(subject=subject, state=State.UNKNOWN, value=value, fix=fix)


def listed(words: Iterable[object], *, most: int = 6) -> str:
    """Return "a, b, c", cut after `most` with a count of the rest; "none" for nothing."""
    texts = [str(word) for word in words]
    if len(texts) <= most:
        return ", ".join(texts) or "none"
    return f"{', '.join(texts[:most])} and {len(texts) - most} more"
