"""Launching: gives a cluster the attempts that admission has written down, and writes down that it has them.

One launcher per cluster and process, so that a slow cluster keeps no other waiting. It acts on claims: on what this
process's admission hands over, and on what `Store.unclaimed` finds when another process died. A create is named by its
attempt, so doing it twice is doing it once; it is never sent with less than a request's time left of the claim, so
nobody calls an attempt vanished while its create may still be under way. Needs no exclusive lease.
"""

import statistics
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ALL_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from threading import Lock
from typing import Any, Final

import structlog

from archer.admission import Admitted
from archer.backends.interface import Backend, Phase, StopReason
from archer.clock import Clock
from archer.errors import ArcherError, BackendUnavailableError, LaunchRefusedError, NotFoundError, StaleJobError
from archer.launch_results import Held, Result, change_for, elsewhere
from archer.model import Category, Job, JobState
from archer.retries import failures_before
from archer.scheduling.breaker import Breaker, Circuit
from archer.store.interface import Change, Claim, ClusterHealth, Fence, Store

_IN_FLIGHT: Final = 8
"""Creates given to the pool for each of its threads: none of them idles while results are committed."""
_IN_HAND: Final = 400
"""Attempts held at once; more stay unclaimed for other launchers."""
_SETTLE_SECONDS: Final = 0.15
"""How long a step waits for results, unless all are there before. What comes together is committed together: a commit for each
would cost more than the create."""
_VERSION_SECONDS: Final = 1.0
"""A job that was read longer ago is asked for its version before its create: a kill may have come."""
_LONGEST_PAUSE_SECONDS: Final = 30.0
_HEALTH_SECONDS: Final = 15.0
_LATEST: Final = 50
"""Creates whose median is reported."""

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class LaunchSettings:
    """How patiently."""

    threads: int = 8
    """Creates under way at once."""
    claim_seconds: float = 60.0
    """Life of a claim that was found without an owner."""
    request_timeout_seconds: float = 15.0
    """Longest time that a create takes until it has certainly arrived or failed."""
    retry_seconds: float = 1.0
    """Pause after a create that failed, doubled with each further one; 0: tried at every step."""
    attempt_pause_seconds: float = 5.0
    """Pause before another attempt, where the cluster had no room for this one; doubled with each further one."""
    look_seconds: float = 5.0
    """Pause between two looks for claims that are over."""
    reroute_seconds: float | None = 300.0
    """How long a job waits for a cluster that doesn't take it until it may go elsewhere; None: for ever."""


@dataclass(kw_only=True)
class Launcher:
    """One cluster's, in one process. `step` is for one thread, `take` for any."""

    store: Store
    backend: Backend
    clock: Clock
    owner: str
    settings: LaunchSettings = LaunchSettings()
    breaker: Breaker = field(default_factory=Breaker)
    elsewhere: bool = False
    """Whether there are other clusters that a job could go to."""
    given_back: Callable[[], None] = lambda: None
    """Told when a job waits again, so that admission needn't wait for its next look."""
    created: Callable[[str, float], None] = lambda _result, _seconds: None
    """Told of each create: `created`, `refused` or `failed`, and the seconds that it took."""

    def __post_init__(self) -> None:
        name = f"launch-{self.backend.cluster}"
        self._pool = ThreadPoolExecutor(max_workers=self.settings.threads, thread_name_prefix=name)
        self._lock = Lock()
        self._given: deque[Admitted] = deque()
        self._held: dict[str, Held] = {}
        self._flying: dict[Future[Result], Held] = {}
        self._results: list[Result] = []
        self._seconds: deque[float] = deque(maxlen=_LATEST)
        self._paused_until: datetime | None = None
        self._round = 0
        self._more = False
        self._looked_at: datetime | None = None
        self._reported: tuple[Circuit, datetime] | None = None
        self._trouble = ""

    @property
    def actor(self) -> str:
        return f"dispatcher:{self.owner}"

    def take(self, admitted: Sequence[Admitted]) -> None:
        """What admission has claimed for this process and cluster. Doesn't wait."""
        with self._lock:
            self._given.extend(admitted)

    def step(self, fence: Fence | None = None) -> bool:
        """One round; True when there is more to do at once. Raises what the store raises; nothing is lost by it."""
        del fence  # versions and names suffice: whatever two launchers do is done once
        self._round += 1
        return self._work()

    def finish(self) -> None:
        """One round that lasts until everything in hand has been tried."""
        self._round += 1
        while self._work():
            pass

    def _work(self) -> bool:
        self._refill()
        self._send()
        if self._flying:
            wait(self._flying, timeout=_SETTLE_SECONDS, return_when=ALL_COMPLETED)
        self._gather()
        self._settle()
        self._report()
        return bool(self._flying) or self._more or any(self._may_send(held) for held in self._waiting())

    def close(self) -> None:
        """Wait for creates under way; what is in hand is found by another launcher."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    # what to do

    def _refill(self) -> None:
        now = self.clock.now()
        with self._lock:
            given = list(self._given)
            self._given.clear()
        for one in given:
            self._hold(one.job, one.name, one.spec, one.until, now)
        self._drop_lapsed(now)
        # what is being tried again takes no room: nothing waits behind a stuck one
        room = _IN_HAND - sum(held.tries == 0 for held in self._held.values())
        self._more = False
        looked = self._looked_at
        due = looked is None or (now - looked).total_seconds() >= self.settings.look_seconds
        if room <= 0 or not due:
            return
        self._looked_at = now
        seconds = self.settings.claim_seconds
        found = self.store.unclaimed(self.backend.cluster, owner=self.owner, now=now, seconds=seconds, limit=room)
        self._more = len(found) == room
        for job, attempt in found:
            self._hold(job, attempt.name, attempt.spec, now + timedelta(seconds=seconds), now)

    def _hold(self, job: Job, name: str, spec: Mapping[str, Any], until: datetime, now: datetime) -> None:
        known = self._held.get(name)
        if known is None:
            # a claim is shorter than our patience: what was written of the trouble tells when it began
            since = None if job.substate is None else job.updated_at
            self._held[name] = Held(job=job, name=name, spec=spec, until=until, read_at=now, trouble_since=since)
        else:
            known.until = until
            known.job = job

    def _drop_lapsed(self, now: datetime) -> None:
        """Claims that are over are anybody's; ours again when we find them first."""
        for held in [held for held in self._waiting() if held.until <= now]:
            del self._held[held.name]

    def _waiting(self) -> list[Held]:
        """What is in hand, neither on its way nor to be written down."""
        busy = {held.name for held in self._flying.values()} | {result.held.name for result in self._results}
        return [held for name, held in self._held.items() if name not in busy]

    def _may_send(self, held: Held) -> bool:
        """Whether it should be tried at once; what was tried before waits for another round."""
        now = self.clock.now()
        if self._paused_until is not None and now < self._paused_until:
            return False
        if self.breaker.state(now) is not Circuit.CLOSED:
            return False
        return held.tries == 0 and self._has_time(held, now)

    def _has_time(self, held: Held, now: datetime) -> bool:
        return (held.until - now).total_seconds() > self.settings.request_timeout_seconds

    def _send(self) -> None:
        now = self.clock.now()
        if self._paused_until is not None and now < self._paused_until:
            return
        room = self.settings.threads * _IN_FLIGHT - len(self._flying)
        due = islice((held for held in self._waiting() if self._is_due(held, now)), max(0, room))
        for held in self._not_overtaken(list(due), now):
            if not self.breaker.allow(now):
                return
            held.round = self._round
            self._flying[self._pool.submit(self._create, held)] = held

    def _is_due(self, held: Held, now: datetime) -> bool:
        if held.tries and (held.round == self._round or (held.after is not None and now < held.after)):
            return False
        return not self._give_back(held, now) and self._has_time(held, now)

    def _not_overtaken(self, due: Sequence[Held], now: datetime) -> Sequence[Held]:
        """Without those whose job somebody else has changed; one question for all that were read too long ago."""
        old = [held for held in due if self._is_old(held, now)]
        if not old:
            return due
        versions = self.store.versions({held.job.id for held in old})
        overtaken = {held.name for held in old if versions.get(held.job.id) != held.job.version}
        for held in old:
            held.read_at = now
            if held.name in overtaken:
                del self._held[held.name]
        return [held for held in due if held.name not in overtaken]

    def _create(self, held: Held) -> Result:
        """In a thread of the pool."""
        now = self.clock.now()
        try:
            if not self._has_time(held, now) or self._overtaken(held, now):
                return Result(held=held, lapsed=True)
        except BaseException as error:  # noqa: BLE001  # judged by the thread that writes it down
            return Result(held=held, error=error)
        begun = time.monotonic()
        try:
            reference = self.backend.launch(held.name, held.spec)
        except BaseException as error:  # noqa: BLE001  # as above
            told = "refused" if isinstance(error, LaunchRefusedError) else "failed"
            self.created(told, time.monotonic() - begun)
            return Result(held=held, error=error)
        seconds = time.monotonic() - begun
        self.created("created", seconds)
        return Result(held=held, reference=reference, seconds=seconds)

    def _is_old(self, held: Held, now: datetime) -> bool:
        return (now - held.read_at).total_seconds() >= _VERSION_SECONDS

    def _overtaken(self, held: Held, now: datetime) -> bool:
        """In a thread of the pool: it may have waited there."""
        return self._is_old(held, now) and self.store.version(held.job.id) != held.job.version

    # what became of it

    def _gather(self) -> None:
        for future in [future for future in self._flying if future.done()]:
            held = self._flying.pop(future)
            result = Result(held=held, lapsed=True) if future.cancelled() else future.result()
            held.tried_at = self.clock.now()
            self._learn(result)
            self._results.append(result)

    def _learn(self, result: Result) -> None:
        """What a result says of the cluster."""
        now = self.clock.now()
        error = result.error
        if isinstance(error, BackendUnavailableError) and error.retry_after_seconds is not None:
            self._paused_until = now + timedelta(seconds=error.retry_after_seconds)
        if isinstance(error, BackendUnavailableError) and not (error.refused or error.retry_after_seconds is not None):
            self._trouble = str(error)
            self.breaker.failed(now)
        elif not result.lapsed and (error is None or isinstance(error, LaunchRefusedError | BackendUnavailableError)):
            self._trouble = ""
            self.breaker.succeeded()
        if result.seconds is not None:
            self._seconds.append(result.seconds)

    def _settle(self) -> None:
        """Commit what is known; what can't be committed now is kept for the next round."""
        results, wanted = list(self._results), []
        for result in results:
            change = self._record(result)
            if change is not None:
                wanted.append((result, change))
        changes = [(result.held.job.id, change) for result, change in wanted]
        answers = self.store.change_many(changes) if changes else ()
        # only now: before, the store may have been away
        self._results = []
        for result in results:
            self._plan_next(result)
        for (result, _), answer in zip(wanted, answers, strict=True):
            self._written(result, answer)
        fatal = next((r.error for r in results if r.error is not None and not isinstance(r.error, Exception)), None)
        if fatal is not None:
            raise fatal

    def _record(self, result: Result) -> Change | None:
        now = self.clock.now()
        # with a word about trouble the claim begins again
        claim = Claim(owner=self.owner, until=now + timedelta(seconds=self.settings.claim_seconds))
        return change_for(
            result,
            actor=self.actor,
            at=now,
            claim=claim,
            earlier=lambda: self._earlier(result.held),
            pause_seconds=self.settings.attempt_pause_seconds,
        )

    def _earlier(self, held: Held) -> Sequence[Category]:
        return failures_before(self.store.attempts(held.job.id), held.job.attempt)

    def _plan_next(self, result: Result) -> None:
        """When an attempt that isn't there yet is tried again."""
        held, now = result.held, self.clock.now()
        if result.lapsed or result.reference is not None or isinstance(result.error, LaunchRefusedError):
            self._held.pop(held.name, None)
            return
        if isinstance(result.error, BackendUnavailableError):
            _log.warning("launch failed, will try again", job=held.job.id, attempt=held.name, error=str(result.error))
        elif isinstance(result.error, Exception):
            _log.error("job left aside", job=held.job.id, attempt=held.name, exc_info=result.error)
        pause = min(self.settings.retry_seconds * 2**held.tries, _LONGEST_PAUSE_SECONDS)
        asked = result.error.retry_after_seconds if isinstance(result.error, BackendUnavailableError) else None
        held.after = now + timedelta(seconds=max(pause, asked or 0))
        held.tries = min(held.tries + 1, 16)
        held.trouble_since = held.trouble_since or now

    def _written(self, result: Result, answer: Job | ArcherError) -> None:
        held = result.held
        if not isinstance(answer, ArcherError):
            if answer.state is JobState.SUBMITTING:
                held.job, held.read_at = answer, self.clock.now()
                held.until = self.clock.now() + timedelta(seconds=self.settings.claim_seconds)
            return
        self._held.pop(held.name, None)
        if not isinstance(answer, StaleJobError | NotFoundError):
            _log.error("change refused", job=held.job.id, attempt=held.name, code=answer.code, error=str(answer))
            return
        _log.info("overtaken", job=held.job.id, attempt=held.name, why=str(answer))
        if result.reference is not None:
            self._stop_orphan(held)

    def _stop_orphan(self, held: Held) -> None:
        """It exists now, but its job may have ended meanwhile: then nobody would ever stop it."""
        try:
            job = self.store.job(held.job.id)
        except NotFoundError:
            job = None
        if job is not None and not job.state.final and job.attempt == held.job.attempt:
            # another launcher was first, or the tracker knows of the kill
            return
        try:
            self.backend.stop(held.name, StopReason.CANCEL)
        except BackendUnavailableError as error:
            _log.warning("not stopped, its tracker will", attempt=held.name, error=str(error))

    # elsewhere

    def _give_back(self, held: Held, now: datetime) -> bool:
        """Let a job wait again that its cluster has not taken for long, where it certainly isn't there."""
        limit = self.settings.reroute_seconds
        if limit is None or not self.elsewhere or held.trouble_since is None or held.tried_at is None:
            return False
        if held.job.submission.get("cluster") is not None or (now - held.trouble_since).total_seconds() < limit:
            return False
        if (now - held.tried_at).total_seconds() < self.settings.request_timeout_seconds:
            # the last create may still be on its way
            return False
        try:
            if self.backend.observe([held.name])[held.name].phase is not Phase.VANISHED:
                return False
        except BackendUnavailableError:
            return False
        change = elsewhere(held, self.backend.cluster, limit, actor=self.actor, at=now)
        answer = self.store.change_many([(held.job.id, change)])[0]
        if isinstance(answer, ArcherError):
            _log.info("overtaken", job=held.job.id, attempt=held.name, why=str(answer))
        self._held.pop(held.name, None)
        self.given_back()
        return True

    def _report(self) -> None:
        """How the cluster answers, for routing and people: at once when that changes, else a few times a minute."""
        now = self.clock.now()
        circuit = self.breaker.state(now)
        if self._reported is not None:
            known, at = self._reported
            if known is circuit and (now - at).total_seconds() < _HEALTH_SECONDS:
                return
            if not self._seconds and not self._trouble and known is circuit:
                # nothing to say that it hasn't said
                return
        health = ClusterHealth(
            name=self.backend.cluster,
            healthy=circuit is Circuit.CLOSED,
            message=self._trouble,
            create_seconds=statistics.median(self._seconds) if self._seconds else None,
            breaker=circuit.value,
            at=now,
        )
        self.store.report_health(health)
        self._reported = (circuit, now)
