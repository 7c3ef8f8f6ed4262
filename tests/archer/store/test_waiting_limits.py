"""How many jobs may wait is judged exactly, whoever submits at the same moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from archer.errors import QueueFullError
from archer.model import JobState
from archer.store.interface import SubmitResult, WaitingLimit

if TYPE_CHECKING:
    from tests.archer.store.conftest import StoreKit

QUEUE = WaitingLimit(most=2, queue="root.etl")
USER = WaitingLimit(most=2, user="ada")


def test_a_full_queue_refuses_until_one_has_started(kit: StoreKit) -> None:
    first = kit.submit(queue="root.etl", waiting_limits=[QUEUE])
    kit.submit(queue="root.etl", waiting_limits=[QUEUE])
    kit.submit(queue="root.other", waiting_limits=[WaitingLimit(most=1, queue="root.other")])

    with pytest.raises(QueueFullError, match=r"queue root\.etl has 2 waiting jobs"):
        kit.submit(queue="root.etl", waiting_limits=[QUEUE])

    kit.move(first, JobState.SUBMITTING)
    assert kit.submit(queue="root.etl", waiting_limits=[QUEUE]).state is JobState.QUEUED


def test_a_users_jobs_count_over_all_queues_and_nobody_elses_do(kit: StoreKit) -> None:
    kit.submit(queue="root.a")
    kit.submit(queue="root.b", user="grace")
    kit.submit(queue="root.b", waiting_limits=[USER])

    with pytest.raises(QueueFullError, match="user ada has 2 waiting jobs"):
        kit.submit(queue="root.c", waiting_limits=[USER])
    assert kit.submit(queue="root.c", user="grace", waiting_limits=[WaitingLimit(most=2, user="grace")])


def test_jobs_of_one_batch_count_for_those_after_them_and_a_refused_one_for_nobody(kit: StoreKit) -> None:
    answers = kit.store.submit_many(
        [
            kit.new_job(queue="root.etl", waiting_limits=[QUEUE, WaitingLimit(most=0, user="ada")]),
            *(kit.new_job(queue="root.etl", waiting_limits=[QUEUE]) for _ in range(3)),
        ]
    )

    assert [isinstance(answer, SubmitResult) for answer in answers] == [False, True, True, False]


def test_a_request_that_comes_again_is_answered_also_when_the_queue_is_full(kit: StoreKit) -> None:
    limit = WaitingLimit(most=1, queue="root.default")
    first = kit.submit(key="k", waiting_limits=[limit])

    assert kit.submit_result(key="k", waiting_limits=[limit]).job.id == first.id


def test_of_many_servers_that_fill_a_queue_at_once_none_passes_its_limit(kit: StoreKit) -> None:
    limits = [WaitingLimit(most=7, queue="root.etl"), WaitingLimit(most=50, user="ada")]
    servers = [kit.another_server() for _ in range(4)]

    def submit(number: int) -> int:
        batch = [kit.new_job(queue="root.etl", waiting_limits=limits[:: 1 if number % 2 else -1]) for _ in range(3)]
        return sum(isinstance(answer, SubmitResult) for answer in servers[number % 4].submit_many(batch))

    with ThreadPoolExecutor(8) as pool:
        accepted = sum(pool.map(submit, range(12)))

    assert accepted == 7
    assert kit.store.counters() == {("root.etl", JobState.QUEUED): 7}
    for server in servers:
        server.close()
