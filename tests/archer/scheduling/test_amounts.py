"""What jobs hold, added up for everything that has a limit."""

from __future__ import annotations

from typing import Any

import pytest

from archer.scheduling.amounts import Amount, Ledger, demand, lineage
from archer.store.interface import Usage
from testbed.archer_builders import make_job


def test_a_lineage_is_root_first() -> None:
    assert lineage("root.ads.ctr") == ("root", "root.ads", "root.ads.ctr")


@pytest.mark.parametrize(("rung", "expected"), [(None, 3000), (1.0, 1000), (2.0, 2000)])
def test_memory_asked_for_is_times_the_rung(rung: float | None, expected: int) -> None:
    job = make_job(vcores=4, memory_mib=1000, memory_rung=3.0)

    assert demand(job, rung) == Amount(jobs=1, vcores=4, memory_mib=expected)


def test_usage_counts_for_each_queue_above_for_the_user_over_all_queues_and_for_the_namespace_of_one_cluster() -> None:
    held: dict[str, Any] = {"user": "ada", "namespace": "spark-ads", "unacknowledged": 1, "vcores": 4, "memory_mib": 10}

    ledger = Ledger.of(
        [
            Usage(queue="root.ads.ctr", cluster="east", jobs=2, **held),
            Usage(queue="root.ml", cluster="west", jobs=3, **held),
        ]
    )

    assert ledger.queues["root.ads"] == Amount(jobs=2, vcores=4, memory_mib=10)
    assert ledger.queues["root"] == Amount(jobs=5, vcores=8, memory_mib=20)
    assert ledger.users["ada"].jobs == 5
    assert ledger.namespaces["east", "spark-ads"].jobs == 2
    assert (ledger.clusters["west"].jobs, ledger.unacknowledged["west"]) == (3, 1)


def test_a_job_that_starts_counts_at_once_as_not_acknowledged() -> None:
    ledger = Ledger.of([])
    job = make_job(queue="root.ads", user="ada", namespace="spark-ads", vcores=2)

    ledger.charge(job, "east", demand(job))

    assert ledger.queues["root.ads"] == ledger.users["ada"] == ledger.namespaces["east", "spark-ads"]
    assert ledger.clusters["east"].vcores == 2
    assert ledger.unacknowledged["east"] == 1
