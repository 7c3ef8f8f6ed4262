"""Clients of Archer as they should be: every submission has an idempotency key and is sent again until it is answered.

What each job is to come to is written down beside it, and so is every answer, for the tests that count.
"""

from __future__ import annotations

import os
import random
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, Final

import httpx

FULL: Final = "MOKA_E2E_FULL"
PACE: Final = 30_000
"""Creates a minute that the rig allows each cluster."""
_PATIENCE_SECONDS: Final = 600.0


def is_full() -> bool:
    """Whether the stated figures are asked for, not a tenth."""
    return os.environ.get(FULL, "") not in {"", "0"}


def scaled(stated: int, tenth: int | None = None) -> int:
    """`stated`, or a tenth of it (or what is given for that)."""
    if is_full():
        return stated
    return stated // 10 if tenth is None else tenth


@dataclass(frozen=True, kw_only=True)
class Order:
    """A job to submit, and what is to become of it."""

    key: str
    body: Mapping[str, Any]
    ends: str
    """`SUCCEEDED`, `FAILED oom-container`, …: its state, and the category of its diagnosis where there is one."""


@dataclass(kw_only=True)
class Clients:
    """Threads that submit; they ask `urls` anew for each try, as a restarted server has another port."""

    urls: Callable[[], Sequence[str]]
    threads: int = 4
    accepted: dict[str, str] = field(default_factory=dict)
    """Job ids by key, of each submission that was answered with 2xx."""
    answers: Counter[str] = field(default_factory=Counter)
    """How often each status, or no answer."""
    without_retry_after: int = 0
    """503 that doesn't say when to come again."""
    refusals: list[str] = field(default_factory=list)
    """Bodies of answers that no second try would change."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def submit(
        self, orders: Iterable[Order], *, seconds: float = 0, accepted: Callable[[Order, str], None] | None = None
    ) -> None:
        """All of them, spread over `seconds`; returns when each was accepted. `accepted` is told of each."""
        waiting: SimpleQueue[Order] = SimpleQueue()
        listed = list(orders)
        for order in listed:
            waiting.put(order)
        pause = self.threads * seconds / max(1, len(listed))
        workers = [
            threading.Thread(target=self._work, args=(waiting, pause, accepted), daemon=True)
            for _ in range(self.threads)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        missing = [order.key for order in listed if order.key not in self.accepted]
        assert not missing, f"{len(missing)} of {len(listed)} not accepted: {self.answers}; {self.refusals[:3]}"

    def _work(self, waiting: SimpleQueue[Order], pause: float, accepted: Callable[[Order, str], None] | None) -> None:
        with httpx.Client(timeout=20, trust_env=False) as http:
            while True:
                try:
                    order = waiting.get_nowait()
                except Empty:
                    return
                job = self._until_answered(http, order)
                if job is not None and accepted is not None:
                    accepted(order, job)
                time.sleep(pause)

    def _until_answered(self, http: httpx.Client, order: Order) -> str | None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            pause = 0.2
            urls = self.urls()
            if urls:
                answer = self._try(http, random.choice(urls), order)  # noqa: S311  # no secret
                if answer is not None and answer.is_success:
                    job: str = answer.json()["id"]
                    with self._lock:
                        self.accepted[order.key] = job
                    return job
                if answer is not None and answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                    self.refusals.append(answer.text[:500])
                    return None
                if answer is not None:
                    pause = min(1.0, float(answer.headers.get("Retry-After", 1)))
            time.sleep(pause)
        return None

    def _try(self, http: httpx.Client, url: str, order: Order) -> httpx.Response | None:
        try:
            answer = http.post(f"{url}/api/v1/jobs", json=order.body, headers={"Idempotency-Key": order.key})
        except httpx.TransportError:
            with self._lock:
                self.answers["no answer"] += 1
            return None
        with self._lock:
            self.answers[str(answer.status_code)] += 1
            if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE and "Retry-After" not in answer.headers:
                self.without_retry_after += 1
        return answer


def new_key() -> str:
    """An idempotency key that nobody has used."""
    return secrets.token_hex(12)
