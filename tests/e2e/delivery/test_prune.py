"""What leaves a set is deleted, exactly that, and what others need is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moka_constructs.manifest_set.handler.order import ManifestFile
from moka_constructs.manifest_set.handler.references import Reference

from .conftest import Deliver, Files, a_crd, a_deployment, an_object, as_files, kinds_of, rendered, versions

if TYPE_CHECKING:
    from testbed.cluster import Cluster
    from testbed.kubernetes import Client

RUN = {"testbed.moka.dev/outcome": "succeed", "testbed.moka.dev/run-seconds": "600"}


def small(**more: list[dict[str, object]]) -> Files:
    files: Files = {
        "10-base.yaml": [an_object("Namespace", "pruned-a"), an_object("ConfigMap", "stays", "pruned-a")],
        "20-work.yaml": [
            an_object("ServiceAccount", "work", "pruned-a"),
            a_deployment("work", "pruned-a"),
            an_object("Service", "work", "pruned-a", spec={"ports": [{"port": 80}], "selector": {"app": "work"}}),
        ],
    }
    return {**files, **more}


def test_a_removed_chart_takes_exactly_its_own_objects_with_it(deliver: Deliver, api: Client) -> None:
    files = rendered("dev", "batch")
    deliver(set_name="platform").apply(files)
    kinds = kinds_of(files)
    before = set(versions(api, *kinds))
    (removed,) = (file for file in files if file.name.endswith("-yunikorn.yaml"))

    result = deliver(set_name="platform").apply([file for file in files if file is not removed])

    own = [Reference.of(manifest) for manifest in removed.manifests]
    assert set(result.removal.removed) == set(own)
    gone = before - set(versions(api, *kinds))
    # Kubernetes' own copies of the root certificate stay with their namespaces
    assert gone == {(each.kind, each.namespace, each.name) for each in own}
    assert api.list("v1", "Pod", "moka-yunikorn") == []
    deliver(set_name="platform").apply(files)
    assert before <= set(versions(api, *kinds))


def test_an_object_of_nobodys_or_of_another_set_is_not_touched(
    deliver: Deliver, api: Client, own_plane: Cluster
) -> None:
    deliver().apply(as_files(small()))
    own_plane.kubectl("create", "configmap", "foreign", "-n", "pruned-a")
    own_plane.kubectl("label", "configmap", "foreign", "-n", "pruned-a", "moka.dev/set=tested")
    deliver(set_name="other").apply(as_files({"10-x.yaml": [an_object("ConfigMap", "others", "pruned-a")]}))
    less = small()
    del less["20-work.yaml"]

    result = deliver().apply(as_files(less))

    assert {str(each) for each in result.removal.removed} == {
        "ServiceAccount pruned-a/work",
        "Deployment pruned-a/work",
        "Service pruned-a/work",
    }
    left = {name for _, namespace, name in versions(api, ("v1", "ConfigMap")) if namespace == "pruned-a"}
    assert {"foreign", "others", "stays"} <= left
    # a Service's labels are copied to its EndpointSlices, which are nobody's members: Kubernetes collects them
    assert not any(each.kind == "EndpointSlice" for each in (*result.removal.removed, *result.removal.foreign))


def test_a_member_that_was_taken_over_is_left_to_its_new_owner(
    deliver: Deliver, api: Client, own_plane: Cluster
) -> None:
    deliver().apply(as_files(small()))
    own_plane.kubectl("label", "service", "work", "-n", "pruned-a", "moka.dev/set-")
    less = small()
    del less["20-work.yaml"]

    result = deliver().apply(as_files(less))

    assert {str(each): why for each, why in result.removal.foreign.items()} == {
        "Service pruned-a/work": "it no longer carries the label moka.dev/set"
    }
    assert api.find("v1", "Service", "work", "pruned-a") is not None
    assert "work" not in api.get("v1", "ConfigMap", "moka-set-tested", "kube-system")["data"]["members"]
    api.delete("v1", "Service", "work", "pruned-a")


def test_a_namespace_with_jobs_stays_with_what_its_jobs_need_until_they_are_gone(deliver: Deliver, api: Client) -> None:
    team = {
        "30-team.yaml": [
            an_object("Namespace", "spark-pruned"),
            an_object("ServiceAccount", "spark", "spark-pruned"),
            an_object("Role", "driver", "spark-pruned", api="rbac.authorization.k8s.io/v1", rules=[]),
        ]
    }
    deliver().apply(as_files(small(**team)))
    api.create(
        an_object(
            "Pod",
            "driver",
            "spark-pruned",
            metadata={"labels": {"spark-role": "driver"}, "annotations": RUN},
            spec={"containers": [{"name": "main", "image": "x"}], "nodeSelector": {"moka.dev/role": "system"}},
        )
    )

    result = deliver().apply(as_files(small()))

    why = "namespace spark-pruned holds Spark pods driver"
    assert {str(each): reason for each, reason in result.removal.kept.items()} == {
        "Namespace spark-pruned": why,
        "ServiceAccount spark-pruned/spark": why,
        "Role spark-pruned/driver": why,
    }
    assert api.find("v1", "ServiceAccount", "spark", "spark-pruned") is not None
    api.delete("v1", "Pod", "driver", "spark-pruned")
    again = deliver().apply(as_files(small()))
    assert again.removal.kept == {}
    assert api.find("v1", "Namespace", "spark-pruned") is None


def test_applications_without_a_pod_keep_their_namespace_as_well(deliver: Deliver, api: Client) -> None:
    files = rendered("dev", "batch")
    deliver(set_name="platform").apply(files)
    application = an_object(
        "SparkApplication",
        "etl",
        "spark-shared",
        api="sparkoperator.k8s.io/v1beta2",
        spec={
            "type": "Python",
            "sparkVersion": "4.0.0",
            "mainApplicationFile": "local:///x.py",
            "driver": {},
            "executor": {},
        },
    )
    # the operator's webhook has no server here
    api.delete("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "spark-operator-webhook")
    api.create(application)
    teams = {"spark-ads", "spark-shared"}
    without = [
        ManifestFile(
            name=file.name,
            manifests=tuple(
                each
                for each in file.manifests
                if each["metadata"]["name"] not in teams and each["metadata"].get("namespace") not in teams
            ),
        )
        for file in files
    ]

    result = deliver(set_name="platform").apply(without)

    kept = {str(each) for each in result.removal.kept}
    assert "Namespace spark-shared" in kept
    assert "ServiceAccount spark-shared/spark" in kept
    assert "Namespace spark-ads" in {str(each) for each in result.removal.removed}
    api.delete("sparkoperator.k8s.io/v1beta2", "SparkApplication", "etl", "spark-shared")
    deliver(set_name="platform").apply(files)


def test_crds_stay_with_their_objects_unless_everything_is_asked_for(deliver: Deliver, api: Client) -> None:
    kind = {
        "00-crds.yaml": [a_crd("Gadget", "pruned.example.com")],
        "40-gadget.yaml": [an_object("Gadget", "g", "pruned-a", api="pruned.example.com/v1", spec={"size": 1})],
    }
    deliver().apply(as_files(small(**kind)))

    result = deliver().apply(as_files(small()))

    assert [str(each) for each in result.removal.kept] == ["CustomResourceDefinition gadgets.pruned.example.com"]
    assert [str(each) for each in result.removal.removed] == ["Gadget pruned-a/g"]
    deliver(everything=True).apply(as_files(small()))
    assert api.find("apiextensions.k8s.io/v1", "CustomResourceDefinition", "gadgets.pruned.example.com") is None


def test_a_lost_inventory_costs_nothing_but_the_memory_of_what_left(deliver: Deliver, api: Client) -> None:
    deliver().apply(as_files(small()))
    api.delete("v1", "ConfigMap", "moka-set-tested", "kube-system")

    result = deliver().apply(as_files(small()))

    assert result.counts()["unchanged"] == 5
    assert api.find("v1", "ConfigMap", "moka-set-tested", "kube-system") is not None
