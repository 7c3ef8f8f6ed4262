"""Twelve faults in one account at once: each is told in a row of its own, with its fix, and none hides another."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from moka.preflight import State
from tests.moka.preflight.checks.test_instance_types import without
from tests.moka.preflight.conftest import ACCOUNT, IMAGES, REGION

if TYPE_CHECKING:
    from tests.moka.preflight.conftest import Account

FAULTS = {
    ("bootstrap", "version of qualifier hnb659fds"): f"./cdk bootstrap aws://{ACCOUNT}/{REGION}",
    ("quotas", "on-demand vCPU of standard families (A, C, D, H, I, M, R, T, Z)"): "aws service-quotas request",
    ("quotas", "spot vCPU of standard families (A, C, D, H, I, M, R, T, Z)"): "aws service-quotas request",
    ("instance-types", "batch/driver in us-east-1b"): "replace by m",
    ("network", "{vpc} enableDnsHostnames"): "aws ec2 modify-vpc-attribute --vpc-id {vpc} --enable-dns-hostnames",
    ("network", "subnet-0123456789abcdef0 (control_plane)"): "write the id of a subnet of {vpc}",
    ("keys", "archer.database.key_arn"): "aws kms enable-key --key-id {database}",
    ("keys", "Auto Scaling on storage.volumes_key_arn"): "add to the policy of {volumes}",
    ("roles", "clusters[batch].node_role_arn"): "let ec2.amazonaws.com assume",
    ("roles", "permissions.boundary_arn"): "create the policy, or write the ARN of an existing one",
    ("service-roles", "AWSServiceRoleForAutoScaling"): "aws iam create-service-linked-role --aws-service-name",
    ("images", "moka-dev/spark-operator-controller:2.5.2"): "copy the image to",
}
"""{(check, subject): how its fix begins}; the account's own names in braces."""


def plant(account: Account) -> dict[str, str]:
    """Breaks twelve things of a healthy account with a network of its own, and returns the names that rows use."""
    data, iam, kms = account.data, account.client("iam"), account.client("kms")
    names = {
        "vpc": data["network"]["vpc_id"],
        "database": data["archer"]["database"]["key_arn"],
        "volumes": data["storage"]["volumes_key_arn"],
    }
    account.client("ssm").delete_parameter(Name="/cdk-bootstrap/hnb659fds/version")
    # a new account's
    account.limits |= {"L-1216C47A": 5.0, "L-34B43A08": 5.0}
    without(account, "m8g.2xlarge", "us-east-1b")
    account.client("ec2").modify_vpc_attribute(VpcId=names["vpc"], EnableDnsHostnames={"Value": False})
    subnet = next(each for each in data["network"]["subnets"] if each["use"] == "control_plane")
    subnet["id"] = "subnet-0123456789abcdef0"
    # moto knows a key by its id here
    kms.disable_key(KeyId=names["database"].rsplit("/", 1)[1])
    root = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [root]})
    kms.put_key_policy(KeyId=names["volumes"].rsplit("/", 1)[1], PolicyName="default", Policy=policy)
    statement = {"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.update_assume_role_policy(RoleName="eks-nodes", PolicyDocument=trust)
    iam.delete_policy(PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/Boundary")
    iam.delete_role(RoleName="AWSServiceRoleForAutoScaling")
    (image,) = IMAGES
    account.client("ecr").batch_delete_image(
        repositoryName=f"moka-dev/{image.repository}", imageIds=[{"imageTag": image.tag}]
    )
    return names


def test_twelve_faults_at_once_are_all_told_and_each_with_its_fix(whole_existing: Account) -> None:
    names = plant(whole_existing)

    report = whole_existing.run()

    failed = {
        (row.check, row.verdict.subject): row.verdict.fix for row in report.rows if row.verdict.state is not State.PASS
    }
    wanted = {(check, subject.format(**names)): fix.format(**names) for (check, subject), fix in FAULTS.items()}
    assert len(wanted) == 12
    assert set(failed) == set(wanted)
    for where, fix in wanted.items():
        assert failed[where].startswith(fix), where
    assert {row.verdict.state for row in report.rows} == {State.PASS, State.FAIL}
    assert report.exit_code == 1
