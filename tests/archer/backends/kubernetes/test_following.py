"""Following a namespace: what is news, what is counted, and what is remembered of what went."""

import time
from collections.abc import Callable, Iterator

import pytest

from archer.backends.kubernetes import names
from archer.backends.kubernetes.following import Following
from archer.errors import BackendUnavailableError
from testbed import spark_manifests as made
from testbed.fake_kubernetes import FakeKubernetes

PODS = names.pods(made.NAMESPACE)
APPLICATIONS = names.applications(made.NAMESPACE)


@pytest.fixture
def following(ended: FakeKubernetes) -> Iterator[Following]:
    """Three reflectors of a namespace with one attempt that ended."""
    following = Following(ended.client, "batch", made.NAMESPACE, ())
    following.start()
    yield following
    following.stop()


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_nothing_is_told_before_all_is_listed(ended: FakeKubernetes) -> None:
    with pytest.raises(BackendUnavailableError, match="batch/spark-ads/applications is not known just now"):
        Following(ended.client, "batch", made.NAMESPACE, ()).news()


def test_at_first_everything_is_news_and_then_what_changed(ended: FakeKubernetes, following: Following) -> None:
    until(lambda: following.synced)
    assert made.NAME in following.news()
    assert following.news() == set()

    until(lambda: len(ended.asked("WATCH")) == 3)
    ended.tell("MODIFIED", APPLICATIONS, made.application("FAILED", "why"))

    until(lambda: (found := following.application(made.NAME)) is not None and found.state == "FAILED")
    assert following.news() == {made.NAME}


def test_an_attempt_is_news_again_once_its_time_has_come(ended: FakeKubernetes) -> None:
    now = [1000.0]
    following = Following(ended.client, "batch", made.NAMESPACE, (), clock=lambda: now[0])
    following.start()
    try:
        until(lambda: following.synced)
        following.news()
        following.again(made.NAME, 1005.0)
        assert following.news() == set()
        now[0] = 1005.0
        assert following.news() == {made.NAME}
        assert following.news() == set()
    finally:
        following.stop()


def test_executors_are_counted_by_attempt_and_only_a_bad_end_is_news(
    ended: FakeKubernetes, following: Following
) -> None:
    until(lambda: following.synced and len(ended.asked("WATCH")) == 3)
    following.news()
    assert sorted(following.executor_pods(made.NAME)) == [f"{made.NAME}-exec-1", f"{made.NAME}-exec-2"]

    ended.tell("ADDED", PODS, made.executor(3, "Running"))
    until(lambda: following.executors(made.NAME).running == 1)
    assert following.executors(made.NAME).ended == 2
    assert following.news() == set()

    ended.tell("MODIFIED", PODS, made.executor(3, "Failed", exit_code=137, reason="OOMKilled"))
    until(lambda: following.executors(made.NAME).failed)
    assert following.news() == {made.NAME}


def test_an_executor_that_no_longer_waits_is_news(ended: FakeKubernetes, following: Following) -> None:
    until(lambda: following.synced and len(ended.asked("WATCH")) == 3)
    ended.tell("ADDED", PODS, made.executor(3, "Pending", node=None, conditions=[made.unschedulable()]))
    until(lambda: following.executors(made.NAME).stuck)
    following.news()

    ended.tell("MODIFIED", PODS, made.executor(3, "Running"))
    until(lambda: following.executors(made.NAME).running == 1)
    assert following.news() == {made.NAME}


def test_a_driver_that_went_is_remembered_as_it_was(ended: FakeKubernetes, following: Following) -> None:
    until(lambda: following.synced and len(ended.asked("WATCH")) == 3)
    assert following.gone(made.NAME) is None

    ended.tell("DELETED", PODS, made.driver("Succeeded", exit_code=0, held=False))

    until(lambda: following.driver(made.NAME) is None)
    gone = following.gone(made.NAME)
    assert gone is not None
    # as it was before the last change, which took the finalizer off and the pod with it
    assert (gone.held, gone.end is not None) == (True, True)


def test_who_stops_following_knows_nothing_any_more(following: Following) -> None:
    until(lambda: following.synced)

    following.stop()

    assert not following.synced
    with pytest.raises(BackendUnavailableError):
        following.news()
