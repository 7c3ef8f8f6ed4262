import re
from collections.abc import Callable
from typing import Any

import pytest

from environments import environment_names, load
from environments.clusters import Cluster, Pool
from environments.instances import instance_types
from moka.assembly import SynthesizedStack

Stacks = dict[str, SynthesizedStack]
OfKind = Callable[[SynthesizedStack, str], list[dict[str, Any]]]
Groups = dict[str, list[dict[str, Any]]]


def groups_by_pool(stack: SynthesizedStack) -> Groups:
    found: Groups = {}
    for resource in stack.resources.values():
        if resource["Type"] == "AWS::EKS::Nodegroup":
            found.setdefault(resource["Properties"]["Labels"]["moka.dev/pool"], []).append(resource)
    return found


def every_pool(stacks: Stacks) -> list[tuple[str, Cluster, Pool, list[dict[str, Any]]]]:
    return [
        (name, cluster, pool, groups_by_pool(stacks[f"{name}/cluster-{cluster.name}"])[pool.name])
        for name in environment_names()
        for cluster in load(name).clusters
        for pool in cluster.pools
    ]


@pytest.fixture
def dev_pool(dev_with: Callable[..., Stacks]) -> Callable[..., list[dict[str, Any]]]:
    """Synthesise dev with fields of one pool changed, and return that pool's groups."""

    def make(name: str, **fields: Any) -> list[dict[str, Any]]:
        cluster = load("dev").clusters[0]
        pools = tuple(pool.model_copy(update=fields if pool.name == name else {}) for pool in cluster.pools)
        stacks = dev_with(clusters=(cluster.model_copy(update={"pools": pools}),))
        return groups_by_pool(stacks["dev/cluster-batch"])[name]

    return make


def names_of(groups: list[dict[str, Any]]) -> list[str]:
    return [group["Properties"]["NodegroupName"] for group in groups]


def test_a_pool_is_one_group_per_zone(stacks: Stacks) -> None:
    for name, _, pool, groups in every_pool(stacks):
        zones = load(name).pool_zones(pool)

        assert len(groups) == len(zones)
        for zone, group_name in zip(zones, names_of(groups), strict=True):
            assert re.fullmatch(rf"{pool.name}-{zone}-[0-9a-f]{{8}}", group_name)
            assert len(group_name) <= 63


def test_only_the_system_pool_has_a_desired_size(stacks: Stacks) -> None:
    for _, _, pool, groups in every_pool(stacks):
        for group in groups:
            expected = {"MinSize": pool.min_nodes_per_zone, "MaxSize": pool.max_nodes_per_zone}
            if pool.role == "system":
                expected["DesiredSize"] = pool.min_nodes_per_zone

            assert group["Properties"]["ScalingConfig"] == expected


def test_spot_and_instance_types_are_the_files(stacks: Stacks) -> None:
    for _, _, pool, groups in every_pool(stacks):
        for group in groups:
            assert group["Properties"]["CapacityType"] == pool.capacity.upper()
            assert group["Properties"]["InstanceTypes"] == list(pool.instance_types)


def test_the_image_fits_the_architecture_and_its_release_is_pinned(stacks: Stacks) -> None:
    for _, _, pool, groups in every_pool(stacks):
        arm = instance_types()[pool.instance_types[0]].architecture == "arm64"
        system = {"al2023": ("AL2023_{}_STANDARD", "AL2023"), "bottlerocket": ("BOTTLEROCKET_{}", "BOTTLEROCKET")}
        pattern = system[pool.operating_system][0]
        for group in groups:
            assert group["Properties"]["AmiType"] == pattern.format("ARM_64" if arm else "x86_64")
            assert group["Properties"]["ReleaseVersion"] == pool.ami_release_version
            assert group["Properties"]["LaunchTemplate"]["Version"] != "$Latest"


def test_nodes_tell_their_pool_role_and_capacity_and_only_system_nodes_take_everything(stacks: Stacks) -> None:
    for _, _, pool, groups in every_pool(stacks):
        for group in groups:
            labels = group["Properties"]["Labels"]
            taints = group["Properties"].get("Taints", [])
            own = {"Effect": "NO_SCHEDULE", "Key": "moka.dev/role", "Value": pool.role}

            assert labels["moka.dev/pool"] == pool.name
            assert labels["moka.dev/role"] == pool.role
            assert labels["moka.dev/capacity"] == pool.capacity
            assert labels.items() >= pool.labels.items()
            assert (own in taints) == (pool.role != "system")
            assert len(taints) == len(pool.taints) + (pool.role != "system")


def test_updates_are_never_forced_and_broken_nodes_are_repaired(stacks: Stacks) -> None:
    for _, _, pool, groups in every_pool(stacks):
        for group in groups:
            expected = (
                {"MaxUnavailablePercentage": 33, "UpdateStrategy": "MINIMAL"}
                if pool.role == "executor"
                else {"MaxUnavailable": 1, "UpdateStrategy": "DEFAULT"}
            )

            assert group["Properties"]["ForceUpdateEnabled"] is False
            assert group["Properties"]["NodeRepairConfig"] == {"Enabled": True}
            assert group["Properties"]["UpdateConfig"] == expected


@pytest.mark.parametrize(
    "change",
    [
        {"ami_release_version": "1.35.9-20261101"},
        {"disk_gib": 333},
        {"max_pods": 77},
        {"instance_types": ("m8g.4xlarge",)},
    ],
)
def test_what_would_roll_a_driver_pool_makes_a_new_group_and_keeps_the_old_one(
    stacks: Stacks, dev_pool: Callable[..., list[dict[str, Any]]], change: dict[str, Any]
) -> None:
    before = groups_by_pool(stacks["dev/cluster-batch"])["driver"]

    after = dev_pool("driver", **change)

    assert not set(names_of(after)) & set(names_of(before))
    assert {group["UpdateReplacePolicy"] for group in after} == {"Retain"}
    assert {group["DeletionPolicy"] for group in after} == {"Delete"}


@pytest.mark.parametrize(
    "change",
    [
        {"tags": {"owner": "another"}},
        {"storage": {"volumes_key_arn": f"arn:aws:kms:us-east-1:111111111111:key/{'0' * 36}"}},
    ],
)
def test_tags_and_keys_of_the_whole_environment_roll_no_driver_pool_either(
    stacks: Stacks, dev_with: Callable[..., Stacks], change: dict[str, Any]
) -> None:
    """Both are part of the launch template, and another version of it would roll the nodes."""
    before = groups_by_pool(stacks["dev/cluster-batch"])

    after = groups_by_pool(dev_with(**change)["dev/cluster-batch"])

    assert not set(names_of(after["driver"])) & set(names_of(before["driver"]))
    assert names_of(after["executor"]) == names_of(before["executor"])


def test_a_new_release_rolls_an_executor_pool_in_place(
    stacks: Stacks, dev_pool: Callable[..., list[dict[str, Any]]]
) -> None:
    before = groups_by_pool(stacks["dev/cluster-batch"])["executor"]

    after = dev_pool("executor", ami_release_version="1.35.9-20261101")

    assert names_of(after) == names_of(before)
    assert "UpdateReplacePolicy" not in after[0]


def test_new_bounds_keep_the_group(stacks: Stacks, dev_pool: Callable[..., list[dict[str, Any]]]) -> None:
    before = groups_by_pool(stacks["dev/cluster-batch"])["driver"]

    assert names_of(dev_pool("driver", max_nodes_per_zone=7)) == names_of(before)


def test_other_instance_types_replace_an_executor_group(
    stacks: Stacks, dev_pool: Callable[..., list[dict[str, Any]]]
) -> None:
    before = groups_by_pool(stacks["dev/cluster-batch"])["executor"]

    after = dev_pool("executor", instance_types=("r8gd.4xlarge",))

    assert not set(names_of(after)) & set(names_of(before))


def test_launch_templates_tag_what_they_start(stacks: Stacks, of_kind: OfKind) -> None:
    for name in environment_names():
        for cluster in load(name).clusters:
            for template in of_kind(stacks[f"{name}/cluster-{cluster.name}"], "AWS::EC2::LaunchTemplate"):
                tags = {
                    each["ResourceType"]: {tag["Key"]: tag["Value"] for tag in each["Tags"]}
                    for each in template["LaunchTemplateData"]["TagSpecifications"]
                }

                assert set(tags) == {"instance", "volume", "network-interface"}
                assert all(each.items() >= load(name).tags.items() for each in tags.values())


def test_volumes_are_encrypted_gp3_and_pods_cannot_reach_the_nodes_credentials(stacks: Stacks, of_kind: OfKind) -> None:
    for path, stack in stacks.items():
        if "/cluster-" not in path:
            continue
        for template in of_kind(stack, "AWS::EC2::LaunchTemplate"):
            data = template["LaunchTemplateData"]
            for volume in data["BlockDeviceMappings"]:
                assert volume["Ebs"]["Encrypted"] is True
                assert volume["Ebs"]["VolumeType"] == "gp3"
                assert volume["Ebs"]["KmsKeyId"]
            assert data["MetadataOptions"] == {
                "HttpEndpoint": "enabled",
                "HttpPutResponseHopLimit": 1,
                "HttpTokens": "required",
            }
            (interface,) = data["NetworkInterfaces"]
            assert interface["AssociatePublicIpAddress"] is False


def test_nodes_join_the_clusters_group_and_those_of_the_file(stacks: Stacks, of_kind: OfKind) -> None:
    network = load("staging").network
    assert network.mode == "existing"

    for template in of_kind(stacks["staging/cluster-batch"], "AWS::EC2::LaunchTemplate"):
        (interface,) = template["LaunchTemplateData"]["NetworkInterfaces"]
        own, *extra = interface["Groups"]

        assert own["Fn::GetAtt"][1] == "ClusterSecurityGroupId"
        assert extra == list(network.node_security_group_ids)


def test_instance_stores_become_one_array_where_the_file_says_raid0(stacks: Stacks, of_kind: OfKind) -> None:
    for name in environment_names():
        for cluster in load(name).clusters:
            templates = {
                each["LaunchTemplateData"]["TagSpecifications"][0]["Tags"][-1]["Value"]: each["LaunchTemplateData"]
                for each in of_kind(stacks[f"{name}/cluster-{cluster.name}"], "AWS::EC2::LaunchTemplate")
            }
            for pool in cluster.pools:
                data = templates[f"moka-{name}-{cluster.name}-{pool.name}"]["UserData"]["Fn::Base64"]

                assert ("RAID0" in data or "ephemeral-storage" in data) == (pool.nvme == "raid0")
