"""What a launcher does with claims: one create per attempt, whatever dies in between."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import pytest

from archer.backends.interface import Observation, Phase, StopReason
from archer.errors import BackendUnavailableError, LaunchRefusedError, StoreUnavailableError
from archer.model import Category, EventKind, Job, JobState
from archer.store.interface import Change

if TYPE_CHECKING:
    from archer.admission import Admitted
    from tests.archer.scheduling.conftest import Cluster, Yard


class Killed(BaseException):
    """As a process that ends here."""


def only_east(yard: Yard) -> Cluster:
    yard.switch("cluster", "west")
    return yard.clusters["east"]


def once(error: BaseException) -> Callable[[str], BaseException | None]:
    """The error at the first call, nothing from then on."""
    left = [error]
    return lambda _: left.pop() if left else None


def restart(yard: Yard, owner: str = "other") -> None:
    """Another process, when the claims of the first are over."""
    yard.clock.advance(61)
    yard.launchers = {name: yard.launcher(name, owner) for name in yard.clusters}


def notes(yard: Yard, job: Job) -> list[str]:
    return [event.message for event in yard.store.events(job.id) if event.kind is EventKind.NOTE]


def test_what_admission_claimed_is_created_and_written_down(yard: Yard) -> None:
    jobs = [yard.submit() for _ in range(40)]

    yard.admit()
    yard.launch()

    assert set(yard.states(*jobs)) == {"SUBMITTED"}
    creates = yard.clusters["east"].creates + yard.clusters["west"].creates
    assert creates == {f"{job.id}-1": 1 for job in jobs}
    assert {attempt.backend_ref for attempt in yard.store.attempts(jobs[0].id)} == {f"ref of {jobs[0].id}-1"}


def test_a_crash_between_claim_and_create_ends_with_one_create(yard: Yard) -> None:
    cluster = only_east(yard)
    job = yard.submit()
    yard.admission.hand_over = lambda _: None
    yard.admit()

    # its claim is alive: nobody else touches it
    yard.launchers = {name: yard.launcher(name, "other") for name in yard.clusters}
    yard.launch()
    assert cluster.creates == {}
    restart(yard)
    yard.launch()

    assert yard.states(job) == ["SUBMITTED"]
    assert cluster.creates == {f"{job.id}-1": 1}
    assert yard.store.events(job.id)[-1].actor == "dispatcher:other"


def test_a_crash_in_a_create_that_was_not_sent_ends_with_one_object(yard: Yard) -> None:
    cluster = only_east(yard)
    job = yard.submit()
    cluster.errors = once(Killed())
    yard.admit()
    with pytest.raises(Killed):
        yard.launch()
    assert (yard.states(job), cluster.launched) == (["SUBMITTING"], [])

    restart(yard)
    yard.launch()

    assert (yard.states(job), cluster.launched) == (["SUBMITTED"], [f"{job.id}-1"])
    assert len(yard.store.attempts(job.id)) == 1


def test_a_crash_between_create_and_commit_ends_with_one_object(yard: Yard) -> None:
    cluster = only_east(yard)
    job, other = yard.submit(), yard.submit()
    cluster.after = once(Killed())
    yard.admit()
    with pytest.raises(Killed):
        yard.launch()
    assert "SUBMITTING" in yard.states(job, other)

    restart(yard)
    yard.launch()

    assert yard.states(job, other) == ["SUBMITTED", "SUBMITTED"]
    assert sorted(cluster.launched) == [f"{job.id}-1", f"{other.id}-1"]
    assert len(yard.store.attempts(job.id)) == len(yard.store.attempts(other.id)) == 1


def test_a_database_that_is_away_after_the_create_loses_nothing(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = only_east(yard)
    job = yard.submit()
    yard.admit()
    with monkeypatch.context() as away:

        def refuse(*_: object, **__: object) -> None:
            raise StoreUnavailableError("away")

        away.setattr(yard.store, "change_many", refuse)
        with pytest.raises(StoreUnavailableError):
            yard.launch()
    assert yard.states(job) == ["SUBMITTING"]

    yard.launch()

    assert yard.states(job) == ["SUBMITTED"]
    assert cluster.creates == {f"{job.id}-1": 1}


def test_two_launchers_with_the_same_claims_make_one_object(yard: Yard) -> None:
    cluster = only_east(yard)
    jobs = [yard.submit() for _ in range(30)]
    first, second = (yard.launcher("east", owner) for owner in ("a", "b"))

    def to_both(admitted: Sequence[Admitted]) -> None:
        first.take(admitted)
        second.take(admitted)

    yard.admission.hand_over = to_both
    yard.admit()

    threads = [threading.Thread(target=launcher.finish) for launcher in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert set(yard.states(*jobs)) == {"SUBMITTED"}
    assert sorted(cluster.launched) == sorted(f"{job.id}-1" for job in jobs)
    assert cluster.stopped == []
    moves = [event for job in jobs for event in yard.store.events(job.id) if event.to_state is JobState.SUBMITTED]
    assert len(moves) == 30


def test_a_create_is_never_sent_with_less_than_a_requests_time_left_of_the_claim(yard: Yard) -> None:
    cluster = only_east(yard)
    job = yard.submit()
    yard.admit()
    yard.clock.advance(46)

    yard.launch()
    assert cluster.creates == {}
    # over: now it claims it anew before it acts
    yard.clock.advance(14)
    yard.launch()

    assert (yard.states(job), cluster.creates) == (["SUBMITTED"], {f"{job.id}-1": 1})


def test_a_cluster_that_is_away_is_tried_again_after_a_pause_that_grows_and_says_so_once(yard: Yard) -> None:
    cluster = only_east(yard)
    job = yard.submit()
    cluster.errors = lambda _: BackendUnavailableError("connection reset")
    yard.admit()

    sent = []
    for _ in range(16):
        yard.launch()
        sent.append(cluster.creates.total())
        yard.clock.advance(0.5)

    assert sent == [1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 4, 4]
    assert yard.job(job).substate == "start is being tried again: connection reset"
    assert notes(yard, job) == ["start is being tried again: connection reset"]


def test_a_cluster_that_asks_to_wait_is_left_alone_for_that_long_and_counts_as_there(yard: Yard) -> None:
    cluster = only_east(yard)
    jobs = [yard.submit() for _ in range(3)]
    yard.launchers["east"] = yard.launcher("east", threads=1)
    yard.admit()
    cluster.errors = lambda _: BackendUnavailableError("too many requests", retry_after_seconds=7)
    yard.launch()
    before = cluster.creates.total()

    cluster.errors = lambda _: None
    yard.clock.advance(6)
    yard.launch()
    assert cluster.creates.total() == before
    assert yard.store.health()["east"].breaker == "closed"
    yard.clock.advance(1)
    yard.launch()

    assert set(yard.states(*jobs)) == {"SUBMITTED"}


def test_after_five_failures_in_a_row_one_job_tries_it_and_health_says_so(yard: Yard) -> None:
    cluster = only_east(yard)
    jobs = [yard.submit() for _ in range(20)]
    cluster.errors = lambda _: BackendUnavailableError("connection refused")
    yard.admit()
    yard.launch()
    sent = cluster.creates.total()
    health = yard.store.health()["east"]
    assert (health.breaker, health.healthy, health.message) == ("open", False, "connection refused")

    yard.clock.advance(5)
    yard.launch()
    assert cluster.creates.total() == sent
    yard.clock.advance(10)
    yard.launch()
    assert cluster.creates.total() == sent + 1
    cluster.errors = lambda _: None
    yard.clock.advance(29)
    yard.launch()
    yard.launch()

    assert set(yard.states(*jobs)) == {"SUBMITTED"}
    assert yard.store.health()["east"].breaker == "closed"


def test_a_slow_cluster_keeps_no_other_waiting(yard: Yard) -> None:
    slow = yard.submit(submission={"cluster": "west"})
    quick = yard.submit(submission={"cluster": "east"})
    let_go, inside = threading.Event(), threading.Event()

    def hang(_: str) -> None:
        inside.set()
        let_go.wait(30)

    yard.clusters["west"].errors = hang
    yard.admit()

    assert yard.launchers["west"].step() is True
    assert inside.wait(30)
    yard.launchers["east"].finish()

    assert yard.states(slow, quick) == ["SUBMITTING", "SUBMITTED"]
    let_go.set()
    yard.launchers["west"].finish()
    assert yard.states(slow) == ["SUBMITTED"]


@pytest.mark.parametrize(
    ("category", "max_attempts", "state", "message"),
    [
        ("submit-error", 3, "FAILED", "could not be started"),
        ("quota", 1, "RETRY_WAIT", "could not be started; attempt 2 follows in 5 s"),
    ],
)
def test_a_refusal_ends_the_job_unless_there_may_be_room_later(
    yard: Yard, category: str, max_attempts: int, state: str, message: str
) -> None:
    cluster = only_east(yard)
    job = yard.submit(max_attempts=max_attempts)
    cluster.errors = lambda _: LaunchRefusedError("no room", "wait", category=category)

    yard.admit()
    yard.launch()

    found = yard.job(job)
    assert found.state == state
    assert found.diagnosis is not None
    assert (found.diagnosis.category, found.diagnosis.summary) == (Category(category), "no room")
    assert yard.store.attempts(job.id)[0].state == "FAILED"
    assert yard.store.events(job.id)[-1].message == message


def test_a_defect_that_one_job_brings_to_light_keeps_no_other_waiting(yard: Yard) -> None:
    cluster = only_east(yard)
    bad, good = yard.submit(), yard.submit()
    cluster.errors = lambda name: TypeError("ours") if name.startswith(bad.id) else None

    yard.admit()
    yard.launch()

    assert yard.states(bad, good) == ["SUBMITTING", "SUBMITTED"]


def kill(yard: Yard, job: Job, *path: JobState) -> None:
    found = yard.job(job)
    for to in path:
        change = Change(expect_version=found.version, actor="api:ada", at=yard.clock.now(), message="kill", to=to)
        found = yard.store.change(job.id, change)


def test_a_job_that_was_killed_while_it_waited_in_hand_is_not_created(yard: Yard) -> None:
    cluster = only_east(yard)
    job = yard.submit()
    cluster.errors = once(BackendUnavailableError("away"))
    yard.admit()
    yard.launch()
    kill(yard, job, JobState.CANCELLING, JobState.CANCELLED)
    yard.clock.advance(2)

    yard.launch()

    assert cluster.creates == {f"{job.id}-1": 1}
    assert cluster.launched == []


def test_what_was_created_for_a_job_that_ended_meanwhile_is_stopped(yard: Yard) -> None:
    cluster = only_east(yard)
    job = yard.submit()

    def killed(_: str) -> None:
        kill(yard, job, JobState.CANCELLING, JobState.CANCELLED)

    cluster.after = killed
    yard.admit()
    yard.launch()

    assert yard.states(job) == ["CANCELLED"]
    assert cluster.stopped == [(f"{job.id}-1", StopReason.CANCEL)]


@pytest.mark.parametrize(
    ("phase", "wish", "after", "state"),
    [
        (Phase.VANISHED, {}, 301, "RETRY_WAIT"),
        # it is there, or may be
        (Phase.STARTING, {}, 301, "SUBMITTING"),
        (None, {}, 301, "SUBMITTING"),
        # it asked for that cluster
        (Phase.VANISHED, {"cluster": "east"}, 301, "SUBMITTING"),
        (Phase.VANISHED, {}, 200, "SUBMITTING"),
    ],
)
def test_a_job_goes_elsewhere_only_when_its_cluster_surely_does_not_have_it(
    yard: Yard, phase: Phase | None, wish: dict[str, str], after: float, state: str
) -> None:
    cluster = only_east(yard)
    job = yard.submit(submission=wish)
    cluster.errors = lambda _: BackendUnavailableError("429", refused=True)

    if phase is None:
        cluster.blind = True
    else:
        cluster.seen[f"{job.id}-1"] = Observation(phase=phase)
    yard.launchers["east"] = yard.launcher("east", claim_seconds=1000)
    yard.admit()
    yard.launch()
    yard.clock.advance(after)
    yard.launch()

    assert yard.states(job) == [state]


def test_a_job_that_was_given_back_runs_elsewhere_under_a_new_attempt(yard: Yard) -> None:
    east, west = yard.clusters["east"], yard.clusters["west"]
    east.errors = west.errors = lambda _: BackendUnavailableError("429", refused=True)
    job = yard.submit()
    for name, cluster in yard.clusters.items():
        cluster.lose(f"{job.id}-1")
        yard.launchers[name] = yard.launcher(name, claim_seconds=1000)
    yard.admit()
    yard.launch()
    first = yard.job(job).cluster or ""
    yard.clock.advance(301)
    yard.launch()
    yard.switch("cluster", first)
    east.errors = west.errors = lambda _: None

    yard.admit()
    yard.launch()

    second = ({"east", "west"} - {first}).pop()
    assert yard.states(job) == ["SUBMITTED"]
    assert [attempt.cluster for attempt in yard.store.attempts(job.id)] == [first, second]
    assert yard.clusters[second].launched == [f"{job.id}-2"]
    assert yard.clusters[first].launched == []


def test_a_cluster_that_says_the_same_for_long_lets_its_job_go_although_claims_are_shorter_than_that(
    yard: Yard,
) -> None:
    cluster = only_east(yard)
    job = yard.submit()
    cluster.errors = lambda _: BackendUnavailableError("exceeded quota", refused=True)
    cluster.lose(f"{job.id}-1")
    yard.admit()

    for _ in range(75):
        yard.launch()
        yard.clock.advance(5)

    assert yard.states(job) == ["RETRY_WAIT"]
    assert "did not take the application within 300 s" in yard.store.events(job.id)[-1].message
