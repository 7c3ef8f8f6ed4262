"""Tags the Auto Scaling groups of managed node groups, as a Lambda function behind a CloudFormation custom resource.

EKS does not copy a node group's tags to its Auto Scaling group (https://github.com/aws/containers-roadmap/issues/608),
and once a group has had nodes the Cluster Autoscaler believes the tags alone. Properties of the resource:

    {"ClusterName": "moka-dev-batch", "Groups": '[{"name": "driver-us-east-1a-0f3a9c1e", "tags": {"key": "value"}}]'}

`Groups` is JSON text, because keys with dots and slashes are no names that CloudFormation promises to carry. The answer
is {"Group0": name of the first group's Auto Scaling group, …}. Sent again it changes nothing; a tag that an update no longer
names is removed; a group that it no longer names and that is still there (a driver group that was replaced) loses the tag
by which the autoscaler finds it, so that it gets no new node; a deletion leaves everything, as the groups go with their
stack. Needs the standard library and boto3.
"""

import json
import logging
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any

import boto3  # type: ignore[import-untyped]  # boto3 ships no types; the function stays small enough to read
from botocore.config import Config  # type: ignore[import-untyped]  # as above

LOG = logging.getLogger("moka.auto_scaling_tagger")
LOG.setLevel(logging.INFO)

ATTEMPTS = 3
RETRIES = Config(retries={"mode": "standard", "max_attempts": 10})
DISCOVERY_TAG = "moka.dev/cluster-autoscaler"
METRICS = ["GroupDesiredCapacity", "GroupInServiceInstances", "GroupMaxSize", "GroupMinSize"]
Groups = dict[str, dict[str, str]]
"""{node group: {tag key: value}}, in the order of the properties."""


def handle(event: Mapping[str, Any], context: Any) -> None:
    """Answer a request of CloudFormation, whatever happens: a request without an answer hangs the deploy."""
    identity = event.get("PhysicalResourceId") or f"{event['ResourceProperties']['ClusterName']}-auto-scaling-tags"
    try:
        result = {"Status": "SUCCESS", "Data": {} if event["RequestType"] == "Delete" else tag(event)}
    except Exception as error:
        # CloudFormation shows the reason in the stack's events, where the deployer looks first
        LOG.exception("failed, log stream %s", getattr(context, "log_stream_name", None))
        result = {"Status": "FAILED", "Reason": str(error)[:500]}
    answer(event, identity, result)


def tag(event: Mapping[str, Any]) -> dict[str, str]:
    """Make the tags of every group what the properties say and return {"Group<n>": Auto Scaling group}."""
    cluster = event["ResourceProperties"]["ClusterName"]
    wanted = groups_of(event["ResourceProperties"])
    before = groups_of(event.get("OldResourceProperties", {}))
    eks = boto3.client("eks", config=RETRIES)
    auto_scaling = boto3.client("autoscaling", config=RETRIES)
    found = {}
    for number, (group, tags) in enumerate(wanted.items()):
        try:
            name = auto_scaling_group(eks, cluster, group)
            gone = sorted(before.get(group, {}).keys() - tags.keys())
            auto_scaling.create_or_update_tags(Tags=[written(name, key, value) for key, value in tags.items()])
            if gone:
                auto_scaling.delete_tags(Tags=[named(name, key) for key in gone])
            # free, and without it no metric says how many nodes a group has
            auto_scaling.enable_metrics_collection(AutoScalingGroupName=name, Granularity="1Minute", Metrics=METRICS)
        except Exception as error:
            raise RuntimeError(f"node group {group} of cluster {cluster}: {error}") from error
        LOG.info("%s is %s: %d tags, removed %s", group, name, len(tags), gone)
        found[f"Group{number}"] = name
    for group in before.keys() - wanted.keys():
        let_run_dry(eks, auto_scaling, cluster, group)
    return found


def let_run_dry(eks: Any, auto_scaling: Any, cluster: str, group: str) -> None:
    """Hide a group that the stack has left from the autoscaler, unless it is gone."""
    try:
        name = auto_scaling_group(eks, cluster, group)
    except eks.exceptions.ResourceNotFoundException:
        return
    except RuntimeError as error:
        LOG.warning("node group %s is left as it is: %s", group, error)
        return
    auto_scaling.delete_tags(Tags=[named(name, DISCOVERY_TAG)])
    LOG.info("%s is %s: hidden from the autoscaler", group, name)


def groups_of(properties: Mapping[str, Any]) -> Groups:
    """Return the groups of a resource's properties; none when there are no properties."""
    groups: Sequence[Mapping[str, Any]] = json.loads(properties.get("Groups", "[]"))
    return {group["name"]: dict(group["tags"]) for group in groups}


def auto_scaling_group(eks: Any, cluster: str, group: str) -> str:
    """Return the name of the group's one Auto Scaling group."""
    resources = eks.describe_nodegroup(clusterName=cluster, nodegroupName=group)["nodegroup"].get("resources", {})
    names = [each["name"] for each in resources.get("autoScalingGroups", [])]
    if len(names) != 1:
        raise RuntimeError(f"EKS must name one Auto Scaling group, got {names}; wait until the node group is active")
    return str(names[0])


def named(name: str, key: str) -> dict[str, str]:
    """Return what points to one tag of an Auto Scaling group."""
    return {"ResourceId": name, "ResourceType": "auto-scaling-group", "Key": key}


def written(name: str, key: str, value: str) -> dict[str, str | bool]:
    """Return a tag that stays on the group: instances get theirs from the launch template."""
    return {**named(name, key), "Value": value, "PropagateAtLaunch": False}


def answer(event: Mapping[str, Any], identity: str, result: Mapping[str, Any]) -> None:
    """Put the result where CloudFormation waits for it; at most 4,096 bytes are read."""
    copied = {key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")}
    body = json.dumps({**copied, "PhysicalResourceId": identity, **result}).encode()
    for attempt in range(1, ATTEMPTS + 1):
        # the URL is signed for an empty content type
        request = urllib.request.Request(  # noqa: S310  # CloudFormation's own address, always https
            event["ResponseURL"],
            data=body,
            method="PUT",
            headers={"Content-Type": "", "Content-Length": str(len(body))},
        )
        try:
            with urllib.request.urlopen(request, timeout=20):  # noqa: S310  # as above
                return
        except OSError as error:
            LOG.warning("answer %d of %d failed: %r", attempt, ATTEMPTS, error)
            if attempt == ATTEMPTS:
                raise
