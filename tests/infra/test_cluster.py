import json
from collections.abc import Callable
from typing import Any

import pytest

from environments import load
from environments.clusters import AccessEntry, ApiEndpoint, Cluster
from moka.assembly import SynthesizedStack

Stacks = dict[str, SynthesizedStack]
OfKind = Callable[[SynthesizedStack, str], list[dict[str, Any]]]


@pytest.fixture
def dev_cluster(dev_with: Callable[..., Stacks]) -> Callable[..., SynthesizedStack]:
    """Synthesise dev with fields of its cluster changed, and return the cluster's stack."""

    def make(**fields: Any) -> SynthesizedStack:
        cluster = load("dev").clusters[0].model_copy(update=fields)
        return dev_with(clusters=(cluster,))[f"dev/cluster-{cluster.name}"]

    return make


def clusters(stacks: Stacks) -> list[tuple[Cluster, SynthesizedStack]]:
    return [
        (load(path.split("/")[0]).cluster(path.split("/cluster-")[1]), stack)
        for path, stack in stacks.items()
        if "/cluster-" in path
    ]


def one(found: list[dict[str, Any]]) -> dict[str, Any]:
    (only,) = found
    return only


def depends_on(stack: SynthesizedStack, logical_id: str) -> set[str]:
    """Everything that CloudFormation makes before a resource: direct and indirect, written or referred to."""
    seen: set[str] = set()
    waiting = [logical_id]
    while waiting:
        resource = stack.resources[waiting.pop()]
        text = json.dumps(resource.get("Properties", {}))
        named = {*resource.get("DependsOn", []), *(each for each in stack.resources if f'"{each}"' in text)}
        waiting += named - seen
        seen |= named
    return seen


def addons(stack: SynthesizedStack) -> dict[str, str]:
    """{add-on name: logical id}."""
    return {
        resource["Properties"]["AddonName"]: logical_id
        for logical_id, resource in stack.resources.items()
        if resource["Type"] == "AWS::EKS::Addon"
    }


def test_the_api_server_is_private_by_default(stacks: Stacks, of_kind: OfKind) -> None:
    config = one(of_kind(stacks["dev/cluster-batch"], "AWS::EKS::Cluster"))["ResourcesVpcConfig"]

    assert config["EndpointPrivateAccess"] is True
    assert config["EndpointPublicAccess"] is False
    assert "PublicAccessCidrs" not in config


def test_a_public_api_server_admits_the_listed_networks_only(
    dev_cluster: Callable[..., SynthesizedStack], of_kind: OfKind
) -> None:
    endpoint = ApiEndpoint(access="public_and_private", allowed_cidrs=("198.51.100.0/24",))
    config = one(of_kind(dev_cluster(endpoint=endpoint), "AWS::EKS::Cluster"))["ResourcesVpcConfig"]

    assert config["EndpointPrivateAccess"] is True
    assert config["EndpointPublicAccess"] is True
    assert config["PublicAccessCidrs"] == ["198.51.100.0/24"]


def test_secrets_are_encrypted_with_a_key_of_the_platform(stacks: Stacks, of_kind: OfKind) -> None:
    for _, stack in clusters(stacks):
        (config,) = one(of_kind(stack, "AWS::EKS::Cluster"))["EncryptionConfig"]

        assert config["Resources"] == ["secrets"]
        assert config["Provider"]["KeyArn"]


def test_control_plane_logs_are_those_of_the_file_and_their_group_is_there_first(
    stacks: Stacks, of_kind: OfKind
) -> None:
    for cluster, stack in clusters(stacks):
        properties = one(of_kind(stack, "AWS::EKS::Cluster"))
        enabled = [each["Type"] for each in properties["Logging"]["ClusterLogging"]["EnabledTypes"]]
        group_id, group = next(
            (logical_id, each) for logical_id, each in stack.resources.items() if each["Type"] == "AWS::Logs::LogGroup"
        )
        cluster_id = next(key for key, each in stack.resources.items() if each["Type"] == "AWS::EKS::Cluster")

        assert enabled == list(cluster.log_types)
        assert group["Properties"]["LogGroupName"] == f"/aws/eks/{properties['Name']}/cluster"
        assert group["Properties"]["RetentionInDays"] == cluster.log_retention_days
        assert group_id in depends_on(stack, cluster_id)
    assert load("dev").clusters[0].log_types == ("api", "audit", "authenticator", "controllerManager", "scheduler")


def test_access_is_by_entries_and_the_creator_gets_none(stacks: Stacks, of_kind: OfKind) -> None:
    for _, stack in clusters(stacks):
        assert one(of_kind(stack, "AWS::EKS::Cluster"))["AccessConfig"] == {
            "AuthenticationMode": "API",
            "BootstrapClusterCreatorAdminPermissions": False,
        }


def test_every_role_of_the_file_has_one_entry_with_its_policies(stacks: Stacks, of_kind: OfKind) -> None:
    for cluster, stack in clusters(stacks):
        entries = {each["PrincipalArn"]: each for each in of_kind(stack, "AWS::EKS::AccessEntry")}

        assert set(entries) == {access.role_arn for access in cluster.access}
    entries = {each["PrincipalArn"]: each for each in of_kind(stacks["prod/cluster-batch"], "AWS::EKS::AccessEntry")}
    (policy,) = entries["arn:aws:iam::111111111111:role/platform/OnCall"]["AccessPolicies"]
    assert policy["PolicyArn"] == "arn:aws:eks::aws:cluster-access-policy/AmazonEKSEditPolicy"
    assert policy["AccessScope"] == {
        "Type": "namespace",
        "Namespaces": ["moka-system", "moka-operator", "moka-yunikorn"],
    }
    (policy,) = entries["arn:aws:iam::111111111111:role/platform/BreakGlass"]["AccessPolicies"]
    assert policy["AccessScope"] == {"Type": "cluster"}


def test_two_policies_of_one_role_share_an_entry(dev_cluster: Callable[..., SynthesizedStack], of_kind: OfKind) -> None:
    role = "arn:aws:iam::111111111111:role/PlatformAdmin"
    access = (
        AccessEntry(role_arn=role, policy="cluster-admin"),
        AccessEntry(role_arn=role, policy="edit", namespaces=("moka-system",)),
    )

    entry = one(of_kind(dev_cluster(access=access), "AWS::EKS::AccessEntry"))

    assert len(entry["AccessPolicies"]) == 2


def test_eks_installs_no_addons_of_its_own_choice(stacks: Stacks, of_kind: OfKind) -> None:
    for _, stack in clusters(stacks):
        assert one(of_kind(stack, "AWS::EKS::Cluster"))["BootstrapSelfManagedAddons"] is False


def test_settings_that_spark_needs_reach_the_control_plane(stacks: Stacks, of_kind: OfKind) -> None:
    for cluster, stack in clusters(stacks):
        properties = one(of_kind(stack, "AWS::EKS::Cluster"))

        assert properties["Version"] == cluster.kubernetes_version
        assert properties["KubeControllerManagerConfig"]["PodGcControllerConfig"] == {
            "TerminatedPodGcThreshold": cluster.terminated_pod_gc_threshold
        }
        assert properties["KubeSchedulerConfig"]["NodeResourcesFit"]["ScoringStrategy"] == {"Type": "MostAllocated"}
        assert properties["KubeApiServerConfig"] == {"EventTtl": "30m"}
        assert properties["ControlPlaneScalingConfig"] == {"Tier": cluster.control_plane_tier}
        assert properties["DeletionProtection"] is cluster.deletion_protection
        assert properties["ZonalShiftConfig"] == {"Enabled": cluster.zonal_shift}


def test_addons_are_pinned_for_the_clusters_version(stacks: Stacks, of_kind: OfKind) -> None:
    from moka_constructs import ADDON_VERSIONS

    for cluster, stack in clusters(stacks):
        found = {each["AddonName"]: each["AddonVersion"] for each in of_kind(stack, "AWS::EKS::Addon")}

        assert found == dict(ADDON_VERSIONS[cluster.kubernetes_version])


def test_nodes_wait_for_networking_and_what_runs_on_nodes_waits_for_the_system_pool(stacks: Stacks) -> None:
    for _, stack in clusters(stacks):
        found = addons(stack)
        groups = {key: each for key, each in stack.resources.items() if each["Type"] == "AWS::EKS::Nodegroup"}
        system = {key for key, each in groups.items() if each["Properties"]["Labels"]["moka.dev/role"] == "system"}

        assert system
        for group in groups:
            networking = {found["vpc-cni"], found["kube-proxy"], found["eks-pod-identity-agent"]}
            assert networking <= depends_on(stack, group)
        later = set(found) - {"vpc-cni", "kube-proxy", "eks-pod-identity-agent"}
        assert later == {
            "coredns",
            "aws-ebs-csi-driver",
            "metrics-server",
            "eks-node-monitoring-agent",
            "kube-state-metrics",
            "prometheus-node-exporter",
        }
        for addon in later:
            assert system <= depends_on(stack, found[addon])


def test_addons_that_watch_nodes_run_on_tainted_ones(stacks: Stacks, of_kind: OfKind) -> None:
    everywhere = [{"operator": "Exists"}]
    for _, stack in clusters(stacks):
        settings = {
            each["AddonName"]: json.loads(each["ConfigurationValues"])
            for each in of_kind(stack, "AWS::EKS::Addon")
            if "ConfigurationValues" in each
        }

        assert settings["eks-node-monitoring-agent"]["nodeAgent"]["tolerations"] == everywhere
        assert settings["prometheus-node-exporter"]["tolerations"] == everywhere
        assert settings["aws-ebs-csi-driver"]["node"]["tolerateAllTaints"] is True
        assert settings["coredns"]["autoScaling"]["enabled"] is True


def test_pods_get_prefixes_and_network_policies_are_enforced(stacks: Stacks, of_kind: OfKind) -> None:
    for _, stack in clusters(stacks):
        (cni,) = (each for each in of_kind(stack, "AWS::EKS::Addon") if each["AddonName"] == "vpc-cni")
        configuration = json.loads(cni["ConfigurationValues"])

        assert configuration["env"]["ENABLE_PREFIX_DELEGATION"] == "true"
        assert configuration["enableNetworkPolicy"] == "true"
        assert "ServiceAccountRoleArn" in cni


def test_an_override_changes_how_one_addon_gets_credentials_and_leaves_the_other(
    stacks: Stacks, dev_with: Callable[..., Stacks], of_kind: OfKind
) -> None:
    """{add-on: service account that Pod Identity binds, none with IRSA}."""

    def bound(stack: SynthesizedStack) -> dict[str, str | None]:
        found: dict[str, str | None] = {}
        for addon in of_kind(stack, "AWS::EKS::Addon"):
            if addon["AddonName"] in {"vpc-cni", "aws-ebs-csi-driver"}:
                associations = addon.get("PodIdentityAssociations", [])
                assert bool(associations) is not ("ServiceAccountRoleArn" in addon)
                found[addon["AddonName"]] = associations[0]["ServiceAccount"] if associations else None
        return found

    identity = {"mechanism": "pod_identity", "overrides": {"vpc-cni": "irsa"}}
    csi = {"vpc-cni": None, "aws-ebs-csi-driver": "ebs-csi-controller-sa"}

    assert (load("staging").identity.mechanism, load("staging").identity.overrides["ebs-csi"]) == (
        "irsa",
        "pod_identity",
    )
    assert bound(stacks["staging/cluster-batch"]) == csi
    assert bound(dev_with(identity=identity)["dev/cluster-batch"]) == csi
    assert bound(stacks["dev/cluster-batch"]) == dict.fromkeys(csi)


def test_prefix_lists_of_an_existing_network_may_reach_the_api_server(stacks: Stacks, of_kind: OfKind) -> None:
    network = load("staging").network
    assert network.mode == "existing"
    stack = stacks["staging/cluster-batch"]
    group = one(of_kind(stack, "AWS::EC2::SecurityGroup"))
    rules = {(rule["SourcePrefixListId"], rule["FromPort"], rule["ToPort"]) for rule in group["SecurityGroupIngress"]}

    assert network.prefix_list_ids
    assert rules == {(prefix_list, 443, 443) for prefix_list in network.prefix_list_ids}


def test_existing_roles_and_keys_are_used_and_none_are_made(
    dev_cluster: Callable[..., SynthesizedStack], of_kind: OfKind
) -> None:
    key = "arn:aws:kms:us-east-1:111111111111:key/00000000-0000-4000-8000-000000000002"
    stack = dev_cluster(
        cluster_role_arn="arn:aws:iam::111111111111:role/EksControlPlane",
        node_role_arn="arn:aws:iam::111111111111:role/EksNodes",
        secrets_key_arn=key,
    )
    cluster = one(of_kind(stack, "AWS::EKS::Cluster"))
    roles = {each["RoleName"] for each in of_kind(stack, "AWS::IAM::Role")}

    assert cluster["RoleArn"] == "arn:aws:iam::111111111111:role/EksControlPlane"
    assert cluster["EncryptionConfig"][0]["Provider"]["KeyArn"] == key
    assert {each["NodeRole"] for each in of_kind(stack, "AWS::EKS::Nodegroup")} == {
        "arn:aws:iam::111111111111:role/EksNodes"
    }
    assert roles == {
        f"moka-dev-batch-{name}" for name in ("vpc-cni", "ebs-csi", "asg-tagger", "pool-resize", "pool-schedules")
    }


def test_the_volumes_key_lets_auto_scaling_start_nodes(stacks: Stacks, of_kind: OfKind) -> None:
    (key,) = (
        each for each in of_kind(stacks["dev/cluster-batch"], "AWS::KMS::Key") if each["Description"].startswith("Node")
    )
    role = "arn:aws:iam::111111111111:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    statements = {each["Sid"]: each for each in key["KeyPolicy"]["Statement"]}

    use, grant = statements["AutoScalingUsesTheKey"], statements["AutoScalingGrantsToEc2"]
    assert use["Principal"] == grant["Principal"] == {"AWS": role}
    assert {"kms:Decrypt", "kms:GenerateDataKey*", "kms:DescribeKey"} <= set(use["Action"])
    assert grant["Action"] == "kms:CreateGrant"
    assert grant["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    assert not any("AutoScaling" in each["Sid"] for each in _secrets_key(stacks, of_kind)["KeyPolicy"]["Statement"])


def _secrets_key(stacks: Stacks, of_kind: OfKind) -> dict[str, Any]:
    (key,) = (
        each
        for each in of_kind(stacks["dev/cluster-batch"], "AWS::KMS::Key")
        if each["Description"].startswith("Kubernetes secrets")
    )
    return key
