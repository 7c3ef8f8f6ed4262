"""The edge to AWS: what it refuses, what it asks once, and what it makes of botocore's errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import botocore.endpoint  # type: ignore[import-untyped]
import pytest
from botocore.awsrequest import AWSResponse  # type: ignore[import-untyped]

from moka.errors import BadInputError
from moka.preflight.aws import Aws, open_session
from moka.preflight.calls import Call
from moka.preflight.failures import CallFailedError, CredentialsError, DeniedError, NotFoundError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.moka.preflight.conftest import Account

VPCS = Call("ec2", "DescribeVpcs")
CALLER = Call("sts", "GetCallerIdentity")


def test_call_that_a_check_has_not_declared_is_refused(account: Account) -> None:
    reader = Aws(account.session, "us-east-1").reader([CALLER])

    with pytest.raises(AssertionError, match="ec2:DescribeVpcs is not among the calls"):
        reader.get(VPCS)

    assert account.calls == []


def test_equal_calls_are_made_once_and_different_ones_are_not(account: Account) -> None:
    aws = Aws(account.session, "us-east-1")

    first = aws.reader([VPCS]).pages(VPCS, "Vpcs")
    second = aws.reader([VPCS]).pages(VPCS, "Vpcs")
    aws.reader([VPCS]).get(VPCS, VpcIds=[first[0]["VpcId"]])

    assert first == second
    assert account.calls == ["ec2:DescribeVpcs"] * 2


def test_all_pages_are_read(account: Account) -> None:
    """The pages are the test's: moto's page is larger than anything made here."""
    pages: dict[str, dict[str, Any]] = {
        "": {"Vpcs": [{"VpcId": "vpc-1"}], "NextToken": "more"},
        "more": {"Vpcs": [{"VpcId": "vpc-2"}]},
    }
    account.answer("ec2:DescribeVpcs", lambda body: pages[body.get("NextToken", "")])

    found = Aws(account.session, "us-east-1").reader([VPCS]).pages(VPCS, "Vpcs")

    assert [vpc["VpcId"] for vpc in found] == ["vpc-1", "vpc-2"]


class _Body:
    """What botocore reads an answer from."""

    def __init__(self, text: str) -> None:
        self._text = text

    def stream(self, **_: object) -> list[bytes]:
        return [self._text.encode()]


def throttle(account: Account, times: int) -> list[int]:
    """Answers the first calls of STS with a throttling error, below botocore's retries; returns a list that counts them."""
    seen: list[int] = []

    def answer(request: Any, **_: object) -> Any:
        seen.append(len(seen))
        if len(seen) > times:
            return None
        text = "<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>"
        return AWSResponse(request.url, 400, {}, _Body(text))

    account.session.events.register_first("before-send.sts", answer)
    return seen


def test_throttling_is_retried(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(botocore.endpoint.time, "sleep", lambda _: None)
    seen = throttle(account, times=3)

    answer = Aws(account.session, "us-east-1").reader([CALLER]).get(CALLER)

    assert (answer["Account"], len(seen)) == ("123456789012", 4)


def test_throttling_without_end_is_a_failed_call(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(botocore.endpoint.time, "sleep", lambda _: None)
    seen = throttle(account, times=100)

    with pytest.raises(CallFailedError, match="sts:GetCallerIdentity failed: Throttling: Rate exceeded"):
        Aws(account.session, "us-east-1").reader([CALLER]).get(CALLER)

    assert len(seen) == 6


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("UnauthorizedOperation", DeniedError),
        ("Client.UnauthorizedOperation", DeniedError),
        ("InvalidVpcID.NotFound", NotFoundError),
        ("InvalidGroup.NotFound", NotFoundError),
        ("ExpiredToken", CredentialsError),
        ("InternalError", CallFailedError),
    ],
)
def test_error_code_decides_the_reaction(account: Account, code: str, kind: type[Exception]) -> None:
    account.answer("ec2:DescribeVpcs", {"Error": {"Code": code, "Message": "no"}})

    with pytest.raises(kind) as raised:
        Aws(account.session, "us-east-1").reader([VPCS]).get(VPCS)

    assert type(raised.value) is kind


def test_encoded_message_of_a_denial_is_left_out(account: Account) -> None:
    message = "You are not authorized to perform this operation. Encoded authorization failure message: " + "x" * 900
    account.answer("ec2:DescribeVpcs", {"Error": {"Code": "UnauthorizedOperation", "Message": message}})

    with pytest.raises(DeniedError) as raised:
        Aws(account.session, "us-east-1").reader([VPCS]).get(VPCS)

    assert raised.value.message == "You are not authorized to perform this operation."


def test_missing_credentials_are_bad_input(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    session = open_session(None, "us-east-1")

    with pytest.raises(CredentialsError) as raised:
        Aws(session, "us-east-1").reader([CALLER]).get(CALLER)

    assert str(raised.value) == (
        "no usable AWS credentials: Unable to locate credentials; "
        "set AWS_PROFILE, use --profile, or log in (`aws sso login`)"
    )
    assert raised.value.exit_code == 2


def test_unknown_profile_is_bad_input_and_known_ones_are_named(
    aws: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text("[profile dev]\nregion = us-east-1\n[profile prod]\nregion = us-east-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))

    with pytest.raises(BadInputError) as raised:
        open_session("staging", "us-east-1")

    assert str(raised.value) == "`--profile` must be a profile of your AWS configuration (dev, prod), got 'staging'"


def test_configuration_that_cannot_be_read_is_bad_input(
    aws: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text("not a configuration\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))

    with pytest.raises(BadInputError, match="the AWS configuration cannot be read: Unable to parse config file"):
        open_session(None, "us-east-1").client("sts")
