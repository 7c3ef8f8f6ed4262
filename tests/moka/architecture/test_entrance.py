from __future__ import annotations

from collections.abc import Callable

from moka.architecture.environment import Architecture

from .conftest import Templates, made, ref

Read = Callable[[Templates], Architecture]


def test_a_load_balancer_has_names_routes_and_callers(demo: Templates, read: Read) -> None:
    (found,) = read(demo).load_balancers

    assert (found.name, found.internal) == ("demo-archer", True)
    assert [each.text for each in found.hostnames] == ["archer.example.com"]
    assert [(each.text, each.detail) for each in found.routes] == [("HTTPS 443", "demo-api:8080")]
    assert [(each.text, each.existing) for each in found.callers] == [("10.0.0.0/8", False)]


def test_a_rule_for_a_host_is_a_route_of_its_own(demo: Templates, read: Read) -> None:
    demo["archer"]["Rule"] = made(
        "ElasticLoadBalancingV2::ListenerRule",
        ListenerArn=ref("Listener"),
        Conditions=[{"Field": "host-header", "HostHeaderConfig": {"Values": ["history.example.com"]}}],
        Actions=[{"Type": "forward", "TargetGroupArn": ref("Targets")}],
    )
    (found,) = read(demo).load_balancers

    assert [each.text for each in found.routes] == ["HTTPS 443", "HTTPS 443 for history.example.com"]
    assert found.routes[1].of == ("archer/Rule", "archer/Listener", "archer/Targets")


def test_a_listener_without_its_target_group_says_so(demo: Templates, read: Read) -> None:
    del demo["archer"]["Targets"]

    assert read(demo).load_balancers[0].routes[0].detail == "a target that no template has"


def test_prefix_lists_that_may_call_exist_already(demo: Templates, read: Read) -> None:
    demo["archer"]["BalancerGroup"]["Properties"]["SecurityGroupIngress"] = [{"SourcePrefixListId": "pl-001"}]

    assert [(each.text, each.existing) for each in read(demo).load_balancers[0].callers] == [("pl-001", True)]


def test_a_database_has_engine_facts_and_instances(demo: Templates, read: Read) -> None:
    (found,) = read(demo).databases

    assert (found.name, found.engine) == ("demo-archer", "Aurora PostgreSQL 17.5")
    assert [each.text for each in found.facts] == ["1 to 4 ACU", "backups for 1 day"]
    assert [(each.text, each.of) for each in found.instances] == [("db.serverless", ("archer/Writer",))]


def test_protection_iam_subnets_and_key_of_a_database_are_told(demo: Templates, read: Read) -> None:
    demo["archer"]["Subnets"] = made("RDS::DBSubnetGroup", SubnetIds=["subnet-001", "subnet-002"])
    demo["archer"]["Database"]["Properties"] |= {
        "DBSubnetGroupName": ref("Subnets"),
        "DeletionProtection": True,
        "EnableIAMDatabaseAuthentication": True,
        "BackupRetentionPeriod": 35,
        "KmsKeyId": "arn:aws:kms:eu-west-1:1:key/a",
    }

    assert [each.text for each in read(demo).databases[0].facts] == [
        "in 2 subnets",
        "1 to 4 ACU",
        "IAM authentication",
        "backups for 35 days",
        "protected from deletion",
        "existing key",
    ]
