import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from environments import environment_names, load, names
from environments.network import ExistingNetwork
from moka.assembly import SynthesizedStack
from moka_constructs import PropsError

Stacks = dict[str, SynthesizedStack]
OfKind = Callable[[SynthesizedStack, str], list[dict[str, Any]]]

ENVIRONMENTS = environment_names()
CLUSTER = "AWS::RDS::DBCluster"
INSTANCE = "AWS::RDS::DBInstance"
TARGETS = "AWS::ElasticLoadBalancingV2::TargetGroup"


def imported(value: Any) -> str:
    """The name of the export that a value is imported from."""
    name: str = value["Fn::ImportValue"]
    return name


def is_host_nodes(name: str, value: Any) -> bool:
    stack, export = imported(value).split(":", 1)
    return stack == f"moka-{name}-cluster-{load(name).archer.cluster}" and "ClusterSecurityGroupId" in export


def statements(stack: SynthesizedStack) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every Allow statement of roles and role policies, with the name of the role."""
    for resource in stack.resources.values():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::IAM::Role":
            documents = [each["PolicyDocument"] for each in properties.get("Policies", [])]
        elif resource["Type"] == "AWS::IAM::RolePolicy":
            documents = [properties["PolicyDocument"]]
        else:
            continue
        for document in documents:
            yield from ((properties["RoleName"], statement) for statement in document["Statement"])


# --- the database


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_database_is_as_large_and_as_safe_as_the_file_says(stacks: Stacks, of_kind: OfKind, name: str) -> None:
    stack, given = stacks[f"{name}/archer"], load(name).archer.database
    (cluster,) = of_kind(stack, CLUSTER)

    assert cluster["Engine"] == "aurora-postgresql"
    assert cluster["EngineVersion"] == given.engine_version
    assert cluster["ServerlessV2ScalingConfiguration"] == {"MinCapacity": given.min_acu, "MaxCapacity": given.max_acu}
    assert cluster["BackupRetentionPeriod"] == given.backup_days
    assert cluster["DeletionProtection"] is given.deletion_protection
    assert len(of_kind(stack, INSTANCE)) == given.readers + 1
    assert {each["DBInstanceClass"] for each in of_kind(stack, INSTANCE)} == {"db.serverless"}


def test_the_shipped_environments_differ_in_what_the_database_tests_cover() -> None:
    given = [load(name).archer.database for name in ENVIRONMENTS]

    assert {each.deletion_protection for each in given} == {True, False}
    assert {each.key_arn is None for each in given} == {True, False}
    assert {each.readers for each in given} > {0}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_database_is_encrypted_with_the_files_key_or_one_of_its_own(
    stacks: Stacks, of_kind: OfKind, name: str
) -> None:
    stack, given = stacks[f"{name}/archer"], load(name).archer.database.key_arn
    (cluster,) = of_kind(stack, CLUSTER)
    keys = {logical_id for logical_id, each in stack.resources.items() if each["Type"] == "AWS::KMS::Key"}

    assert cluster["StorageEncrypted"] is True
    assert cluster["KmsKeyId"] == cluster["MasterUserSecret"]["KmsKeyId"]
    if given is None:
        assert {cluster["KmsKeyId"]["Fn::GetAtt"][0]} == keys
    else:
        assert cluster["KmsKeyId"] == given
        assert keys == set()


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_data_outlives_the_stack_as_a_snapshot_and_its_key_where_the_file_says_retain(
    stacks: Stacks, name: str
) -> None:
    retain = load(name).storage.retain
    expected = {
        CLUSTER: "Snapshot" if retain else "Delete",
        "AWS::KMS::Key": "Retain" if retain else "Delete",
        INSTANCE: "Delete",
    }

    for resource in stacks[f"{name}/archer"].resources.values():
        if resource["Type"] in expected:
            assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == expected[resource["Type"]]


def test_the_database_lives_in_the_load_balancers_subnets_and_not_among_pods(stacks: Stacks, of_kind: OfKind) -> None:
    staging = load("staging").network
    assert isinstance(staging, ExistingNetwork)
    (existing,) = of_kind(stacks["staging/archer"], "AWS::RDS::DBSubnetGroup")
    (new,) = of_kind(stacks["dev/archer"], "AWS::RDS::DBSubnetGroup")

    assert existing["SubnetIds"] == [subnet.id for subnet in staging.subnets if subnet.use == "load_balancer"]
    assert len(new["SubnetIds"]) == len(load("dev").network.zones)
    assert all(":ExportsOutputRefVpcLoadBalancer" in imported(subnet) for subnet in new["SubnetIds"])


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_only_archers_pods_or_nodes_of_the_host_cluster_reach_the_database(
    stacks: Stacks, of_kind: OfKind, name: str
) -> None:
    stack, pods = stacks[f"{name}/archer"], load(name).archer.pod_security_group_ids
    (cluster,) = of_kind(stack, CLUSTER)
    (group,) = cluster["VpcSecurityGroupIds"]
    rules = [each for each in of_kind(stack, "AWS::EC2::SecurityGroupIngress") if each["GroupId"] == group]
    own = stack.resources[group["Fn::GetAtt"][0]]["Properties"]

    assert {(rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) for rule in rules} == {("tcp", 5432, 5432)}
    if pods:
        assert [rule["SourceSecurityGroupId"] for rule in rules] == list(pods)
    else:
        assert [is_host_nodes(name, rule["SourceSecurityGroupId"]) for rule in rules] == [True]
    assert own["SecurityGroupIngress"] == []
    assert [each["CidrIp"] for each in own["SecurityGroupEgress"]] == ["255.255.255.255/32"]
    assert {each["PubliclyAccessible"] for each in of_kind(stack, INSTANCE)} == {False}


def test_database_logs_are_kept_as_long_as_the_host_clusters(stacks: Stacks, of_kind: OfKind) -> None:
    for name in ENVIRONMENTS:
        environment = load(name)
        host = environment.cluster(environment.archer.cluster)
        groups = of_kind(stacks[f"{name}/archer"], "AWS::Logs::LogGroup")

        assert {each["RetentionInDays"] for each in groups} == {host.log_retention_days}
        assert {each["LogGroupName"] for each in groups} == {
            f"/aws/rds/cluster/moka-{name}-archer/{log_type}" for log_type in ("postgresql", "iam-db-auth-error")
        }


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_what_only_a_deploy_knows_is_an_output(stacks: Stacks, name: str) -> None:
    outputs = stacks[f"{name}/archer"].template["Outputs"]
    attributes = {
        "DatabaseEndpoint": "Endpoint.Address",
        "DatabasePort": "Endpoint.Port",
        "DatabaseResourceId": "DBClusterResourceId",
        "DatabaseMasterSecret": "MasterUserSecret.SecretArn",
        "LoadBalancerName": "DNSName",
    }

    for output, attribute in attributes.items():
        assert outputs[output]["Value"]["Fn::GetAtt"][1] == attribute
    for service in ("Api", "History", "Livy"):
        target_group = stacks[f"{name}/archer"].resources[outputs[f"{service}TargetGroup"]["Value"]["Ref"]]
        assert target_group["Type"] == TARGETS


# --- who may log in


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_archers_own_role_logs_in_as_one_user_and_reads_no_secret(stacks: Stacks, name: str) -> None:
    environment = load(name)
    host = environment.cluster(environment.archer.cluster)
    role = names.role(environment, host, "archer")
    made = {
        each["Properties"]["RoleName"]
        for each in stacks[f"{name}/platform-{host.name}"].resources.values()
        if each["Type"] == "AWS::IAM::Role"
    }
    (statement,) = (each for owner, each in statements(stacks[f"{name}/archer"]) if owner == role)
    arn, values = statement["Resource"][0]["Fn::Sub"]

    assert role in made
    assert statement["Action"] == ["rds-db:connect"]
    assert arn == f"arn:aws:rds-db:{environment.region}:{environment.account}:dbuser:${{Cluster}}/archer"
    assert values["Cluster"]["Fn::GetAtt"][1] == "DBClusterResourceId"


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_migration_alone_reads_the_masters_password(stacks: Stacks, name: str) -> None:
    environment = load(name)
    host = environment.cluster(environment.archer.cluster)
    readers = {
        role
        for path, stack in stacks.items()
        if path.startswith(f"{name}/")
        for role, statement in statements(stack)
        if any(action.startswith(("secretsmanager:", "*")) for action in statement["Action"])
    }

    assert readers == {names.role(environment, host, "archer-migrate")}


def test_the_migration_opens_the_databases_key_through_secrets_manager_only(stacks: Stacks) -> None:
    role = names.role(load("dev"), load("dev").clusters[0], "archer-migrate")
    found = {each["Sid"]: each for owner, each in statements(stacks["dev/archer"]) if owner == role}
    condition = found["ReadMasterSecretKey"]["Condition"]["StringEquals"]

    assert set(found) == {"ReadMasterSecret", "ReadMasterSecretKey", "ConnectToDatabase"}
    assert found["ReadMasterSecretKey"]["Action"] == ["kms:Decrypt"]
    assert condition["kms:ViaService"] == "secretsmanager.us-east-1.amazonaws.com"
    assert condition["kms:EncryptionContext:SecretARN"] == found["ReadMasterSecret"]["Resource"][0]


def test_the_migrations_role_trusts_its_one_service_account_by_the_files_mechanism(
    stacks: Stacks, of_kind: OfKind, dev_with: Callable[..., Stacks]
) -> None:
    def trust(stack: SynthesizedStack) -> Any:
        (role,) = (each for each in of_kind(stack, "AWS::IAM::Role") if each["RoleName"].endswith("archer-migrate"))
        return role["AssumeRolePolicyDocument"]

    text, _ = trust(stacks["dev/archer"])["Fn::Sub"]
    (irsa,) = json.loads(text)["Statement"]
    other = dev_with(identity={"overrides": {"archer-migrate": "pod_identity"}})["dev/archer"]
    (association,) = of_kind(other, "AWS::EKS::PodIdentityAssociation")

    assert irsa["Condition"]["StringEquals"]["${Issuer}:sub"] == "system:serviceaccount:moka-system:archer-migrate"
    assert trust(other)["Statement"][0]["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    assert (association["Namespace"], association["ServiceAccount"]) == ("moka-system", "archer-migrate")


def test_no_right_is_on_every_resource(stacks: Stacks) -> None:
    for name in ENVIRONMENTS:
        found = list(statements(stacks[f"{name}/archer"]))

        assert found
        for role, statement in found:
            assert "*" not in statement["Resource"], role


# --- its place among the stacks


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_it_is_deployed_after_the_stacks_whose_role_and_bucket_it_names(assembly: Path, name: str) -> None:
    artifacts = json.loads((assembly / f"assembly-{name}" / "manifest.json").read_text())["artifacts"]
    (archer,) = (each for each in artifacts.values() if each.get("displayName") == f"{name}/archer")
    after = {artifacts[key].get("displayName") for key in archer["dependencies"]}
    clusters = [cluster.name for cluster in load(name).clusters]

    # Archer's role gets into every cluster, and an access entry for a role that does not exist is refused
    assert {f"{name}/data"} <= after
    assert {f"{name}/{kind}-{cluster}" for cluster in clusters for kind in ("cluster", "platform")} <= after


def test_fails_when_the_engine_version_cannot_pause(dev_with: Callable[..., Stacks]) -> None:
    archer = load("dev").archer
    database = archer.database.model_copy(update={"engine_version": "16.2", "min_acu": 0})

    with pytest.raises(PropsError, match=r"at least 0\.5 with engine_version 16\.2, got 0") as error:
        dev_with(archer={"database": database})

    assert error.value.code == "CannotPause"


def test_clusters_beside_the_host_admit_its_nodes_and_the_host_needs_no_rule(stacks: Stacks, of_kind: OfKind) -> None:
    rules = [
        each for each in of_kind(stacks["prod/archer"], "AWS::EC2::SecurityGroupIngress") if each["FromPort"] == 443
    ]
    (rule,) = rules

    assert imported(rule["GroupId"]).startswith("moka-prod-cluster-adhoc:")
    assert is_host_nodes("prod", rule["SourceSecurityGroupId"])
    for name in ("dev", "test"):
        found = of_kind(stacks[f"{name}/archer"], "AWS::EC2::SecurityGroupIngress")
        assert 443 not in {each["FromPort"] for each in found}


def test_archer_gets_into_every_cluster_of_the_environment(stacks: Stacks, of_kind: OfKind) -> None:
    for name in ENVIRONMENTS:
        environment = load(name)
        host = environment.cluster(environment.archer.cluster)
        entries = of_kind(stacks[f"{name}/archer"], "AWS::EKS::AccessEntry")

        assert {each["ClusterName"] for each in entries} == {
            names.eks_cluster(environment, cluster) for cluster in environment.clusters
        }
        assert {each["PrincipalArn"] for each in entries} == {names.role_arn(environment, host, "archer")}
        assert [each["KubernetesGroups"] for each in entries] == [[names.ARCHER_GROUP]] * len(environment.clusters)
        assert not any("AccessPolicies" in each for each in entries)
    assert len(load("prod").clusters) == 2


def test_with_groups_of_their_own_pods_are_known_by_them_and_get_interfaces(stacks: Stacks, of_kind: OfKind) -> None:
    given = load("staging").archer.pod_security_group_ids
    assert len(given) == 2
    stack, cluster = stacks["staging/archer"], stacks["staging/cluster-batch"]
    rules = of_kind(stack, "AWS::EC2::SecurityGroupIngress")
    (cni,) = (each for each in of_kind(cluster, "AWS::EKS::Addon") if each["AddonName"] == "vpc-cni")
    settings = json.loads(cni["ConfigurationValues"])["env"]
    (control_plane,) = (
        each for each in of_kind(cluster, "AWS::IAM::Role") if each["RoleName"] == "moka-staging-batch-control-plane"
    )
    api = {rule["SourceSecurityGroupId"] for rule in rules if rule["FromPort"] == 443}
    probes = {(rule["GroupId"], rule["FromPort"]) for rule in rules if rule["GroupId"] in given}

    assert api == set(given)
    assert probes == {(group, port) for group in given for port in (8080, 8998)}
    assert settings["ENABLE_POD_ENI"] == "true"
    assert settings["POD_SECURITY_GROUP_ENFORCING_MODE"] == "standard"
    assert settings["ENABLE_PREFIX_DELEGATION"] == "true"
    assert "arn:aws:iam::aws:policy/AmazonEKSVPCResourceController" in control_plane["ManagedPolicyArns"]


def test_without_such_groups_pods_have_no_interfaces_of_their_own(stacks: Stacks, of_kind: OfKind) -> None:
    for path, stack in stacks.items():
        if "/cluster-" in path and not load(path.split("/")[0]).archer.pod_security_group_ids:
            policies = [arn for each in of_kind(stack, "AWS::IAM::Role") for arn in each.get("ManagedPolicyArns", [])]
            assert not any(arn.endswith("AmazonEKSVPCResourceController") for arn in policies)
            (cni,) = (each for each in of_kind(stack, "AWS::EKS::Addon") if each["AddonName"] == "vpc-cni")
            assert "ENABLE_POD_ENI" not in json.loads(cni["ConfigurationValues"])["env"]
