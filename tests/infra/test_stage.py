import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from environments import environment_names, load
from moka.assembly import SynthesizedStack

Stacks = dict[str, SynthesizedStack]

ALLOWED_EDGES = {
    ("archer", "cluster"),
    ("archer", "data"),
    ("archer", "network"),
    ("archer", "platform"),
    ("cluster", "network"),
    ("platform", "cluster"),
    ("platform", "data"),
    ("platform", "network"),
}
"""(stack, stack that it refers to), by kind. References go one way: network → data → cluster → platform → archer."""


def kind(name: str) -> str:
    return name.split("-", 1)[0]


def references(assembly: Path) -> set[tuple[str, str, str]]:
    """(environment, stack, stack that it depends on), from the manifests that the CLI orders deployments by."""
    found = set()
    for name in environment_names():
        artifacts = json.loads((assembly / f"assembly-{name}" / "manifest.json").read_text())["artifacts"]
        stacks = {
            key: each["displayName"].removeprefix(f"{name}/")
            for key, each in artifacts.items()
            if each["type"] == "aws:cloudformation:stack"
        }
        for key, stack in stacks.items():
            found |= {(name, stack, stacks[on]) for on in artifacts[key].get("dependencies", []) if on in stacks}
    return found


def test_an_environment_is_a_stage_with_network_data_archer_and_two_stacks_per_cluster(stacks: Stacks) -> None:
    for name in environment_names():
        environment = load(name)
        clusters = [cluster.name for cluster in environment.clusters]
        expected = {
            "data",
            "archer",
            *(f"{what}-{cluster}" for cluster in clusters for what in ("cluster", "platform")),
        }
        if environment.network.mode == "new":
            expected.add("network")

        assert {path.removeprefix(f"{name}/") for path in stacks if path.startswith(f"{name}/")} == expected


def test_a_stack_publishes_its_own_template_and_the_files_that_it_names_into_its_own_region(stacks: Stacks) -> None:
    for path, stack in stacks.items():
        assert stack.template_file is not None
        file = stack.template_file
        manifest = file.with_name(file.name.replace(".template.json", ".assets.json"))
        assets = list(json.loads(manifest.read_text())["files"].values())
        destinations = [each for asset in assets for each in asset["destinations"].values()]
        others = [asset["source"]["path"] for asset in assets if asset["source"]["path"] != file.name]
        keys = [each["objectKey"] for each in destinations if each["objectKey"].endswith(".zip")]

        assert len(assets) == len(others) + 1, path
        assert {each["region"] for each in destinations} == {stack.region}, path
        assert {
            f"role/cdk-{load(stack.environment).bootstrap.qualifier}-" in each["assumeRoleArn"] for each in destinations
        } == {True}
        assert len(keys) == len(others), path
        assert [key for key in keys if key not in file.read_text()] == [], path


def test_references_between_stacks_go_one_way(assembly: Path) -> None:
    edges = references(assembly)

    assert {(kind(stack), kind(on)) for _, stack, on in edges} <= ALLOWED_EDGES
    assert ("dev", "cluster-batch", "network") in edges
    assert ("dev", "platform-batch", "cluster-batch") in edges


def test_a_cluster_never_refers_to_another_cluster(assembly: Path) -> None:
    for _, stack, on in references(assembly):
        if kind(stack) in {"cluster", "platform"} and kind(on) in {"cluster", "platform"}:
            assert stack.split("-", 1)[1] == on.split("-", 1)[1]


def test_stacks_name_their_account_and_region(stacks: Stacks) -> None:
    for path, stack in stacks.items():
        environment = load(path.split("/")[0])

        assert (stack.account, stack.region) == (environment.account, environment.region)


def test_stacks_are_deployed_through_the_bootstrap_stack_that_the_file_names(stacks: Stacks, assembly: Path) -> None:
    manifest = json.loads((assembly / "assembly-prod" / "manifest.json").read_text())["artifacts"]
    roles = {
        each["properties"]["cloudFormationExecutionRoleArn"]
        for each in manifest.values()
        if each["type"] == "aws:cloudformation:stack"
    }

    assert roles == {"arn:aws:iam::111111111111:role/platform/cdk-mokaprod-cfn-exec"}
    for path, stack in stacks.items():
        qualifier = load(path.split("/")[0]).bootstrap.qualifier
        assert stack.template["Parameters"]["BootstrapVersion"]["Default"] == f"/cdk-bootstrap/{qualifier}/version"


def test_every_role_carries_boundary_and_path_when_the_file_names_them(stacks: Stacks) -> None:
    for path, stack in stacks.items():
        rules = load(path.split("/")[0]).permissions
        for logical_id, resource in stack.resources.items():
            if resource["Type"] != "AWS::IAM::Role":
                continue
            role = resource["Properties"]
            where = f"{path} {logical_id}"

            assert role.get("PermissionsBoundary") == rules.boundary_arn, where
            assert role.get("Path", "/") == rules.role_path, where


def test_some_shipped_environment_names_a_boundary_and_a_path() -> None:
    named = [load(name).permissions for name in environment_names()]

    assert any(rules.boundary_arn is not None for rules in named)
    assert any(rules.role_path != "/" for rules in named)


def test_there_are_two_kinds_of_custom_resource_and_a_function_for_each_on_a_cluster(stacks: Stacks) -> None:
    # decision D7: the tagger and sets of manifests, no other kind
    expected = {
        "cluster": ["AWS::Lambda::Function", "Custom::MokaAutoScalingTags"],
        "platform": ["AWS::Lambda::Function", "Custom::MokaManifestSet"],
        # Archer's set is delivered by the function of its host cluster
        "archer": ["Custom::MokaManifestSet"],
    }
    for path, stack in stacks.items():
        kinds = [
            resource["Type"]
            for resource in stack.resources.values()
            if resource["Type"].startswith(("AWS::Lambda::", "AWS::CloudFormation::Custom", "Custom::"))
        ]

        delivered = load(path.split("/")[0]).delivery.manifests == "manifest_set"
        name = kind(stack.name)
        assert sorted(kinds) == (expected.get(name, []) if delivered or name == "cluster" else []), path


def test_no_template_is_near_cloudformations_limit_of_a_megabyte(stacks: Stacks) -> None:
    sizes = {path: len(json.dumps(stack.template)) for path, stack in stacks.items()}

    assert {path: size for path, size in sizes.items() if size > 900_000} == {}


def test_everything_that_can_have_tags_has_the_environments(
    stacks: Stacks, of_kind: Callable[[SynthesizedStack, str], list[dict[str, Any]]]
) -> None:
    tagged = {
        "network": ["AWS::EC2::VPC", "AWS::EC2::Subnet", "AWS::EC2::NatGateway", "AWS::EC2::VPCEndpoint"],
        "data": ["AWS::S3::Bucket", "AWS::KMS::Key", "AWS::ECR::Repository"],
        "cluster-batch": ["AWS::IAM::Role", "AWS::Logs::LogGroup", "AWS::EC2::SecurityGroup", "AWS::EKS::Addon"],
        "platform-batch": ["AWS::IAM::Role"],
        "archer": ["AWS::RDS::DBCluster", "AWS::RDS::DBInstance", "AWS::ElasticLoadBalancingV2::LoadBalancer"],
    }
    tags = load("dev").tags

    for name, kinds in tagged.items():
        for kind in kinds:
            found = of_kind(stacks[f"dev/{name}"], kind)
            assert found, kind
            for properties in found:
                given = {tag["Key"]: tag["Value"] for tag in properties["Tags"]}
                assert given.items() >= tags.items(), kind
    for properties in of_kind(stacks["dev/cluster-batch"], "AWS::EKS::Nodegroup"):
        assert properties["Tags"].items() >= tags.items()


def test_what_must_not_be_lost_is_protected_from_a_stack_deletion(assembly: Path) -> None:
    def protected(name: str) -> set[str]:
        manifest = json.loads((assembly / f"assembly-{name}" / "manifest.json").read_text())["artifacts"]
        return {
            each["displayName"]
            for each in manifest.values()
            if each["type"] == "aws:cloudformation:stack" and each["properties"].get("terminationProtection")
        }

    assert protected("dev") == set()
    assert protected("prod") == {
        "prod/network",
        "prod/data",
        "prod/cluster-batch",
        "prod/cluster-adhoc",
        "prod/archer",
    }


def test_two_environments_share_no_name_of_a_stack(assembly: Path) -> None:
    names = [
        each["properties"]["stackName"]
        for name in environment_names()
        for each in json.loads((assembly / f"assembly-{name}" / "manifest.json").read_text())["artifacts"].values()
        if each["type"] == "aws:cloudformation:stack"
    ]

    assert len(names) == len(set(names))
    assert "moka-dev-network" in names


def test_a_role_of_another_environment_has_another_name(stacks: Stacks) -> None:
    names = [
        resource["Properties"]["RoleName"]
        for stack in stacks.values()
        for resource in stack.resources.values()
        if resource["Type"] == "AWS::IAM::Role"
    ]

    assert len(names) == len(set(names))
    assert all(len(name) <= 64 for name in names)


def test_environments_are_told_apart_by_fields_and_not_by_name(dev_with: Callable[..., Stacks], stacks: Stacks) -> None:
    renamed = dev_with(name="prod")["prod/network"]
    original = stacks["dev/network"]

    def shape(stack: SynthesizedStack) -> list[str]:
        return sorted(resource["Type"] for resource in stack.resources.values())

    assert shape(renamed) == shape(original)
