"""Brings a database to this code's schema, and says whether it is there.

Several servers may start on one database at the same time: the migration runs in one write transaction, on PostgreSQL
under a lock of its own, so the second finds the work done. Refuses to run on a schema newer than the code. A server
brings its own SQLite file up to date when it starts; PostgreSQL is brought there by `archer migrate` alone, and until
then a server answers that it isn't ready.
"""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from archer.errors import CannotServeError, StoreNotOpenedError, StoreUnavailableError
from archer.store.address import DatabaseAddress
from archer.store.connection import Database
from archer.store.master_login import make_user
from archer.store.postgresql import lock_for_migration


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


@cache
def head_revision() -> str:
    """The revision that this code was written for."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise CannotServeError("the installation carries no database migrations; install archer again")
    return head


def current_revision(database: Database) -> str | None:
    """The database's revision, None for an empty one."""
    with database.read() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(database: Database) -> str:
    """To the newest revision; the revision reached. Raises CannotServeError when the database is ahead of the code."""
    head = head_revision()
    with database.write() as connection:
        if not database.is_sqlite:
            lock_for_migration(connection)
        before = MigrationContext.configure(connection).get_current_revision()
        known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
        if before is not None and before not in known:
            raise CannotServeError(
                f"the database is at revision {before!r}, newer than this archer ({head!r}); install the newer archer"
            )
        if before != head:
            command.upgrade(_config(connection), "head")
    return head


def open_database(address: str | DatabaseAddress) -> Database:
    """The database behind `address`; a file at the newest revision, made, with its folder, when it isn't there.

    Raises CannotServeError for a folder that can't be made and a database ahead of the code, StoreNotOpenedError.
    """
    address = DatabaseAddress.of(address)
    if address.is_postgresql:
        # it may be gone just now, or older than this code: that is told with each call, and by /readyz
        return Database(address)
    _make_folder(address)
    return _upgraded(address)


def _make_folder(address: DatabaseAddress) -> None:
    place = make_url(address.url).database
    if not place:
        return
    folder = Path(place).parent
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CannotServeError(f"can't use {folder} as data folder ({error}); choose another --data") from error


def _upgraded(address: DatabaseAddress) -> Database:
    database = Database(address)
    try:
        upgrade(database)
    except StoreUnavailableError as error:
        database.close()
        raise _not_opened(address, error) from error
    except BaseException:
        database.close()
        raise
    return database


def _not_opened(address: DatabaseAddress, error: StoreUnavailableError) -> StoreNotOpenedError:
    place = make_url(address.url)
    if not address.is_postgresql:
        return StoreNotOpenedError(place.database or address.url, error.why)
    return StoreNotOpenedError(
        address.place or place.render_as_string(hide_password=True),
        error.why,
        fix="look at PGHOST, PGUSER, PGSSLROOTCERT and the network, then start again",
    )


def migrate(address: str | DatabaseAddress) -> str:
    """As `upgrade`, for `archer migrate`: makes the user, where a master secret is named, then the tables, as that user."""
    address = DatabaseAddress.of(address)
    if not address.is_postgresql:
        open_database(address).close()
        return head_revision()
    if address.secret_arn is not None:
        try:
            make_user(address)
        except StoreUnavailableError as error:
            raise _not_opened(address, error) from error
    _upgraded(address).close()
    return head_revision()


def check_schema(database: Database) -> None:
    """Raise StoreUnavailableError unless the schema is the one this code knows."""
    found = current_revision(database)
    if found != head_revision():
        raise StoreUnavailableError(f"schema revision is {found}, need {head_revision()}; run `archer migrate`")
