"""The tagger's function against moto's EKS and Auto Scaling, answering a real HTTP server as it answers CloudFormation."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import boto3  # type: ignore[import-untyped]
import pytest
from moto import mock_aws

from moka_constructs.auto_scaling_tagger import DISCOVERY_TAG
from moka_constructs.auto_scaling_tagger.handler import index

CLUSTER = "moka-test-c"
Send = Callable[..., dict[str, Any]]


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Any]]:
    """EKS and Auto Scaling with a cluster and nothing else."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws(config={"core": {"passthrough": {"urls": [r"http://127\.0\.0\.1.*"]}}}):
        eks = boto3.client("eks")
        eks.create_cluster(
            name=CLUSTER, roleArn="arn:aws:iam::123456789012:role/c", resourcesVpcConfig={"subnetIds": ["subnet-1"]}
        )
        yield eks, boto3.client("autoscaling")


@pytest.fixture
def group(clients: tuple[Any, Any]) -> Callable[[str], str]:
    """`group(name)` makes a managed node group with its Auto Scaling group, and returns the latter's name."""
    eks, auto_scaling = clients

    def make(name: str) -> str:
        made = eks.create_nodegroup(
            clusterName=CLUSTER,
            nodegroupName=name,
            subnets=["subnet-1"],
            nodeRole="arn:aws:iam::123456789012:role/nodes",
        )
        behind: str = made["nodegroup"]["resources"]["autoScalingGroups"][0]["name"]
        auto_scaling.create_launch_configuration(
            LaunchConfigurationName=name, ImageId="ami-12345678", InstanceType="m5.large"
        )
        auto_scaling.create_auto_scaling_group(
            AutoScalingGroupName=behind,
            LaunchConfigurationName=name,
            MinSize=0,
            MaxSize=3,
            AvailabilityZones=["us-east-1a"],
            Tags=[{"Key": "eks:cluster-name", "Value": CLUSTER, "PropagateAtLaunch": True}],
        )
        return behind

    return make


@pytest.fixture
def send() -> Iterator[Send]:
    """`send("Create", groups, before)` runs the function and returns the body that CloudFormation got."""
    bodies: list[bytes] = []
    failures = 0

    class Cloudformation(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            nonlocal failures
            assert self.headers["Content-Type"] == ""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if failures:
                failures -= 1
                self.send_error(503)
                return
            bodies.append(body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Cloudformation)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()

    def run(
        kind: str,
        groups: dict[str, dict[str, str]],
        before: dict[str, dict[str, str]] | None = None,
        identity: str | None = None,
        refused: int = 0,
    ) -> dict[str, Any]:
        nonlocal failures
        failures = refused
        event: dict[str, Any] = {
            "RequestType": kind,
            "ResponseURL": f"http://127.0.0.1:{server.server_port}/answer?signature=x",
            "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/moka-test-cluster-c/1",
            "RequestId": "r-1",
            "LogicalResourceId": "Tags",
            "ResourceProperties": properties(groups),
        }
        if before is not None:
            event["OldResourceProperties"] = properties(before)
        if identity is not None:
            event["PhysicalResourceId"] = identity
        index.handle(event, None)
        assert len(bodies[-1]) <= 4096
        answer: dict[str, Any] = json.loads(bodies[-1])
        return answer

    yield run
    server.shutdown()
    thread.join()
    server.server_close()


def properties(groups: dict[str, dict[str, str]]) -> dict[str, Any]:
    listed = [{"name": name, "tags": tags} for name, tags in groups.items()]
    return {"ServiceToken": "arn:aws:lambda:…", "ClusterName": CLUSTER, "Groups": json.dumps(listed)}


def tags_of(auto_scaling: Any, name: str) -> dict[str, str]:
    (found,) = auto_scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    assert not any(tag["PropagateAtLaunch"] for tag in found["Tags"] if tag["Key"] != "eks:cluster-name")
    return {tag["Key"]: tag["Value"] for tag in found["Tags"]}


LABEL = "k8s.io/cluster-autoscaler/node-template/label/moka.dev/pool"
TAINT = "k8s.io/cluster-autoscaler/node-template/taint/moka.dev/role"


def test_create_tags_each_group_and_answers_with_the_names_of_their_auto_scaling_groups(
    clients: tuple[Any, Any], group: Callable[[str], str], send: Send
) -> None:
    driver, executor = group("driver-a"), group("executor-a")

    answer = send("Create", {"driver-a": {LABEL: "driver", TAINT: "driver:NoSchedule"}, "executor-a": {LABEL: "e"}})

    assert answer["Status"] == "SUCCESS"
    assert answer["Data"] == {"Group0": driver, "Group1": executor}
    assert answer["PhysicalResourceId"] == f"{CLUSTER}-auto-scaling-tags"
    assert (answer["RequestId"], answer["LogicalResourceId"]) == ("r-1", "Tags")
    assert tags_of(clients[1], driver) == {"eks:cluster-name": CLUSTER, LABEL: "driver", TAINT: "driver:NoSchedule"}
    assert tags_of(clients[1], executor) == {"eks:cluster-name": CLUSTER, LABEL: "e"}


def test_the_number_of_nodes_becomes_a_metric(
    clients: tuple[Any, Any], group: Callable[[str], str], send: Send
) -> None:
    name = group("driver-a")

    send("Create", {"driver-a": {LABEL: "driver"}})

    (found,) = clients[1].describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    assert {"GroupInServiceInstances", "GroupMaxSize"} <= {metric["Metric"] for metric in found["EnabledMetrics"]}


def test_sent_again_it_changes_nothing_and_keeps_its_identity(
    clients: tuple[Any, Any], group: Callable[[str], str], send: Send
) -> None:
    name = group("driver-a")
    first = send("Create", {"driver-a": {LABEL: "driver"}})
    before = tags_of(clients[1], name)

    again = send("Update", {"driver-a": {LABEL: "driver"}}, {"driver-a": {LABEL: "driver"}}, "kept")

    assert tags_of(clients[1], name) == before
    assert again["Data"] == first["Data"]
    assert again["PhysicalResourceId"] == "kept"


def test_update_removes_tags_that_left_and_nobody_elses(
    clients: tuple[Any, Any], group: Callable[[str], str], send: Send
) -> None:
    name = group("driver-a")
    send("Create", {"driver-a": {LABEL: "driver", "owner": "me"}})
    clients[1].create_or_update_tags(Tags=[index.written(name, "someone-elses", "tag")])

    send("Update", {"driver-a": {LABEL: "drivers"}}, {"driver-a": {LABEL: "driver", "owner": "me"}})

    assert tags_of(clients[1], name) == {"eks:cluster-name": CLUSTER, LABEL: "drivers", "someone-elses": "tag"}


def test_a_group_that_was_replaced_is_not_asked_for(group: Callable[[str], str], send: Send) -> None:
    new = group("driver-b")

    answer = send("Update", {"driver-b": {LABEL: "driver"}}, {"driver-a": {LABEL: "driver"}})

    assert (answer["Status"], answer["Data"]) == ("SUCCESS", {"Group0": new})


def test_a_group_that_the_stack_left_behind_is_hidden_from_the_autoscaler(
    clients: tuple[Any, Any], group: Callable[[str], str], send: Send
) -> None:
    """Drivers may run on it: it must get no new node, and keeps everything else."""
    old, new = group("driver-old"), group("driver-new")
    tags = {index.DISCOVERY_TAG: CLUSTER, LABEL: "driver"}
    assert send("Create", {"driver-old": tags})["Status"] == "SUCCESS"

    answer = send("Update", {"driver-new": tags}, before={"driver-old": tags})

    assert answer["Data"] == {"Group0": new}
    assert tags_of(clients[1], old) == {"eks:cluster-name": CLUSTER, LABEL: "driver"}
    assert tags_of(clients[1], new)[index.DISCOVERY_TAG] == CLUSTER

    # a deploy that is rolled back names the old group again
    send("Update", {"driver-old": tags}, before={"driver-new": tags})
    assert tags_of(clients[1], old)[index.DISCOVERY_TAG] == CLUSTER


def test_the_function_and_the_construct_know_one_discovery_tag() -> None:
    assert index.DISCOVERY_TAG == DISCOVERY_TAG


def test_delete_succeeds_whatever_is_left(send: Send) -> None:
    answer = send("Delete", {"driver-a": {LABEL: "driver"}}, identity="kept")

    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", "kept")


def test_a_failure_names_group_and_reason_and_answers(clients: tuple[Any, Any], send: Send) -> None:
    answer = send("Create", {"driver-a": {LABEL: "driver"}})

    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith(f"node group driver-a of cluster {CLUSTER}: ")
    assert "driver-a" in answer["Reason"]
    assert answer["PhysicalResourceId"] == f"{CLUSTER}-auto-scaling-tags"


def test_an_answer_that_is_not_taken_is_sent_again(group: Callable[[str], str], send: Send) -> None:
    group("driver-a")

    assert send("Create", {"driver-a": {LABEL: "driver"}}, refused=2)["Status"] == "SUCCESS"


def test_the_answer_of_a_full_cluster_is_small_enough(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    # 30 groups with the longest names: 20 letters of pool, a local zone, 8 hex; EKS adds eks- and a UUID
    names = [f"{'p' * 20}-us-west-2-lax-{number:02d}a-0f3a9c1e" for number in range(30)]
    data = {f"Group{number}": f"eks-{name}-{'0' * 36}" for number, name in enumerate(names)}
    monkeypatch.setattr(index, "tag", lambda _: data)

    assert send("Create", {})["Data"] == data
