from typing import Any

import pytest

from moka_constructs.manifest_set.handler import rollout
from moka_constructs.manifest_set.handler.client import Client, Server
from moka_constructs.manifest_set.handler.deadline import Deadline
from moka_constructs.manifest_set.handler.discovery import Discovery
from moka_constructs.manifest_set.handler.errors import SetError
from moka_constructs.manifest_set.handler.rollout import FailedError, is_waited_for, judge, wait_for, why_not_ready
from testbed.fake_api_server import FakeApiServer

from .conftest import a_deployment, an_object

PATH = "/apis/apps/v1/namespaces/default/deployments/d"
READY = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollout, "POLL_SECONDS", 0.02)


def workload(kind: str, status: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": "w", "generation": 2}, "spec": spec, "status": status}


def test_only_workloads_of_the_system_pool_are_waited_for() -> None:
    pod = {"nodeSelector": {"moka.dev/role": "system"}, "containers": []}
    job = an_object("Job", "j", "n", api="batch/v1", spec={"template": {"spec": pod}})
    cron = an_object("CronJob", "j", "n", api="batch/v1", spec={"jobTemplate": {"spec": {"template": {"spec": pod}}}})

    assert is_waited_for(a_deployment("d", "n"))
    assert is_waited_for(job)
    assert not is_waited_for(a_deployment("d", "n", system=False))
    assert not is_waited_for(cron)
    assert not is_waited_for(an_object("Pod", "p", "n", spec=pod))
    assert not is_waited_for(an_object("ConfigMap", "c", "n"))


def test_the_systems_pool_has_the_label_that_charts_select() -> None:
    from k8s_manifests.labels import NODE_ROLE

    assert rollout.ROLE_LABEL == NODE_ROLE


@pytest.mark.parametrize(
    ("kind", "spec", "status"),
    [
        ("Deployment", {"replicas": 2}, {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}),
        ("Deployment", {"replicas": 0}, {}),
        ("StatefulSet", {"replicas": 3}, {"updatedReplicas": 3, "availableReplicas": 3}),
        ("DaemonSet", {}, {"desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 2}),
        ("DaemonSet", {}, {"desiredNumberScheduled": 0}),
    ],
)
def test_a_rollout_is_done_when_all_pods_are_new_and_ready(
    kind: str, spec: dict[str, Any], status: dict[str, Any]
) -> None:
    assert judge(workload(kind, {"observedGeneration": 2, **status}, **spec)).done


@pytest.mark.parametrize(
    ("kind", "spec", "status", "reason"),
    [
        (
            "Deployment",
            {"replicas": 1},
            {"observedGeneration": 1},
            "the new spec has not been looked at by its controller",
        ),
        (
            "Deployment",
            {"replicas": 2},
            {"observedGeneration": 2, "replicas": 3, "updatedReplicas": 1, "availableReplicas": 2},
            "1 of 2 pods are ready",
        ),
        (
            "Deployment",
            {"replicas": 2},
            {"observedGeneration": 2, "replicas": 3, "updatedReplicas": 2, "availableReplicas": 3},
            "2 of 2 pods are ready, 1 of the old ones are still there",
        ),
        (
            "Deployment",
            {"replicas": 1},
            {
                "observedGeneration": 2,
                "conditions": [
                    {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota"}
                ],
            },
            "FailedCreate: exceeded quota",
        ),
        (
            "DaemonSet",
            {},
            {"observedGeneration": 2, "desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 1},
            "1 of 3 pods are ready",
        ),
        ("Job", {}, {}, "the job has not completed"),
    ],
)
def test_a_rollout_that_is_not_done_says_what_is_missing(
    kind: str, spec: dict[str, Any], status: dict[str, Any], reason: str
) -> None:
    progress = judge(workload(kind, status, **spec))

    assert not progress.done
    assert progress.reason == reason


@pytest.mark.parametrize(
    ("kind", "condition", "text"),
    [
        ("Deployment", {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}, "0 of 1 pods"),
        (
            "Job",
            {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "too many retries"},
            "BackoffLimitExceeded: too many retries",
        ),
    ],
)
def test_a_rollout_that_will_never_end_well_is_failed(kind: str, condition: dict[str, str], text: str) -> None:
    with pytest.raises(FailedError, match=text):
        judge(workload(kind, {"observedGeneration": 2, "conditions": [condition]}, replicas=1))


def test_a_job_that_completed_is_done() -> None:
    assert judge(workload("Job", {"conditions": [{"type": "Complete", "status": "True"}]})).done


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (
            {
                "containerStatuses": [
                    {"name": "c", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no"}}}
                ]
            },
            "ImagePullBackOff: no",
        ),
        (
            {
                "containerStatuses": [
                    {
                        "name": "c",
                        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                        "lastState": {"terminated": {"exitCode": 3}},
                    }
                ]
            },
            "CrashLoopBackOff: c, last exit code 3",
        ),
        (
            {
                "conditions": [
                    {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}
                ]
            },
            "Unschedulable: 0/3 nodes",
        ),
        ({"containerStatuses": [{"name": "c", "state": {"waiting": {"reason": "ContainerCreating"}}}]}, ""),
        ({}, ""),
    ],
)
def test_a_pod_says_why_it_is_not_ready(status: dict[str, Any], why: str) -> None:
    assert why_not_ready({"status": status}) == why


def test_waiting_ends_with_the_last_rollout(client: Client, server: FakeApiServer) -> None:
    said: list[str] = []
    server.put(PATH, a_deployment("d", "default"))

    def say(text: str) -> None:
        said.append(text)
        server.objects[PATH]["status"] = READY

    wait_for(client, Discovery(client=client), [a_deployment("d", "default")], say)

    assert said == ["waiting for Deployment default/d: 0 of 1 pods are ready"]


def test_a_timeout_names_each_rollout_that_is_not_complete_and_what_its_pods_say(server: FakeApiServer) -> None:
    for name in ("d", "e"):
        server.put(PATH[:-1] + name, a_deployment(name, "default"))
    waiting = {"waiting": {"reason": "ErrImagePull", "message": "not found"}}
    server.put(
        "/api/v1/namespaces/default/pods/e-1",
        an_object(
            "Pod",
            "e-1",
            metadata={"labels": {"app": "e"}},
            status={"containerStatuses": [{"name": "c", "state": waiting}]},
        ),
    )
    client = Client(server=Server(url=server.url), deadline=Deadline(0.5))

    with pytest.raises(SetError) as error:
        wait_for(
            client,
            Discovery(client=client),
            [a_deployment("d", "default"), a_deployment("e", "default")],
            lambda _: None,
        )
    client.close()

    lines = str(error.value).splitlines()
    assert lines[0].startswith("rollouts are not complete, not finished within")
    assert lines[1:] == [
        "  Deployment default/d: 0 of 1 pods are ready",
        "  Deployment default/e: 0 of 1 pods are ready (pod e-1: ErrImagePull: not found)",
    ]


def test_the_first_that_has_failed_ends_the_wait(client: Client, server: FakeApiServer) -> None:
    server.put(PATH, a_deployment("d", "default"))
    server.objects[PATH]["status"] = {
        "conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]
    }

    with pytest.raises(
        SetError, match="Deployment default/d: 0 of 1 pods are ready, and its deadline for progress is over"
    ):
        wait_for(client, Discovery(client=client), [a_deployment("d", "default")], lambda _: None)
