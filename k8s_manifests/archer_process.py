"""What an Archer process is told: its arguments and its environment, for the service and for the migration.

Names that start with ARCHER_ are Archer's settings (`archer/settings.py`); a test compares the two, and no name may be unknown there.
The database is named by libpq's own variables, which psycopg reads too:
https://www.postgresql.org/docs/current/libpq-envars.html. There is no password: each connection signs an IAM token.
"""

from typing import Final, Literal

from environments.names import DATABASE_NAME, DATABASE_USER, PLATFORM_CONFIG_MAP, SERVICE_PORTS
from environments.service import Authentication
from k8s_manifests.pods import ConfigKey

Role = Literal["api", "dispatcher", "tracker", "janitor"]
ROLES: Final[tuple[Role, ...]] = ("api", "dispatcher", "tracker", "janitor")

CONFIG_FOLDER: Final = "/etc/archer"
CONFIG_FILE: Final = "archer.yaml"
SCRATCH_FOLDER: Final = "/tmp"  # noqa: S108 - the image's own scratch folder and working directory
RDS_AUTHORITIES: Final = "/etc/ssl/certs/rds-global-bundle.pem"
"""Authorities of RDS, which are in no system's own list; Archer's image has them there."""
SHUTDOWN_SECONDS: Final = 30
"""For open requests and loops after SIGTERM, and for handing leases over."""
DRAIN_SECONDS: Final = 15
"""Until the load balancer knows that a pod goes; it hears of it from the load balancer controller."""
STOP_SECONDS: Final = DRAIN_SECONDS + SHUTDOWN_SECONDS + 15
"""Before the kill."""


def serve_arguments(role: Role) -> tuple[str, ...]:
    return ("serve", "--roles", role)


MIGRATE_ARGUMENTS: Final = ("migrate",)


def authentication_environment(given: Authentication) -> dict[str, str]:
    """Return how callers prove who they are: Archer listens on every address, and refuses to do so unasked."""
    found = {"ARCHER_AUTHENTICATION": ",".join(given.modes)}
    if given.trusted_proxies:
        found["ARCHER_TRUSTED_PROXIES"] = ",".join(given.trusted_proxies)
    if given.group_roles:
        found["ARCHER_GROUP_ROLES"] = ",".join(f"{entry.group}={entry.role}" for entry in given.group_roles)
    return found


def serve_environment(region: str, authentication: Authentication, history_url: str) -> dict[str, str]:
    """Return the variables of every role; its page links to the History Server at `history_url`."""
    return {
        "ARCHER_BACKEND": "kubernetes",
        "ARCHER_HOST": "0.0.0.0",
        **authentication_environment(authentication),
        "ARCHER_PORT": str(SERVICE_PORTS["api"]),
        # another port than the Service's would be found by nobody
        "ARCHER_STRICT_PORT": "true",
        "ARCHER_CONFIG": f"{CONFIG_FOLDER}/{CONFIG_FILE}",
        "ARCHER_DATA": f"{SCRATCH_FOLDER}/archer",
        # the environment's own runs beside it
        "ARCHER_HISTORY": "false",
        "ARCHER_HISTORY_URL": history_url,
        "ARCHER_SHUTDOWN_SECONDS": str(SHUTDOWN_SECONDS),
        **database_environment(region),
    }


def migrate_environment(region: str) -> dict[str, str]:
    """Return the variables of the migration."""
    return {
        "ARCHER_BACKEND": "kubernetes",
        "ARCHER_DATA": f"{SCRATCH_FOLDER}/archer",
        **database_environment(region),
    }


def database_environment(region: str) -> dict[str, str]:
    """Return how the database is reached, without what only a deploy knows."""
    return {
        "ARCHER_DATABASE_IAM": "true",
        # where the token is signed for
        "AWS_REGION": region,
        "PGDATABASE": DATABASE_NAME,
        "PGUSER": DATABASE_USER,
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": RDS_AUTHORITIES,
        "PGCONNECT_TIMEOUT": "10",
    }


DATABASE_PLACE: Final = {
    "PGHOST": ConfigKey(config_map=PLATFORM_CONFIG_MAP, key="database_endpoint"),
    "PGPORT": ConfigKey(config_map=PLATFORM_CONFIG_MAP, key="database_port"),
}
"""What only a deploy knows; the Archer stack writes it before this chart."""
MIGRATE_PLACE: Final = {
    **DATABASE_PLACE,
    # the migration alone logs in as the master, once, to make the user that everybody else is
    "ARCHER_DATABASE_MASTER_SECRET": ConfigKey(config_map=PLATFORM_CONFIG_MAP, key="database_master_secret"),
}
