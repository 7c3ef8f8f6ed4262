"""Whole deliveries against a server in memory. What a real one does with them is proven in tests/e2e/delivery."""

import threading
from typing import Any

import pytest

from moka_constructs.manifest_set.handler import rollout
from moka_constructs.manifest_set.handler.errors import SetError
from testbed.fake_api_server import FakeApiServer

from .conftest import Deliver, Files, a_crd, a_deployment, an_object, as_files

INVENTORY = "/api/v1/namespaces/kube-system/configmaps/moka-set-platform"
VALUES = "/api/v1/namespaces/moka-system/configmaps/moka-platform"


def files(**more: Any) -> Files:
    return {
        "00-crds.yaml": [a_crd("Thing")],
        "10-namespaces.yaml": [
            an_object("Namespace", "moka-system"),
            an_object("ServiceAccount", "sa", "moka-system"),
        ],
        "20-things.yaml": [an_object("Thing", "t", "moka-system", api="example.com/v1", spec={"size": 1})],
        "30-work.yaml": [a_deployment("d", "moka-system", system=False)],
        **more,
    }


def test_a_new_set_is_created_and_a_second_apply_moves_no_version(deliver: Deliver, server: FakeApiServer) -> None:
    first = deliver().apply(as_files(files()))
    versions = {path: each["metadata"]["resourceVersion"] for path, each in server.objects.items()}

    second = deliver().apply(as_files(files()))

    assert first.counts()["created"] == 5
    assert second.counts() == {
        "created": 0,
        "changed": 0,
        "unchanged": 5,
        "left alone": 0,
        "pruned": 0,
        "kept": 0,
    }
    assert {path: each["metadata"]["resourceVersion"] for path, each in server.objects.items()} == versions


def test_what_would_not_change_is_judged_and_not_sent_again(deliver: Deliver, server: FakeApiServer) -> None:
    deliver().apply(as_files(files()))
    server.requests.clear()

    deliver().apply(as_files(files()))

    judged = [target for method, target in server.requests if method == "PATCH" and "dryRun=All" in target]
    assert len(judged) == 4
    assert [path.rsplit("/", 1)[1] for _, path in server.writes()] == ["things.example.com"]


def test_a_new_kind_is_used_in_the_set_that_brings_it(deliver: Deliver, server: FakeApiServer) -> None:
    deliver().apply(as_files(files()))

    assert server.objects["/apis/example.com/v1/namespaces/moka-system/things/t"]["spec"] == {"size": 1}


def test_members_are_remembered_before_anything_is_applied(deliver: Deliver, server: FakeApiServer) -> None:
    deliver().apply(as_files(files()))
    writes = [path for _, path in server.writes()]

    assert writes[0].endswith("/configmaps")
    assert server.objects[INVENTORY]["data"]["members"].splitlines()[:2] == [
        "apiextensions.k8s.io/v1 CustomResourceDefinition things.example.com",
        "v1 Namespace moka-system",
    ]


def test_what_left_the_set_is_pruned_and_nothing_else(deliver: Deliver, server: FakeApiServer) -> None:
    deliver().apply(as_files(files()))
    server.put("/api/v1/namespaces/moka-system/configmaps/foreign", an_object("ConfigMap", "foreign"))
    less = files()
    del less["30-work.yaml"]

    result = deliver().apply(as_files(less))

    assert [str(each) for each in result.removal.removed] == ["Deployment moka-system/d"]
    assert "/api/v1/namespaces/moka-system/configmaps/foreign" in server.objects
    assert "Deployment" not in server.objects[INVENTORY]["data"]["members"]


def test_without_pruning_it_is_left_told_and_remembered(deliver: Deliver, server: FakeApiServer) -> None:
    deliver().apply(as_files(files()))
    less = files()
    del less["30-work.yaml"]

    result = deliver(prune=False).apply(as_files(less))

    assert [str(each) for each in result.left_over] == ["Deployment moka-system/d"]
    assert "Deployment moka-system/d" in server.objects[INVENTORY]["data"]["members"]
    assert deliver().apply(as_files(less)).counts()["pruned"] == 1


def test_a_crd_that_left_stays_and_is_remembered(deliver: Deliver, server: FakeApiServer, said: list[str]) -> None:
    deliver().apply(as_files(files()))
    less = files()
    del less["00-crds.yaml"]
    del less["20-things.yaml"]

    result = deliver().apply(as_files(less))

    assert result.counts()["kept"] == 1
    assert "CustomResourceDefinition things.example.com stays: with a CRD go all its objects" in said
    assert "things.example.com" in server.objects[INVENTORY]["data"]["members"]
    assert deliver(everything=True).apply(as_files(less)).counts()["pruned"] == 1


def test_nothing_is_changed_when_the_server_would_refuse_any_of_it(deliver: Deliver, server: FakeApiServer) -> None:
    deliver().apply(as_files(files()))
    deployment = "/apis/apps/v1/namespaces/moka-system/deployments/d"
    server.objects[deployment]["metadata"]["managedFields"].append(
        {"manager": "kubectl-scale", "operation": "Update", "fields": ["replicas"]}
    )
    server.objects[deployment]["spec"]["replicas"] = 5
    before = server.writes()
    changed = files(**{"15-new.yaml": [an_object("ConfigMap", "new", "moka-system")]})

    with pytest.raises(SetError, match=r"the API server would refuse:\n  Deployment moka-system/d: \.spec\.replicas"):
        deliver().apply(as_files(changed))

    assert server.writes() == before


def test_a_set_that_stopped_half_way_is_completed_by_the_next_apply(deliver: Deliver, server: FakeApiServer) -> None:
    def broken(method: str, path: str) -> tuple[int, Any] | None:
        refused = method == "PATCH" and "/deployments/" in path and "dryRun" not in path
        return (422, {"message": "admission webhook said no"}) if refused else None

    server.faults.append(broken)
    with pytest.raises(
        SetError, match=r"applying 30-work\.yaml:\n  Deployment moka-system/d: admission webhook said no"
    ):
        deliver().apply(as_files(files()))
    half = server.objects[INVENTORY]["data"]["members"]
    server.faults.clear()

    result = deliver().apply(as_files(files()))

    assert "Deployment moka-system/d" in half
    assert (result.counts()["created"], result.counts()["unchanged"]) == (1, 4)


def test_what_a_half_applied_set_left_behind_is_pruned_by_a_smaller_one(
    deliver: Deliver, server: FakeApiServer
) -> None:
    more = files(**{"40-more.yaml": [an_object("ConfigMap", "more", "moka-system")]})
    server.faults.append(
        lambda method, path: (422, {"message": "no"}) if method == "PATCH" and "/deployments/" in path else None
    )
    with pytest.raises(SetError):
        deliver().apply(as_files({**more, "25-early.yaml": [an_object("ConfigMap", "early", "moka-system")]}))
    server.faults.clear()

    result = deliver().apply(as_files(files()))

    assert [str(each) for each in result.removal.removed] == [
        "ConfigMap moka-system/more",
        "ConfigMap moka-system/early",
    ]


def test_an_object_that_the_set_names_twice_is_refused_before_anything(deliver: Deliver, server: FakeApiServer) -> None:
    twice = files(**{"50-again.yaml": [a_deployment("d", "moka-system")]})

    with pytest.raises(SetError, match="Deployment moka-system/d: remove one of the two"):
        deliver().apply(as_files(twice))

    assert server.requests == []


def test_values_are_there_before_what_reads_them(deliver: Deliver, server: FakeApiServer) -> None:
    deliver(platform_values={"oidc_issuer": "x"}).apply(as_files(files()))
    order = [path for _, path in server.writes()]

    assert server.objects[VALUES]["data"] == {"oidc_issuer": "x"}
    assert order.index("/api/v1/namespaces/moka-system") < order.index(VALUES)
    assert order.index(VALUES) < order.index("/apis/apps/v1/namespaces/moka-system/deployments/d")


def test_a_set_of_values_alone_writes_them(deliver: Deliver, server: FakeApiServer) -> None:
    server.put("/api/v1/namespaces/moka-system", an_object("Namespace", "moka-system"))

    deliver(platform_values={"database_endpoint": "db"}).apply(())

    assert server.objects[VALUES]["data"] == {"database_endpoint": "db"}


def test_an_apply_by_hand_leaves_the_values_alone(deliver: Deliver, server: FakeApiServer) -> None:
    deliver().apply(as_files(files()))

    assert VALUES not in server.objects


def test_rollouts_of_the_system_pool_are_waited_for(
    deliver: Deliver, server: FakeApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollout, "POLL_SECONDS", 0.02)
    path = "/apis/apps/v1/namespaces/moka-system/deployments/d"

    def controller() -> None:
        server.objects[path]["status"] = {"observedGeneration": 1, "updatedReplicas": 1, "availableReplicas": 1}

    late = deliver()
    late.say = lambda text: late.client.deadline.call_off() if text.startswith("waiting for") else None
    wanted = as_files(files(**{"30-work.yaml": [a_deployment("d", "moka-system")]}))
    with pytest.raises(
        SetError, match=r"rollouts are not complete.*\n  Deployment moka-system/d: 0 of 1 pods are ready"
    ):
        late.apply(wanted)
    timer = threading.Timer(0.2, controller)
    timer.start()
    deliver().apply(wanted)
    timer.join()
    deliver(wait=False).apply(as_files(files(**{"30-work.yaml": [a_deployment("d", "moka-system", replicas=9)]})))


def test_delete_takes_the_set_away_and_leaves_crds(deliver: Deliver, server: FakeApiServer) -> None:
    deliver(platform_values={"oidc_issuer": "x"}).apply(as_files(files()))

    removal = deliver(platform_values={"oidc_issuer": "x"}).delete()

    assert [str(each) for each in removal.kept] == ["CustomResourceDefinition things.example.com"]
    assert not [path for path in server.objects if "moka-system" in path]
    assert server.objects[INVENTORY]["data"]["members"].splitlines() == [
        "apiextensions.k8s.io/v1 CustomResourceDefinition things.example.com"
    ]


def test_delete_of_everything_leaves_nothing(deliver: Deliver, server: FakeApiServer) -> None:
    untouched = set(server.objects)
    deliver().apply(as_files(files()))

    deliver(everything=True).delete()

    assert set(server.objects) == untouched


def test_delete_releases_finalizers_of_drivers_that_ended(
    deliver: Deliver, server: FakeApiServer, said: list[str]
) -> None:
    deliver().apply(as_files(files(**{"11-team.yaml": [an_object("Namespace", "spark-ads")]})))
    metadata = {"labels": {"spark-role": "driver"}, "finalizers": ["archer.moka.dev/outcome"]}
    path = "/api/v1/namespaces/spark-ads/pods/driver"
    server.put(path, an_object("Pod", "driver", metadata=metadata, status={"phase": "Succeeded"}))
    server.objects[path]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"

    deliver().delete()

    assert "released the finalizer of pod spark-ads/driver" in said
    assert "/api/v1/namespaces/spark-ads" not in server.objects


def test_a_diff_changes_nothing_and_tells_what_would_be_pruned(deliver: Deliver, server: FakeApiServer) -> None:
    deliver().apply(as_files(files()))
    before = server.writes()
    changed = files(**{"30-work.yaml": [], "40-new.yaml": [an_object("ConfigMap", "new", "moka-system")]})
    del changed["00-crds.yaml"]

    found, left_over = deliver().diff(as_files(changed))

    assert [str(each.reference) for each in found] == ["ConfigMap moka-system/new"]
    # the CRD would stay, so it is no difference
    assert [str(each) for each in left_over] == ["Deployment moka-system/d"]
    assert server.writes() == before


def test_a_namespace_never_goes_while_members_are_in_it(deliver: Deliver, server: FakeApiServer) -> None:
    deliver().apply(as_files(files()))
    before = server.writes()
    less = files(**{"10-namespaces.yaml": [an_object("ServiceAccount", "sa", "moka-system")]})

    with pytest.raises(
        SetError, match=r"Namespace moka-system: it left the set, but .* in it did not; keep both or neither"
    ):
        deliver().apply(as_files(less))

    assert server.writes() == before
