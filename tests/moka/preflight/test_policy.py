"""The printed policy: that it is what the calls need, all of it and no more."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import moto.settings
import pytest

from environments import environment_names, load
from moka.preflight import State
from moka.preflight.checks import CHECKS
from moka.preflight.policy import actions_of, least_policy

if TYPE_CHECKING:
    from tests.moka.preflight.conftest import Account

MOTO_REFUSES = ("eks:ListClusters failed", "route53:GetHostedZone failed")
"""Calls whose signature moto takes for false once it enforces policies."""
MOST_CHARACTERS = 6144
"""IAM's limit of a managed policy, white space not counted."""


def made_by_each_check(account: Account) -> dict[str, set[str]]:
    """The calls that botocore is asked to make for each check: {check: {service:Operation}}."""
    made = {}
    for check in CHECKS:
        account.calls.clear()
        account.run(check.name)
        made[check.name] = set(account.calls)
    return made


def test_calls_that_botocore_makes_are_the_declared_ones(whole: Account, request: pytest.FixtureRequest) -> None:
    """Over a new and an existing network, and the faults that lead to further calls, recorded in botocore itself."""
    found = [made_by_each_check(whole)]
    # the qualifiers that are there, and AWS' defaults, are asked for only when something is missing
    whole.data["bootstrap"] = {"qualifier": "absent"}
    whole.limits.clear()
    whole.answer("service-quotas:GetAWSDefaultServiceQuota", {"Quota": {"Value": 1.0}})
    found.append(made_by_each_check(whole))
    found.append(made_by_each_check(request.getfixturevalue("whole_existing")))

    # every run asks first who it is
    caller = "sts:GetCallerIdentity"
    declared = {check.name: {f"{call.service}:{call.operation}" for call in check.calls} | {caller} for check in CHECKS}
    assert {name: set.union(*(made[name] for made in found)) for name in declared} == declared


def enforce(account: Account, policy: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes preflight run as a user with this policy, and moto enforce it from now on.

    Moto knows actions and not resources (moto/iam/access_control.py), so the resources are widened. It takes the signatures
    of eks and route53 for false, and denies in XML where JSON services are understood in JSON alone: those rows say nothing.
    """
    iam = account.client("iam")
    iam.create_user(UserName="preflight")
    wide = {**policy, "Statement": [{**each, "Resource": "*"} for each in policy["Statement"]]}
    iam.put_user_policy(UserName="preflight", PolicyName="preflight", PolicyDocument=json.dumps(wide))
    key = iam.create_access_key(UserName="preflight")["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    monkeypatch.setattr(moto.settings, "INITIAL_NO_AUTH_ACTION_COUNT", 0.0)


def test_user_with_nothing_but_the_policy_gets_every_answer(
    whole_existing: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    enforce(whole_existing, least_policy(whole_existing.environment, CHECKS), monkeypatch)

    report = whole_existing.run()

    lacking = [row.verdict.value for row in report.rows if row.verdict.state is not State.PASS]
    assert [value for value in lacking if not value.startswith(MOTO_REFUSES)] == []
    assert len(report.rows) - len(lacking) > 60


@pytest.mark.parametrize("action", ["ec2:DescribeSubnets", "ec2:DescribeRegions", "iam:GetRole"])
def test_user_without_one_action_of_the_policy_lacks_an_answer(
    whole_existing: Account, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    policy = least_policy(whole_existing.environment, CHECKS)
    for statement in policy["Statement"]:
        statement["Action"] = [name for name in statement["Action"] if name != action]
    policy["Statement"] = [statement for statement in policy["Statement"] if statement["Action"]]
    enforce(whole_existing, policy, monkeypatch)

    report = whole_existing.run()

    lacking = {row.verdict.value for row in report.rows if row.verdict.state is State.UNKNOWN}
    assert {value for value in lacking if not value.startswith(MOTO_REFUSES)} == {f"{action} is denied"}
    assert report.exit_code == 1


def test_policy_is_limited_to_what_the_file_names(whole_existing: Account) -> None:
    policy = least_policy(whole_existing.environment, CHECKS)

    resources = {action: statement["Resource"] for statement in policy["Statement"] for action in statement["Action"]}
    data = whole_existing.data
    assert resources["kms:ListGrants"] == data["storage"]["volumes_key_arn"]
    assert resources["acm:DescribeCertificate"] == data["archer"]["endpoint"]["certificate_arn"]
    assert resources["ssm:GetParameter"] == (
        "arn:aws:ssm:us-east-1:123456789012:parameter/cdk-bootstrap/hnb659fds/version"
    )
    assert resources["ecr:DescribeImages"] == "arn:aws:ecr:us-east-1:123456789012:repository/moka-dev/*"
    assert "arn:aws:iam::123456789012:role/platform/eks-nodes" in resources["iam:GetRole"]
    assert "*" not in resources["iam:GetRole"]


def test_calls_that_an_environment_never_leads_to_are_left_out(account: Account) -> None:
    actions = {
        action for statement in least_policy(account.environment, CHECKS)["Statement"] for action in statement["Action"]
    }

    # no key, no boundary and no existing network is declared
    assert set(actions_of(CHECKS)) - actions == {
        "ec2:DescribeManagedPrefixLists",
        "ec2:DescribeRouteTables",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcAttribute",
        "ec2:DescribeVpcEndpoints",
        "iam:GetPolicy",
        "kms:DescribeKey",
        "kms:GetKeyPolicy",
        "kms:ListGrants",
    }


@pytest.mark.parametrize("name", environment_names())
def test_policy_of_every_shipped_environment_fits_a_managed_policy(name: str) -> None:
    policy = least_policy(load(name), CHECKS)

    assert len(json.dumps(policy, separators=(",", ":"))) < MOST_CHARACTERS
