"""The inventory counts what a real CDK synth wrote, not what Python objects say."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from moka.errors import BadInputError, MokaError
from moka.inventory import only, take_inventory
from moka.inventory_table import inventory_tables
from moka.output import write
from moka.processes import venv_environment
from moka.synth import BIN

APP = """
import aws_cdk as cdk
from aws_cdk import aws_eks, aws_iam, aws_s3

def group(stack, pool, role, zone, types, low, high, capacity="ON_DEMAND"):
    aws_eks.CfnNodegroup(
        stack, f"{pool}-{zone}", cluster_name="moka-dev-batch", node_role="arn:aws:iam::111111111111:role/n",
        subnets=["subnet-1"], nodegroup_name=f"{pool}-{zone}-0123abcd", instance_types=types, capacity_type=capacity,
        labels={"moka.dev/pool": pool, "moka.dev/role": role},
        scaling_config=aws_eks.CfnNodegroup.ScalingConfigProperty(min_size=low, max_size=high),
    )

app = cdk.App(analytics_reporting=False)
for name, region in (("dev", "us-east-1"), ("prod", "eu-west-1")):
    stage = cdk.Stage(app, name, env=cdk.Environment(account="111111111111", region=region))
    data = cdk.Stack(stage, "data")
    aws_s3.Bucket(data, "A"), aws_s3.Bucket(data, "B")
    aws_iam.Role(data, "R", assumed_by=aws_iam.AccountRootPrincipal())
    cluster = cdk.Stack(stage, "cluster-batch")
    for zone in (f"{region}b", f"{region}a"):
        group(cluster, "system", "system", zone, ["m8g.xlarge"], 1, 2)
        group(cluster, "spark-exec", "executor", zone, ["r8gd.4xlarge", "r7gd.4xlarge"], 0, 10, "SPOT")
app.synth()
"""

NAMESPACES = """
apiVersion: v1
kind: Namespace
metadata: {name: spark-ads}
---
apiVersion: v1
kind: Namespace
metadata: {name: spark-shared}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: quota, namespace: spark-ads}
"""


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("app")
    (folder / "app.py").write_text(APP)
    environment = venv_environment(BIN, {"CDK_OUTDIR": str(folder / "cdk.out"), "CDK_VALIDATION": "false"})
    subprocess.run([sys.executable, str(folder / "app.py")], cwd=folder, env=environment, check=True, timeout=120)
    return folder / "cdk.out"


@pytest.fixture
def rendered(tmp_path: Path) -> Path:
    (tmp_path / "dev" / "batch").mkdir(parents=True)
    (tmp_path / "dev" / "batch" / "10-namespaces.yaml").write_text(NAMESPACES)
    (tmp_path / "dev" / "batch" / "20-operator.yaml").write_text("---\nkind: Deployment\n---\n")
    return tmp_path


def test_stacks_are_counted_by_kind_per_environment(assembly: Path, rendered: Path) -> None:
    dev, prod = take_inventory(assembly, rendered)

    assert (dev.name, dev.account, dev.region) == ("dev", "111111111111", "us-east-1")
    assert (prod.name, prod.region) == ("prod", "eu-west-1")
    assert [(stack.name, stack.resources) for stack in dev.stacks] == [("data", 3), ("cluster-batch", 4)]
    assert list(dev.stacks[0].kinds.items()) == [("AWS::S3::Bucket", 2), ("AWS::IAM::Role", 1)]


def test_node_groups_come_from_the_template(assembly: Path, rendered: Path) -> None:
    dev, _ = take_inventory(assembly, rendered)

    executor, _, system, _ = dev.node_groups
    assert [(group.pool, group.zone) for group in dev.node_groups] == [
        ("spark-exec", "us-east-1a"),
        ("spark-exec", "us-east-1b"),
        ("system", "us-east-1a"),
        ("system", "us-east-1b"),
    ]
    assert (executor.role, executor.capacity, executor.instance_types) == (
        "executor",
        "SPOT",
        ("r8gd.4xlarge", "r7gd.4xlarge"),
    )
    assert (executor.min_nodes, executor.max_nodes) == (0, 10)
    assert (system.stack, system.capacity, system.min_nodes) == ("cluster-batch", "ON_DEMAND", 1)


def test_manifests_are_counted_by_kind_per_cluster(assembly: Path, rendered: Path) -> None:
    dev, prod = take_inventory(assembly, rendered)

    (batch,) = dev.manifests
    assert (batch.cluster, batch.files, batch.objects) == ("batch", 2, 4)
    assert list(batch.kinds.items()) == [("Namespace", 2), ("Deployment", 1), ("ResourceQuota", 1)]
    assert prod.manifests == ()


def test_tables_name_every_stack_pool_and_kind(assembly: Path, rendered: Path) -> None:
    out = io.StringIO()

    write(inventory_tables(take_inventory(assembly, rendered)), out)

    lines = [line.split() for line in out.getvalue().splitlines()]
    assert ["dev", "(111111111111,", "us-east-1)", "data", "3", "2", "S3::Bucket,", "1", "IAM::Role"] in lines
    assert ["2", "stacks", "7"] in lines
    assert [
        "dev",
        "batch",
        "spark-exec",
        "executor",
        "spot",
        "r8gd.4xlarge,",
        "r7gd.4xlarge",
        "2",
        "us-east-1a,",
        "b",
        "0",
        "to",
        "20",
    ] in lines
    assert ["batch", "system", "system", "on-demand", "m8g.xlarge", "2", "eu-west-1a,", "b", "2", "to", "4"] in lines
    assert ["dev", "batch", "2", "4", "2", "Namespace,", "1", "Deployment,", "1", "ResourceQuota"] in lines


def test_json_is_the_whole_inventory_of_one_environment(assembly: Path, rendered: Path) -> None:
    command = [sys.executable, "-m", "moka.cli", "show", "dev", "--assembly", str(assembly)]

    said = subprocess.run(
        [*command, "--rendered", str(rendered), "--output", "json"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    (dev,) = json.loads(said.stdout)
    assert dev["name"] == "dev"
    assert dev["stacks"][0] == {"name": "data", "resources": 3, "kinds": {"AWS::S3::Bucket": 2, "AWS::IAM::Role": 1}}
    assert dev["node_groups"][0]["instance_types"] == ["r8gd.4xlarge", "r7gd.4xlarge"]
    assert dev["manifests"][0]["kinds"]["Namespace"] == 2


def test_unknown_environment_is_named_with_those_that_exist(assembly: Path, rendered: Path) -> None:
    with pytest.raises(BadInputError, match=r"^`ENV` must be one of dev, prod, got 'qa'; give one of these, or --all$"):
        only(take_inventory(assembly, rendered), "qa")


def test_manifest_that_is_no_yaml_is_named(assembly: Path, rendered: Path) -> None:
    (rendered / "dev" / "batch" / "30-broken.yaml").write_text("a: [")

    with pytest.raises(MokaError, match=r"30-broken\.yaml is not YAML.*render again: moka render$"):
        take_inventory(assembly, rendered)
