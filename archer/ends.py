"""Asks for the end of attempts, and lets go of what their backend kept once it is committed: a tracker's hands.

Many jobs may be killed, or end, at once: the calls go several at a time, and a round begins none once it has had its time.
Why an attempt is stopped is written down before its end is asked for, so that whoever tracks it next knows it too.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from archer.backends.interface import STOPPED_FOR, Backend, StopReason
from archer.clock import Clock
from archer.errors import BackendUnavailableError
from archer.hands import Hands
from archer.loops import isolated
from archer.model import Attempt, Job
from archer.store.interface import Change, Fence, Store
from archer.verdicts import note_of_stop

_STOP_AGAIN_SECONDS: Final = 10.0
"""Until a stop that had no effect yet is asked for again."""

Pair = tuple[Job, Attempt]

_log = structlog.get_logger()


@dataclass(kw_only=True)
class Ends:
    """Those of one cluster, or of one namespace of it. Used by one thread."""

    store: Store
    backend: Backend
    clock: Clock
    actor: str
    monotonic: Callable[[], float]
    hands: Hands = field(default_factory=Hands)

    _asked: dict[str, float] = field(default_factory=dict)
    """When a stop was asked for last."""
    _noted: set[str] = field(default_factory=set)
    """Attempts of which the store knows why."""
    _unreleased: dict[str, None] = field(default_factory=dict)
    """Attempts whose end is committed, and that their backend still keeps something for; in that order."""

    @property
    def left(self) -> bool:
        """Whether something is left to be released."""
        return bool(self._unreleased)

    def begin(self) -> None:
        """A round begins, with what the one before had no time for."""
        self.hands.begin()
        self.release()

    def forget(self) -> None:
        """Somebody else tracks now; what is kept still, the sweep finds."""
        self._asked.clear()
        self._noted.clear()
        self._unreleased.clear()

    def forget_old(self) -> None:
        """Requests that have no effect any more: of attempts that ended elsewhere nobody takes them out."""
        now = self.monotonic()
        self._asked = {name: at for name, at in self._asked.items() if now - at < _STOP_AGAIN_SECONDS}

    def stop(self, stops: Mapping[str, StopReason]) -> None:
        """Ask for the end of these; what there is no time for, or can't be asked, is asked for at the next look."""
        now = self.monotonic()
        due = [name for name in stops if now - self._asked.get(name, -_STOP_AGAIN_SECONDS) >= _STOP_AGAIN_SECONDS]
        self.hands.each(due, lambda name: self._ask(name, stops[name]))

    def stop_with_reason(
        self, pairs: Sequence[Pair], stops: Mapping[str, StopReason], fence: Fence
    ) -> tuple[Sequence[Pair], Sequence[str]]:
        """Write down why, then ask for the end: the pairs as they are now, and names of those that somebody else changed."""
        notes = {attempt.name: (job.id, note) for job, attempt in pairs if (note := self._note(job, attempt, stops))}
        if not notes:
            self.stop(stops)
            return pairs, ()
        answers = dict(zip(notes, self.store.change_many(list(notes.values()), fence=fence), strict=True))
        after = {name: answer for name, answer in answers.items() if isinstance(answer, Job)}
        overtaken = [name for name in answers if name not in after]
        self._noted.update(after)
        self.stop({name: why for name, why in stops.items() if name not in overtaken})
        now = [(after.get(attempt.name, job), attempt) for job, attempt in pairs if attempt.name not in overtaken]
        return now, overtaken

    def committed(self, name: str) -> None:
        """Its end is: `release` lets go of it."""
        self._asked.pop(name, None)
        self._noted.discard(name)
        self._unreleased[name] = None

    def release(self) -> None:
        """Let go of what ended; what there is no time for follows in the next round."""
        # only now: what the backend kept for us may go once its meaning is committed (D14)
        self._unreleased = dict.fromkeys(self.hands.each(self._unreleased, self._let_go))

    def _note(self, job: Job, attempt: Attempt, stops: Mapping[str, StopReason]) -> Change | None:
        """What isn't written down yet: the first reason stays."""
        why = stops.get(attempt.name)
        if why is None or attempt.name in self._noted:
            return None
        if self.store.text(job.id, attempt.number, STOPPED_FOR) is not None:
            self._noted.add(attempt.name)
            return None
        return note_of_stop(job, why, now=self.clock.now(), actor=self.actor)

    # in other threads

    def _ask(self, name: str, why: StopReason) -> None:
        with isolated(name):
            try:
                self.backend.stop(name, why)
            except BackendUnavailableError as error:
                # the other attempts mustn't wait for this one
                _log.warning("stop failed, will try again", attempt=name, error=str(error))
            else:
                self._asked[name] = self.monotonic()

    def _let_go(self, name: str) -> None:
        with isolated(name):
            try:
                self.backend.release(name)
            except BackendUnavailableError as error:
                _log.warning("not released, the sweep will", attempt=name, error=str(error))
