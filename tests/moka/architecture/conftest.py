"""A small environment written by hand, with one of each thing that matters, and ways to look at what is drawn of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from moka.architecture.environment import Architecture, make_architecture
from moka.architecture.picture import architecture_picture
from moka.assembly import SynthesizedStack

SVG = "{http://www.w3.org/2000/svg}"
Templates = dict[str, dict[str, Any]]
"""{stack: {logical id: resource}}; outputs are made from EXPORTS."""

EXPORTS: dict[str, dict[str, str | list[str]]] = {
    "network": {"Vpc": "Vpc", "NodesA": "NodesA", "NodesB": "NodesB"},
    "cluster-c": {"Cluster": ["Cluster", "ClusterSecurityGroupId"], "Provider": ["Provider", "Arn"]},
}
"""{stack: {name of the export: logical id, or [logical id, attribute]}}."""


def made(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}


def ref(logical_id: str) -> dict[str, str]:
    return {"Ref": logical_id}


def att(logical_id: str, attribute: str = "Arn") -> dict[str, list[str]]:
    return {"Fn::GetAtt": [logical_id, attribute]}


def imported(stack: str, name: str) -> dict[str, str]:
    return {"Fn::ImportValue": f"demo-{stack}:{name}"}


def subnet(cidr: str, zone: str, use: str) -> dict[str, Any]:
    tag = [{"Key": "moka.dev/subnet", "Value": use}]
    return made("EC2::Subnet", CidrBlock=cidr, AvailabilityZone=zone, VpcId=ref("Vpc"), Tags=tag)


def node_group(pool: str, zone: str, subnet_id: Any, **more: Any) -> dict[str, Any]:
    return made(
        "EKS::Nodegroup",
        **{
            "ClusterName": ref("Cluster"),
            "NodegroupName": f"{pool}-{zone}-0a1b2c3d",
            "Labels": {"moka.dev/pool": pool},
            "AmiType": "AL2023_ARM_64_STANDARD",
            "InstanceTypes": ["m8g.4xlarge"],
            "ScalingConfig": {"MinSize": 1, "MaxSize": 9},
            "Subnets": [subnet_id],
            **more,
        },
    )


def pod_role(name: str, account: str, provider: Any) -> dict[str, Any]:
    trust = {"Fn::Sub": [f'{{"sub": "system:serviceaccount:{account}"}}', {"Provider": provider}]}
    return made("IAM::Role", RoleName=name, AssumeRolePolicyDocument=trust)


def network() -> dict[str, Any]:
    found: dict[str, Any] = {
        "Vpc": made("EC2::VPC", CidrBlock="10.0.0.0/16", Tags=[{"Key": "Name", "Value": "demo"}]),
        "Range": made("EC2::VPCCidrBlock", CidrBlock="100.64.0.0/16", VpcId=ref("Vpc")),
        "Gateway": made("EC2::InternetGateway"),
        "Attachment": made("EC2::VPCGatewayAttachment", InternetGatewayId=ref("Gateway"), VpcId=ref("Vpc")),
        "Address": made("EC2::EIP"),
        "PublicA": subnet("10.0.1.0/24", "eu-west-1a", "public"),
        "Nat": made("EC2::NatGateway", SubnetId=ref("PublicA"), AllocationId=att("Address", "AllocationId")),
        "NodesA": subnet("100.64.0.0/17", "eu-west-1a", "nodes"),
        "NodesB": subnet("100.64.128.0/17", "eu-west-1b", "nodes"),
        "PublicTable": made("EC2::RouteTable", VpcId=ref("Vpc")),
        "Table": made("EC2::RouteTable", VpcId=ref("Vpc")),
        "PublicRoute": made("EC2::Route", RouteTableId=ref("PublicTable"), GatewayId=ref("Gateway")),
        "Route": made("EC2::Route", RouteTableId=ref("Table"), NatGatewayId=ref("Nat")),
        "S3": made("EC2::VPCEndpoint", ServiceName="com.amazonaws.eu-west-1.s3", RouteTableIds=[ref("Table")]),
        "StsGroup": made("EC2::SecurityGroup", VpcId=ref("Vpc")),
        "Sts": made(
            "EC2::VPCEndpoint",
            VpcEndpointType="Interface",
            ServiceName="com.amazonaws.eu-west-1.sts",
            SecurityGroupIds=[ref("StsGroup")],
        ),
    }
    for name, table in (("PublicA", "PublicTable"), ("NodesA", "Table"), ("NodesB", "Table")):
        found[f"{name}Routes"] = made("EC2::SubnetRouteTableAssociation", SubnetId=ref(name), RouteTableId=ref(table))
    return found


def cluster() -> dict[str, Any]:
    spot = {"CapacityType": "SPOT", "InstanceTypes": ["r8gd.4xlarge", "r7gd.4xlarge"]}
    return {
        "Key": made("KMS::Key", EnableKeyRotation=True),
        "Alias": made("KMS::Alias", AliasName="alias/demo-secrets", TargetKeyId=ref("Key")),
        "Cluster": made(
            "EKS::Cluster",
            Name="demo-c",
            Version="1.35",
            EncryptionConfig=[{"Provider": {"KeyArn": att("Key")}}],
            ResourcesVpcConfig={"EndpointPublicAccess": False, "SubnetIds": []},
        ),
        "Dns": made("EKS::Addon", AddonName="coredns", AddonVersion="v1", ClusterName=ref("Cluster")),
        "Admin": made(
            "EKS::AccessEntry",
            ClusterName=ref("Cluster"),
            PrincipalArn="arn:aws:iam::1:role/Admin",
            AccessPolicies=[{"PolicyArn": "x"}],
        ),
        "Provider": made("IAM::OIDCProvider", Url=att("Cluster", "OpenIdConnectIssuerUrl")),
        "Template": made(
            "EC2::LaunchTemplate",
            LaunchTemplateData={"BlockDeviceMappings": [{"Ebs": {"VolumeSize": 80, "VolumeType": "gp3"}}]},
        ),
        "DriverA": node_group(
            "driver", "eu-west-1a", imported("network", "NodesA"), LaunchTemplate={"Id": ref("Template")}
        ),
        "DriverB": node_group("driver", "eu-west-1b", imported("network", "NodesB")),
        "ExecutorA": node_group("executor", "eu-west-1a", imported("network", "NodesA"), **spot),
    }


def platform() -> dict[str, Any]:
    provider = imported("cluster-c", "Provider")
    return {
        "Archer": pod_role("demo-c-archer", "moka-system:archer", provider),
        "Team": pod_role("demo-c-team", "spark-ads:spark", provider),
    }


def archer() -> dict[str, Any]:
    pods = imported("cluster-c", "Cluster")
    rule = {"IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080}
    return {
        "BalancerGroup": made("EC2::SecurityGroup", SecurityGroupIngress=[{"CidrIp": "10.0.0.0/8", "FromPort": 443}]),
        "Out": made("EC2::SecurityGroupEgress", GroupId=att("BalancerGroup", "GroupId"), **rule),
        "In": made(
            "EC2::SecurityGroupIngress",
            GroupId=pods,
            SourceSecurityGroupId=att("BalancerGroup", "GroupId"),
            **rule,
        ),
        "Balancer": made(
            "ElasticLoadBalancingV2::LoadBalancer",
            Name="demo-archer",
            Scheme="internal",
            SecurityGroups=[att("BalancerGroup", "GroupId")],
        ),
        "Record": made(
            "Route53::RecordSet", Name="archer.example.com.", AliasTarget={"DNSName": att("Balancer", "DNSName")}
        ),
        "Targets": made("ElasticLoadBalancingV2::TargetGroup", Name="demo-api", Port=8080),
        "Listener": made(
            "ElasticLoadBalancingV2::Listener",
            LoadBalancerArn=ref("Balancer"),
            Port=443,
            Protocol="HTTPS",
            DefaultActions=[{"Type": "forward", "TargetGroupArn": ref("Targets")}],
        ),
        "DatabaseGroup": made("EC2::SecurityGroup"),
        "FromNodes": made(
            "EC2::SecurityGroupIngress",
            GroupId=att("DatabaseGroup", "GroupId"),
            SourceSecurityGroupId=pods,
            FromPort=5432,
            ToPort=5432,
        ),
        "Database": made(
            "RDS::DBCluster",
            DBClusterIdentifier="demo-archer",
            Engine="aurora-postgresql",
            EngineVersion="17.5",
            ServerlessV2ScalingConfiguration={"MinCapacity": 1, "MaxCapacity": 4},
            VpcSecurityGroupIds=[att("DatabaseGroup", "GroupId")],
        ),
        "Writer": made("RDS::DBInstance", DBClusterIdentifier=ref("Database"), DBInstanceClass="db.serverless"),
        "Reach": made(
            "EKS::AccessEntry",
            ClusterName="demo-c",
            KubernetesGroups=["moka:archer"],
            PrincipalArn="arn:aws:iam::1:role/demo-c-archer",
        ),
    }


def data() -> dict[str, Any]:
    return {
        "Logs": made("S3::Bucket", BucketName="demo-logs-111111111111-eu-west-1"),
        "Topic": made("SNS::Topic", TopicName="demo-alarms"),
        "Policy": made("SNS::TopicPolicy", Topics=[ref("Topic")]),
    }


def stacks_of(templates: Templates) -> list[SynthesizedStack]:
    found = []
    for name, resources in templates.items():
        outputs = {}
        for export, target in EXPORTS.get(name, {}).items():
            value = ref(target) if isinstance(target, str) else att(*target)
            outputs[export] = {"Value": value, "Export": {"Name": f"demo-{name}:{export}"}}
        found.append(
            SynthesizedStack(
                environment="demo",
                name=name,
                account="111111111111",
                region="eu-west-1",
                template={"Resources": resources, "Outputs": outputs},
            )
        )
    return found


@pytest.fixture
def demo() -> Templates:
    """The whole small environment; a test may change it."""
    return {
        "network": network(),
        "data": data(),
        "cluster-c": cluster(),
        "platform-c": platform(),
        "archer": archer(),
    }


@pytest.fixture
def read() -> Callable[[Templates], Architecture]:
    """The architecture of templates."""
    return lambda templates: make_architecture(stacks_of(templates))


Drawn = Callable[[Templates], ET.Element]


@pytest.fixture
def drawn(read: Callable[[Templates], Architecture]) -> Drawn:
    """The picture of templates, read back as a browser would."""
    return lambda templates: ET.fromstring(architecture_picture(read(templates)))


@pytest.fixture
def without() -> Callable[..., Templates]:
    """`without(templates, "Nat", "Sts")`: templates that lack these resources."""

    def cut(templates: Templates, *logical_ids: str) -> Templates:
        copy = deepcopy(templates)
        for resources in copy.values():
            for logical_id in logical_ids:
                resources.pop(logical_id, None)
        return copy

    return cut


def words(picture: ET.Element) -> list[str]:
    """The lines of text that people see."""
    return ["".join(_seen(text)).strip() for text in picture.iter(f"{SVG}text")]


def parts(picture: ET.Element) -> set[str]:
    """What the lines are made of: each fact of a line, and each line."""
    spans = {(span.text or "").strip() for span in picture.iter(f"{SVG}tspan")}
    return {*words(picture), *spans, *(part for line in words(picture) for part in line.split(" · "))}


def _seen(element: ET.Element) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        if child.tag != f"{SVG}title":
            yield from _seen(child)
        yield child.tail or ""


def sources(picture: ET.Element) -> set[str]:
    """The keys of all resources that something in the picture stands for."""
    return {key for element in picture.iter() for key in element.get("data-of", "").split()}


def folder_of(stacks: Iterable[SynthesizedStack], folder: Path) -> Path:
    """The same as the files of an assembly."""
    nested = folder / "assembly-demo"
    nested.mkdir(parents=True)
    artifacts = {}
    for each in stacks:
        (nested / f"{each.name}.template.json").write_text(json.dumps(each.template))
        artifacts[each.name] = {
            "type": "aws:cloudformation:stack",
            "environment": f"aws://{each.account}/{each.region}",
            "displayName": f"demo/{each.name}",
            "properties": {"templateFile": f"{each.name}.template.json"},
        }
    (nested / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    stage = {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-demo", "displayName": "demo"}}
    (folder / "manifest.json").write_text(json.dumps({"artifacts": {"assembly-demo": stage}}))
    return folder
