"""The table of the operator's states: what is seen of an application and its driver, and what Archer says of it."""

from dataclasses import replace
from typing import Any

import pytest

from archer.backends.interface import Observation, Phase
from archer.backends.kubernetes import records
from archer.backends.kubernetes.following import counted
from archer.backends.kubernetes.observation import UNSURE, End, Facts, Verdict, judge
from archer.model import Category
from testbed import spark_manifests as made

STARTING, RUNNING, VANISHED = Phase.STARTING, Phase.RUNNING, Phase.VANISHED
NOT_FOUND = "driver pod not found"
EXISTS = "driver pod already exist"
ONE_SECOND_EARLIER = "2026-11-23T12:04:59Z"


def of(
    app: made.Manifest | None,
    driver: made.Manifest | None = None,
    *executors: made.Manifest,
    seconds: int = 310,
    gone: made.Manifest | None = None,
    **facts: Any,
) -> Verdict:
    pods = {pod["metadata"]["name"]: records.executor(pod) for pod in executors}
    return judge(
        Facts(
            application=None if app is None else records.application(app),
            driver=None if driver is None else records.driver(driver),
            executors=counted(pods),
            gone=None if gone is None else records.driver(gone),
            now=made.BORN_SECONDS + seconds,
            **facts,
        )
    )


def plain(verdict: Verdict) -> Verdict:
    """Without its note."""
    return replace(verdict, note="") if isinstance(verdict, End) else verdict


def told(verdict: Verdict) -> tuple[Phase, str | None]:
    assert isinstance(verdict, Observation), verdict
    return verdict.phase, verdict.substate


IMAGE_PULL = {"reason": "ImagePullBackOff", "message": "Back-off"}
PENDING = made.driver("Pending", node=None, conditions=[made.unschedulable("0/12 nodes fit")])
LIVING = [
    (made.application(), None, 10, STARTING, "waits for the operator"),
    (made.application(), None, 95, STARTING, "the operator has not taken it up for over 60 s"),
    (made.application("SUBMITTED"), None, 10, STARTING, "its driver is being made"),
    (made.application("SUBMITTED"), PENDING, 10, STARTING, "driver is pending: 0/12 nodes fit"),
    (made.application("SUBMITTED"), made.driver("Pending", node=None), 10, STARTING, "driver is pending"),
    (
        made.application("SUBMITTED"),
        made.driver("Pending", waiting={"reason": "ContainerCreating"}),
        10,
        STARTING,
        "its driver's container is being made",
    ),
    (
        made.application("SUBMITTED"),
        made.driver("Pending", waiting=IMAGE_PULL),
        10,
        STARTING,
        f"image pull: {made.IMAGE}",
    ),
    (made.application("SUBMITTED"), made.driver("Running"), 10, RUNNING, None),
    (made.application("RUNNING"), made.driver("Running"), 10, RUNNING, None),
    (made.application("RUNNING"), None, 10, RUNNING, None),
    (made.application("SUCCEEDING"), made.driver("Succeeded", exit_code=0), 310, RUNNING, None),
    (made.application("FAILING"), made.driver("Failed", exit_code=1), 310, RUNNING, None),
    (made.application("UNKNOWN"), made.driver("Unknown"), 10, RUNNING, "its driver's node does not answer"),
    (
        made.application("RUNNING"),
        made.driver("Succeeded", exit_code=0),
        420,
        RUNNING,
        "its driver ended over 120 s ago, and the operator has not said so",
    ),
    (made.application("RUNNING"), made.driver(deleted=made.LATER), 310, RUNNING, "stopping"),
    (made.application("RUNNING", deleted=True), made.driver(), 310, RUNNING, "stopping"),
    (made.application("RUNNING", deleted=True), None, 310, STARTING, "stopping"),
    (None, made.driver(deleted=made.LATER), 310, RUNNING, "stopping"),
    (None, made.driver(), 310, RUNNING, "its application was deleted; its driver goes on"),
    (None, made.driver(annotations={"archer.moka.dev/stopped-for": "cancel"}), 310, RUNNING, "stopping"),
    (
        made.application("SUBMISSION_FAILED", "no such host"),
        None,
        10,
        STARTING,
        "the operator could not submit it: no such host",
    ),
    (
        made.application("SUSPENDED"),
        None,
        10,
        STARTING,
        "somebody changed its application: the operator says SUSPENDED",
    ),
    (made.application("A_NEW_STATE"), None, 10, STARTING, "the operator says A_NEW_STATE"),
    # the operator gave it up, for its own reasons: whatever it says, the driver lives
    (
        made.application("FAILED", EXISTS),
        made.driver(),
        10,
        RUNNING,
        f"the operator has given it up ({EXISTS}); its driver goes on",
    ),
    (
        made.application("FAILED", NOT_FOUND),
        made.driver("Pending", node=None),
        10,
        STARTING,
        f"the operator has given it up ({NOT_FOUND}); its driver goes on",
    ),
]


@pytest.mark.parametrize(("app", "driver", "seconds", "phase", "substate"), LIVING)
def test_what_lives_is_told_with_what_it_waits_for(
    app: made.Manifest | None, driver: made.Manifest | None, seconds: int, phase: Phase, substate: str | None
) -> None:
    assert told(of(app, driver, seconds=seconds, confirmed=True)) == (phase, substate)


CODE = "driver container failed with ExitCode: 137, Reason: OOMKilled"
WELL = made.driver("Succeeded", exit_code=0)
ENDED = [
    # an explicit success
    (made.application("COMPLETED"), WELL, True, 0),
    (made.application("COMPLETED"), None, True, 0),
    # the operator lost sight of a driver that had ended well: its own exit code, kept by our finalizer
    (made.application("FAILED", NOT_FOUND), WELL, True, 0),
    (made.application("FAILED", EXISTS), WELL, True, 0),
    (made.application("RUNNING", deleted=True), WELL, True, 0),
    (made.application("INVALIDATING"), WELL, True, 0),
    # and of one that had not
    (made.application("FAILED", CODE), made.driver("Failed", exit_code=137, reason="OOMKilled"), False, 137),
    (made.application("FAILED", CODE), None, False, 137),
    # the operator is sometimes ahead of the pod's phase
    (made.application("FAILED", CODE), made.driver("Running"), False, 137),
    (made.application("FAILED", NOT_FOUND), made.driver("Failed", exit_code=1), False, 1),
    (made.application("RUNNING", deleted=True), made.driver("Failed", exit_code=143, deleted=made.BORN), False, 143),
    (made.application("SUSPENDING"), made.driver("Failed", exit_code=143, deleted=made.BORN), False, 143),
    # the node is gone, and the collector of pods wrote the phase
    (made.application("FAILED", NOT_FOUND), made.driver("Failed", deleted=made.BORN), False, None),
    # deleted before its image was there: the kubelet is done with it, and the finalizer alone keeps it
    (made.application("SUBMITTED"), made.driver("Pending", waiting=IMAGE_PULL, deleted=made.BORN), False, None),
    # deleted before a node was found: the operator ignores it, and waits for ever
    (made.application("SUBMITTED"), made.driver("Pending", node=None, deleted=made.BORN), False, None),
]


@pytest.mark.parametrize(("app", "driver", "succeeded", "exit_code"), ENDED)
def test_an_end_is_what_the_operator_says_or_else_what_the_driver_says(
    app: made.Manifest, driver: made.Manifest | None, succeeded: bool, exit_code: int | None
) -> None:
    assert plain(of(app, driver)) == End(succeeded=succeeded, exit_code=exit_code)


@pytest.mark.parametrize(
    ("app", "said"),
    [
        (made.application("FAILED", NOT_FOUND), "the operator says FAILED: driver pod not found"),
        (made.application("RUNNING", deleted=True), "its application was deleted"),
        (None, "its application was deleted"),
        (made.application("INVALIDATING"), "the operator says INVALIDATING"),
    ],
)
def test_a_success_that_the_operator_did_not_say_tells_how_it_is_known(app: made.Manifest | None, said: str) -> None:
    found = of(app, WELL, confirmed=True)

    assert isinstance(found, End)
    assert found.note == f"; seen on its pod, which Archer's finalizer had kept ({said})"
    assert of(made.application("COMPLETED"), WELL) == End(succeeded=True, exit_code=0)


@pytest.mark.parametrize(
    ("app", "driver"),
    [
        (None, None),
        (None, WELL),
        (None, made.driver()),
        (made.application("FAILED", NOT_FOUND), None),
        (made.application("FAILED", EXISTS), None),
    ],
)
def test_nothing_rests_on_an_absence_that_nobody_confirmed(
    app: made.Manifest | None, driver: made.Manifest | None
) -> None:
    assert of(app, driver) is UNSURE
    assert of(app, driver, confirmed=True) is not UNSURE


def test_without_an_application_the_held_driver_tells_the_result() -> None:
    assert plain(of(None, WELL, confirmed=True)) == End(succeeded=True, exit_code=0)
    assert of(None, made.driver("Failed", exit_code=2), confirmed=True) == End(succeeded=False, exit_code=2)


def test_a_driver_that_nobody_ever_saw_is_a_loss_and_no_failure_of_the_job() -> None:
    lost = of(made.application("FAILED", NOT_FOUND), None, confirmed=True)

    assert isinstance(lost, Observation)
    assert lost.phase is VANISHED
    assert lost.last_seen == "the operator says: driver pod not found; no driver of it was ever seen"


def test_an_attempt_of_which_nothing_is_left_vanished_with_what_was_last_seen() -> None:
    lost = of(None, None, confirmed=True, gone=made.driver())

    assert isinstance(lost, Observation)
    assert lost.phase is VANISHED
    assert lost.last_seen == (
        "its application and its driver are gone; its driver was last seen Running on node node-1"
    )


@pytest.mark.parametrize(
    ("gone", "means"),
    [
        (made.driver("Failed", exit_code=3), End(succeeded=False, exit_code=3)),
        (WELL, End(succeeded=True, exit_code=0)),
    ],
)
def test_a_driver_that_went_in_spite_of_the_finalizer_had_told_its_end(gone: made.Manifest, means: End) -> None:
    assert plain(of(None, None, confirmed=True, gone=gone)) == means
    assert plain(of(made.application("FAILED", NOT_FOUND), None, confirmed=True, gone=gone)) == means


def test_a_success_that_nothing_of_ours_vouches_for_is_a_loss() -> None:
    gone = made.driver("Succeeded", exit_code=0, held=False)

    assert told(of(None, None, confirmed=True, gone=gone)) == (VANISHED, None)


def test_a_submission_that_failed_is_told_in_the_operators_words() -> None:
    found = of(made.application("FAILED", "failed to run spark-submit: exceeded quota"), None, confirmed=True)

    assert found == End(succeeded=False, exit_code=None, submission_error="failed to run spark-submit: exceeded quota")


STOPPED = {"archer.moka.dev/stopped-for": "cancel"}


@pytest.mark.parametrize(
    "driver",
    [
        made.driver("Failed", exit_code=143, deleted=made.LATER, finished=made.LATEST, annotations=STOPPED),
        # the node's clock is behind
        made.driver("Failed", exit_code=143, deleted=made.LATER, finished=ONE_SECOND_EARLIER, annotations=STOPPED),
        made.driver("Failed", exit_code=137, deleted=made.LATER, finished=ONE_SECOND_EARLIER, annotations=STOPPED),
        # within the same second nobody can tell; SIGTERM is the likelier reason
        made.driver("Failed", exit_code=143, deleted=made.LATER, annotations=STOPPED),
        # a program may answer SIGTERM with exit code 0: it was stopped all the same
        made.driver("Succeeded", exit_code=0, deleted=made.LATER, finished=made.LATEST, annotations=STOPPED),
    ],
)
def test_an_end_that_archer_asked_for_says_so(driver: made.Manifest) -> None:
    found = of(None, driver, confirmed=True)

    assert isinstance(found, End)
    assert (found.succeeded, found.stopped_for) == (False, "cancel")


@pytest.mark.parametrize(("exit_code", "finished"), [(0, ONE_SECOND_EARLIER), (1, ONE_SECOND_EARLIER), (0, made.LATER)])
def test_a_driver_that_had_ended_before_the_stop_ended_by_itself(exit_code: int, finished: str) -> None:
    phase = "Failed" if exit_code else "Succeeded"
    driver = made.driver(phase, exit_code=exit_code, finished=finished, deleted=made.LATER, annotations=STOPPED)

    assert plain(of(None, driver, confirmed=True)) == End(succeeded=exit_code == 0, exit_code=exit_code)


def test_a_stop_before_there_was_a_driver_is_remembered() -> None:
    found = of(None, None, confirmed=True, stopped_for="start-timeout")

    assert found == End(succeeded=False, exit_code=None, stopped_for="start-timeout")
    # it was there first
    assert of(made.application("COMPLETED"), None, stopped_for="cancel") == End(succeeded=True, exit_code=0)


@pytest.mark.parametrize(
    ("driver", "category"),
    [
        (PENDING, Category.UNSCHEDULABLE),
        (made.driver("Pending", waiting=IMAGE_PULL), Category.IMAGE_PULL),
        (made.driver("Pending", waiting={"reason": "InvalidImageName"}), Category.IMAGE_PULL),
        (
            made.driver("Pending", waiting={"reason": "CreateContainerConfigError", "message": "no map"}),
            Category.SUBMIT_ERROR,
        ),
        (made.driver("Pending", waiting={"reason": "ContainerCreating"}), None),
        (made.driver("Pending", node=None), None),
    ],
)
def test_what_keeps_a_driver_from_starting_is_named_for_whoever_loses_patience(
    driver: made.Manifest, category: Category | None
) -> None:
    found = of(made.application("SUBMITTED"), driver)

    assert isinstance(found, Observation)
    assert found.stuck is category


FAILED = made.application("FAILED", "driver container failed with ExitCode: 1, Reason: Error")


def test_executors_may_tell_how_they_ended_before_a_failure_is_judged() -> None:
    driver, lives = made.driver("Failed", exit_code=1), made.executor()

    early = of(FAILED, driver, lives, seconds=305, settle_seconds=10)

    assert told(early) == (RUNNING, "its driver failed; its executors are heard")
    assert of(FAILED, driver, lives, seconds=310, settle_seconds=10) == End(succeeded=False, exit_code=1)
    dead = made.executor(2, "Failed", exit_code=137, reason="OOMKilled")
    assert of(FAILED, driver, dead, lives, seconds=305, settle_seconds=10) == End(succeeded=False, exit_code=1)
    assert of(FAILED, driver, seconds=305, settle_seconds=10) == End(succeeded=False, exit_code=1)


def test_a_driver_that_was_killed_for_memory_waits_for_no_executor() -> None:
    driver = made.driver("Failed", exit_code=137, reason="OOMKilled")

    found = of(made.application("FAILED", CODE), driver, made.executor(), seconds=305, settle_seconds=10)

    assert found == End(succeeded=False, exit_code=137)


def test_executors_that_find_no_node_are_the_substate_of_a_running_job() -> None:
    stuck = made.executor(phase="Pending", node=None, conditions=[made.unschedulable("0/9 nodes")])

    assert told(of(made.application("RUNNING"), made.driver(), stuck)) == (RUNNING, "executors are pending: 0/9 nodes")
    assert told(of(made.application("RUNNING"), made.driver(), stuck, made.executor(2))) == (RUNNING, None)


def test_sparks_id_and_page_go_along() -> None:
    app = made.application("RUNNING", driverInfo={"webUIIngressAddress": "ui.example"})

    found = of(app, made.driver())

    assert isinstance(found, Observation)
    assert (found.spark_app_id, found.ui_url) == ("spark-1", "ui.example")


@pytest.mark.parametrize(("exit_code", "phase", "succeeded"), [(0, "Succeeded", True), (1, "Failed", False)])
def test_an_operator_that_says_nothing_for_half_an_hour_keeps_no_job_from_its_end(
    exit_code: int, phase: str, *, succeeded: bool
) -> None:
    app, driver = made.application("RUNNING"), made.driver(phase, exit_code=exit_code)

    before = of(app, driver, seconds=300 + 1799, confirmed=True)
    after = of(app, driver, seconds=300 + 1800, confirmed=True)

    assert told(before)[0] is Phase.RUNNING
    assert isinstance(after, End)
    assert (after.succeeded, after.exit_code) == (succeeded, exit_code)


def test_an_operator_that_takes_nothing_up_is_named_as_what_keeps_the_attempt_from_starting() -> None:
    seen = of(made.application(), None, seconds=4000, confirmed=True)

    assert isinstance(seen, Observation)
    assert seen.stuck is Category.LOST
