"""The rules of a manifest, each on the rendered manifest of every sample job."""

from typing import Any

import pytest

from archer.spark_application import build
from archer.spark_application.templates import literal
from testbed import spark_application_samples as samples
from testbed.archer_builders import JOB_ID, make_job
from testbed.spark_application_samples import DOCUMENT, job, lab

MANIFESTS = {name: samples.manifest(name) for name in samples.JOBS}
PARTS = [(name, role) for name in sorted(MANIFESTS) for role in ("driver", "executor")]


def made(
    changes: dict[str, Any] | None = None, *, attempt: int = 1, rung: float = 1.0, **fields: Any
) -> dict[str, Any]:
    config = lab(**(changes or {}))
    submission = job(**fields)
    stored = make_job(submission=submission, queue=submission.queue, team="ads")
    return build(stored, config=config, cluster=config.clusters[0], attempt=attempt, memory_rung=rung)


@pytest.mark.parametrize("name", sorted(MANIFESTS))
def test_every_default_of_the_operators_webhook_is_written(name: str) -> None:
    spec = MANIFESTS[name]["spec"]

    assert (spec["mode"], spec["restartPolicy"]) == ("cluster", {"type": "Never"})
    assert spec["timeToLiveSeconds"] > 0
    for role in ("driver", "executor"):
        assert spec[role]["cores"] >= 1
        assert spec[role]["memory"].endswith("m")
        assert spec[role]["memoryOverhead"].endswith("m")
        assert spec[role]["serviceAccount"] == "spark"
    assert spec["executor"]["instances"] >= 1
    if "dynamicAllocation" in spec:
        assert isinstance(spec["dynamicAllocation"]["shuffleTrackingEnabled"], bool)


@pytest.mark.parametrize("name", sorted(MANIFESTS))
def test_no_field_is_written_that_only_the_mutating_webhook_would_honour(name: str) -> None:
    ignored = {"volumes", "affinity", "nodeSelector", "tolerations", "schedulerName", "priorityClassName", "env"}
    ignored |= {"volumeMounts", "podSecurityContext", "securityContext", "terminationGracePeriodSeconds", "sidecars"}
    spec = MANIFESTS[name]["spec"]

    assert not ignored & {*spec, *spec["driver"], *spec["executor"]}


@pytest.mark.parametrize(("name", "role"), PARTS)
def test_a_template_has_scheduler_priority_pool_scratch_and_no_service_links(name: str, role: str) -> None:
    pod = MANIFESTS[name]["spec"][role]["template"]["spec"]

    assert pod["schedulerName"] == "yunikorn"
    assert pod["priorityClassName"] in {f"moka-tier{tier}-{role}" for tier in (1, 2, 3)}
    assert pod["enableServiceLinks"] is False
    assert pod["nodeSelector"].keys() == {"moka.dev/pool"}
    assert [toleration["value"] for toleration in pod["tolerations"]] == [role]
    assert pod["volumes"] == [{"name": "spark-local-dir-1", "emptyDir": {}}]
    assert pod["containers"][0]["volumeMounts"][0]["name"] == "spark-local-dir-1"
    assert pod["containers"][0]["name"] == f"spark-kubernetes-{role}"


@pytest.mark.parametrize(("name", "role"), PARTS)
def test_only_drivers_carry_the_finalizer_and_their_users_name(name: str, role: str) -> None:
    metadata = MANIFESTS[name]["spec"][role]["template"]["metadata"]
    annotations = metadata["annotations"]

    assert metadata.get("finalizers") == (["archer.moka.dev/outcome"] if role == "driver" else None)
    assert annotations["cluster-autoscaler.kubernetes.io/safe-to-evict"] == "false"
    assert annotations.get("yunikorn.apache.org/allow-preemption") == ("false" if role == "driver" else None)
    assert ("yunikorn.apache.org/user.info" in annotations) is (role == "driver")
    assert "finalizers" not in MANIFESTS[name]["metadata"]


@pytest.mark.parametrize(("name", "role"), PARTS)
def test_labels_find_the_job_and_tell_yunikorn_its_application_and_queue(name: str, role: str) -> None:
    manifest = MANIFESTS[name]
    labels = manifest["spec"][role]["template"]["metadata"]["labels"]

    assert labels["archer.moka.dev/job-id"] == JOB_ID
    assert labels["archer.moka.dev/attempt"] == "1"
    assert labels["archer.moka.dev/team"] == "ads"
    assert labels["yunikorn.apache.org/app-id"] == manifest["metadata"]["name"] == f"{JOB_ID}-1"
    assert labels["yunikorn.apache.org/queue"] == labels["archer.moka.dev/queue"]
    assert labels.items() <= manifest["metadata"]["labels"].items()


@pytest.mark.parametrize("name", sorted(MANIFESTS))
def test_executors_have_two_minutes_no_token_and_stay_until_they_are_counted(name: str) -> None:
    spec = MANIFESTS[name]["spec"]
    pod = spec["executor"]["template"]["spec"]

    assert pod["terminationGracePeriodSeconds"] >= 120
    assert pod["automountServiceAccountToken"] is False
    assert spec["driver"]["template"]["spec"]["automountServiceAccountToken"] is True
    assert spec["executor"]["deleteOnTermination"] is False
    assert spec["sparkConf"]["spark.kubernetes.executor.deleteOnTermination"] == "false"
    assert spec["sparkConf"]["spark.kubernetes.executor.podNamePrefix"] == f"{JOB_ID}-1"


def test_the_tier_of_the_queue_gives_the_priority_classes() -> None:
    for tier in ("tier1", "tier2"):
        spec = made(queue=f"root.ads.ctr.{tier}")["spec"]
        classes = [spec[role]["template"]["spec"]["priorityClassName"] for role in ("driver", "executor")]
        assert classes == [f"moka-{tier}-driver", f"moka-{tier}-executor"]


def test_a_queue_that_no_label_holds_is_told_by_an_annotation() -> None:
    queue = f"root.{'a' * 29}.{'b' * 29}.tier1"
    tree = [{"path": queue.rsplit(".", depth)[0], "leaf": False} for depth in (2, 1)]
    queues = {"default": queue, "tree": [*tree, {"path": queue, "leaf": True, "tier": "tier1"}]}
    teams = [{**DOCUMENT["teams"][0], "queues": [queue]}]

    manifest = made({"queues": queues, "teams": teams}, queue=queue)

    for role in ("driver", "executor"):
        metadata = manifest["spec"][role]["template"]["metadata"]
        assert metadata["annotations"]["yunikorn.apache.org/queue"] == queue
        assert "yunikorn.apache.org/queue" not in metadata["labels"]
        assert len(metadata["labels"]["archer.moka.dev/queue"]) <= 63


def test_driver_and_executors_share_an_architecture() -> None:
    spot = made(executor={"capacity": "spot"})["spec"]

    pools = [spot[role]["template"]["spec"]["nodeSelector"]["moka.dev/pool"] for role in ("driver", "executor")]
    assert pools == ["driver-arm", "executor-spot"]


def test_a_rung_that_the_first_pool_cannot_hold_goes_to_a_larger_one() -> None:
    size = {"memory": "16g", "cores": 4}

    pools = [
        made(rung=rung, executor=size)["spec"]["executor"]["template"]["spec"]["nodeSelector"]["moka.dev/pool"]
        for rung in (1.0, 2.0, 3.0)
    ]

    # 22,937 MiB each with Python's overhead; of 64 GiB 55,705 MiB are usable
    assert pools == ["executor", "executor", "executor-large"]


def test_each_attempt_has_a_name_of_its_own() -> None:
    assert made(attempt=3)["metadata"]["name"] == f"{JOB_ID}-3"
    assert made(attempt=3)["metadata"]["labels"]["archer.moka.dev/attempt"] == "3"


@pytest.mark.parametrize(
    "text", ["plain", "$HOME", "$(HOME)", "$$", "$$(A)", "a$$$(b)$", "$", "$5 and $(x", "", "$($(A))", "$$$$"]
)
def test_the_kubelet_gives_back_the_words_as_they_were(text: str) -> None:
    assert _expanded(literal(text), {"HOME": "/root", "A": "1", "x": "2"}) == text


def _expanded(text: str, variables: dict[str, str]) -> str:
    """What the kubelet makes of it: https://github.com/kubernetes/kubernetes/blob/v1.35.0/third_party/forked/golang/expansion/expand.go."""
    out, at = "", 0
    while at < len(text):
        if text[at] == "$" and at + 1 < len(text):
            following = text[at + 1]
            end = text.find(")", at)
            if following == "$":
                out, at = out + "$", at + 2
                continue
            if following == "(" and end != -1:
                name = text[at + 2 : end]
                out, at = out + variables.get(name, f"$({name})"), end + 1
                continue
        out, at = out + text[at], at + 1
    return out


def test_an_image_of_the_jobs_own_runs_with_its_version() -> None:
    spec = made(image="mine:1", spark_version="3.5")["spec"]

    assert (spec["image"], spec["sparkVersion"]) == ("mine:1", "3.5.0")
