"""Logs in to RDS without a password: each new connection signs a token of its own, valid for a quarter of an hour.

The signature is made here, without a call to AWS, from the credentials that boto3 finds (the pod's role).
Reference: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from archer.store.address import IamLogin


def sign_each_connection(engine: Engine, login: IamLogin) -> None:
    """From now on the password of every new connection of `engine` is a fresh token."""

    def log_in(_dialect: Any, _record: Any, _arguments: Any, parameters: dict[str, Any]) -> None:
        parameters["password"] = _signer(login)()

    event.listen(engine, "do_connect", log_in)


@cache
def _signer(login: IamLogin) -> Callable[[], str]:
    """One client for each place: to make one takes half a second, to sign with it half a millisecond."""
    import boto3  # type: ignore[import-untyped]  # noqa: PLC0415  # only who logs in this way pays for loading it

    client = boto3.client("rds", region_name=login.region)

    def token() -> str:
        signed: str = client.generate_db_auth_token(
            DBHostname=login.host, Port=login.port, DBUsername=login.user, Region=login.region
        )
        return signed

    return token
