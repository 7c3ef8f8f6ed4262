"""Sets of manifests in the stacks that deliver them, as their templates say."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from environments import environment_names, load, names
from k8s_manifests.rendered import rendered_components
from moka.assembly import SynthesizedStack

Stacks = dict[str, SynthesizedStack]
OfKind = Callable[[SynthesizedStack, str], list[dict[str, Any]]]
SET = "Custom::MokaManifestSet"


def resource(stack: SynthesizedStack, kind: str) -> dict[str, Any]:
    (found,) = (each for each in stack.resources.values() if each["Type"] == kind)
    return found


def test_every_cluster_gets_its_own_bundle(stacks: Stacks, of_kind: OfKind) -> None:
    keys = set()
    for name in environment_names():
        environment = load(name)
        for cluster in environment.clusters:
            (properties,) = of_kind(stacks[f"{name}/platform-{cluster.name}"], SET)
            assert properties["Set"] == "platform"
            assert properties["ClusterName"] == names.eks_cluster(environment, cluster)
            assert properties["Bucket"].startswith(f"cdk-{environment.bootstrap.qualifier}-assets-")
            keys.add(properties["Key"])

    assert len(keys) == sum(len(load(name).clusters) for name in environment_names())


def test_the_charts_wait_for_every_role_and_for_the_functions_access(stacks: Stacks) -> None:
    for path, stack in stacks.items():
        if "/platform-" not in path:
            continue
        waits = set(resource(stack, SET)["DependsOn"])
        roles = {key for key, each in stack.resources.items() if each["Type"] == "AWS::IAM::Role"}
        own = {key for key in roles if stack.resources[key]["Properties"]["RoleName"].endswith("-manifests")}
        access = {
            key
            for key, each in stack.resources.items()
            if each["Type"].startswith(("AWS::EKS::AccessEntry", "AWS::EC2::SecurityGroup"))
            and each["Type"] != "AWS::EC2::SecurityGroup"
        }

        assert roles - own <= waits, path
        assert len(access) == 3
        assert access <= waits, path


def test_the_function_is_in_one_nodes_subnet_of_each_zone(stacks: Stacks, of_kind: OfKind) -> None:
    (function,) = of_kind(stacks["prod/platform-batch"], "AWS::Lambda::Function")
    groups = of_kind(stacks["prod/cluster-batch"], "AWS::EKS::Nodegroup")
    of_nodes = {str(subnet) for group in groups for subnet in group["Subnets"]}
    subnets = {str(subnet) for subnet in function["VpcConfig"]["SubnetIds"]}

    assert len(subnets) == len(load("prod").network.zones)
    assert subnets <= of_nodes


def test_values_that_only_a_deploy_knows_come_from_the_stack_that_knows_them(stacks: Stacks, of_kind: OfKind) -> None:
    (platform,) = of_kind(stacks["dev/platform-batch"], SET)
    (archer,) = of_kind(stacks["dev/archer"], SET)

    assert set(platform["Values"]) == {"cluster_endpoint", "oidc_issuer"}
    assert set(archer["Values"]) == {"database_endpoint", "database_port", "database_master_secret"}
    assert all(isinstance(value, dict) for value in (*platform["Values"].values(), *archer["Values"].values()))


def test_archers_set_waits_for_its_database_its_load_balancer_and_the_migrations_role(stacks: Stacks) -> None:
    stack = stacks["dev/archer"]
    waits = {stack.resources[key]["Type"] for key in resource(stack, SET)["DependsOn"]}

    assert {
        "AWS::RDS::DBInstance",
        "AWS::EC2::SecurityGroupIngress",
        "AWS::ElasticLoadBalancingV2::Listener",
        "AWS::IAM::Role",
        "AWS::IAM::RolePolicy",
        "AWS::EKS::AccessEntry",
    } <= waits


def test_images_are_looked_up_in_the_accounts_own_registry_only(dev_with: Callable[..., Stacks]) -> None:
    def allowed(**delivery: Any) -> list[str]:
        stack = dev_with(delivery=delivery)["dev/platform-batch"]
        statements = [
            statement
            for each in stack.resources.values()
            if each["Type"] == "AWS::IAM::Role"
            for policy in each["Properties"].get("Policies", [])
            for statement in policy["PolicyDocument"]["Statement"]
        ]
        return [arn for each in statements if each["Sid"] == "LookUpImages" for arn in each["Resource"]]

    own = {"registry": "existing", "registry_uri": "111111111111.dkr.ecr.us-west-2.amazonaws.com/shared"}
    other = {"registry": "existing", "registry_uri": "222222222222.dkr.ecr.us-east-1.amazonaws.com/shared"}

    assert allowed() == ["arn:aws:ecr:us-east-1:111111111111:repository/moka-dev/*"]
    assert allowed(**own) == ["arn:aws:ecr:us-west-2:111111111111:repository/shared/*"]
    assert allowed(**other) == []


def test_a_file_that_wants_files_gets_no_function_and_no_set(dev_with: Callable[..., Stacks]) -> None:
    stacks = dev_with(delivery={"manifests": "files"})
    kinds = {each["Type"] for path in ("platform-batch", "archer") for each in stacks[f"dev/{path}"].resources.values()}

    assert not [kind for kind in kinds if kind.startswith(("AWS::Lambda::", "Custom::"))]
    assert "AWS::RDS::DBCluster" in kinds


@pytest.mark.parametrize("stack", ["platform-batch", "archer"])
def test_what_may_be_removed_and_taken_over_comes_from_the_file(
    dev_with: Callable[..., Stacks], of_kind: OfKind, stack: str
) -> None:
    changed = dev_with(delivery={"remove": "everything", "force_fields": (".spec.replicas",)})
    (properties,) = of_kind(changed[f"dev/{stack}"], SET)

    assert (properties["Remove"], properties["ForceFields"]) == ("everything", [".spec.replicas"])


def test_charts_read_no_value_that_no_stack_writes(stacks: Stacks, of_kind: OfKind) -> None:
    environment = load("dev")
    written = {
        key
        for path in ("platform-batch", "archer")
        for set_ in of_kind(stacks[f"dev/{path}"], SET)
        for key in set_["Values"]
    }
    read = {
        reference["key"]
        for component in rendered_components(environment, environment.cluster("batch"))
        for manifest in component.manifests
        if manifest["kind"] in {"Deployment", "Job", "DaemonSet", "StatefulSet"}
        for reference in config_keys(manifest)
        if reference["name"] == names.PLATFORM_CONFIG_MAP
    }

    assert read
    assert read <= written


def config_keys(node: Any) -> Iterator[dict[str, str]]:
    """Every reference to a key of a ConfigMap."""
    if isinstance(node, dict):
        if "configMapKeyRef" in node:
            yield node["configMapKeyRef"]
        for value in node.values():
            yield from config_keys(value)
    elif isinstance(node, list | tuple):
        for value in node:
            yield from config_keys(value)
