"""Commits submissions that arrive at the same time together: one wait for the disk serves all of them.

Whoever comes while no commit is under way commits at once, with whoever came meanwhile; nobody waits for company. Each
caller gets the answer to its own submission, and none before it is on disk.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Condition
from typing import Final

from archer.store.interface import NewJob, Store, SubmitResult

_MOST: Final = 200
"""Submissions of one transaction."""


@dataclass(kw_only=True)
class _Waiting:
    new: NewJob
    answer: SubmitResult | BaseException | None = None


class Gatherer:
    """The one way in which a server's threads write submissions."""

    def __init__(self, store: Store, *, most: int = _MOST) -> None:
        self._store = store
        self._most = most
        self._condition = Condition()
        self._waiting: list[_Waiting] = []
        self._committing = False

    def submit(self, new: NewJob) -> SubmitResult:
        """As `Store.submit`, and with its errors."""
        mine = _Waiting(new=new)
        with self._condition:
            self._waiting.append(mine)
        while True:
            with self._condition:
                self._condition.wait_for(lambda: mine.answer is not None or not self._committing)
                if mine.answer is not None:
                    break
                self._committing = True
                batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            answers = self._commit(batch)
            with self._condition:
                for waiting, answer in zip(batch, answers, strict=True):
                    waiting.answer = answer
                self._committing = False
                self._condition.notify_all()
        if isinstance(mine.answer, BaseException):
            raise mine.answer
        return mine.answer

    def _commit(self, batch: Sequence[_Waiting]) -> Sequence[SubmitResult | BaseException]:
        try:
            return self._store.submit_many([waiting.new for waiting in batch])
        except BaseException as error:  # noqa: BLE001  # the others must not wait for ever; each raises it again
            return [error] * len(batch)
