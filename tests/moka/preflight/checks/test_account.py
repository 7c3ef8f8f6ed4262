"""Faults of the account: the wrong one, the placeholder, a region that is not enabled, no credentials."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import pytest

from moka.preflight import State
from moka.preflight.failures import CredentialsError

if TYPE_CHECKING:
    from tests.moka.preflight.conftest import Account

REFUSED = {
    "Error": {"Code": "InvalidClientTokenId", "Message": "The security token included in the request is invalid"}
}


def test_credentials_of_another_account_fail_and_nothing_else_is_asked(account: Account) -> None:
    account.data["account"] = "210987654321"

    report = account.run()

    assert [row.as_json() for row in report.rows] == [
        {
            "check": "account",
            "subject": "account",
            "state": "fail",
            "value": "123456789012, arn:aws:sts::123456789012:user/moto",
            "needed": "210987654321",
            "fix": "choose credentials of account 210987654321 (--profile, AWS_PROFILE), "
            "or write 123456789012 as `account` in environments/dev.yaml",
        }
    ]
    assert report.exit_code == 1
    assert report.not_made[:2] == ("placeholders", "region")
    assert account.calls == ["sts:GetCallerIdentity"]


def test_placeholder_account_fails_without_a_call_and_names_every_key_to_edit(account: Account) -> None:
    account.data["account"] = "111111111111"
    account.data["clusters"][0]["access"][0]["role_arn"] = "arn:aws:iam::111111111111:role/PlatformAdmin"

    report = account.run()

    (row,) = report.rows
    assert (row.verdict.state, report.exit_code, account.calls) == (State.FAIL, 1, [])
    assert row.verdict.value == "111111111111, the placeholder of the shipped files"
    assert row.verdict.fix == (
        "write your account id in environments/dev.yaml, and what belongs to your account instead of the placeholder: "
        "account, clusters[batch].access[0].role_arn"
    )


def test_region_that_is_not_enabled_is_told_from_bad_credentials(account: Account) -> None:
    """Moto has every region enabled, so STS' answers are given by the test: refused in one region, good in another."""
    account.data["region"] = "af-south-1"
    good = {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/me", "UserId": "U"}
    answers: Iterator[Mapping[str, object]] = iter([REFUSED, good])
    account.answer("sts:GetCallerIdentity", lambda _: next(answers))

    report = account.run()

    (row,) = report.rows
    assert (row.check, row.verdict.state, report.exit_code) == ("account", State.FAIL, 1)
    assert row.verdict.value == "credentials are good in us-east-1 and refused in af-south-1: the region is not enabled"
    assert row.verdict.fix == (
        "aws account enable-region --region-name af-south-1, or write another `region` in environments/dev.yaml"
    )


def test_credentials_that_are_refused_everywhere_end_the_run(account: Account) -> None:
    """The answer is the test's: moto accepts every key."""
    account.data["region"] = "af-south-1"
    account.answer("sts:GetCallerIdentity", REFUSED)

    with pytest.raises(CredentialsError, match=r"^AWS refuses the credentials \(InvalidClientTokenId\); log in again"):
        account.run()


def test_expired_credentials_end_the_run(account: Account) -> None:
    """The answer is the test's: moto's credentials never expire."""
    account.answer("sts:GetCallerIdentity", {"Error": {"Code": "ExpiredToken", "Message": "expired"}})

    with pytest.raises(CredentialsError, match="ExpiredToken"):
        account.run()
