"""The function as it ships: its zip unpacked, a Python that sees the standard library and boto3 alone, a real API server behind an
EKS door, and CloudFormation, S3 and ECR on loopback."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3  # type: ignore[import-untyped]
import pytest

from moka_constructs.manifest_set.assets import code
from moka_constructs.manifest_set.handler import bundle
from testbed.eks_door import EksDoor

from .aws_side import AwsSide
from .conftest import Files, a_crd, a_deployment, an_object, as_files, rendered, versions

if TYPE_CHECKING:
    from testbed.control_plane import ControlPlane
    from testbed.kubernetes import Client

CLUSTER = "moka-dev-batch"
NAME = f"{CLUSTER}/tested"
REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/moka-dev"
KEYS = {"access_key": "AKIATESTBED", "secret_key": "secret of the testbed"}
SDK = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six.py")
"""What Lambda's Python brings: boto3 and what it needs."""
RUNNER = """
import importlib, json, sys, time
sys.path[:0] = sys.argv[1:3]
class Context:
    end = time.monotonic() + float(sys.argv[3])
    def get_remaining_time_in_millis(self):
        return int((self.end - time.monotonic()) * 1000)
index = importlib.import_module("handler.index")
print(json.dumps(index.handle(json.load(sys.stdin), Context())))
"""
Invoke = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def function(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip of the deploy, unpacked."""
    folder = tmp_path_factory.mktemp("function")
    with zipfile.ZipFile(BytesIO(bundle.write(code()))) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with boto3 and nothing else of the virtual environment."""
    folder = tmp_path_factory.mktemp("sdk")
    packages = Path(boto3.__file__).parents[1]
    for name in SDK:
        (folder / name).symlink_to(packages / name)
    return folder


@pytest.fixture
def aws() -> Iterator[AwsSide]:
    with AwsSide() as side:
        yield side


@pytest.fixture
def door(own_plane: ControlPlane) -> Iterator[EksDoor]:
    with EksDoor(own_plane, cluster=CLUSTER, **KEYS) as door:
        yield door


@pytest.fixture
def invoke(function: Path, sdk: Path, aws: AwsSide, door: EksDoor) -> Invoke:
    """`invoke(event, seconds=600)` runs the function in a process of its own, with that much of Lambda's time left."""

    def run(event: dict[str, Any], *, seconds: float = 600, endpoint: str | None = None) -> dict[str, Any]:
        # -S: not even the virtual environment's packages are seen
        command = [sys.executable, "-I", "-S", "-c", RUNNER, str(function), str(sdk), str(seconds)]
        surroundings = {
            "PATH": os.environ["PATH"],
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": KEYS["access_key"],
            "AWS_SECRET_ACCESS_KEY": KEYS["secret_key"],
            "AWS_ENDPOINT_URL_S3": aws.url,
            "AWS_ENDPOINT_URL_ECR": aws.url,
            "ACCOUNT": "123456789012",
            "CLUSTER_NAME": CLUSTER,
            "CLUSTER_ENDPOINT": endpoint or door.url,
            "CLUSTER_CA": base64.b64encode(door.ca).decode(),
        }
        done = subprocess.run(
            command, env=surroundings, input=json.dumps(event), capture_output=True, text=True, check=False, timeout=900
        )
        assert done.returncode == 0, done.stderr
        result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1]) or {}
        return result

    return run


@pytest.fixture
def ask(invoke: Invoke, aws: AwsSide) -> Iterator[Invoke]:
    """`ask("Create", files)` puts a bundle into S3, sends CloudFormation's request and returns the answer to it."""

    def run(kind: str, files: Files | None = None, *, identity: str | None = NAME, **more: Any) -> dict[str, Any]:
        where = {key: more.pop(key) for key in ("seconds", "endpoint") if key in more}
        content = bundle.write(bundle.contents(as_files(files or {})))
        aws.objects["assets/set.zip"] = content
        properties = {
            "ClusterName": CLUSTER,
            "Set": "tested",
            "Bucket": "assets",
            "Key": "set.zip",
            "Values": {"oidc_issuer": "oidc.example.com/id/1"},
            **more,
        }
        event = aws.event(kind, properties, None if kind == "Create" else identity)
        invoke(event, **where)
        return aws.answers[-1]

    yield run
    run("Delete", Remove="everything")


def files(space: str, **more: Any) -> Files:
    return {
        "00-crds.yaml": [a_crd("Doodad", "function.example.com")],
        "10-base.yaml": [an_object("Namespace", "moka-system"), an_object("Namespace", space)],
        "20-doodad.yaml": [an_object("Doodad", "d", space, api="function.example.com/v1", spec={"size": 1})],
        "30-work.yaml": [a_deployment("work", space)],
        **more,
    }


def test_create_update_an_update_without_a_change_and_delete(ask: Invoke, api: Client) -> None:
    created = ask("Create", files("function-life"))

    assert (created["Status"], created["PhysicalResourceId"]) == ("SUCCESS", NAME), created["Reason"]
    assert created["Data"]["created"] == "5"
    assert api.get("apps/v1", "Deployment", "work", "function-life")["status"]["availableReplicas"] == 1
    data = api.get("v1", "ConfigMap", "moka-platform", "moka-system")["data"]
    assert data == {"oidc_issuer": "oidc.example.com/id/1"}

    work = [a_deployment("work", "function-life", replicas=2)]
    updated = ask("Update", files("function-life", **{"30-work.yaml": work, "20-doodad.yaml": []}))
    assert (updated["Data"]["changed"], updated["Data"]["pruned"]) == ("1", "1")
    assert api.get("apps/v1", "Deployment", "work", "function-life")["status"]["availableReplicas"] == 2

    before = versions(api)
    same = ask("Update", files("function-life", **{"30-work.yaml": work, "20-doodad.yaml": []}))
    assert (same["Status"], same["PhysicalResourceId"], same["Data"]["unchanged"]) == ("SUCCESS", NAME, "4")
    assert versions(api) == before

    deleted = ask("Delete")
    assert deleted["Status"] == "SUCCESS"
    assert api.find("v1", "Namespace", "function-life") is None
    assert api.find("apiextensions.k8s.io/v1", "CustomResourceDefinition", "doodads.function.example.com") is not None


def test_the_whole_platform_of_dev_is_delivered(ask: Invoke, aws: AwsSide, api: Client) -> None:
    platform = {file.name: [dict(each) for each in file.manifests] for file in rendered("dev", "batch")}

    answer = ask("Create", platform)

    assert answer["Status"] == "SUCCESS", answer["Reason"]
    assert int(answer["Data"]["created"]) == sum(len(each) for each in platform.values())
    assert (
        api.get("apps/v1", "Deployment", "spark-operator-controller", "moka-operator")["status"]["availableReplicas"]
        == 2
    )


def test_a_failure_names_the_object_and_the_reason_and_delete_takes_the_half_away(ask: Invoke, api: Client) -> None:
    broken = files(
        "function-half",
        **{
            "20-doodad.yaml": [
                an_object("Doodad", "d", "function-half", api="function.example.com/v1", spec={"size": 0})
            ]
        },
    )

    answer = ask("Create", broken)

    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", NAME)
    lines = answer["Reason"].splitlines()
    assert lines[0] == "applying 20-doodad.yaml:"
    assert lines[1].startswith('  Doodad function-half/d: Doodad.function.example.com "d" is invalid: spec.size')
    assert ask("Delete", identity=answer["PhysicalResourceId"])["Status"] == "SUCCESS"
    assert api.find("v1", "Namespace", "function-half") is None


def test_a_rollout_that_does_not_end_is_answered_in_time_with_its_reason(ask: Invoke) -> None:
    work = [a_deployment("work", "function-late", annotations={"testbed.moka.dev/outcome": "image-pull-error"})]

    answer = ask("Create", files("function-late", **{"30-work.yaml": work}), seconds=50)

    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("rollouts are not complete, not finished within")
    assert "Deployment function-late/work: 0 of 1 pods are ready (pod work-" in answer["Reason"]
    healed = ask("Update", files("function-late"))
    assert (healed["Status"], healed["Data"]["changed"]) == ("SUCCESS", "1")


def test_missing_images_fail_before_anything_is_applied(ask: Invoke, aws: AwsSide, api: Client) -> None:
    container = {"name": "main", "image": f"{REGISTRY}/spark:4.0"}
    work = [a_deployment("work", "function-image", containers=[container])]

    answer = ask("Create", files("function-image", **{"30-work.yaml": work}))

    assert answer["Status"] == "FAILED"
    assert (
        f"{REGISTRY}/spark:4.0: the repository has no such image; needed by Deployment function-image/work"
        in answer["Reason"]
    )
    assert answer["PhysicalResourceId"] == f"{NAME}/nothing-made"
    assert api.find("v1", "Namespace", "function-image") is None
    aws.images.add("moka-dev/spark:4.0")
    assert ask("Create", files("function-image", **{"30-work.yaml": work}))["Status"] == "SUCCESS"


def test_an_access_entry_that_the_cluster_has_not_heard_of_yet_is_waited_for(ask: Invoke, door: EksDoor) -> None:
    door.deaf = 4

    assert ask("Create", files("function-deaf"))["Status"] == "SUCCESS"


def test_a_token_for_another_cluster_opens_no_door(own_plane: ControlPlane, ask: Invoke) -> None:
    with EksDoor(own_plane, cluster="moka-prod-batch", **KEYS) as other:
        answer = ask("Create", files("function-other"), endpoint=other.url, seconds=40)

    assert answer["Status"] == "FAILED"
    assert "Unauthorized" in answer["Reason"] or "the last step was: connecting to" in answer["Reason"]


def test_a_cluster_that_is_out_of_reach_is_told_by_its_address(ask: Invoke) -> None:
    answer = ask("Create", files("function-reach"), endpoint="https://127.0.0.1:9", seconds=60)

    assert answer["Status"] == "FAILED"
    assert "https://127.0.0.1:9 does not answer" in answer["Reason"]
    assert answer["PhysicalResourceId"] == f"{NAME}/nothing-made"
    assert ask("Delete", identity=answer["PhysicalResourceId"], endpoint="https://127.0.0.1:9")["Status"] == "SUCCESS"


def test_moka_apply_through_the_function_is_the_same_apply(ask: Invoke, invoke: Invoke) -> None:
    content = base64.b64encode(bundle.write(bundle.contents(as_files(files("function-hand"))))).decode()
    event = {"ClusterName": CLUSTER, "Set": "tested", "Bundle": content, "Options": {"prune": True}}

    applied = invoke({**event, "Action": "apply"})
    compared = invoke({**event, "Action": "diff"})

    assert applied["counts"]["created"] == 5
    assert compared == {"differences": [], "left over": []}
