"""One look at some attempts: cached records where they will do, live reads where something is absent, and the evidence of an end."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Any, Final

import structlog

from archer.backends.interface import Observation, Outcome, Phase
from archer.backends.kubernetes import evidence, live, logs
from archer.backends.kubernetes.following import Following
from archer.backends.kubernetes.observation import SETTLING, End, Facts, Unsure, judge
from archer.backends.kubernetes.records import DriverRecord, Pools
from archer.backends.kubernetes.tails import Tail, Tails, Wanted
from archer.errors import BackendUnavailableError, StoreUnavailableError
from archer.kubernetes.client import ApiClient
from archer.model import Attempt

LIVE_PER_LOOK: Final = 200
"""Attempts of one look that are asked for live; the others are looked at again later."""

AGAIN_SECONDS: Final = 1.0

LOG_SECONDS: Final = 300
"""How long the end of a log is asked for again, once its driver ended …"""
_TURN_SECONDS: Final = 30.0
"""… or, when that is over already, how long its first reading may take."""
_SUCCESS_LOG_SECONDS: Final = 5.0
"""How long the log of a success is waited for: it is no evidence."""

NOTHING_NEW: Final = Observation(phase=Phase.STARTING)
"""Of this attempt nothing can be said just now."""

KnownAttempts = Callable[[Collection[str]], Mapping[str, Attempt]]
"""`Store.known_attempts`: an attempt's own specification tells where it is and what it asked for."""

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where an attempt is looked for."""

    namespace: str
    following: Following | None
    """None: this process doesn't follow the namespace."""


@dataclass(frozen=True, kw_only=True)
class Looker:
    """Answers `Backend.observe`."""

    client: ApiClient
    workers: Executor
    tails: Tails
    pools: Pools
    spot: Collection[str]
    known: KnownAttempts
    place: Callable[[str, Mapping[str, Attempt]], Place | None]
    stopped_for: Callable[[str], str | None]
    """Why this process asked for an attempt's end."""
    noted: Callable[[Attempt], str | None]
    """Why its tracker did, as the store knows it."""
    settle_seconds: int
    clock: Callable[[], float] = time.time

    def look(self, attempts: Sequence[str], places: Mapping[str, Place]) -> dict[str, Observation]:
        """An observation for each; `places` holds those whose namespace is known without the database."""
        strangers = [attempt for attempt in attempts if attempt not in places]
        known = self.known(strangers) if strangers else {}
        sorted_out = _Sorted()
        found_at: dict[str, Place] = {}
        for attempt in attempts:
            place = places.get(attempt) or self.place(attempt, known)
            if place is None:
                last_seen = "nobody knows in which namespace it was"
                sorted_out.found[attempt] = Observation(phase=Phase.VANISHED, last_seen=last_seen)
                continue
            found_at[attempt] = place
            sorted_out.take(_Seen(attempt, place, self._cached(attempt, place)))
        self._ask(sorted_out)
        found = sorted_out.found | self._endings(sorted_out.ended, known)
        self._look_again(found, found_at)
        return found

    def _look_again(self, found: Mapping[str, Observation], places: Mapping[str, Place]) -> None:
        """No event tells that time has passed, or that what couldn't be read now can be."""
        for attempt, observation in found.items():
            place = places.get(attempt)
            if (
                place is not None
                and place.following is not None
                and (observation is NOTHING_NEW or observation.substate == SETTLING)
            ):
                place.following.again(attempt, self.clock() + AGAIN_SECONDS)

    def _cached(self, attempt: str, place: Place) -> Facts:
        following = place.following
        if following is None:
            return Facts(application=None, driver=None, now=int(self.clock()))
        following.check()
        return Facts(
            application=following.application(attempt),
            driver=following.driver(attempt),
            executors=following.executors(attempt),
            now=int(self.clock()),
            stopped_for=self.stopped_for(attempt),
            gone=following.gone(attempt),
            settle_seconds=self.settle_seconds,
        )

    def _ask(self, sorted_out: "_Sorted") -> None:
        """Read live what isn't in the cache, several at once; then nothing is left to be unsure of."""
        unsure, sorted_out.unsure = sorted_out.unsure, []
        asked = self.workers.map(self._confirmed, unsure[:LIVE_PER_LOOK])
        for facts, seen in zip(asked, unsure, strict=False):
            if facts is None:
                sorted_out.unsure.append(seen)
            else:
                sorted_out.take(replace(seen, facts=facts))
        left = [*sorted_out.unsure, *unsure[LIVE_PER_LOOK:]]
        sorted_out.found.update((seen.attempt, NOTHING_NEW) for seen in left)

    def _confirmed(self, seen: "_Seen") -> Facts | None:
        attempt, facts, namespace = seen.attempt, seen.facts, seen.place.namespace
        try:
            # the driver first: one that is made meanwhile belongs to an application that is there
            driver = facts.driver or live.driver(self.client, namespace, attempt, self.pools)
            application = facts.application or live.application(self.client, namespace, attempt)
            executors = facts.executors
            if seen.place.following is None:
                executors = live.executors(self.client, namespace, attempt, self.pools)
            # one that is there and not being deleted was never stopped, whatever was asked for
            taken = application is None or application.deleting
            stopped_for = self._why(attempt) if taken else self.stopped_for(attempt)
        except (BackendUnavailableError, StoreUnavailableError) as error:
            _log.warning("can't confirm what is absent", attempt=attempt, error=str(error))
            return None
        except Exception:  # noqa: BLE001  # a defect that one attempt brings to light keeps no other waiting
            _log.exception("attempt not understood", attempt=attempt)
            return None
        return replace(
            facts,
            application=application,
            driver=driver,
            executors=executors,
            stopped_for=stopped_for,
            settle_seconds=self.settle_seconds,
            confirmed=True,
        )

    def _why(self, attempt: str) -> str | None:
        """Why its end was asked for, where nothing that is left of it says so: the first reason, whoever's it was."""
        written = self.known([attempt]).get(attempt)
        return (None if written is None else self.noted(written)) or self.stopped_for(attempt)

    def _reconsidered(self, seen: "_Seen", end: End) -> End:
        """An application that is being deleted may take along a driver that came too late to have a reason written on it."""
        application = seen.facts.application
        if end.stopped_for is not None or application is None or not application.deleting:
            return end
        verdict = judge(replace(seen.facts, stopped_for=self._why(seen.attempt)))
        return verdict if isinstance(verdict, End) else end

    def _endings(self, ended: Sequence[tuple["_Seen", End]], known: Mapping[str, Attempt]) -> dict[str, Observation]:
        ended = [(seen, self._reconsidered(seen, end)) for seen, end in ended]
        missing = [seen.attempt for seen, end in ended if seen.attempt not in known and not end.succeeded]
        written = {**known, **(self.known(missing) if missing else {})}
        tails = self.tails.read([_wanted(seen, driver, end) for seen, end in ended if (driver := _speaker(seen.facts))])
        return {
            seen.attempt: self._told(seen, end, written.get(seen.attempt), tails.get(seen.attempt))
            for seen, end in ended
        }

    def _told(self, seen: "_Seen", end: End, written: Attempt | None, tail: Tail | None) -> Observation:
        try:
            return self._ending(seen, end, written, tail)
        except Exception:  # noqa: BLE001  # as above
            _log.exception("attempt not understood", attempt=seen.attempt)
            return NOTHING_NEW

    def _ending(self, seen: "_Seen", end: End, written: Attempt | None, tail: Tail | None) -> Observation:
        facts = seen.facts
        log, no_log = "", ""
        if tail is not None and tail.text is None and _is_worth_waiting_for(tail, facts, end):
            return NOTHING_NEW
        if tail is not None and (tail.text is None or tail.why):
            self.tails.forget(seen.attempt)
            no_log = f"the end of the driver's log could not be read: {tail.why or 'its node does not answer'}"
        elif tail is not None:
            log = tail.text or ""
        spec: Mapping[str, Any] = {} if written is None else written.spec
        outcome = Outcome(
            succeeded=end.succeeded,
            stopped_for=end.stopped_for,
            exit_code=end.exit_code,
            evidence=evidence.collect(facts, end, spec=spec, log=log, no_log=no_log, spot=self.spot),
            texts={"driver-log": log} if log else {},
            note=f"{end.note}; {no_log}" if no_log else end.note,
        )
        app = facts.application
        return Observation(phase=Phase.ENDED, spark_app_id=None if app is None else app.app_id, outcome=outcome)


@dataclass(frozen=True)
class _Seen:
    attempt: str
    place: Place
    facts: Facts


@dataclass
class _Sorted:
    """Attempts by what is to be done about them."""

    found: dict[str, Observation] = field(default_factory=dict)
    unsure: list[_Seen] = field(default_factory=list)
    ended: list[tuple[_Seen, End]] = field(default_factory=list)

    def take(self, seen: _Seen) -> None:
        try:
            verdict = judge(seen.facts)
        except Exception:  # noqa: BLE001  # as above
            _log.exception("attempt not understood", attempt=seen.attempt)
            verdict = NOTHING_NEW
        match verdict:
            case Observation() as observation:
                self.found[seen.attempt] = observation
            case End() as end:
                self.ended.append((seen, end))
            case Unsure():
                self.unsure.append(seen)


def _speaker(facts: Facts) -> DriverRecord | None:
    """The driver, where it has a log."""
    return facts.driver if facts.driver is not None and facts.driver.started else None


def _wanted(seen: _Seen, driver: DriverRecord, end: End) -> Wanted:
    most = logs.SUCCESS_BYTES if end.succeeded else logs.TAIL_BYTES
    return Wanted(namespace=seen.place.namespace, attempt=seen.attempt, node=driver.node or "", most=most)


def _is_worth_waiting_for(tail: Tail, facts: Facts, end: End) -> bool:
    """Whether the verdict waits for a log that isn't there."""
    driver = facts.driver
    if driver is None:
        return False
    if end.succeeded and not _leaves(facts, driver):
        # it needs no evidence; its pod stays for a while, and the whole log is in the object store
        return not tail.why and tail.waited < _SUCCESS_LOG_SECONDS
    if not _is_long_over(facts, driver):
        return True
    return not tail.why and tail.waited < _TURN_SECONDS


def _is_long_over(facts: Facts, driver: DriverRecord) -> bool:
    """Whether its log was asked for long enough: a kubelet that doesn't answer keeps no job from its end."""
    return facts.now - (driver.finished or driver.deleted or driver.created) >= LOG_SECONDS


def _leaves(facts: Facts, driver: DriverRecord) -> bool:
    """Whether the pod goes as soon as our finalizer does."""
    return driver.deleted is not None or facts.application is None or facts.application.deleting
