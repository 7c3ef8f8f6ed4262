"""What a check is: a question, the calls it makes, and a function that yields verdicts.

Inside a check, fetching and judging stay apart: `ask` takes a fetcher that calls AWS and a judge that is a pure function of
what came back. A fetcher that fails costs its own row and nothing else.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from environments import Environment
from moka.preflight.aws import Reader
from moka.preflight.calls import Call
from moka.preflight.failures import CallFailedError, DeniedError, UnreachableError
from moka.preflight.rows import Verdict, unknown

Facts = TypeVar("Facts")


@dataclass(frozen=True, kw_only=True)
class WantedImage:
    """A container image that the clusters pull."""

    repository: str
    """Name below the environment's registry prefix."""
    tag: str


ImageSource = Callable[[Environment], tuple[WantedImage, ...]]


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a check sees."""

    environment: Environment
    file: str
    """The environment file, as messages name it: environments/dev.yaml."""
    aws: Reader
    today: date
    images: ImageSource
    """Tells the images that the delivery registry must hold; asked by one check, and only when that check is made."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One question about the account."""

    name: str
    """What `--only` takes."""
    asks: str
    """The question, in words."""
    calls: tuple[Call, ...]
    run: Callable[[Context], Iterable[Verdict]]


def ask(subject: str, fetch: Callable[[], Facts], judge: Callable[[Facts], Iterable[Verdict]]) -> Iterator[Verdict]:
    """Yield what `judge` says about what `fetch` returns, or one unknown row when the fetch has no answer."""
    try:
        facts = fetch()
    except CallFailedError as error:
        yield unanswered(subject, error)
        return
    yield from judge(facts)


def unanswered(subject: str, error: CallFailedError) -> Verdict:
    """Return the row for a question that AWS did not answer."""
    if isinstance(error, DeniedError) and error.by_organisation:
        return unknown(
            subject,
            f"{error.action} is denied by an organisation's policy",
            fix=f"ask those who own the organisation's policies to allow {error.action} in this account",
        )
    if isinstance(error, DeniedError):
        fix = f"allow {error.action} for these credentials; `moka preflight ENV --policy` prints the whole policy"
        return unknown(subject, f"{error.action} is denied", fix=fix)
    if isinstance(error, UnreachableError):
        fix = "open the way to this endpoint (proxy, VPN, interface endpoint), or look at this by hand"
        return unknown(subject, f"{error.action} cannot be asked: {error.message}", fix=fix)
    return unknown(subject, f"{error.action} failed: {error.code}: {error.message}", fix="try again in a few minutes")
