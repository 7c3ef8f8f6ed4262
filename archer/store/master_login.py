"""Makes Archer's database user, logged in once as the master whose password a secret of AWS holds.

Only `archer migrate` does so. The user has no password: it logs in with an IAM token (role `rds_iam`). The master makes
no table, so that all of them belong to the user that works with them.
"""

import json
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

from archer.errors import CannotServeError
from archer.store.address import DatabaseAddress
from archer.store.connection import Database
from archer.store.postgresql import lock_for_migration


def make_user(address: DatabaseAddress) -> None:
    """Nothing happens to a user that is as it should be. Raises CannotServeError, StoreUnavailableError."""
    user = address.user or make_url(address.url).username
    if address.secret_arn is None or not user:
        raise CannotServeError("PGUSER names nobody; set it to the database user that Archer works as")
    secret = _secret(address.secret_arn)
    try:
        url = make_url(address.url).set(username=secret["username"], password=secret["password"])
    except (KeyError, TypeError) as error:
        raise CannotServeError(
            f"secret {address.secret_arn} must be JSON with `username` and `password`; name the database's master secret"
        ) from error
    database = Database(
        DatabaseAddress(
            url=url.render_as_string(hide_password=False),
            connect_seconds=address.connect_seconds,
        )
    )
    try:
        with database.write() as connection:
            _make(connection, user)
    finally:
        database.close()


def _make(connection: Connection, user: str) -> None:
    lock_for_migration(connection)
    name = connection.dialect.identifier_preparer.quote_identifier(user)
    base = connection.dialect.identifier_preparer.quote_identifier(
        connection.execute(text("SELECT current_database()")).scalar_one()
    )
    if not _role_exists(connection, user):
        connection.exec_driver_sql(f"CREATE ROLE {name} LOGIN")
    # Aurora's; elsewhere the user logs in as that server's rules say
    if _role_exists(connection, "rds_iam"):
        connection.exec_driver_sql(f"GRANT rds_iam TO {name}")
    connection.exec_driver_sql(f"GRANT CONNECT ON DATABASE {base} TO {name}")
    connection.exec_driver_sql(f"GRANT USAGE, CREATE ON SCHEMA public TO {name}")


def _role_exists(connection: Connection, name: str) -> bool:
    found = connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": name})
    return found.one_or_none() is not None


def _secret(arn: str) -> Any:
    import boto3  # type: ignore[import-untyped]  # noqa: PLC0415  # only the migration on AWS pays for loading it
    from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]  # noqa: PLC0415

    parts = arn.split(":")
    if len(parts) < 7 or parts[2] != "secretsmanager":  # arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME
        raise CannotServeError(f"ARCHER_DATABASE_MASTER_SECRET must be the ARN of a secret, got {arn!r}")
    try:
        client = boto3.client("secretsmanager", region_name=parts[3])
        return json.loads(client.get_secret_value(SecretId=arn)["SecretString"])
    except (BotoCoreError, ClientError) as error:
        raise CannotServeError(
            f"can't read secret {arn} ({error}); the migration's role needs secretsmanager:GetSecretValue on it"
        ) from error
    except (KeyError, ValueError) as error:
        raise CannotServeError(f"secret {arn} holds no JSON; name the database's master secret") from error
