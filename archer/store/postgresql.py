"""What PostgreSQL needs to be told: limits in time for everything, only a server that writes, and what a failure means.

No statement, lock or silent connection holds a thread for longer than the bounds below, so that a database that is gone
is told as such. A connection that a failover left on a reader is dropped like a broken one.
"""

from typing import Any

from sqlalchemy import Connection, event, text
from sqlalchemy.engine import Engine
from sqlalchemy.engine.interfaces import ExceptionContext
from sqlalchemy.exc import DBAPIError

STATEMENT_SECONDS = 30
LOCK_SECONDS = 10
SILENCE_SECONDS = 10
"""Of a server that doesn't acknowledge what was sent, before its connection counts as broken."""
MIGRATION_SECONDS = 300
"""For each statement of a migration, and for waiting until another's has ended."""
_MIGRATION_LOCK = 0x6172636865720000
"""An advisory lock of our own ("archer")."""

READ = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
"""Execution options of a read: all its statements see one moment."""

_MET_ANOTHER = frozenset({"40001", "40P01"})
"""serialization_failure, deadlock_detected."""
_WRONG_SERVER = frozenset({"25006", "57P01", "57P02", "57P03"})
"""read_only_sql_transaction (after a failover), admin_shutdown, crash_shutdown, cannot_connect_now."""


def options(*, connect_seconds: int) -> dict[str, Any]:
    """For `create_engine`."""
    limits = {
        "statement_timeout": STATEMENT_SECONDS * 1000,
        "lock_timeout": LOCK_SECONDS * 1000,
        "idle_in_transaction_session_timeout": STATEMENT_SECONDS * 1000,
        # whatever the server's default is: an accepted job is on disk
        "synchronous_commit": "on",
        # what a lock guarded is seen by the next statement; reads ask for more
        "default_transaction_isolation": r"read\ committed",
    }
    arguments: dict[str, Any] = {
        "options": " ".join(f"-c {name}={value}" for name, value in limits.items()),
        "connect_timeout": connect_seconds,
        "target_session_attrs": "read-write",
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": SILENCE_SECONDS * 1000,
    }
    # the connection used last is the likeliest to live, and idle ones may end
    return {"connect_args": arguments, "pool_use_lifo": True, "max_overflow": 12}


def lock_for_migration(connection: Connection) -> None:
    """Until the transaction's end; whoever comes second waits, and then finds the work done."""
    for limit in ("statement_timeout", "lock_timeout"):
        connection.exec_driver_sql(f"SET LOCAL {limit} = {MIGRATION_SECONDS * 1000}")
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})


def prepare(engine: Engine) -> None:
    """Make `engine` drop connections to a server that no longer serves us."""
    event.listen(engine, "handle_error", _drop_connections_to_the_wrong_server)


def met_another(error: DBAPIError) -> bool:
    """Whether the transaction failed only because of another one, and may be repeated."""
    return _sqlstate(error.orig) in _MET_ANOTHER


def _drop_connections_to_the_wrong_server(context: ExceptionContext) -> None:
    if _sqlstate(context.original_exception) in _WRONG_SERVER:
        context.is_disconnect = True


def _sqlstate(error: BaseException | None) -> str | None:
    state: str | None = getattr(error, "sqlstate", None)
    return state
