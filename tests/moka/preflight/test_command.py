"""`moka preflight` as it is typed: output, exit codes, and mistakes without a stack trace."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import botocore.endpoint  # type: ignore[import-untyped]
import pytest

from moka.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    from tests.moka.preflight.conftest import Account


class Said:
    """What one command left behind."""

    def __init__(self, code: object, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


def moka(capsys: pytest.CaptureFixture[str], *arguments: str) -> Said:
    """Runs the real program in this process, because moto works in no other."""
    with pytest.raises(SystemExit) as ended:
        main(["preflight", *arguments])
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return Said(ended.value.code, said.out, said.err)


def test_table_of_checks_that_pass_ends_with_0(
    account: Account, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = moka(capsys, account.write(tmp_path), "--only", "roles", "--only", "region")

    lines = said.out.splitlines()
    assert (said.code, said.err) == (0, "")
    assert lines[0] == "Preflight of dev (123456789012, us-east-1)"
    assert lines[1].split() == ["state", "check", "subject", "value", "needed"]
    assert [line.split()[:2] for line in lines[2:]][:2] == [["pass", "account"], ["pass", "region"]]
    assert lines[-2].endswith("pass: ready")


def test_json_of_a_check_that_fails_ends_with_1(
    account: Account, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    account.client("iam").delete_role(RoleName="PlatformAdmin")
    file = account.write(tmp_path)

    said = moka(capsys, file, "--only", "roles", "--output", "json")

    report = json.loads(said.out)
    assert said.code == report["exit_code"] == 1
    assert (report["environment"], report["account"], report["region"]) == ("dev", "123456789012", "us-east-1")
    assert report["summary"] == {"pass": 2, "warn": 0, "fail": 1, "unknown": 0}
    assert report["rows"][1] == {
        "check": "roles",
        "subject": "clusters[batch].access[0].role_arn",
        "state": "fail",
        "value": "PlatformAdmin: no such role",
        "needed": "arn:aws:iam::123456789012:role/PlatformAdmin",
        "fix": f"create the role, or write the ARN of an existing one as `clusters[batch].access[0].role_arn` in {file}",
    }


def test_shipped_file_fails_with_what_to_edit_and_needs_no_credentials(
    aws: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")

    said = moka(capsys, "dev")

    assert (said.code, said.err) == (1, "")
    assert (
        "fail   account  account  111111111111, the placeholder of the shipped files  your AWS account id" in said.out
    )
    assert "write your account id in environments/dev.yaml" in said.out
    assert "archer.endpoint.certificate_arn" in said.out


def test_missing_credentials_are_bad_input(
    account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    said = moka(capsys, account.write(tmp_path))

    assert (said.code, said.out) == (2, "")
    assert said.err == (
        "moka: no usable AWS credentials: Unable to locate credentials; "
        "set AWS_PROFILE, use --profile, or log in (`aws sso login`)\n"
    )


def test_unreachable_aws_is_one_message_and_1(
    account: Account,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    closed_port: int,
) -> None:
    monkeypatch.setattr(botocore.endpoint.time, "sleep", lambda _: None)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{closed_port}")

    said = moka(capsys, account.write(tmp_path))

    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("moka: AWS cannot be reached: Could not connect to the endpoint URL")
    assert said.err.count("\n") == 1


def test_bad_file_is_bad_input_with_every_problem(
    account: Account, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    account.data["region"] = "nowhere"
    account.data["account_id"] = "123456789012"

    said = moka(capsys, account.write(tmp_path))

    assert (said.code, said.out) == (2, "")
    assert "region" in said.err
    assert "account_id" in said.err


def test_environment_that_does_not_exist_is_bad_input(aws: None, capsys: pytest.CaptureFixture[str]) -> None:
    said = moka(capsys, "develop")

    assert (said.code, said.out) == (2, "")
    assert "develop" in said.err
    assert "dev" in said.err


def test_unknown_check_and_unknown_profile_are_bad_input(
    account: Account, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = account.write(tmp_path)

    check = moka(capsys, file, "--only", "quota")
    profile = moka(capsys, file, "--profile", "nobody")

    assert (check.code, check.out, profile.code, profile.out) == (2, "", 2, "")
    assert check.err.startswith("moka: `--only` must be one of account, placeholders, region")
    assert profile.err == "moka: `--profile` must be a profile of your AWS configuration (none), got 'nobody'\n"


def test_policy_is_printed_without_a_call(account: Account, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = moka(capsys, account.write(tmp_path), "--policy", "--only", "region")

    assert (said.code, account.calls) == (0, [])
    assert json.loads(said.out) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["ec2:DescribeAvailabilityZones", "ec2:DescribeRegions", "sts:GetCallerIdentity"],
                "Resource": "*",
            }
        ],
    }
