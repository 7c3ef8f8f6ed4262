from collections.abc import Callable
from typing import Any

import pytest

from moka_constructs import Location, PropsError, ServerlessPostgres, ServerlessPostgresProps
from moka_constructs.statements import policy_document

Resources = dict[str, dict[str, Any]]
Template = Callable[[Callable[[Any], object]], Resources]
Only = Callable[[Resources, str], dict[str, Any]]

KEY = "arn:aws:kms:us-east-1:111111111111:key/00000000-0000-4000-8000-000000000001"
CLUSTER = "AWS::RDS::DBCluster"
INSTANCE = "AWS::RDS::DBInstance"


def props(**changes: Any) -> ServerlessPostgresProps:
    given: dict[str, Any] = {
        "identifier": "moka-test-archer",
        "location": Location(partition="aws", account="111111111111", region="us-east-1"),
        "database_name": "archer",
        "engine_version": "17.5",
        "vpc_id": "vpc-1",
        "subnet_ids": ("subnet-a", "subnet-b"),
        "clients": {"Nodes": "sg-nodes"},
        "key_arn": KEY,
        "monitoring_role_name": "moka-test-database-monitoring",
        "min_acu": 0.5,
        "max_acu": 2,
        "retain": True,
    }
    return ServerlessPostgresProps(**{**given, **changes})


@pytest.fixture
def resources(template: Template) -> Resources:
    """The resources of a database with minimal props."""
    return template(lambda stack: ServerlessPostgres(stack, "Database", props()))


def instances(resources: Resources) -> list[dict[str, Any]]:
    return [each["Properties"] for each in resources.values() if each["Type"] == INSTANCE]


def test_minimal_props_make_a_protected_cluster_of_one_serverless_instance(resources: Resources, only: Only) -> None:
    cluster = only(resources, CLUSTER)["Properties"]
    (writer,) = instances(resources)

    assert (cluster["Engine"], cluster["EngineVersion"]) == ("aurora-postgresql", "17.5")
    assert cluster["ServerlessV2ScalingConfiguration"] == {"MinCapacity": 0.5, "MaxCapacity": 2}
    assert cluster["DeletionProtection"] is True
    assert cluster["BackupRetentionPeriod"] == 7
    assert (writer["DBInstanceClass"], writer["PubliclyAccessible"]) == ("db.serverless", False)


def test_all_props_reach_the_template(template: Template, only: Only) -> None:
    given = props(
        engine_version="16.9",
        clients={"Nodes": "sg-nodes", "Pods": "sg-pods"},
        min_acu=0,
        max_acu=64,
        readers=2,
        backup_days=35,
        log_retention_days=365,
        deletion_protection=False,
        retain=False,
    )
    found = template(lambda stack: ServerlessPostgres(stack, "Database", given))
    cluster = only(found, CLUSTER)
    ingress = [each["Properties"] for each in found.values() if each["Type"] == "AWS::EC2::SecurityGroupIngress"]

    assert cluster["Properties"]["EngineVersion"] == "16.9"
    assert only(found, "AWS::RDS::DBClusterParameterGroup")["Properties"]["Family"] == "aurora-postgresql16"
    assert {rule["SourceSecurityGroupId"] for rule in ingress} == {"sg-nodes", "sg-pods"}
    assert cluster["Properties"]["ServerlessV2ScalingConfiguration"] == {"MinCapacity": 0, "MaxCapacity": 64}
    assert len(instances(found)) == 3
    assert cluster["Properties"]["BackupRetentionPeriod"] == 35
    assert cluster["Properties"]["DeletionProtection"] is False
    assert (cluster["DeletionPolicy"], cluster["Properties"]["DeleteAutomatedBackups"]) == ("Delete", True)
    retention = {each["Properties"]["RetentionInDays"] for each in found.values() if "LogGroup" in each["Type"]}
    assert retention == {365}


def test_no_password_is_in_the_template_and_rds_keeps_the_masters(resources: Resources, only: Only) -> None:
    cluster = only(resources, CLUSTER)["Properties"]

    assert cluster["ManageMasterUserPassword"] is True
    assert cluster["MasterUserSecret"] == {"KmsKeyId": KEY}
    assert "MasterUserPassword" not in cluster
    assert not [each for each in resources.values() if each["Type"].startswith(("AWS::SecretsManager", "AWS::Lambda"))]


def test_users_log_in_with_iam_tokens_over_tls(resources: Resources, only: Only) -> None:
    parameters = only(resources, "AWS::RDS::DBClusterParameterGroup")["Properties"]["Parameters"]

    assert only(resources, CLUSTER)["Properties"]["EnableIAMDatabaseAuthentication"] is True
    assert parameters["rds.force_ssl"] == "1"
    assert parameters["ssl_min_protocol_version"] == "TLSv1.2"


def test_volume_secret_and_insights_are_encrypted_with_the_one_key(resources: Resources, only: Only) -> None:
    cluster = only(resources, CLUSTER)["Properties"]

    assert cluster["StorageEncrypted"] is True
    assert cluster["KmsKeyId"] == cluster["MasterUserSecret"]["KmsKeyId"] == KEY
    assert instances(resources)[0]["PerformanceInsightsKMSKeyId"] == KEY


def test_only_the_named_groups_reach_the_port(resources: Resources, only: Only) -> None:
    group = only(resources, "AWS::EC2::SecurityGroup")["Properties"]
    rule = only(resources, "AWS::EC2::SecurityGroupIngress")["Properties"]

    assert group["SecurityGroupIngress"] == []
    assert rule["SourceSecurityGroupId"] == "sg-nodes"
    assert (rule["FromPort"], rule["ToPort"]) == (5432, 5432)
    (attached,) = only(resources, CLUSTER)["Properties"]["VpcSecurityGroupIds"]
    assert attached == rule["GroupId"]


def test_data_outlives_the_stack_as_a_snapshot_so_that_nothing_keeps_the_stack_from_going(
    resources: Resources, only: Only
) -> None:
    cluster = only(resources, CLUSTER)

    assert cluster["DeletionPolicy"] == cluster["UpdateReplacePolicy"] == "Snapshot"
    assert cluster["Properties"]["DeleteAutomatedBackups"] is False
    assert cluster["Properties"]["CopyTagsToSnapshot"] is True
    for instance in (each for each in resources.values() if each["Type"] == INSTANCE):
        assert instance["DeletionPolicy"] == instance["UpdateReplacePolicy"] == "Delete"


def test_a_replacement_by_an_empty_cluster_fails_on_the_fixed_name(resources: Resources, only: Only) -> None:
    assert only(resources, CLUSTER)["Properties"]["DBClusterIdentifier"] == "moka-test-archer"


def test_a_new_major_version_brings_its_own_parameter_group(template: Template, resources: Resources) -> None:
    def family(found: Resources) -> tuple[str, bool]:
        (group,) = (each["Properties"] for each in found.values() if "ClusterParameterGroup" in each["Type"])
        return group["Family"], "DBClusterParameterGroupName" in group

    newer = template(lambda stack: ServerlessPostgres(stack, "Database", props(engine_version="18.1")))

    assert family(resources) == ("aurora-postgresql17", False)
    assert family(newer) == ("aurora-postgresql18", False)


def test_logs_are_kept_for_a_stated_time_because_their_groups_exist_first(resources: Resources, only: Only) -> None:
    cluster = only(resources, CLUSTER)
    groups = {
        each["Properties"]["LogGroupName"]: (logical_id, each)
        for logical_id, each in resources.items()
        if each["Type"] == "AWS::Logs::LogGroup"
    }

    exported = cluster["Properties"]["EnableCloudwatchLogsExports"]
    assert exported == ["postgresql", "iam-db-auth-error"]
    assert set(groups) == {f"/aws/rds/cluster/moka-test-archer/{log_type}" for log_type in exported}
    for logical_id, group in groups.values():
        assert group["Properties"]["RetentionInDays"] == 90
        assert logical_id in cluster["DependsOn"]


def test_slow_statements_and_schema_changes_are_logged(resources: Resources, only: Only) -> None:
    parameters = only(resources, "AWS::RDS::DBClusterParameterGroup")["Properties"]["Parameters"]

    assert (parameters["log_statement"], parameters["log_min_duration_statement"]) == ("ddl", "1000")


def test_instances_are_watched_by_the_minute(resources: Resources, only: Only) -> None:
    (instance,) = instances(resources)
    role = only(resources, "AWS::IAM::Role")["Properties"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]

    assert instance["MonitoringInterval"] == 60
    assert (instance["EnablePerformanceInsights"], instance["PerformanceInsightsRetentionPeriod"]) == (True, 7)
    assert role["RoleName"] == "moka-test-database-monitoring"
    assert trust["Principal"] == {"Service": "monitoring.rds.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": "111111111111"}}


def test_readers_that_may_take_over_are_kept_as_large_as_the_writer(template: Template) -> None:
    found = instances(template(lambda stack: ServerlessPostgres(stack, "Database", props(readers=3))))

    assert [each["PromotionTier"] for each in found] == [0, 1, 1, 1]


def test_the_version_is_the_files_until_the_file_changes_and_never_costs_extended_support(
    resources: Resources, only: Only
) -> None:
    cluster = only(resources, CLUSTER)["Properties"]

    assert instances(resources)[0]["AutoMinorVersionUpgrade"] is False
    assert cluster["EngineLifecycleSupport"] == "open-source-rds-extended-support-disabled"


def test_a_role_of_an_earlier_stack_may_log_in_as_one_user_of_this_cluster(template: Template, only: Only) -> None:
    def build(stack: Any) -> None:
        ServerlessPostgres(stack, "Database", props()).grant_connect("Service", "moka-test-c-archer", "archer")

    found = template(build)
    policy = only(found, "AWS::IAM::RolePolicy")["Properties"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    arn, values = statement["Resource"][0]["Fn::Sub"]

    assert policy["RoleName"] == "moka-test-c-archer"
    assert statement["Action"] == ["rds-db:connect"]
    assert arn == "arn:aws:rds-db:us-east-1:111111111111:dbuser:${Cluster}/archer"
    assert values["Cluster"]["Fn::GetAtt"][1] == "DBClusterResourceId"


@pytest.mark.parametrize(
    ("partition", "region", "service"),
    [
        ("aws", "us-east-1", "secretsmanager.us-east-1.amazonaws.com"),
        ("aws-cn", "cn-north-1", "secretsmanager.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_reading_the_master_secret_opens_its_key_for_that_secret_alone(
    template: Template, only: Only, partition: str, region: str, service: str
) -> None:
    from aws_cdk import aws_iam as iam

    def build(stack: Any) -> None:
        location = Location(partition=partition, account="111111111111", region=region)
        database = ServerlessPostgres(stack, "Database", props(location=location))
        document = policy_document(database.read_master_secret("Read"))
        iam.CfnRolePolicy(stack, "Policy", role_name="r", policy_name="p", policy_document=document)

    secret, key = only(template(build), "AWS::IAM::RolePolicy")["Properties"]["PolicyDocument"]["Statement"]

    assert secret["Resource"][0]["Fn::GetAtt"][1] == "MasterUserSecret.SecretArn"
    assert (key["Action"], key["Resource"]) == (["kms:Decrypt"], [KEY])
    assert key["Condition"]["StringEquals"] == {
        "kms:ViaService": service,
        "kms:EncryptionContext:SecretARN": secret["Resource"][0],
    }


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"engine_version": "17"}, "EngineVersionForm", "must be major.minor, got '17'"),
        ({"min_acu": 4, "max_acu": 2}, "MinAboveMax", r"must be at most `max_acu` \(2\), got 4"),
        ({"min_acu": 0, "engine_version": "16.2"}, "CannotPause", "at least 0.5 with engine_version 16.2, got 0"),
        ({"subnet_ids": ("subnet-a", "subnet-a")}, "TooFewSubnets", "at least two zones"),
        ({"clients": {}}, "NoClients", "must name at least one security group, got none"),
    ],
)
def test_fails_when_rds_would_refuse_it_or_nobody_could_use_it(
    template: Template, changes: dict[str, Any], code: str, message: str
) -> None:
    with pytest.raises(PropsError, match=message) as error:
        template(lambda stack: ServerlessPostgres(stack, "Database", props(**changes)))

    assert error.value.code == code


@pytest.mark.parametrize("version", ["16.3", "17.1"])
def test_a_version_that_pauses_may_scale_to_zero(template: Template, only: Only, version: str) -> None:
    found = template(lambda stack: ServerlessPostgres(stack, "Database", props(min_acu=0, engine_version=version)))

    assert only(found, CLUSTER)["Properties"]["ServerlessV2ScalingConfiguration"]["MinCapacity"] == 0
