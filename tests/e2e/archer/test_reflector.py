"""Archer's reflector at a real API server: pages, compaction, restarts, and what changed while nobody watched."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from archer.kubernetes.access import Access
from archer.kubernetes.client import ApiClient
from archer.kubernetes.reflector import Pace, Reflector, namespaced_name_of

if TYPE_CHECKING:
    from testbed.control_plane import ControlPlane

QUICK = Pace(first_pause_seconds=0.1, longest_pause_seconds=1, relist_gap_seconds=0.5, stale_seconds=3)
MINE = "archer-test=yes"
PATH = "/api/v1/configmaps"


@pytest.fixture(scope="module")
def own_plane(plane_factory: Callable[..., ControlPlane]) -> Iterator[ControlPlane]:
    """A control plane for this file: its API server stops and its history is forgotten."""
    with plane_factory() as plane:
        yield plane


@pytest.fixture(scope="module")
def api(own_plane: ControlPlane) -> Iterator[ApiClient]:
    with ApiClient(Access.from_kubeconfig(own_plane.kubeconfig)) as api:
        yield api


@pytest.fixture
def space(api: ApiClient, request: pytest.FixtureRequest) -> str:
    """The path of the ConfigMaps of a namespace of the test's own."""
    name = f"t{abs(hash(request.node.name)) % 10**8}"
    api.create("/api/v1/namespaces", {"metadata": {"name": name}})
    return f"/api/v1/namespaces/{name}/configmaps"


class Ads:
    """A reflector of ConfigMaps with our label, what it told, and what is true."""

    def __init__(self, api: ApiClient, path: str, **more: Any) -> None:
        self.changes: list[tuple[str, str | None, str | None]] = []
        self.whys: list[str] = []
        self._api = api
        self._path = path
        self.reflector: Reflector[str] = Reflector(
            api,
            path,
            label_selector=MINE,
            project=lambda thing: str(thing["data"]["value"]),
            on_change=lambda *change: self.changes.append(change),
            name="ads",
            pace=QUICK,
            **more,
        )

    def truth(self) -> dict[str, str]:
        return {
            item["metadata"]["name"]: item["data"]["value"]
            for page in self._api.pages(self._path, labelSelector=MINE)
            for item in page.items
        }

    def wait_true(self, seconds: float = 60) -> None:
        """Return when it knows what the server knows."""
        until(lambda: dict(self.reflector.items()) == self.truth(), seconds)

    def replayed(self) -> dict[str, str]:
        """What somebody knows who only heard the changes; each must fit on the one before."""
        known: dict[str, str] = {}
        for key, before, after in self.changes:
            assert known.pop(key, None) == before
            assert before != after
            if after is not None:
                known[key] = after
        return known


@contextmanager
def listening(api: ApiClient, path: str, **more: Any) -> Iterator[Ads]:
    ads = Ads(api, path, **more)
    ads.reflector.start()
    try:
        assert ads.reflector.wait_synced(30), ads.reflector.last_error
        until(lambda: ads.reflector.figures().lag_seconds == 0)
        yield ads
    finally:
        ads.reflector.stop()


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.02)


def a_map(name: str, value: str, label: str = "yes") -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": {"archer-test": label}}, "data": {"value": value}}


def put(api: ApiClient, path: str, name: str, value: str) -> None:
    api.patch(f"{path}/{name}", {"data": {"value": value}})


def make_many(api: ApiClient, path: str, names: list[str]) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: api.create(path, a_map(name, "1")), names))


def test_a_list_of_many_pages_is_whole(api: ApiClient, space: str) -> None:
    names = [f"n{number:04}" for number in range(1200)]
    make_many(api, space, names)

    with listening(api, space) as ads:
        pages = [len(page.items) for page in api.pages(space, labelSelector=MINE)]

        assert dict(ads.reflector.items()) == dict.fromkeys(names, "1")
        assert sorted(ads.changes) == [(name, None, "1") for name in names]
        # beside them the namespace has the ConfigMap of its authority, without our label
        assert pages == [500, 500, 200]


def test_every_change_is_told_as_it_happens(api: ApiClient, space: str) -> None:
    with listening(api, space) as ads:
        api.create(space, a_map("a", "1"))
        api.create(space, a_map("not-ours", "1", label="no"))
        put(api, space, "a", "2")
        api.patch(f"{space}/a", {"metadata": {"annotations": {"beside": "the point"}}})
        api.delete(f"{space}/a")
        api.create(space, a_map("a", "3"))
        until(lambda: len(ads.changes) == 4)

        assert ads.changes == [("a", None, "1"), ("a", "1", "2"), ("a", "2", None), ("a", None, "3")]


def test_what_loses_its_label_is_gone_and_what_gets_it_is_new(api: ApiClient, space: str) -> None:
    api.create(space, a_map("a", "1"))
    api.create(space, a_map("b", "1", label="no"))
    with listening(api, space) as ads:
        api.patch(f"{space}/a", {"metadata": {"labels": {"archer-test": None}}})
        api.patch(f"{space}/b", {"metadata": {"labels": {"archer-test": "yes"}}})
        until(lambda: len(ads.changes) == 3)

        assert ads.changes == [("a", None, "1"), ("a", "1", None), ("b", None, "1")]


@pytest.mark.parametrize("graceful", [False, True])
def test_a_restart_of_the_server_loses_and_invents_nothing(
    own_plane: ControlPlane, api: ApiClient, space: str, graceful: bool
) -> None:
    make_many(api, space, ["a", "b", "c"])
    with listening(api, space) as ads:
        own_plane.restart_api_server(graceful=graceful)
        put(api, space, "a", "2")
        api.delete(f"{space}/b")
        ads.wait_true()

        assert ads.replayed() == {"a": "2", "c": "1"}
        assert len(ads.changes) == 5


def test_after_compaction_exactly_what_differs_is_told(own_plane: ControlPlane, api: ApiClient, space: str) -> None:
    make_many(api, space, ["changed", "deleted", "kept", "replaced"])
    with listening(api, space) as ads, ApiClient(Access.from_kubeconfig(own_plane.kubeconfig)) as other:
        ads.changes.clear()
        with away(ads.reflector):
            put(other, space, "changed", "2")
            other.delete(f"{space}/deleted")
            other.delete(f"{space}/replaced")
            other.create(space, a_map("replaced", "1"))
            other.create(space, a_map("new", "1"))
            for number in range(50):
                put(other, space, "kept", str(number % 2))
            put(other, space, "kept", "1")
            own_plane.compact_etcd()
            # its cache would still serve the old version
            own_plane.restart_api_server()
            own_plane.compact_etcd()
        until(lambda: ads.reflector.figures().lists == 2)
        ads.wait_true()

        assert sorted(ads.changes, key=lambda change: (change[0], change[1] is None)) == [
            ("changed", "1", "2"),
            ("deleted", "1", None),
            ("new", None, "1"),
            ("replaced", "1", None),
            ("replaced", None, "1"),
        ]


def test_what_happened_while_the_watch_was_away_comes_from_history_when_there_is_some(
    own_plane: ControlPlane, api: ApiClient, space: str
) -> None:
    make_many(api, space, ["a", "b"])
    with listening(api, space) as ads, ApiClient(Access.from_kubeconfig(own_plane.kubeconfig)) as other:
        with away(ads.reflector):
            put(other, space, "a", "2")
            other.delete(f"{space}/b")
            other.create(space, a_map("c", "1"))
        ads.wait_true()

        assert ads.reflector.figures().lists == 1
        assert ads.replayed() == {"a": "2", "c": "1"}


def test_many_changes_at_once_are_all_told(api: ApiClient, space: str) -> None:
    names = [f"n{number:03}" for number in range(200)]
    with listening(api, space) as ads:

        def live(name: str) -> None:
            api.create(space, a_map(name, "1"))
            for value in ("2", "3", "4"):
                put(api, space, name, value)
            if name.endswith("0"):
                api.delete(f"{space}/{name}")

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(live, names))
        ads.wait_true()
        until(lambda: len(ads.changes) == 200 * 4 + 20)

        assert ads.replayed() == {name: "4" for name in names if not name.endswith("0")}


def test_many_reflectors_follow_many_namespaces_over_one_client(api: ApiClient, space: str) -> None:
    paths = []
    for number in range(12):
        name = f"{space.split('/')[4]}-{number}"
        api.create("/api/v1/namespaces", {"metadata": {"name": name}})
        paths.append(f"/api/v1/namespaces/{name}/configmaps")
    readers = [Ads(api, path) for path in paths]
    for reader in readers:
        reader.reflector.start()
    try:
        assert all(reader.reflector.wait_synced(30) for reader in readers)
        for path in paths:
            api.create(path, a_map("a", path))
        until(
            lambda: all(
                dict(reader.reflector.items()) == {"a": path} for reader, path in zip(readers, paths, strict=True)
            )
        )
    finally:
        for reader in readers:
            reader.reflector.stop()


def test_all_namespaces_are_followed_by_their_keys(api: ApiClient, space: str) -> None:
    api.create(space, a_map("a", "1"))
    namespace = space.split("/")[4]
    with listening(api, PATH, key=namespaced_name_of) as ads:
        assert ads.reflector.get(f"{namespace}/a") == "1"


def test_a_kind_that_comes_later_is_followed_from_then_on(api: ApiClient) -> None:
    seen: list[str] = []
    reflector: Reflector[str] = Reflector(
        api,
        "/apis/archer.test/v1/namespaces/default/jobs",
        project=lambda thing: str(thing["metadata"]["name"]),
        on_change=lambda key, _before, _after: seen.append(key),
        name="later",
        pace=QUICK,
    )
    reflector.start()
    try:
        until(lambda: "404" in (reflector.last_error or ""))
        crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        api.create(crds, crd())
        until(lambda: established(api.get(f"{crds}/jobs.archer.test")))
        api.create(
            "/apis/archer.test/v1/namespaces/default/jobs",
            {"apiVersion": "archer.test/v1", "kind": "Job", "metadata": {"name": "first"}},
        )
        until(lambda: seen == ["first"])
        assert reflector.synced
    finally:
        reflector.stop()


def test_without_the_right_it_says_who_lacks_what(own_plane: ControlPlane, space: str) -> None:
    namespace = space.split("/")[4]
    until(lambda: own_plane.client().find("v1", "ServiceAccount", "default", namespace) is not None)
    with ApiClient(Access.from_kubeconfig(own_plane.kubeconfig_for(namespace, "default"))) as nobody:
        ads = Ads(nobody, space)
        ads.reflector.start()
        until(lambda: ads.reflector.last_error is not None)
        ads.reflector.stop()

    assert "cannot list resource" in str(ads.reflector.last_error)
    assert not ads.reflector.synced


@contextmanager
def away(reflector: Reflector[str]) -> Iterator[None]:
    """Cut the watch, and let the next one begin only after the block."""
    client, over = reflector._client, threading.Event()
    real = client.watch

    def waiting(*args: Any, **kwargs: Any) -> Any:
        over.wait()
        return real(*args, **kwargs)

    client.watch = waiting  # type: ignore[method-assign]  # the server's side is real, only the moment is ours
    try:
        assert reflector._watch is not None
        reflector._watch.close()
        until(lambda: reflector.figures().lag_seconds > 0)
        yield
    finally:
        client.watch = real  # type: ignore[method-assign]  # as above
        over.set()


def crd() -> Mapping[str, Any]:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "jobs.archer.test"},
        "spec": {
            "group": "archer.test",
            "scope": "Namespaced",
            "names": {"kind": "Job", "plural": "jobs"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }


def established(thing: Mapping[str, Any]) -> bool:
    conditions = (thing.get("status") or {}).get("conditions") or ()
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)
