"""What goes wrong with a set ends with the object's name and the reason, and the next apply completes what the last one left."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3  # type: ignore[import-untyped]
import pytest
from moto import mock_aws

from moka_constructs.manifest_set.handler.errors import SetError

from .conftest import Deliver, Files, a_crd, a_deployment, an_object, as_files, versions

if TYPE_CHECKING:
    from testbed.control_plane import ControlPlane
    from testbed.kubernetes import Client

GROUP = "failures.example.com"
PULL_ERROR = {"testbed.moka.dev/outcome": "image-pull-error"}


@pytest.fixture
def space(own_plane: ControlPlane, request: pytest.FixtureRequest) -> str:
    """A namespace that this test's set makes."""
    number = sum(map(ord, request.node.name)) % 10_000
    return f"failures-{number}"


def base(space: str) -> Files:
    return {"10-base.yaml": [an_object("Namespace", space), an_object("ConfigMap", "c", space, data={"a": "1"})]}


def failed(deliver: Deliver, files: Files, **options: Any) -> list[str]:
    """The lines of the failure."""
    with pytest.raises(SetError) as error:
        deliver(**options).apply(as_files(files))
    return str(error.value).splitlines()


def test_a_field_of_somebody_elses_is_told_with_its_owner_and_nothing_is_changed(
    deliver: Deliver, api: Client, own_plane: ControlPlane, space: str
) -> None:
    files = {**base(space), "20-work.yaml": [a_deployment("work", space)]}
    deliver().apply(as_files(files))
    own_plane.kubectl("scale", "-n", space, "deploy/work", "--replicas=3")
    before = versions(api, ("v1", "ConfigMap"))
    changed: Files = {
        "10-base.yaml": [an_object("Namespace", space), an_object("ConfigMap", "c", space, data={"a": "2"})],
        "20-work.yaml": [a_deployment("work", space, replicas=2)],
    }

    lines = failed(deliver, changed)

    assert lines[0] == "the API server would refuse:"
    assert lines[1].startswith(
        f'  Deployment {space}/work: .spec.replicas belongs to "kubectl" with subresource "scale" using apps/v1: '
    )
    assert "--force-conflicts '.spec.replicas'" in lines[1]
    assert versions(api, ("v1", "ConfigMap")) == before
    deliver(force_fields=(f"Deployment {space}/work:.spec.replicas",)).apply(as_files(changed))
    assert api.get("apps/v1", "Deployment", "work", space)["spec"]["replicas"] == 2
    assert deliver().apply(as_files(changed)).counts()["unchanged"] == 3


def test_a_field_that_the_set_gives_up_is_its_new_owners(
    deliver: Deliver, api: Client, own_plane: ControlPlane, space: str
) -> None:
    deployment = a_deployment("work", space)
    deliver().apply(as_files({**base(space), "20-work.yaml": [deployment]}))
    own_plane.kubectl("scale", "-n", space, "deploy/work", "--replicas=2")
    del deployment["spec"]["replicas"]

    deliver().apply(as_files({**base(space), "20-work.yaml": [deployment]}))

    assert api.get("apps/v1", "Deployment", "work", space)["spec"]["replicas"] == 2


def test_an_object_whose_kind_is_new_is_applied_in_the_same_set(deliver: Deliver, api: Client, space: str) -> None:
    gadget = an_object("Gadget", "g", space, api=f"{GROUP}/v1", spec={"size": 1})

    result = deliver().apply(as_files({"00-crds.yaml": [a_crd("Gadget", GROUP)], **base(space), "30-g.yaml": [gadget]}))

    assert result.counts()["created"] == 4
    assert api.get(f"{GROUP}/v1", "Gadget", "g", space)["spec"] == {"size": 1}


def test_an_object_that_its_new_kind_refuses_is_told_and_mended_by_the_next_apply(
    deliver: Deliver, api: Client, space: str
) -> None:
    crd = a_crd("Widget", GROUP)
    widget = an_object("Widget", "w", space, api=f"{GROUP}/v1", spec={"size": 0})
    files: Files = {
        "00-crds.yaml": [crd],
        **base(space),
        "30-w.yaml": [widget],
        "40-more.yaml": [a_deployment("d", space)],
    }

    lines = failed(deliver, files)

    assert lines[0] == "applying 30-w.yaml:"
    assert lines[1].startswith(f'  Widget {space}/w: Widget.{GROUP} "w" is invalid: spec.size: Invalid value: 0')
    assert api.find("apps/v1", "Deployment", "d", space) is None
    widget["spec"]["size"] = 1
    result = deliver().apply(as_files(files))
    assert (result.counts()["created"], result.counts()["unchanged"]) == (2, 3)


def test_a_misspelt_field_is_refused_by_name(deliver: Deliver, space: str) -> None:
    deployment = a_deployment("work", space)
    deployment["spec"]["replcas"] = 3

    lines = failed(deliver, {**base(space), "20-work.yaml": [deployment]})

    assert lines[0] == "applying 20-work.yaml:"
    assert ".spec.replcas: field not declared in schema" in lines[1]


def test_names_that_another_kind_has_taken_are_told(deliver: Deliver, space: str) -> None:
    deliver().apply(as_files({"00-crds.yaml": [a_crd("Gizmo", GROUP)], **base(space)}))
    other = a_crd("Gizmo", GROUP)
    other["metadata"]["name"] = f"others.{GROUP}"
    other["spec"]["names"]["plural"] = "others"

    lines = failed(deliver, {"00-crds.yaml": [a_crd("Gizmo", GROUP), other], **base(space)})

    assert lines[0] == "CRDs did not become usable:"
    assert lines[1].startswith(f"  CustomResourceDefinition others.{GROUP}: its names are taken: ")
    deliver(everything=True).apply(as_files({"00-crds.yaml": [a_crd("Gizmo", GROUP)], **base(space)}))


def test_a_rollout_that_never_gets_ready_is_told_with_what_its_pods_say_and_healed(
    deliver: Deliver, space: str
) -> None:
    broken = {
        **base(space),
        "20-work.yaml": [a_deployment("work", space, annotations=PULL_ERROR), a_deployment("ok", space)],
    }

    lines = failed(deliver, broken, seconds=15)

    assert lines[0].startswith("rollouts are not complete, not finished within 15 s:")
    assert len(lines) == 2
    assert lines[1].startswith(f"  Deployment {space}/work: 0 of 1 pods are ready (pod work-")
    assert "ImagePull" in lines[1] or "ErrImage" in lines[1]
    healed = {**base(space), "20-work.yaml": [a_deployment("work", space), a_deployment("ok", space)]}
    assert deliver().apply(as_files(healed)).counts()["changed"] == 1


def test_a_rollout_that_finds_no_node_is_told_in_the_schedulers_words(deliver: Deliver, space: str) -> None:
    greedy = {"resources": {"requests": {"cpu": "1000"}}, "name": "main", "image": "x"}
    files = {**base(space), "20-work.yaml": [a_deployment("work", space, containers=[greedy])]}

    lines = failed(deliver, files, seconds=12)

    assert "Unschedulable" in lines[1]
    assert "Insufficient cpu" in lines[1]


def test_a_quota_that_refuses_the_pods_is_told(deliver: Deliver, space: str) -> None:
    quota = an_object("ResourceQuota", "q", space, spec={"hard": {"pods": "0"}})
    files = {**base(space), "15-quota.yaml": [quota], "20-work.yaml": [a_deployment("work", space)]}

    lines = failed(deliver, files, seconds=15)

    assert lines[1].startswith(f"  Deployment {space}/work: FailedCreate: ")
    assert "exceeded quota" in lines[1]


def test_a_rollout_that_kubernetes_gave_up_ends_the_wait_at_once(deliver: Deliver, space: str) -> None:
    deployment = a_deployment("work", space, annotations=PULL_ERROR)
    deployment["spec"]["progressDeadlineSeconds"] = 2

    lines = failed(deliver, {**base(space), "20-work.yaml": [deployment]}, seconds=600)

    assert lines[0] == "rollouts failed:"
    assert "and its deadline for progress is over (pod work-" in lines[1]


def test_a_job_that_fails_is_told(deliver: Deliver, space: str) -> None:
    pod = {
        "restartPolicy": "Never",
        "nodeSelector": {"moka.dev/role": "system"},
        "containers": [{"name": "main", "image": "x"}],
    }
    annotations = {"testbed.moka.dev/outcome": "fail"}
    template = {"metadata": {"annotations": annotations}, "spec": pod}
    job = an_object("Job", "migrate", space, api="batch/v1", spec={"backoffLimit": 0, "template": template})

    lines = failed(deliver, {**base(space), "20-job.yaml": [job]})

    assert lines[0] == "rollouts failed:"
    assert lines[1].startswith(f"  Job {space}/migrate: BackoffLimitExceeded: ")


def test_pods_of_other_pools_are_not_waited_for(deliver: Deliver, space: str) -> None:
    pending = a_deployment("work", space, nodeSelector={"moka.dev/role": "nowhere"})

    result = deliver(seconds=60).apply(as_files({**base(space), "20-work.yaml": [pending]}))

    assert result.counts()["created"] == 3


def test_a_set_that_was_cut_off_half_way_is_completed_and_a_smaller_one_prunes_its_rest(
    deliver: Deliver, api: Client, space: str
) -> None:
    files: Files = {**base(space), **{f"{n}-c.yaml": [an_object("ConfigMap", f"c{n}", space)] for n in range(20, 30)}}
    cut = deliver()

    def say(text: str) -> None:
        if text.startswith("applying 25-"):
            cut.client.deadline.call_off()

    cut.say = say
    with pytest.raises(Exception, match="not finished within"):
        cut.apply(as_files(files))
    half = {name for _, namespace, name in versions(api, ("v1", "ConfigMap")) if namespace == space}
    assert {"c20", "c24"} <= half
    assert not {"c25", "c29"} & half

    completed = deliver().apply(as_files(files))
    pruned = deliver().apply(as_files(base(space)))

    assert (completed.counts()["created"], completed.counts()["unchanged"]) == (5, 7)
    assert pruned.counts()["pruned"] == 10


def test_an_api_server_that_stops_and_comes_back_is_waited_for(
    deliver: Deliver, own_plane: ControlPlane, space: str
) -> None:
    restarted = deliver()

    def say(text: str) -> None:
        if text.startswith("applying 20-"):
            own_plane.restart_api_server()

    restarted.say = say

    result = restarted.apply(as_files({**base(space), "20-c.yaml": [an_object("ConfigMap", "late", space)]}))

    assert result.counts()["created"] == 3


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """moto's ECR with one repository; what goes to this machine passes."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        session = boto3.session.Session(region_name="us-east-1")
        session.client("ecr").create_repository(repositoryName="moka-dev/x")
        yield session


def test_missing_images_are_all_told_before_anything_is_applied_and_found_once_they_are_pushed(
    deliver: Deliver, api: Client, registry: Any, space: str
) -> None:
    home = "123456789012.dkr.ecr.us-east-1.amazonaws.com/moka-dev"
    work = [
        a_deployment(name, space, containers=[{"name": "main", "image": f"{home}/x:{name}"}]) for name in ("a", "b")
    ]
    files: Files = {**base(space), "20-work.yaml": list(work)}

    lines = failed(deliver, files, session=registry, account="123456789012")

    assert lines == [
        "images are missing (`moka images push ENV` copies them):",
        f"  {home}/x:a: the repository has no such image; needed by Deployment {space}/a",
        f"  {home}/x:b: the repository has no such image; needed by Deployment {space}/b",
    ]
    assert api.find("v1", "Namespace", space) is None
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json", "layers": []}
    for tag in ("a", "b"):
        content = json.dumps({**manifest, "config": {"digest": f"sha256:{tag * 64}", "size": 1}})
        registry.client("ecr").put_image(repositoryName="moka-dev/x", imageTag=tag, imageManifest=content)
    assert deliver(session=registry, account="123456789012").apply(as_files(files)).counts()["created"] == 4


def test_a_secret_that_the_cluster_fills_in_is_made_once_and_never_written_again(
    deliver: Deliver, api: Client, own_plane: ControlPlane, space: str
) -> None:
    annotated = {"annotations": {"moka.dev/create-only": "true"}}
    secret = an_object("Secret", "certs", space, metadata=annotated, data={"ca": "b2xk"})
    files: Files = {**base(space), "20-secret.yaml": [secret]}
    deliver().apply(as_files(files))
    own_plane.kubectl("patch", "secret", "certs", "-n", space, "-p", '{"data": {"ca": "bmV3", "key": "a2V5"}}')
    before = versions(api, ("v1", "Secret"))
    secret["data"] = {"ca": "b3RoZXI="}

    result = deliver(force_fields=("*",)).apply(as_files(files))

    assert result.counts()["left alone"] == 1
    assert versions(api, ("v1", "Secret")) == before
    assert api.get("v1", "Secret", "certs", space)["data"] == {"ca": "bmV3", "key": "a2V5"}
    assert deliver().diff(as_files(files)) == ([], [])


def test_a_field_that_cannot_change_is_told_with_the_way_out(deliver: Deliver, api: Client, space: str) -> None:
    deliver().apply(as_files({**base(space), "20-work.yaml": [a_deployment("work", space)]}))
    changed = a_deployment("work", space)
    changed["spec"]["selector"] = {"matchLabels": {"app": "work", "more": "x"}}
    changed["spec"]["template"]["metadata"]["labels"]["more"] = "x"

    lines = failed(deliver, {**base(space), "20-work.yaml": [changed]})

    assert lines[0] == "the API server would refuse:"
    assert lines[1].endswith("field is immutable; delete the object, then apply again")
    api.delete("apps/v1", "Deployment", "work", space)
    assert deliver().apply(as_files({**base(space), "20-work.yaml": [changed]})).counts()["created"] == 1
