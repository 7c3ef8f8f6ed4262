"""Faults of the bootstrap stack."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from moka.preflight import State
from moka.preflight.checks.bootstrap import CURRENT_VERSION

if TYPE_CHECKING:
    from tests.moka.preflight.conftest import Account

ROOT = Path(__file__).resolve().parents[4]
COMMAND = "./cdk bootstrap aws://123456789012/us-east-1"
VERSION = "version of qualifier hnb659fds"


def test_account_that_was_never_bootstrapped_fails(account: Account) -> None:
    account.client("ssm").delete_parameter(Name="/cdk-bootstrap/hnb659fds/version")

    row, report = account.row("bootstrap", VERSION)

    assert (row.verdict.state, report.exit_code) == (State.FAIL, 1)
    assert (row.verdict.value, row.verdict.fix) == ("no /cdk-bootstrap/hnb659fds/version", COMMAND)


def test_wrong_qualifier_fails_and_names_the_ones_that_are_there(account: Account) -> None:
    account.data["bootstrap"] = {"qualifier": "company"}

    row, report = account.row("bootstrap", "version of qualifier company")

    assert (row.verdict.state, report.exit_code) == (State.FAIL, 1)
    assert row.verdict.value == "no /cdk-bootstrap/company/version; qualifiers here: hnb659fds"
    assert row.verdict.fix == (
        f"{COMMAND} --qualifier company; or write one of hnb659fds as `bootstrap.qualifier` in environments/dev.yaml"
    )


def test_too_old_a_version_fails_and_an_older_one_warns(account: Account) -> None:
    states = []
    for version in ("5", "6", str(CURRENT_VERSION)):
        account.client("ssm").put_parameter(
            Name="/cdk-bootstrap/hnb659fds/version", Value=version, Type="String", Overwrite=True
        )
        row, report = account.row("bootstrap", VERSION)
        states.append((row.verdict.state, row.verdict.fix, report.exit_code))

    assert states == [(State.FAIL, COMMAND, 1), (State.WARN, COMMAND, 0), (State.PASS, "", 0)]


def test_missing_execution_role_fails(account: Account) -> None:
    name = "cdk-hnb659fds-cfn-exec-role-123456789012-us-east-1"
    account.client("iam").delete_role(RoleName=name)

    row, report = account.row("bootstrap", name)

    assert (row.verdict.state, row.verdict.value, row.verdict.fix) == (State.FAIL, "no such role", COMMAND)
    assert report.exit_code == 1


def test_execution_role_under_another_path_fails_with_its_true_arn(existing: Account) -> None:
    existing.data["bootstrap"]["execution_role_arn"] = "arn:aws:iam::123456789012:role/cloudformation"

    row, _ = existing.row("bootstrap", "cloudformation")

    true = "arn:aws:iam::123456789012:role/platform/cloudformation"
    assert (row.verdict.state, row.verdict.value) == (State.FAIL, true)
    assert row.verdict.fix == f"write {true} as `bootstrap.execution_role_arn` in environments/dev.yaml"


def test_execution_role_of_another_account_fails_without_a_look_up(existing: Account) -> None:
    existing.data["bootstrap"]["execution_role_arn"] = "arn:aws:iam::210987654321:role/cloudformation"

    row, _ = existing.row("bootstrap", "cloudformation")

    assert (row.verdict.state, row.verdict.needed) == (State.FAIL, "a role of the environment's account")


def test_missing_assets_bucket_fails(account: Account) -> None:
    name = "cdk-hnb659fds-assets-123456789012-us-east-1"
    account.client("s3").delete_bucket(Bucket=name)

    row, _ = account.row("bootstrap", name)

    assert (row.verdict.state, row.verdict.value, row.verdict.fix) == (State.FAIL, "no such bucket", COMMAND)


def test_current_version_is_the_pinned_cli_s() -> None:
    (template,) = (ROOT / "node_modules/aws-cdk").rglob("bootstrap-template.yaml")
    match = re.search(r"CdkBootstrapVersion:.*?Value: '(\d+)'", template.read_text(), re.DOTALL)

    assert match is not None
    assert int(match[1]) == CURRENT_VERSION
