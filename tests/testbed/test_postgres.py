"""A PostgreSQL ends with whoever started it, however that ends."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg

from testbed.postgres import PostgresServer

ROOT = Path(__file__).parents[2]
HOLDER = """
import time
import psycopg
from testbed.postgres import PostgresServer
with PostgresServer() as server:
    (folder,) = psycopg.connect(server.dsn()).execute("SHOW data_directory").fetchone()
    print(server.dsn(), folder, sep=chr(9), flush=True)
    time.sleep(600)
"""


def is_there(dsn: str) -> bool:
    try:
        psycopg.connect(dsn).close()
    except psycopg.OperationalError:
        return False
    return True


def test_a_server_does_not_outlive_a_holder_that_is_killed() -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    dsn, folder = holder.stdout.readline().strip().split("\t")
    assert is_there(dsn)

    holder.kill()
    holder.wait()
    holder.stdout.close()

    deadline = time.monotonic() + 30
    while is_there(dsn) or Path(folder).exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_killed_server_starts_again_as_soon_as_its_orphans_are_gone() -> None:
    with PostgresServer() as server, ThreadPoolExecutor(1) as pool:
        connection = psycopg.connect(server.dsn(), autocommit=True)
        asked = "SELECT current_setting('data_directory'), pg_backend_pid()"
        folder, backend = connection.execute(asked).fetchone() or ()
        orphan = psutil.Process(backend)
        orphan.suspend()
        server.kill()
        log = Path(folder).with_name("postgres.log")

        started = pool.submit(server.start)
        while "is still in use" not in log.read_text():
            assert not started.done()
            time.sleep(0.02)
        orphan.kill()
        connection.close()

        started.result(60)
        assert is_there(server.dsn())
