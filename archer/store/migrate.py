"""Brings a database to this code's schema, and says whether it is there.

Several servers may start on one database at the same time: the migration runs in one write transaction, so the second
finds the work done. Refuses to run on a schema newer than the code.
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
from archer.store.connection import Database


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
        before = MigrationContext.configure(connection).get_current_revision()
        known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
        if before is not None and before not in known:
            raise CannotServeError(
                f"the database is at revision {before!r}, newer than this archer ({head!r}); install the newer archer"
            )
        if before != head:
            command.upgrade(_config(connection), "head")
    return head


def open_database(url: str) -> Database:
    """The database behind `url` at the newest revision; made, with its folder, when it isn't there.

    Raises CannotServeError for a folder that can't be made and a database ahead of the code, StoreNotOpenedError.
    """
    place = make_url(url)
    if place.get_backend_name() == "sqlite" and place.database:
        folder = Path(place.database).parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise CannotServeError(f"can't use {folder} as data folder ({error}); choose another --data") from error
    database = Database(url)
    try:
        upgrade(database)
    except StoreUnavailableError as error:
        database.close()
        where = place.database if place.get_backend_name() == "sqlite" else None
        raise StoreNotOpenedError(where or place.render_as_string(hide_password=True), error.why) from error
    except BaseException:
        database.close()
        raise
    return database


def migrate(url: str) -> str:
    """As `upgrade`, for `archer migrate`: opens the database behind `url` and closes it again."""
    open_database(url).close()
    return head_revision()


def check_schema(database: Database) -> None:
    """Raise StoreUnavailableError unless the schema is the one this code knows."""
    found = current_revision(database)
    if found != head_revision():
        raise StoreUnavailableError(f"schema revision is {found}, need {head_revision()}; run `archer migrate`")
