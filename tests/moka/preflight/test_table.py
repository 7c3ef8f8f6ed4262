"""The table, by whole lines."""

from __future__ import annotations

import io

from moka.output import write
from moka.preflight import Report, Row
from moka.preflight.rows import failed, passed, unknown, warned
from moka.preflight.table import report_table


def rendered(report: Report) -> list[str]:
    stream = io.StringIO()
    write(report_table(report), stream)
    return stream.getvalue().splitlines()


def report(*rows: Row, not_made: tuple[str, ...] = ()) -> Report:
    return Report(environment="dev", account="123456789012", region="us-east-1", rows=rows, not_made=not_made)


def test_every_state_is_a_word_and_every_fix_a_line_of_its_own() -> None:
    command = "aws service-quotas request-service-quota-increase --region us-east-1 " + "--and-so-on " * 12

    lines = rendered(
        report(
            Row(check="account", verdict=passed("account", "123456789012", "123456789012")),
            Row(check="quotas", verdict=failed("VPCs", "5 allowed", needed="1", fix=command.strip())),
            Row(check="images", verdict=warned("a:1", "no repository yet", fix="moka images push dev")),
            Row(check="keys", verdict=unknown("k", "kms:DescribeKey is denied", fix="allow [it]")),
        )
    )

    assert lines == [
        "Preflight of dev (123456789012, us-east-1)",
        "state    check    subject  value                      needed",
        "pass     account  account  123456789012               123456789012",
        "fail     quotas   VPCs     5 allowed                  1",
        "warn     images   a:1      no repository yet",
        "unknown  keys     k        kms:DescribeKey is denied",
        "",
        "Fixes",
        "fail  quotas: VPCs",
        f"      {command.strip()}",
        "warn  images: a:1",
        "      moka images push dev",
        "unknown  keys: k",
        "      allow [it]",
        "",
        "1 pass, 1 warn, 1 fail, 1 unknown: not ready",
        "",
    ]


def test_fix_of_several_rows_is_said_once() -> None:
    faults = [
        Row(check="bootstrap", verdict=failed(name, "none", needed="one", fix="./cdk bootstrap")) for name in "ab"
    ]

    lines = rendered(report(*faults))

    assert lines[lines.index("Fixes") :] == [
        "Fixes",
        "fail  bootstrap: a",
        "fail  bootstrap: b",
        "      ./cdk bootstrap",
        "",
        "2 fail: not ready",
        "",
    ]


def test_checks_that_were_not_made_are_named() -> None:
    fault = Row(check="account", verdict=failed("account", "1", needed="2", fix="log in"))

    lines = rendered(report(fault, not_made=("region", "quotas")))

    assert "Not made before the account fits: region, quotas." in lines


def test_warnings_alone_are_ready() -> None:
    lines = rendered(report(Row(check="a", verdict=warned("b", "c", fix="d"))))

    assert lines[-2] == "1 warn: ready"
