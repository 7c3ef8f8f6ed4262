"""The states and the one table of moves between them."""

from datetime import UTC, datetime, timedelta

import pytest

from archer.errors import IllegalMoveError
from archer.model import (
    ACTIVE_STATES,
    FINAL_STATES,
    LEGAL_MOVES,
    TRACKED_STATES,
    WAITING_STATES,
    Category,
    Diagnosis,
    JobState,
    check_move,
)
from testbed.archer_builders import make_job

S = JobState


def test_the_table_lists_every_state() -> None:
    assert set(LEGAL_MOVES) == set(JobState)


def test_every_state_is_waiting_active_or_final_and_only_one_of_them() -> None:
    assert set(JobState) == WAITING_STATES | ACTIVE_STATES | FINAL_STATES
    assert len(WAITING_STATES) + len(ACTIVE_STATES) + len(FINAL_STATES) == len(JobState)
    assert TRACKED_STATES < ACTIVE_STATES


def test_nothing_leaves_a_final_state() -> None:
    assert {state for state, following in LEGAL_MOVES.items() if not following} == FINAL_STATES


def test_a_final_state_can_be_reached_from_everywhere() -> None:
    def reachable(state: JobState, seen: frozenset[JobState] = frozenset()) -> set[JobState]:
        return {state}.union(*(reachable(after, seen | {state}) for after in LEGAL_MOVES[state] - seen))

    for state in set(JobState) - FINAL_STATES:
        assert FINAL_STATES & reachable(state), state


def test_every_job_that_is_not_final_can_be_killed() -> None:
    for state in set(JobState) - FINAL_STATES - {S.CANCELLING}:
        assert LEGAL_MOVES[state] & {S.CANCELLED, S.CANCELLING}, state


def test_only_a_job_the_cluster_has_can_succeed() -> None:
    assert {state for state in JobState if S.SUCCEEDED in LEGAL_MOVES[state]} == {S.SUBMITTED, S.RUNNING, S.CANCELLING}


def test_an_illegal_move_names_the_legal_ones() -> None:
    with pytest.raises(
        IllegalMoveError, match=r"from QUEUED to RUNNING; from there it may go to CANCELLED, FAILED, SUBMITTING"
    ):
        check_move(S.QUEUED, S.RUNNING)
    with pytest.raises(IllegalMoveError, match="nothing, it is final"):
        check_move(S.SUCCEEDED, S.RUNNING)


def test_a_diagnosis_survives_the_way_through_json() -> None:
    diagnosis = Diagnosis(category=Category.LOST, summary="s", detail="d", resolution="r", exit_code=None)

    assert Diagnosis.from_json(diagnosis.as_json()) == diagnosis


def test_duration_counts_up_to_now_until_the_job_has_finished() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    later = start + timedelta(seconds=90)

    assert make_job(started_at=None).duration_seconds(later) is None
    assert make_job(started_at=start).duration_seconds(later) == 90
    assert make_job(started_at=start, finished_at=start + timedelta(seconds=5)).duration_seconds(later) == 5
