"""Whether the credentials belong to the account that the file names; no other check is made when they do not."""

from collections.abc import Iterator
from typing import Any, Final

from environments import names
from environments.model import PLACEHOLDER_ACCOUNT
from moka.preflight.calls import Call
from moka.preflight.check import Check, Context
from moka.preflight.checks.placeholders import placeholder_paths
from moka.preflight.failures import CallFailedError, CredentialsError
from moka.preflight.rows import Verdict, failed, listed, passed

CALLER: Final = Call("sts", "GetCallerIdentity")

_HOME_REGIONS: Final = {"aws": "us-east-1", "aws-us-gov": "us-gov-west-1", "aws-cn": "cn-north-1"}
"""A region of each partition that every account has."""


def judge(account: str, file: str, identity: dict[str, Any]) -> Verdict:
    """Return whether the caller is in `account`."""
    found = str(identity["Account"])
    value = f"{found}, {identity['Arn']}"
    if found == account:
        return passed("account", value, account)
    fix = f"choose credentials of account {account} (--profile, AWS_PROFILE), or write {found} as `account` in {file}"
    return failed("account", value, needed=account, fix=fix)


def _run(context: Context) -> Iterator[Verdict]:
    environment, file = context.environment, context.file
    if environment.account == PLACEHOLDER_ACCOUNT:
        paths = listed(placeholder_paths(environment), most=100)
        fix = f"write your account id in {file}, and what belongs to your account instead of the placeholder: {paths}"
        yield failed(
            "account",
            f"{PLACEHOLDER_ACCOUNT}, the placeholder of the shipped files",
            needed="your AWS account id",
            fix=fix,
        )
        return
    try:
        yield judge(environment.account, file, context.aws.get(CALLER))
    except CredentialsError as error:
        home = _HOME_REGIONS[names.partition(environment)]
        if not error.code or home == environment.region or not _accepted(context, home):
            raise
        yield failed(
            "account",
            f"credentials are good in {home} and refused in {environment.region}: the region is not enabled",
            needed=f"{environment.region} enabled",
            fix=f"aws account enable-region --region-name {environment.region}, or write another `region` in {file}",
        )


def _accepted(context: Context, region: str) -> bool:
    try:
        context.aws.get(CALLER, region=region)
    except (CallFailedError, CredentialsError):
        return False
    return True


CHECK: Final = Check(
    name="account",
    asks="Do the credentials belong to the account that the file names?",
    calls=(CALLER,),
    run=_run,
)
