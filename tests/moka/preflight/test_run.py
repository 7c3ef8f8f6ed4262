"""A whole run: healthy accounts, what is denied, throttled or out of reach, and what stops everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import botocore.endpoint  # type: ignore[import-untyped]
import pytest

from moka.errors import BadInputError, MokaError
from moka.preflight import State
from moka.preflight.checks import CHECKS

if TYPE_CHECKING:
    from moka.preflight import Report
    from tests.moka.preflight.conftest import Account

DENIED = {"Error": {"Code": "AccessDenied", "Message": "User is not authorized to perform: iam:GetRole"}}


def lines(report: Report) -> list[str]:
    return [f"{row.verdict.state} {row.check}: {row.verdict.subject}: {row.verdict.value}" for row in report.rows]


@pytest.mark.parametrize("kind", ["whole", "whole_existing"])
def test_healthy_account_passes_every_check(kind: str, request: pytest.FixtureRequest) -> None:
    """Moto behind botocore; quotas are answered in botocore, because moto knows the VPC's only."""
    account: Account = request.getfixturevalue(kind)

    report = account.run()

    assert [line for line in lines(report) if not line.startswith("pass ")] == []
    assert report.exit_code == 0
    assert list(dict.fromkeys(row.check for row in report.rows)) == [check.name for check in CHECKS]


def test_only_makes_one_check_after_the_account_s(account: Account) -> None:
    report = account.run("kubernetes")

    assert [row.check for row in report.rows] == ["account", "kubernetes"]
    assert account.calls == ["sts:GetCallerIdentity"]


def test_unknown_check_is_bad_input(account: Account) -> None:
    with pytest.raises(BadInputError, match=r"^`--only` must be one of account, placeholders, .*, got quota$"):
        account.run("quota")


def test_denied_action_makes_its_rows_unknown_and_the_others_go_on(account: Account) -> None:
    account.answer("iam:GetRole", DENIED)

    report = account.run("roles", "kubernetes")

    assert lines(report)[1:] == [
        "unknown roles: clusters[batch].access[0].role_arn: iam:GetRole is denied",
        "unknown roles: clusters[batch].access[1].role_arn: iam:GetRole is denied",
        "pass kubernetes: clusters[batch].kubernetes_version: 1.35: standard support until 2027-03-27",
    ]
    assert report.exit_code == 1


def test_denial_by_an_organisation_s_policy_says_who_can_help(account: Account) -> None:
    message = "not authorized to perform: iam:GetRole with an explicit deny in a service control policy"
    account.answer("iam:GetRole", {"Error": {"Code": "AccessDenied", "Message": message}})

    row, _ = account.row("roles", "clusters[batch].access[0].role_arn")

    assert (row.verdict.state, row.verdict.value) == (
        State.UNKNOWN,
        "iam:GetRole is denied by an organisation's policy",
    )
    assert "ask those who own the organisation's policies" in row.verdict.fix


def test_check_with_nothing_to_look_at_says_so(account: Account) -> None:
    report = account.run("addresses", "keys")

    assert lines(report)[1:] == [
        "pass addresses: addresses: nothing declared to look at",
        "pass keys: keys: nothing declared to look at",
    ]


def test_unreachable_aws_ends_the_run_with_one_message(
    account: Account, monkeypatch: pytest.MonkeyPatch, closed_port: int
) -> None:
    """The endpoint is a closed port of this machine; moto lets requests to other hosts than Amazon's pass."""
    monkeypatch.setattr(botocore.endpoint.time, "sleep", lambda _: None)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{closed_port}")

    with pytest.raises(MokaError) as raised:
        account.run()

    assert str(raised.value) == (
        f'AWS cannot be reached: Could not connect to the endpoint URL: "http://127.0.0.1:{closed_port}/"; '
        "check the network, the proxy and the region"
    )
    assert raised.value.exit_code == 1


def test_one_unreachable_service_costs_its_rows_alone(
    account: Account, monkeypatch: pytest.MonkeyPatch, closed_port: int
) -> None:
    """As above, for EC2 alone."""
    waits: list[float] = []
    monkeypatch.setattr(botocore.endpoint.time, "sleep", waits.append)
    monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", f"http://127.0.0.1:{closed_port}")

    report = account.run("region", "instance-types", "kubernetes")

    states = [(row.check, row.verdict.state) for row in report.rows]
    assert states == [
        ("account", State.PASS),
        ("region", State.UNKNOWN),
        ("region", State.UNKNOWN),
        ("instance-types", State.UNKNOWN),
        ("kubernetes", State.PASS),
    ]
    assert f"http://127.0.0.1:{closed_port}/" in report.rows[1].verdict.value
    # the first call is tried six times, the others are not tried at all
    assert len(waits) == 5
