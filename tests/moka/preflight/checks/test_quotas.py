"""Quotas against the pools' maxima and what others use. Moto has no quotas but the VPC's: the test answers for AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from moka.preflight import State
from moka.preflight.quotas import QUOTAS
from tests.moka.preflight.conftest import QUOTAS as HEALTHY

if TYPE_CHECKING:
    from tests.moka.preflight.conftest import Account

ON_DEMAND = "on-demand vCPU of standard families (A, C, D, H, I, M, R, T, Z)"
SPOT = "spot vCPU of standard families (A, C, D, H, I, M, R, T, Z)"
REQUEST = "aws service-quotas request-service-quota-increase --region us-east-1"


def launch(account: Account, instance_type: str, count: int, **more: object) -> None:
    ec2 = account.client("ec2")
    image = ec2.register_image(Name=f"{instance_type}-{count}", RootDeviceName="/dev/xvda")["ImageId"]
    ec2.run_instances(ImageId=image, MinCount=count, MaxCount=count, InstanceType=instance_type, **more)


@pytest.mark.parametrize(("code", "subject", "vcpu"), [("L-1216C47A", ON_DEMAND, 120), ("L-34B43A08", SPOT, 576)])
def test_new_account_s_five_vcpu_fail(account: Account, code: str, subject: str, vcpu: int) -> None:
    account.limits[code] = 5.0

    row, report = account.row("quotas", subject)

    assert (row.verdict.state, report.exit_code) == (State.FAIL, 1)
    assert row.verdict.value == "5 vCPU allowed, 0 in use by others"
    assert row.verdict.needed == f"{vcpu} vCPU at the pools' maxima"
    assert row.verdict.fix == (
        f"{REQUEST} --service-code ec2 --quota-code {code} --desired-value {vcpu}; or lower the file's maxima"
    )


def test_what_others_run_counts_and_this_environment_s_own_nodes_do_not(account: Account) -> None:
    account.limits["L-1216C47A"] = 150.0
    launch(account, "m8g.8xlarge", 1)
    tags = [{"Key": "eks:cluster-name", "Value": "moka-dev-batch"}]
    launch(account, "m8g.2xlarge", 2, TagSpecifications=[{"ResourceType": "instance", "Tags": tags}])

    row, _ = account.row("quotas", ON_DEMAND)

    assert (row.verdict.state, row.verdict.value) == (State.FAIL, "150 vCPU allowed, 32 in use by others")
    assert "--desired-value 152;" in row.verdict.fix


def test_quota_that_is_nearly_full_warns(account: Account) -> None:
    account.limits["L-1216C47A"] = 130.0

    row, report = account.row("quotas", ON_DEMAND)

    assert (row.verdict.state, report.exit_code) == (State.WARN, 0)
    assert row.verdict.fix == f"nearly full: {REQUEST} --service-code ec2 --quota-code L-1216C47A --desired-value 134"


def test_elastic_ips_of_others_leave_no_room_for_nat_gateways(account: Account) -> None:
    for _ in range(4):
        account.client("ec2").allocate_address(Domain="vpc")

    row, report = account.row("quotas", "Elastic IPs")

    assert (row.verdict.state, row.verdict.value) == (State.FAIL, "5 allowed, 4 in use by others")
    assert (row.verdict.needed, report.exit_code) == ("3", 1)


def test_full_region_of_vpcs_fails_and_the_environment_s_own_vpc_is_not_counted(account: Account) -> None:
    ec2 = account.client("ec2")
    # moto's default VPC is the fifth of others
    vpcs = [ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")["Vpc"]["VpcId"] for number in range(5)]
    tag = {"Key": "aws:cloudformation:stack-name", "Value": "dev-network"}
    account.answer("ec2:DescribeVpcs", with_tags(ec2.describe_vpcs()["Vpcs"], vpcs[0], tag))

    row, _ = account.row("quotas", "VPCs")

    assert (row.verdict.state, row.verdict.value) == (State.FAIL, "5 allowed, 5 in use by others")


def with_tags(vpcs: list[dict[str, object]], vpc_id: str, tag: dict[str, str]) -> dict[str, object]:
    """Moto refuses to set tags that begin with aws:, which CloudFormation sets."""
    return {"Vpcs": [vpc | {"Tags": [tag]} if vpc["VpcId"] == vpc_id else vpc for vpc in vpcs]}


def test_too_many_node_groups_for_the_cluster_s_quota_fail(account: Account) -> None:
    account.limits["L-6D54EA21"] = 8.0

    row, _ = account.row("quotas", "node groups per cluster")

    assert (row.verdict.state, row.verdict.value, row.verdict.needed) == (State.FAIL, "8 allowed", "9")


def test_gp3_quota_counts_volumes_of_others(account: Account) -> None:
    account.client("ec2").create_volume(AvailabilityZone="us-east-1a", Size=2048, VolumeType="gp3")
    account.limits["L-7A658B76"] = 6.0

    row, _ = account.row("quotas", "gp3 storage")

    # 54 nodes of 100 GiB are 5.3 TiB
    assert (row.verdict.state, row.verdict.value) == (State.FAIL, "6 TiB allowed, 2 in use by others")
    assert row.verdict.needed == "5.3 TiB at the pools' maxima"


def test_iam_role_quota_that_is_used_up_fails(account: Account) -> None:
    """The answer is the test's: moto's quota of roles cannot be changed."""
    account.answer("iam:GetAccountSummary", {"SummaryMap": {"Roles": 995, "RolesQuota": 1000}})

    row, report = account.row("quotas", "IAM roles")

    assert (row.verdict.state, row.verdict.value) == (State.FAIL, "1000 roles allowed, 995 there")
    assert (row.verdict.needed, report.exit_code) == ("about 18", 1)


def test_quota_that_was_never_applied_falls_back_to_aws_default_and_then_to_the_table(account: Account) -> None:
    del account.limits["L-6D54EA21"], account.limits["L-BD136A63"]

    def default(body: object) -> dict[str, object]:
        known = isinstance(body, dict) and body["QuotaCode"] == "L-6D54EA21"
        return {"Quota": {"Value": 30.0}} if known else {"Error": {"Code": "NoSuchResourceException", "Message": ""}}

    account.answer("service-quotas:GetAWSDefaultServiceQuota", default)

    groups, _ = account.row("quotas", "node groups per cluster")
    nodes, _ = account.row("quotas", "nodes per node group")

    assert groups.verdict.value == "30 allowed (AWS' default)"
    assert nodes.verdict.value == "450 allowed (documented default)"


def test_denied_usage_makes_one_row_unknown_and_names_the_action(account: Account) -> None:
    account.answer(
        "ec2:DescribeVolumes", {"Error": {"Code": "UnauthorizedOperation", "Message": "You are not authorized"}}
    )

    row, report = account.row("quotas", "gp3 storage")

    assert (row.verdict.state, row.verdict.value) == (State.UNKNOWN, "ec2:DescribeVolumes is denied")
    assert row.verdict.fix == (
        "allow ec2:DescribeVolumes for these credentials; `moka preflight ENV --policy` prints the whole policy"
    )
    assert report.exit_code == 1
    assert [each.verdict.state for each in report.rows if each != row] == [State.PASS] * (len(report.rows) - 1)


def test_every_quota_has_an_answer_in_a_healthy_account() -> None:
    assert {quota.code for quota in QUOTAS} - {"L-7295265B", "L-E3A00192"} == set(HEALTHY)
