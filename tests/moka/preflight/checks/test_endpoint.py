"""Faults of Archer's certificate and hosted zone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from moka.preflight import State
from moka.preflight.checks.endpoint import covers

if TYPE_CHECKING:
    from tests.moka.preflight.conftest import Account

CERTIFICATE, ZONE = "archer.endpoint.certificate_arn", "archer.endpoint.hosted_zone_id"
HOSTNAME = "archer.dev.moka.example.com"


def describe(whole: Account, **changes: Any) -> None:
    """Changes what ACM says of the certificate: moto's cannot be changed."""
    arn = whole.data["archer"]["endpoint"]["certificate_arn"]
    certificate = whole.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]
    whole.answer("acm:DescribeCertificate", {"Certificate": certificate | changes})


def test_certificate_that_does_not_exist_fails(whole: Account) -> None:
    arn = "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-4000-8000-0000000000d1"
    whole.data["archer"]["endpoint"]["certificate_arn"] = arn

    row, report = whole.row("endpoint", CERTIFICATE)

    assert (row.verdict.state, row.verdict.value, report.exit_code) == (State.FAIL, f"{arn}: no such certificate", 1)
    assert row.verdict.fix == (
        f"write the ARN of an issued certificate of us-east-1 for {HOSTNAME} and history.{HOSTNAME} "
        f"as `{CERTIFICATE}` in environments/dev.yaml"
    )


def test_certificate_without_the_history_server_s_name_fails(whole: Account) -> None:
    describe(whole, SubjectAlternativeNames=[HOSTNAME])

    row, _ = whole.row("endpoint", CERTIFICATE)

    assert (row.verdict.state, row.verdict.value) == (State.FAIL, f"for {HOSTNAME}")
    assert row.verdict.needed == f"{HOSTNAME}, history.{HOSTNAME}"


def test_certificate_that_waits_for_validation_fails(whole: Account) -> None:
    describe(whole, Status="PENDING_VALIDATION")

    row, _ = whole.row("endpoint", CERTIFICATE)

    assert (row.verdict.state, row.verdict.value) == (State.FAIL, "PENDING_VALIDATION")
    assert row.verdict.fix == "add the validation records that ACM shows to DNS"


@pytest.mark.parametrize(("day", "state"), [(20, State.WARN), (31, State.WARN)])
def test_certificate_that_ends_soon_warns(whole: Account, day: int, state: State) -> None:
    describe(whole, NotAfter=datetime(2026, 11, 1, tzinfo=UTC).replace(day=min(day, 30)))

    row, report = whole.row("endpoint", CERTIFICATE)

    assert (row.verdict.state, report.exit_code) == (state, 0)


def test_expired_certificate_fails(whole: Account) -> None:
    describe(whole, NotAfter=datetime(2026, 10, 31, tzinfo=UTC))

    row, _ = whole.row("endpoint", CERTIFICATE)

    assert (row.verdict.state, row.verdict.value) == (State.FAIL, "ISSUED, until 2026-10-31")


def test_hosted_zone_that_does_not_exist_fails(whole: Account) -> None:
    whole.data["archer"]["endpoint"]["hosted_zone_id"] = "Z0123456789ABSENT"

    row, report = whole.row("endpoint", ZONE)

    assert (row.verdict.state, report.exit_code) == (State.FAIL, 1)
    assert row.verdict.value == "Z0123456789ABSENT: no such hosted zone"


def test_hosted_zone_of_another_domain_fails(whole: Account) -> None:
    whole.data["archer"]["endpoint"]["hostname"] = "archer.example.org"

    row, _ = whole.row("endpoint", ZONE)

    assert (row.verdict.state, row.verdict.value) == (State.FAIL, "dev.moka.example.com")
    assert row.verdict.fix == (
        "write a `hostname` that ends with .dev.moka.example.com, or another `hosted_zone_id`, "
        "in environments/dev.yaml, archer.endpoint"
    )


def test_private_zone_that_the_vpc_cannot_ask_warns(whole_existing: Account) -> None:
    zone = {
        "Id": "/hostedzone/Z1",
        "Name": "dev.moka.example.com.",
        "CallerReference": "1",
        "Config": {"PrivateZone": True},
    }
    whole_existing.answer(
        "route53:GetHostedZone", {"HostedZone": zone, "VPCs": [{"VPCRegion": "us-east-1", "VPCId": "vpc-1"}]}
    )

    row, _ = whole_existing.row("endpoint", ZONE)

    assert (row.verdict.state, row.verdict.value) == (State.WARN, "dev.moka.example.com, private, for vpc-1")
    assert row.verdict.fix.endswith(f"with {whole_existing.data['network']['vpc_id']}")


@pytest.mark.parametrize(
    ("pattern", "covered"),
    [
        ("*.example.com", True),
        ("*.b.example.com", False),
        ("a.example.com", True),
        ("A.EXAMPLE.COM", True),
        ("*.com", False),
    ],
)
def test_wildcard_stands_for_one_label(pattern: str, covered: bool) -> None:
    assert covers(pattern, "a.example.com") is covered
