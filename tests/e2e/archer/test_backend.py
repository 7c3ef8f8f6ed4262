"""Archer's backend on a real API server, with an operator and pods that run: what it sees, and what it leaves behind."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from archer.backends.interface import Outcome, Phase, StopReason
from archer.cli import main
from archer.diagnosis import diagnose
from archer.errors import BackendUnavailableError, LaunchRefusedError
from archer.model import Category, JobState
from testbed.nodes import EXIT_CODE, LOG, OUTCOME, RUN_SECONDS

if TYPE_CHECKING:
    from tests.e2e.archer.conftest import Shop

NAMESPACE = "spark-ads"
SUCCEEDS = {OUTCOME: "succeed", RUN_SECONDS: "2"}
RUNS: dict[str, str] = {}
TRACEBACK = 'Traceback (most recent call last):\n  File "/app/pi.py", line 5, in <module>\n    main()\nValueError: no\n'


def outcome(shop: Shop, name: str) -> Outcome:
    """Wait for the end."""
    seen = shop.wait(name, Phase.ENDED)
    assert seen.outcome is not None
    return seen.outcome


def phases(shop: Shop, name: str) -> list[Phase]:
    found: list[Phase] = []
    for seen in shop.seen[name]:
        if not found or found[-1] is not seen.phase:
            found.append(seen.phase)
    return found


def test_news_alone_tell_of_an_attempt_from_its_start_to_its_success(shop: Shop) -> None:
    name = shop.launch(SUCCEEDS)

    end = outcome(shop, name)

    assert (end.succeeded, end.exit_code, end.stopped_for) == (True, 0, None)
    assert phases(shop, name)[-2:] == [Phase.RUNNING, Phase.ENDED]
    assert shop.seen[name][-1].spark_app_id


def test_the_finalizer_stays_until_the_end_is_committed_and_executors_too(shop: Shop) -> None:
    name = shop.launch(SUCCEEDS)
    shop.wait(name, Phase.ENDED)
    assert shop.held(name)
    assert shop.executors(name)

    shop.backend.release(name)

    assert not shop.held(name)
    shop.settle(lambda: not shop.executors(name), "its executors are gone")
    # it ended, so people may look at it until its time is over
    assert shop.application(name) is not None
    assert (shop.backend.finalizers().released, shop.backend.finalizers().saved) == (1, 0)
    shop.backend.release(name)
    assert shop.backend.finalizers().released == 1


@pytest.mark.parametrize(
    ("annotations", "exit_code", "category", "summary"),
    [
        ({OUTCOME: "fail", EXIT_CODE: "1", LOG: TRACEBACK}, 1, Category.USER_ERROR, "ValueError: no (pi.py:5)"),
        ({OUTCOME: "oom"}, 137, Category.OOM_CONTAINER, "the driver used more memory than its container has"),
    ],
)
def test_a_failure_is_diagnosed_from_the_pod_and_the_end_of_its_log(
    shop: Shop, annotations: dict[str, str], exit_code: int, category: Category, summary: str
) -> None:
    name = shop.launch(annotations)

    end = outcome(shop, name)

    found = diagnose(end.evidence)
    assert (end.succeeded, end.exit_code, found.category) == (False, exit_code, category)
    assert found.summary.startswith(summary)
    assert end.texts.get("driver-log", "") == annotations.get(LOG, "")


def test_an_executor_that_was_killed_for_memory_is_why_its_driver_failed(shop: Shop) -> None:
    name = shop.launch(
        {OUTCOME: "fail", EXIT_CODE: "11", RUN_SECONDS: "4"}, executors={OUTCOME: "oom", RUN_SECONDS: "1"}
    )

    found = diagnose(outcome(shop, name).evidence)

    assert (found.category, found.role) == (Category.OOM_CONTAINER, "executor")
    assert f"{name}-exec-1: exit code 137, OOMKilled" in found.detail


def test_an_image_that_cannot_be_pulled_is_named_and_is_why_it_was_given_up(shop: Shop) -> None:
    name = shop.launch({OUTCOME: "image-pull-error"})
    seen = shop.wait_for(name, lambda seen: seen.stuck is Category.IMAGE_PULL, "an image pull")
    assert seen.substate == "image pull: registry.invalid/spark:4.0.5"

    shop.backend.stop(name, StopReason.STUCK)

    end = outcome(shop, name)
    assert (end.stopped_for, diagnose(end.evidence).category) == ("stuck", Category.IMAGE_PULL)


def test_a_driver_that_finds_no_node_says_so(shop: Shop) -> None:
    name = shop.launch(RUNS, nodeSelector={"nobody": "has"})

    seen = shop.wait_for(name, lambda seen: seen.stuck is Category.UNSCHEDULABLE, "no node")

    assert (seen.substate or "").startswith("driver is pending: 0/")
    shop.backend.stop(name, StopReason.CANCEL)
    assert outcome(shop, name).stopped_for == "cancel"


def test_a_running_driver_that_somebody_deletes_is_a_loss_and_no_failure_of_the_job(shop: Shop) -> None:
    name = shop.launch(RUNS)
    shop.wait(name, Phase.RUNNING)

    shop.delete_pod(name)

    end = outcome(shop, name)
    assert (end.succeeded, end.exit_code) == (False, 143)
    assert diagnose(end.evidence).category is Category.LOST
    assert shop.held(name)


def test_a_driver_that_ended_well_and_was_deleted_while_no_operator_looked_is_a_success(shop: Shop) -> None:
    name = shop.launch({OUTCOME: "succeed", RUN_SECONDS: "3"})
    shop.wait(name, Phase.RUNNING)
    shop.ground.operator.stop()
    try:
        shop.settle(lambda: (shop.pod(name) or {})["status"]["phase"] == "Succeeded", "the driver's end")
        shop.delete_pod(name)
        shop.settle(lambda: (shop.pod(name) or {})["metadata"].get("deletionTimestamp"), "its deletion")
    finally:
        shop.ground.operator.start()

    assert outcome(shop, name).succeeded
    shop.backend.release(name)
    shop.settle(lambda: shop.pod(name) is None, "the pod goes with the finalizer")
    assert shop.backend.finalizers().saved == 1


def test_what_the_operator_lost_the_finalizer_saved(shop: Shop) -> None:
    """The operator says "driver pod not found" of a driver that its cache lacks: here because its label is gone."""
    name = shop.launch({OUTCOME: "succeed", RUN_SECONDS: "3"})
    shop.wait(name, Phase.RUNNING)
    label = {"metadata": {"labels": {"sparkoperator.k8s.io/launched-by-spark-operator": None}}}
    shop.admin.patch("v1", "Pod", f"{name}-driver", NAMESPACE, body=label)

    end = outcome(shop, name)

    state = (shop.application(name) or {})["status"]["applicationState"]
    assert (state["state"], state["errorMessage"]) == ("FAILED", "driver pod not found")
    assert (end.succeeded, end.exit_code) == (True, 0)
    shop.backend.release(name)
    assert shop.backend.finalizers().saved == 1


@pytest.mark.parametrize("ended", [False, True], ids=["while it runs", "after its end"])
def test_an_application_that_somebody_deletes_leaves_the_driver_to_tell(shop: Shop, ended: bool) -> None:
    name = shop.launch({OUTCOME: "succeed", RUN_SECONDS: "3"} if ended else RUNS)
    shop.wait(name, Phase.RUNNING)
    if ended:
        shop.ground.operator.stop()
    try:
        if ended:
            shop.settle(lambda: (shop.pod(name) or {})["status"]["phase"] == "Succeeded", "the driver's end")
        shop.delete_application(name)
        end = outcome(shop, name)
    finally:
        if ended:
            shop.ground.operator.start()

    assert (end.succeeded, end.exit_code) == ((True, 0) if ended else (False, 143))
    assert shop.held(name)
    shop.backend.release(name)
    shop.settle(lambda: shop.pod(name) is None, "the pod goes with the finalizer")


def test_without_application_and_driver_an_attempt_has_vanished_and_this_was_asked_for(shop: Shop) -> None:
    name, made = shop.spec(RUNS)
    unlisted, _ = shop.spec(RUNS)
    shop.settle(lambda: _ready(shop), "the listing")

    assert shop.backend.observe([name])[name].phase is Phase.VANISHED
    shop.backend.launch(name, made)
    # the reflector may not have heard of it yet: the live read has
    assert shop.backend.observe([name])[name].phase is not Phase.VANISHED
    assert shop.backend.observe([unlisted])[unlisted].phase is Phase.VANISHED


def _ready(shop: Shop) -> bool:
    try:
        shop.backend.news(NAMESPACE)
    except BackendUnavailableError:
        return False
    return True


def test_a_launch_that_is_repeated_is_done_once(shop: Shop) -> None:
    name, made = shop.spec(RUNS)

    first, second = shop.backend.launch(name, made), shop.backend.launch(name, made)

    assert first == second == (shop.application(name) or {})["metadata"]["uid"]


def test_a_name_that_somebody_else_has_is_refused(shop: Shop) -> None:
    name, made = shop.spec(RUNS)
    labels = {**made["metadata"]["labels"], "archer.moka.dev/job-id": "j-another"}
    shop.admin.create({**made, "metadata": {**made["metadata"], "labels": labels}})

    with pytest.raises(LaunchRefusedError, match="somebody else's SparkApplication"):
        shop.backend.launch(name, made)


def test_an_application_that_the_definition_forbids_is_refused_with_the_field(shop: Shop) -> None:
    name, made = shop.spec(RUNS)
    made["spec"]["type"] = "Cobol"

    with pytest.raises(LaunchRefusedError, match=r"spec.type"):
        shop.backend.launch(name, made)


def test_a_namespace_where_archer_may_nothing_is_the_places_fault_and_not_the_jobs(shop: Shop) -> None:
    name, made = shop.spec(RUNS)
    made["metadata"]["namespace"] = "default"

    with pytest.raises(BackendUnavailableError, match="forbidden"):
        shop.backend.launch(name, made)


def test_a_cancel_ends_a_running_attempt_and_its_end_says_why(shop: Shop) -> None:
    name = shop.launch(RUNS)
    shop.wait(name, Phase.RUNNING)

    shop.backend.stop(name, StopReason.CANCEL)
    shop.backend.stop(name, StopReason.CANCEL)

    end = outcome(shop, name)
    assert (end.succeeded, end.stopped_for) == (False, "cancel")
    assert shop.application(name) is None
    assert (shop.pod(name) or {})["metadata"]["annotations"]["archer.moka.dev/stopped-for"] == "cancel"
    shop.backend.release(name)
    shop.settle(lambda: shop.pod(name) is None and not shop.executors(name), "nothing is left")


def test_a_cancel_before_the_operator_has_seen_it_leaves_nothing(shop: Shop) -> None:
    shop.ground.operator.stop()
    try:
        name = shop.launch(RUNS)
        shop.wait(name, Phase.STARTING)
        shop.backend.stop(name, StopReason.CANCEL)
        end = shop.wait(name, Phase.ENDED, by_news=False).outcome
    finally:
        shop.ground.operator.start()

    assert end is not None
    assert end.stopped_for == "cancel"
    assert shop.pod(name) is None


def test_a_cancel_that_comes_after_the_end_changes_nothing(shop: Shop) -> None:
    name = shop.launch(SUCCEEDS)
    shop.wait(name, Phase.ENDED)

    shop.backend.stop(name, StopReason.CANCEL)

    assert shop.application(name) is not None
    again = shop.backend.observe([name])[name].outcome
    assert again is not None
    assert (again.succeeded, again.stopped_for) == (True, None)


def test_the_sweep_frees_what_a_crash_left_and_nothing_that_goes_on(shop: Shop) -> None:
    over, stray, runs = (shop.launch(each) for each in (SUCCEEDS, SUCCEEDS, RUNS))
    for name in (over, stray):
        shop.wait(name, Phase.ENDED)
    shop.wait(runs, Phase.RUNNING)
    assert shop.backend.sweep(NAMESPACE) == 0

    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    shop.attempts[over] = replace(shop.attempts[over], state=JobState.SUCCEEDED, finished_at=an_hour_ago)
    del shop.attempts[stray]
    later = datetime.now(UTC).timestamp() + 600
    shop.backend._clock = lambda: later  # ten minutes pass

    assert shop.backend.sweep(NAMESPACE) == 2
    assert [shop.held(name) for name in (over, stray, runs)] == [False, False, True]
    assert shop.backend.observe([runs])[runs].phase is Phase.RUNNING


def test_the_command_frees_drivers_that_ended_and_with_all_the_others_too(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    over, runs = shop.launch(SUCCEEDS), shop.launch(RUNS)
    shop.wait(over, Phase.ENDED)
    shop.wait(runs, Phase.RUNNING)

    def command(*options: str) -> tuple[int | str | None, str]:
        where = ["--namespace", NAMESPACE, "--kubeconfig", str(shop.ground.archer), *options]
        with pytest.raises(SystemExit) as ended:
            main(["finalizers", "release", *where])
        said = capsys.readouterr()
        return ended.value.code, said.out + said.err

    code, said = command()
    assert code == 0
    assert re.search(rf"{over}-driver +Succeeded +to release", said)
    assert re.search(rf"{runs}-driver +Running +kept: it runs", said)
    assert "1 would be released; give --yes to do it" in said
    assert [shop.held(over), shop.held(runs)] == [True, True]

    assert "1 released" in command("--yes")[1]
    assert [shop.held(over), shop.held(runs)] == [False, True]
    assert "1 released" in command("--all", "--yes")[1]
    assert not shop.held(runs)
    assert "no driver is kept there" in command("--all", "--yes")[1]
    code, said = command("--namespace", "default")
    assert code == 4
    assert "forbidden" in said


def test_logs_are_cut_by_byte_and_outlive_the_pod(shop: Shop) -> None:
    name = shop.launch({**RUNS, LOG: "first\nsecond é\n"})
    shop.wait(name, Phase.RUNNING)
    whole = "first\nsecond é\n".encode()

    pieces = [shop.backend.read_log(name, "driver", offset=at, limit=6) for at in (0, 6, 12, 18)]

    assert b"".join(piece.data for piece in pieces) == whole
    assert shop.backend.read_log(name, "driver", offset=0, limit=0).size == len(whole)
    assert shop.backend.read_log(name, "stdout", offset=0, limit=6).data == b""

    shop.delete_application(name)
    kept = outcome(shop, name).texts["driver-log"]
    assert kept.encode() == whole
    shop.backend.release(name)
    shop.settle(lambda: shop.pod(name) is None, "the pod is gone")
    job, number = shop.attempts[name].job_id, shop.attempts[name].number
    shop.texts[job, number, "driver-log"] = kept
    assert shop.backend.read_log(name, "driver", offset=6, limit=100).data == whole[6:]


def test_nothing_is_said_of_a_namespace_that_is_not_known(shop: Shop) -> None:
    shop.backend.unlisten(NAMESPACE)

    with pytest.raises(BackendUnavailableError):
        shop.backend.news(NAMESPACE)


def test_a_driver_that_went_with_its_node_is_told_from_one_that_somebody_deleted(shop: Shop) -> None:
    drained, died = shop.ground.new_node(), shop.ground.new_node()
    on_drained, on_died = (shop.launch(RUNS, nodeSelector={"kubernetes.io/hostname": node}) for node in (drained, died))
    for name in (on_drained, on_died):
        shop.wait(name, Phase.RUNNING)

    shop.ground.nodes.remove(died)
    shop.ground.nodes.interrupt(drained, seconds=5)

    found = {name: diagnose(outcome(shop, name).evidence) for name in (on_drained, on_died)}
    assert {each.category for each in found.values()} == {Category.NODE_LOSS}
    assert found[on_drained].summary == "the driver was taken away: its node was drained"
    assert found[on_died].summary == "the driver was taken away: its node is gone"


def test_attempts_are_followed_through_a_restart_of_the_api_server(shop: Shop) -> None:
    before = shop.launch({OUTCOME: "succeed", RUN_SECONDS: "3"})
    shop.wait(before, Phase.RUNNING)
    shop.ground.plane.stop_api_server()
    try:
        name, made = shop.spec(SUCCEEDS)
        with pytest.raises(BackendUnavailableError):
            shop.backend.launch(name, made)
    finally:
        shop.ground.plane.start_api_server()
    shop.backend.launch(name, made)

    assert outcome(shop, before).succeeded
    assert outcome(shop, name).succeeded
    assert Phase.VANISHED not in phases(shop, before) + phases(shop, name)
