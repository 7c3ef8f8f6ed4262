"""Where the database is: a file on one machine, or what libpq's own variables name.

PostgreSQL is named by PGHOST, PGPORT, PGUSER, PGDATABASE, PGSSLMODE and their like, which psycopg reads by itself
(https://www.postgresql.org/docs/current/libpq-envars.html); only what an IAM token is signed for is read here. Refuses
to know a password: a token is one, for a quarter of an hour.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

POSTGRESQL = "postgresql+psycopg://"
"""Everything else comes from libpq's variables."""


@dataclass(frozen=True, kw_only=True)
class IamLogin:
    """For whom, where and in which region an RDS authentication token is signed."""

    host: str
    port: int
    user: str
    region: str


@dataclass(frozen=True, kw_only=True)
class DatabaseAddress:
    """SQLAlchemy's address, and how to log in there."""

    url: str
    iam: IamLogin | None = None
    """None: as libpq does by itself."""
    user: str | None = None
    """Who logs in, where the URL doesn't say."""
    secret_arn: str | None = None
    """Secret of the master user, for the migration alone."""
    connect_seconds: int = 10
    """Longest time that a connection to PostgreSQL may take; libpq itself would wait for ever."""

    place: str | None = None
    """For people; None: the URL says it."""

    @classmethod
    def of(cls, address: "str | DatabaseAddress") -> "DatabaseAddress":
        """An address as it is; a URL alone as one."""
        return cls(url=address) if isinstance(address, str) else address

    @property
    def is_postgresql(self) -> bool:
        return self.url.startswith("postgresql")


def sqlite_address(data: Path) -> DatabaseAddress:
    return DatabaseAddress(url=f"sqlite:///{data.absolute() / 'archer.db'}")


def postgresql_address(
    variables: Mapping[str, str], *, iam: bool = False, secret_arn: str | None = None
) -> DatabaseAddress:
    """As libpq's variables say. Raises KeyError when `iam` needs one that is absent; see `missing_for_iam`."""
    login = None
    if iam:
        login = IamLogin(
            host=variables["PGHOST"],
            port=int(variables.get("PGPORT") or 5432),
            user=variables["PGUSER"],
            region=variables["AWS_REGION"],
        )
    seconds = variables.get("PGCONNECT_TIMEOUT", "")
    return DatabaseAddress(
        url=POSTGRESQL,
        iam=login,
        user=variables.get("PGUSER") or None,
        place=_place(variables),
        secret_arn=secret_arn,
        connect_seconds=int(seconds) if seconds.isdigit() and int(seconds) > 0 else 10,
    )


def _place(variables: Mapping[str, str]) -> str:
    name, host = variables.get("PGDATABASE", ""), variables.get("PGHOST", "")
    return f"{name} on {host}:{variables.get('PGPORT') or 5432}"


def missing_for_iam(variables: Mapping[str, str]) -> list[str]:
    """Variables that a token can't be signed without and that are absent."""
    return [name for name in ("PGHOST", "PGUSER", "AWS_REGION") if not variables.get(name)]
