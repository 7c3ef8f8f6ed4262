"""The judge of caps sees one job too many, and forgets those that ended."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from testbed import archer_history as history

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testbed.archer_rig import Rig


class Log:
    """A rig whose event log is what the test says."""

    def __init__(self, *moves: tuple[str, str]) -> None:
        self.rows = [(job, state, "root.ads", "ada", "spark-ads", "east") for job, state in moves]

    @contextmanager
    def connect(self) -> Iterator[Log]:
        yield self

    def execute(self, _query: str) -> list[tuple[Any, ...]]:
        return self.rows


def of(*moves: tuple[str, str]) -> history.Peaks:
    return history.peaks(cast("Rig", Log(*moves)))


def test_jobs_count_from_their_admission_to_their_end() -> None:
    found = of(
        ("a", "QUEUED"), ("b", "QUEUED"), ("a", "SUBMITTING"), ("a", "RUNNING"), ("a", "SUCCEEDED"), ("b", "SUBMITTING")
    )

    assert found == {("queue", "root.ads"): 1, ("user", "ada"): 1, ("namespace", "east/spark-ads"): 1}


def test_two_at_once_are_two_whatever_state_they_are_in() -> None:
    found = of(("a", "SUBMITTING"), ("a", "LOST"), ("b", "SUBMITTING"), ("b", "CANCELLING"))

    assert history.most_of(found, "queue") == 2


def test_a_job_that_waits_to_be_tried_again_holds_nothing() -> None:
    found = of(("a", "SUBMITTING"), ("a", "RETRY_WAIT"), ("b", "SUBMITTING"), ("b", "FAILED"), ("a", "SUBMITTING"))

    assert history.most_of(found, "namespace") == 1
