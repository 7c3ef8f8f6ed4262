"""Long polls: one look at the database for all clients that wait, however many there are.

Everything here happens on the one event loop that serves all connections, so nothing is locked and a waiting client
costs no thread. Whoever comes while others wait is looked for with them; when nobody waits, nobody looks.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from threading import Event
from typing import Final

from starlette.concurrency import run_in_threadpool

_LOOK_SECONDS: Final = 0.2
"""Pause between two looks."""


@dataclass(frozen=True, eq=False, kw_only=True)
class _Waiter:
    job_id: str
    version: int
    """The one that the client's answer is made of, unless there is another."""
    news: asyncio.Future[bool]

    def answer(self, *, changed: bool) -> None:
        # one whose time was over a moment ago has its answer
        if not self.news.done():
            self.news.set_result(changed)

    def fail(self, error: Exception) -> None:
        if not self.news.done():
            self.news.set_exception(error)


class Lookout:
    """Who waits for news of which job in this process."""

    def __init__(self, versions: Callable[[Collection[str]], Mapping[str, int]], stopping: Event) -> None:
        """`versions`: as `Store.versions`. `stopping`, once set, ends all waiting."""
        self._versions = versions
        self._stopping = stopping
        self._waiters: set[_Waiter] = set()
        self._looking: asyncio.Task[None] | None = None

    async def changed(self, job_id: str, version: int, *, seconds: float) -> bool:
        """True once the job has another version, or is gone; False after `seconds`, or when the server stops.

        Raises what the look at the database raised.
        """
        waiter = _Waiter(job_id=job_id, version=version, news=asyncio.get_running_loop().create_future())
        self._waiters.add(waiter)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            return await asyncio.wait_for(waiter.news, seconds)
        except TimeoutError:
            return False
        finally:
            self._waiters.discard(waiter)

    async def _look(self) -> None:
        while self._waiters:
            if self._stopping.is_set():
                for waiter in self._waiters:
                    waiter.answer(changed=False)
                return
            await asyncio.sleep(_LOOK_SECONDS)
            # whoever comes during the look is looked for in the next one
            asked = tuple(self._waiters)
            try:
                found = await run_in_threadpool(self._versions, {waiter.job_id for waiter in asked})
            except Exception as error:  # noqa: BLE001  # it is the answer to each client that waits
                for waiter in asked:
                    waiter.fail(error)
            else:
                for waiter in asked:
                    if found.get(waiter.job_id) != waiter.version:
                        waiter.answer(changed=True)
