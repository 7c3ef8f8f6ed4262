"""Logs that are read beside the looks: how many of one node, what is read once, and what nobody comes for."""

import threading
from collections.abc import Iterator

import pytest

from archer.backends.kubernetes import names, tails
from archer.backends.kubernetes.tails import Tail, Tails, Wanted
from archer.kubernetes.errors import ApiError
from testbed import spark_manifests as made
from testbed.fake_kubernetes import FakeKubernetes


def path(attempt: str) -> str:
    return f"{names.pods(made.NAMESPACE, f'{attempt}-driver')}/log"


def wanted(*attempts: str, node: str = "n1") -> list[Wanted]:
    return [Wanted(namespace=made.NAMESPACE, attempt=attempt, node=node, most=100) for attempt in attempts]


@pytest.fixture
def reader(api: FakeKubernetes) -> Iterator[Tails]:
    """Every log is there; nobody waits long for one."""
    api.logs = {path(f"{node}-{number}"): b"words" for node in "ab" for number in range(20)}
    reader = Tails(api.client)
    yield reader
    for held in api.held.values():
        held.set()
    reader.close()


def until(reader: Tails, *attempts: str, node: str) -> dict[str, Tail]:
    """What is read in the end."""
    found: dict[str, Tail] = {}
    while len(found) < len(attempts):
        left = [attempt for attempt in attempts if attempt not in found]
        found |= {name: tail for name, tail in reader.read(wanted(*left, node=node)).items() if tail.text is not None}
    return found


def test_a_silent_node_leaves_threads_to_the_others(api: FakeKubernetes, reader: Tails) -> None:
    silence = threading.Event()
    silent = [f"a-{number}" for number in range(tails.THREADS * 2)]
    api.held = {path(attempt): silence for attempt in silent}
    reader.read(wanted(*silent, node="a"))

    found = until(reader, "b-1", "b-2", node="b")

    assert {tail.text for tail in found.values()} == {"words"}
    assert len([each for each in api.asked("GET") if each in api.held]) == tails.PER_NODE
    silence.set()
    assert len(until(reader, *silent, node="a")) == len(silent), "what was put off is read once the node answers"


def test_a_node_that_was_waited_for_in_vain_is_lent_one_thread(api: FakeKubernetes, reader: Tails) -> None:
    first, second = threading.Event(), threading.Event()
    api.held = {path("a-0"): first, **{path(f"a-{number}"): second for number in range(1, 9)}}
    reader.read(wanted("a-0", node="a"))

    reader.read(wanted(*(f"a-{number}" for number in range(1, 9)), node="a"))

    assert api.asked("GET") == [path("a-0")]


def test_an_error_is_told_once_and_the_log_is_read_anew(api: FakeKubernetes, reader: Tails) -> None:
    api.faults["GET", path("a-1")] = [ApiError(429, "TooManyRequests", "slow down")]

    told = reader.read(wanted("a-1"))["a-1"]

    assert (told.text, "slow down" in told.why) == (None, True)
    assert reader.read(wanted("a-1"))["a-1"].text == "words"


def test_what_is_forgotten_before_its_turn_is_never_read(api: FakeKubernetes, reader: Tails) -> None:
    silence = threading.Event()
    api.held = {path("a-0"): silence}
    reader.read(wanted("a-0", node="a"))
    reader.read(wanted("a-1", "a-2", node="a"))
    reader.forget("a-1")

    silence.set()
    until(reader, "a-0", "a-2", node="a")

    assert path("a-1") not in api.asked("GET")


def test_no_more_is_asked_for_than_can_be_kept(
    api: FakeKubernetes, reader: Tails, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tails, "MOST", 2)
    silence = threading.Event()
    api.held = {path(f"a-{number}"): silence for number in range(5)}

    reader.read(wanted(*(f"a-{number}" for number in range(5)), node="a"))

    assert len(api.asked("GET")) == 2
