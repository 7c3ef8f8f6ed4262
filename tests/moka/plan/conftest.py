"""Small assemblies written by hand: what a plan must say about them can be worked out on paper."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from moka.assembly import SynthesizedStack


def bucket(**more: Any) -> dict[str, Any]:
    return {"Type": "AWS::S3::Bucket", **more}


def stack(name: str, resources: dict[str, Any], *, depends_on: tuple[str, ...] = (), **more: Any) -> SynthesizedStack:
    return SynthesizedStack(
        environment="demo",
        name=name,
        account="111111111111",
        region="us-east-1",
        template={"Resources": resources, **more},
        depends_on=depends_on,
    )


KEY_THEN_CLUSTER = {
    "Key12345678": {"Type": "AWS::KMS::Key"},
    "Role": {"Type": "AWS::IAM::Role"},
    "Cluster": {
        "Type": "AWS::EKS::Cluster",
        "Properties": {"RoleArn": {"Fn::GetAtt": ["Role", "Arn"]}, "Key": {"Fn::GetAtt": "Key12345678.Arn"}},
    },
}
"""Key 20 s, role 15 s, then the cluster 540 s: 560 s, and 575 s one after another."""


@pytest.fixture
def demo() -> list[SynthesizedStack]:
    """Two stacks that wait for nothing, one after the first, one after all: 80, 20, 560 and 450 s."""
    return [
        stack(
            "network",
            {
                "Key": {"Type": "AWS::KMS::Key"},
                "Alias": {"Type": "AWS::Route53::RecordSet", "Properties": {"Key": {"Ref": "Key"}}},
            },
            Outputs={"Out": {"Value": "1", "Export": {"Name": "demo-network:Key"}}},
        ),
        stack("data", {"Key": {"Type": "AWS::KMS::Key"}}),
        stack(
            "cluster-c", {**KEY_THEN_CLUSTER, "Log": bucket(Properties={"A": {"Fn::ImportValue": "demo-network:Key"}})}
        ),
        stack("archer", {"Database": {"Type": "AWS::RDS::DBInstance"}}, depends_on=("data", "cluster-c")),
    ]


@pytest.fixture
def demo_folder(demo: list[SynthesizedStack], tmp_path: Path) -> Path:
    """The same as the files of an assembly."""
    nested = tmp_path / "assembly-demo"
    nested.mkdir()
    artifacts = {}
    for each in demo:
        (nested / f"{each.name}.template.json").write_text(json.dumps(each.template))
        artifacts[f"demo{each.name}"] = {
            "type": "aws:cloudformation:stack",
            "environment": f"aws://{each.account}/{each.region}",
            "displayName": f"demo/{each.name}",
            "properties": {"templateFile": f"{each.name}.template.json"},
            "dependencies": [f"demo{name}" for name in each.depends_on] + [f"demo{each.name}.assets"],
        }
        artifacts[f"demo{each.name}.assets"] = {"type": "cdk:asset-manifest", "properties": {}}
    (nested / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    stage = {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-demo", "displayName": "demo"}}
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {"assembly-demo": stage}}))
    return tmp_path
