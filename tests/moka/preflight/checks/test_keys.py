"""Faults of declared keys."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from moka.preflight import State

if TYPE_CHECKING:
    from tests.moka.preflight.conftest import Account

SERVICE_ROLE = "arn:aws:iam::123456789012:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
VOLUMES = "storage.volumes_key_arn"
ROOT_ALONE = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
                "Action": "kms:*",
                "Resource": "*",
            }
        ],
    }
)


def test_key_that_does_not_exist_fails(keyed: Account) -> None:
    arn = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-4000-8000-000000000000"
    keyed.data["storage"]["key_arn"] = arn

    row, report = keyed.row("keys", "storage.key_arn")

    assert (row.verdict.state, row.verdict.value, report.exit_code) == (State.FAIL, f"{arn}: no such key", 1)
    assert row.verdict.fix == (
        "write an enabled symmetric key of us-east-1 as `storage.key_arn` in environments/dev.yaml"
    )


def test_disabled_key_fails_with_the_command_that_enables_it(keyed: Account) -> None:
    arn = keyed.data["clusters"][0]["secrets_key_arn"]
    keyed.client("kms").disable_key(KeyId=arn.rpartition("/")[2])

    row, report = keyed.row("keys", "clusters[batch].secrets_key_arn")

    assert (row.verdict.state, row.verdict.value, report.exit_code) == (State.FAIL, f"{arn}: Disabled", 1)
    assert row.verdict.fix.startswith(f"aws kms enable-key --key-id {arn}; or write")


def test_key_pending_deletion_fails(keyed: Account) -> None:
    arn = keyed.data["archer"]["database"]["key_arn"]
    keyed.client("kms").schedule_key_deletion(KeyId=arn.rpartition("/")[2])

    row, _ = keyed.row("keys", "archer.database.key_arn")

    assert (row.verdict.state, row.verdict.value) == (State.FAIL, f"{arn}: PendingDeletion")
    assert row.verdict.fix.startswith(f"aws kms cancel-key-deletion --key-id {arn}")


def test_asymmetric_key_fails(keyed: Account) -> None:
    made = keyed.client("kms").create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["Arn"]
    keyed.data["storage"]["key_arn"] = made

    row, _ = keyed.row("keys", "storage.key_arn")

    assert (row.verdict.state, row.verdict.value, row.verdict.needed) == (State.FAIL, "RSA_2048", "SYMMETRIC_DEFAULT")


def test_key_of_another_region_fails(keyed: Account) -> None:
    kms = keyed.client("kms", "eu-west-1")
    keyed.data["storage"]["key_arn"] = kms.create_key()["KeyMetadata"]["Arn"]

    row, _ = keyed.row("keys", "storage.key_arn")

    assert (row.verdict.state, row.verdict.value) == (State.FAIL, "a key of eu-west-1")


def test_volumes_key_that_auto_scaling_may_not_use_fails_with_the_statements(keyed: Account) -> None:
    arn = keyed.data["storage"]["volumes_key_arn"]
    keyed.client("kms").put_key_policy(KeyId=arn, PolicyName="default", Policy=ROOT_ALONE)

    row, report = keyed.row("keys", f"Auto Scaling on {VOLUMES}")

    assert (row.verdict.state, report.exit_code) == (State.FAIL, 1)
    assert row.verdict.value.startswith("lacks kms:CreateGrant, kms:Decrypt, ")
    added = json.loads(row.verdict.fix.partition(f"add to the policy of {arn}: ")[2])
    assert [statement["Principal"] for statement in added] == [{"AWS": SERVICE_ROLE}] * 2
    assert added[1]["Action"] == "kms:CreateGrant"


def test_statements_of_the_fix_make_the_key_pass(keyed: Account) -> None:
    kms, arn = keyed.client("kms"), keyed.data["storage"]["volumes_key_arn"]
    kms.put_key_policy(KeyId=arn, PolicyName="default", Policy=ROOT_ALONE)
    lacking, _ = keyed.row("keys", f"Auto Scaling on {VOLUMES}")

    added = json.loads(lacking.verdict.fix.partition(f"add to the policy of {arn}: ")[2])
    whole = json.loads(ROOT_ALONE)
    whole["Statement"] += added
    kms.put_key_policy(KeyId=arn, PolicyName="default", Policy=json.dumps(whole))
    mended, _ = keyed.row("keys", f"Auto Scaling on {VOLUMES}")

    assert (lacking.verdict.state, mended.verdict.state) == (State.FAIL, State.PASS)


def test_grant_is_as_good_as_a_policy(keyed: Account) -> None:
    kms, arn = keyed.client("kms"), keyed.data["storage"]["volumes_key_arn"]
    kms.put_key_policy(KeyId=arn, PolicyName="default", Policy=ROOT_ALONE)
    kms.create_grant(
        KeyId=arn,
        GranteePrincipal=SERVICE_ROLE,
        Operations=[
            "CreateGrant",
            "Decrypt",
            "DescribeKey",
            "Encrypt",
            "GenerateDataKeyWithoutPlaintext",
            "ReEncryptFrom",
            "ReEncryptTo",
        ],
    )

    row, _ = keyed.row("keys", f"Auto Scaling on {VOLUMES}")

    assert row.verdict.state is State.PASS


def test_file_that_does_not_state_the_grant_warns(keyed: Account) -> None:
    keyed.data["storage"]["grants_autoscaling"] = False

    row, report = keyed.row("keys", f"Auto Scaling on {VOLUMES}")

    assert (row.verdict.state, report.exit_code) == (State.WARN, 0)
    assert row.verdict.fix == "write `storage.grants_autoscaling: true` in environments/dev.yaml"


def test_denied_key_of_another_account_is_unknown_and_the_other_keys_are_judged(keyed: Account) -> None:
    """The denial is the test's: moto looks keys up in one account only."""
    foreign = "arn:aws:kms:us-east-1:210987654321:key/00000000-0000-4000-8000-000000000000"
    keyed.data["teams"][0]["data"][0]["key_arn"] = foreign
    told = {arn["KeyMetadata"]["Arn"]: arn for arn in described(keyed)}
    denied = {"Error": {"Code": "AccessDeniedException", "Message": "not authorized to perform: kms:DescribeKey"}}
    keyed.answer("kms:DescribeKey", lambda body: told.get(body["KeyId"], denied))

    row, report = keyed.row("keys", "teams[ads].data[example-ads-events].key_arn")

    assert (row.verdict.state, row.verdict.value) == (State.UNKNOWN, "kms:DescribeKey is denied")
    assert sum(each.verdict.state is State.PASS for each in report.rows if each.check == "keys") == 4


def described(account: Account) -> list[dict[str, dict[str, str]]]:
    kms = account.client("kms")
    return [kms.describe_key(KeyId=each["KeyId"]) for each in kms.list_keys()["Keys"]]
