"""Ending an attempt: what is asked of the cluster, in which order, and what is left alone."""

import pytest

from archer.backends.interface import StopReason
from archer.backends.kubernetes import names, records
from archer.backends.kubernetes.stopping import Stops
from archer.kubernetes.errors import ApiError
from testbed import spark_manifests as made
from testbed.fake_kubernetes import FakeKubernetes

APPLICATION = names.applications(made.NAMESPACE, made.NAME)
DRIVER = names.pods(made.NAMESPACE, f"{made.NAME}-driver")


def stop(api: FakeKubernetes, *, why: StopReason = StopReason.CANCEL) -> Stops:
    """As the backend does, which knows what is there."""
    stops = Stops()
    app, driver = api.objects.get(APPLICATION), api.objects.get(DRIVER)
    stops.stop(
        api.client,
        made.NAMESPACE,
        made.NAME,
        why,
        application=None if app is None else records.application(app),
        driver=None if driver is None else records.driver(driver),
    )
    return stops


def test_the_reason_is_written_on_the_driver_before_the_application_goes(api: FakeKubernetes) -> None:
    api.objects |= {APPLICATION: made.application("RUNNING"), DRIVER: made.driver()}

    stop(api, why=StopReason.RUN_TIMEOUT)

    assert api.calls == [("PATCH", DRIVER), ("DELETE", APPLICATION)]
    assert api.objects[DRIVER]["metadata"]["annotations"] == {names.STOPPED_ANNOTATION: "run-timeout"}


def test_what_a_driver_waited_for_is_written_beside_the_reason(api: FakeKubernetes) -> None:
    waiting = {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}
    api.objects |= {APPLICATION: made.application("SUBMITTED"), DRIVER: made.driver("Pending", waiting=waiting)}

    stop(api, why=StopReason.STUCK)

    assert api.objects[DRIVER]["metadata"]["annotations"] == {
        names.STOPPED_ANNOTATION: "stuck",
        names.WAITED_ANNOTATION: "image-pull: Back-off pulling image",
    }


def test_an_application_is_never_edited(api: FakeKubernetes) -> None:
    api.objects |= {APPLICATION: made.application()}

    stops = stop(api)

    assert api.calls == [("DELETE", APPLICATION)]
    assert stops.of(made.NAME) == "cancel"


def test_the_first_reason_stays(api: FakeKubernetes) -> None:
    running = made.driver(annotations={names.STOPPED_ANNOTATION: "run-timeout"})
    api.objects |= {APPLICATION: made.application("RUNNING", deleted=True), DRIVER: running}

    stop(api)

    assert api.calls == []


@pytest.mark.parametrize("state", ["COMPLETED", "FAILED"])
def test_what_has_ended_is_left_alone(api: FakeKubernetes, state: str) -> None:
    api.objects |= {APPLICATION: made.application(state), DRIVER: made.driver("Succeeded", exit_code=0)}

    stops = stop(api)

    assert api.calls == []
    assert stops.of(made.NAME) is None


def test_a_driver_that_the_operator_gave_up_is_ended_too(api: FakeKubernetes) -> None:
    api.objects |= {APPLICATION: made.application("FAILED", "driver pod already exist"), DRIVER: made.driver()}

    stop(api)

    assert api.asked("DELETE") == [APPLICATION]


def test_a_driver_without_an_application_is_deleted_itself(api: FakeKubernetes) -> None:
    api.objects |= {DRIVER: made.driver()}

    stop(api)

    assert api.asked("DELETE") == [APPLICATION, DRIVER]


def test_a_driver_that_goes_at_this_moment_is_no_error(api: FakeKubernetes) -> None:
    api.objects |= {APPLICATION: made.application("RUNNING"), DRIVER: made.driver()}
    api.faults["PATCH", DRIVER] = [ApiError(404, "NotFound", "gone")]

    stop(api)

    assert APPLICATION not in api.objects
