"""One look at many attempts: what is asked for live, how much of it, and what a failure of one means for the others."""

import threading
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from archer.backends.interface import Observation, Outcome, Phase
from archer.backends.kubernetes import evidence, looking, names, observation, records
from archer.backends.kubernetes.following import Following
from archer.backends.kubernetes.logs import SUCCESS_BYTES
from archer.backends.kubernetes.looking import NOTHING_NEW, Looker, Place
from archer.backends.kubernetes.observation import Executors, Facts, Verdict
from archer.backends.kubernetes.records import ApplicationRecord, DriverRecord
from archer.backends.kubernetes.tails import Tails
from archer.diagnosis import Evidence, diagnose
from archer.errors import BackendUnavailableError
from archer.kubernetes.errors import ApiError, ClusterUnreachableError
from archer.model import Attempt
from testbed import spark_manifests as made
from testbed.archer_builders import make_attempt
from testbed.fake_kubernetes import FakeKubernetes

APPLICATION = names.applications(made.NAMESPACE, made.NAME)
DRIVER = names.pods(made.NAMESPACE, f"{made.NAME}-driver")
NOT_FOUND = made.application("FAILED", "driver pod not found")


@dataclass
class Cache:
    """What a reflector would know, as the test says."""

    apps: dict[str, ApplicationRecord] = field(default_factory=dict)
    pods: dict[str, DriverRecord] = field(default_factory=dict)
    synced: bool = True
    due: dict[str, float] = field(default_factory=dict)

    @property
    def following(self) -> Following:
        return cast("Following", self)

    def check(self) -> None:
        if not self.synced:
            raise BackendUnavailableError("it is being listed")

    def application(self, attempt: str) -> ApplicationRecord | None:
        return self.apps.get(attempt)

    def driver(self, attempt: str) -> DriverRecord | None:
        return self.pods.get(attempt)

    def gone(self, attempt: str) -> DriverRecord | None:
        del attempt
        return None

    def executors(self, attempt: str) -> Executors:
        del attempt
        return Executors()

    def again(self, attempt: str, at: float) -> None:
        self.due[attempt] = at


@dataclass
class Desk:
    """A looker over a cache and a cluster, and a database that knows every attempt."""

    api: FakeKubernetes
    cache: Cache
    workers: ThreadPoolExecutor
    tails: Tails
    follows: bool = True
    now: int = made.BORN_SECONDS + 400
    noted: str | None = None
    """Why the end was asked for, as the store knows it."""
    asked: list[str] = field(default_factory=list)
    """Of the database."""

    def known(self, attempts: Collection[str]) -> Mapping[str, Attempt]:
        self.asked += attempts
        spec = {"metadata": {"namespace": made.NAMESPACE}, "spec": {"mainApplicationFile": "/app/report.py"}}
        return {name: make_attempt(name=name, spec=spec) for name in attempts if name != "nobody"}

    def look(self, *attempts: str) -> dict[str, Observation]:
        following = self.cache.following if self.follows else None
        place = Place(namespace=made.NAMESPACE, following=following)
        looker = Looker(
            client=self.api.client,
            workers=self.workers,
            tails=self.tails,
            pools=(),
            spot=(),
            known=self.known,
            place=lambda attempt, known: place if attempt in known else None,
            stopped_for=lambda _attempt: None,
            noted=lambda _attempt: self.noted,
            settle_seconds=10,
            clock=lambda: float(self.now),
        )
        cached = {name: place for name in attempts if name in self.cache.apps or name in self.cache.pods}
        return looker.look(attempts, cached)


@pytest.fixture
def desk(api: FakeKubernetes, workers: ThreadPoolExecutor) -> Iterator[Desk]:
    tails = Tails(api.client)
    yield Desk(api, Cache(), workers, tails)
    tails.close()


def outcome(found: Mapping[str, Observation]) -> Outcome:
    (observation,) = found.values()
    assert observation.outcome is not None, observation
    return observation.outcome


def test_what_the_cache_knows_costs_no_call_and_no_query(desk: Desk) -> None:
    desk.cache.apps = {f"a-{number}": records.application(made.application("RUNNING")) for number in range(1000)}

    found = desk.look(*desk.cache.apps)

    assert {seen.phase for seen in found.values()} == {Phase.RUNNING}
    assert (desk.api.calls, desk.asked) == ([], [])


def test_an_absence_is_asked_for_before_it_is_believed(desk: Desk) -> None:
    assert desk.look(made.NAME)[made.NAME].phase is Phase.VANISHED
    assert desk.api.calls == [("GET", DRIVER), ("GET", APPLICATION)]


def test_what_the_cache_had_missed_is_judged_as_it_is(desk: Desk) -> None:
    desk.api.objects |= {APPLICATION: made.application("RUNNING"), DRIVER: made.driver()}

    assert desk.look(made.NAME)[made.NAME].phase is Phase.RUNNING


def test_a_pod_of_that_name_that_is_not_ours_tells_nothing(desk: Desk) -> None:
    foreign = made.driver("Succeeded", exit_code=0)
    foreign["metadata"]["labels"] = {}
    desk.api.objects[DRIVER] = foreign

    assert desk.look(made.NAME)[made.NAME].phase is Phase.VANISHED


def test_an_answer_that_says_nothing_is_nothing_new_and_the_others_are_told(desk: Desk) -> None:
    desk.cache.apps = {made.NAME: records.application(NOT_FOUND), "b": records.application(made.application("RUNNING"))}
    desk.api.faults["GET", DRIVER] = [ApiError(500, "InternalError", "etcd")]

    found = desk.look(made.NAME, "b")

    assert found[made.NAME] is NOTHING_NEW
    assert found["b"].phase is Phase.RUNNING
    # no event will come: time is what it waits for
    assert list(desk.cache.due) == [made.NAME]


def test_a_look_asks_for_a_bounded_number_of_absences(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "LIVE_PER_LOOK", 3)

    found = desk.look(*(f"a-{number}" for number in range(10)))

    assert [seen.phase for seen in found.values()].count(Phase.VANISHED) == 3
    assert len(desk.api.calls) == 6
    assert list(found.values()).count(NOTHING_NEW) == 7


def test_nothing_is_said_while_the_namespace_is_not_known(desk: Desk) -> None:
    desk.cache.synced = False

    with pytest.raises(BackendUnavailableError, match="being listed"):
        desk.look(made.NAME)


def test_an_attempt_that_nobody_knows_has_vanished(desk: Desk) -> None:
    assert desk.look("nobody")["nobody"].last_seen == "nobody knows in which namespace it was"


def test_a_server_that_does_not_follow_the_namespace_asks_for_everything(desk: Desk) -> None:
    desk.follows = False
    executor = made.executor(phase="Failed", exit_code=137, reason="OOMKilled")
    desk.api.objects |= {
        APPLICATION: made.application("FAILED", "driver container failed with ExitCode: 11, Reason: Error"),
        DRIVER: made.driver("Failed", exit_code=11),
        names.pods(made.NAMESPACE, executor["metadata"]["name"]): executor,
    }

    pods = outcome(desk.look(made.NAME)).evidence.pods

    assert pods is not None
    assert [each.reason for each in pods.executors if each.exit_code == 137] == ["OOMKilled"]


def test_the_end_of_a_failed_drivers_log_is_evidence_and_is_kept(desk: Desk) -> None:
    desk.cache.apps = {made.NAME: records.application(NOT_FOUND)}
    desk.cache.pods = {made.NAME: records.driver(made.driver("Failed", exit_code=1))}
    desk.api.logs[f"{DRIVER}/log"] = b"the last words"

    found = outcome(desk.look(made.NAME))

    assert found.evidence.stdout == "the last words"
    assert found.evidence.application == "/app/report.py"
    assert found.texts == {"driver-log": "the last words"}


def test_the_end_of_a_successful_drivers_log_is_kept_too_a_shorter_one(desk: Desk) -> None:
    desk.cache.apps = {made.NAME: records.application(made.application("COMPLETED"))}
    desk.cache.pods = {made.NAME: records.driver(made.driver("Succeeded", exit_code=0))}
    desk.api.logs[f"{DRIVER}/log"] = b"x" * SUCCESS_BYTES + b"all well"

    found = outcome(desk.look(made.NAME))

    (kept,) = found.texts.values()
    assert (found.succeeded, len(kept), kept[-9:]) == (True, SUCCESS_BYTES, "xall well")


@pytest.mark.parametrize("leaves", [False, True])
def test_a_success_waits_for_its_log_only_when_its_pod_is_about_to_go(desk: Desk, *, leaves: bool) -> None:
    deleted = made.LATEST if leaves else None
    desk.cache.apps = {made.NAME: records.application(made.application("COMPLETED"))}
    desk.cache.pods = {made.NAME: records.driver(made.driver("Succeeded", exit_code=0, deleted=deleted))}
    desk.api.faults["GET", f"{DRIVER}/log"] = [ApiError(429, "TooManyRequests", "slow down")]

    found = desk.look(made.NAME)

    if leaves:
        assert found[made.NAME] is NOTHING_NEW
    else:
        assert (outcome(found).succeeded, outcome(found).texts) == (True, {})


def test_an_end_waits_for_its_log_while_the_cluster_is_busy(desk: Desk) -> None:
    desk.cache.apps = {made.NAME: records.application(NOT_FOUND)}
    desk.cache.pods = {made.NAME: records.driver(made.driver("Failed", exit_code=1))}
    desk.api.faults["GET", f"{DRIVER}/log"] = [ApiError(429, "TooManyRequests", "slow down")]

    assert desk.look(made.NAME)[made.NAME] is NOTHING_NEW


def test_a_kubelet_that_never_gives_its_log_keeps_no_job_from_its_end(desk: Desk) -> None:
    desk.cache.apps = {made.NAME: records.application(NOT_FOUND)}
    desk.cache.pods = {made.NAME: records.driver(made.driver("Failed", exit_code=1))}
    silence = ClusterUnreachableError("the API server does not answer: timed out")
    desk.api.faults["GET", f"{DRIVER}/log"] = [silence, silence]

    assert desk.look(made.NAME)[made.NAME] is NOTHING_NEW
    desk.now = made.BORN_SECONDS + 300 + looking.LOG_SECONDS
    found = outcome(desk.look(made.NAME))
    assert (found.exit_code, found.texts) == (1, {})
    assert "could not be read" in diagnose(found.evidence).detail


def test_a_verdict_that_was_given_without_the_log_says_so(desk: Desk) -> None:
    desk.cache.apps = {made.NAME: records.application(NOT_FOUND)}
    desk.cache.pods = {made.NAME: records.driver(made.driver("Failed", exit_code=1))}
    desk.api.faults["GET", f"{DRIVER}/log"] = [ApiError(500, "InternalError", "dial tcp: connection refused")]

    detail = diagnose(outcome(desk.look(made.NAME)).evidence).detail

    assert "the end of the driver's log could not be read" in detail
    assert "connection refused" in detail


def test_a_silent_kubelet_keeps_no_other_attempt_waiting_and_its_log_is_fetched_when_it_is_there(desk: Desk) -> None:
    desk.cache.apps = {name: records.application(NOT_FOUND) for name in (made.NAME, "other")}
    desk.cache.pods = {name: records.driver(made.driver("Failed", exit_code=1)) for name in (made.NAME, "other")}
    others = f"{names.pods(made.NAMESPACE, 'other-driver')}/log"
    desk.api.logs = {f"{DRIVER}/log": b"late words", others: b"words"}
    answers = desk.api.held[f"{DRIVER}/log"] = threading.Event()
    try:
        found = desk.look(made.NAME, "other")

        assert found[made.NAME] is NOTHING_NEW
        assert outcome({"other": found["other"]}).texts == {"driver-log": "words"}
        # it is asked for already, and nobody waits for a second answer
        assert desk.look(made.NAME)[made.NAME] is NOTHING_NEW
        assert desk.api.asked("GET").count(f"{DRIVER}/log") == 1
    finally:
        answers.set()
    found = desk.look(made.NAME)
    while found[made.NAME] is NOTHING_NEW:
        found = desk.look(made.NAME)
    assert outcome(found).texts == {"driver-log": "late words"}
    assert desk.api.asked("GET").count(f"{DRIVER}/log") == 1


def test_of_what_left_nothing_the_reason_that_its_tracker_wrote_down_is_told(desk: Desk) -> None:
    desk.noted = "start-timeout"

    assert outcome(desk.look(made.NAME)).stopped_for == "start-timeout"


def test_an_application_that_ended_by_itself_was_not_stopped_whatever_was_written_down(desk: Desk) -> None:
    desk.noted = "start-timeout"
    desk.cache.apps = {made.NAME: records.application(made.application("FAILED", "forbidden: exceeded quota"))}

    found = outcome(desk.look(made.NAME))

    assert (found.stopped_for, found.evidence.pods and found.evidence.pods.submission_error) == (
        None,
        "forbidden: exceeded quota",
    )


@pytest.mark.parametrize(("noted", "told"), [("stuck", "stuck"), (None, None)])
def test_a_driver_that_came_while_its_application_was_being_deleted_went_for_the_same_reason(
    desk: Desk, noted: str | None, told: str | None
) -> None:
    late = made.driver("Failed", exit_code=143, deleted=made.LATEST, finished="2026-11-23T12:06:00Z")
    desk.noted = noted
    desk.cache.apps = {made.NAME: records.application(made.application("SUBMITTED", deleted=True))}
    desk.cache.pods = {made.NAME: records.driver(late)}

    assert outcome(desk.look(made.NAME)).stopped_for == told


@pytest.mark.parametrize("part", ["judge", "evidence"])
def test_an_attempt_that_nobody_understands_keeps_no_other_waiting(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    failed = replace(records.application(NOT_FOUND), name="odd"), records.application(NOT_FOUND)
    desk.cache.apps = dict(zip(("odd", made.NAME), failed, strict=True))
    desk.cache.pods = {name: records.driver(made.driver("Failed", exit_code=1)) for name in ("odd", made.NAME)}
    judge, collect = observation.judge, evidence.collect

    def judged(facts: Facts) -> Verdict:
        if part == "judge" and facts.application is failed[0]:
            raise KeyError("odd")
        return judge(facts)

    def collected(facts: Facts, *rest: Any, **more: Any) -> Evidence:
        if part == "evidence" and facts.application is failed[0]:
            raise KeyError("odd")
        return collect(facts, *rest, **more)

    monkeypatch.setattr(looking, "judge", judged)
    monkeypatch.setattr(evidence, "collect", collected)

    found = desk.look("odd", made.NAME)

    assert found["odd"] is NOTHING_NEW
    assert found[made.NAME].phase is Phase.ENDED
