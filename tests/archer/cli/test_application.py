"""The program as a whole: it starts light, ends with the right code, and never shows a stack trace for a mistake."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.archer.cli.conftest import Run
    from tests.archer.conftest import HandDriven

# pydantic is not among them: typer itself loads it
HEAVY = (
    "alembic",
    "fastapi",
    "jinja2",
    "psutil",
    "pyspark",
    "sqlalchemy",
    "starlette",
    "structlog",
    "uvicorn",
)


@pytest.mark.parametrize("command", [["list"], ["status", "j-1"], ["submit", "/a.py"], ["wait", "j-1"], ["--help"]])
def test_a_client_command_loads_nothing_of_the_server(served: str, command: list[str]) -> None:
    code = (
        "import sys\nfrom archer.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        f"print('HEAVY', sorted(set(sys.modules) & set({HEAVY!r})))"
    )
    url = [] if command == ["--help"] else ["--url", served]

    ended = subprocess.run(
        [sys.executable, "-c", code, *command, *url], capture_output=True, text=True, check=True, timeout=60
    )

    assert ended.stdout.splitlines()[-1] == "HEAVY []", ended.stderr


def test_a_server_that_is_not_there_is_4(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    # bound but not listening: nobody else can take the port, and every connection is refused
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("ARCHER_URL", f"http://127.0.0.1:{taken.getsockname()[1]}")
        monkeypatch.setattr("archer.cli.waiting._PATIENCE_SECONDS", 0.3)

        ran = run("list")

    assert (ran.code, ran.out) == (4, "")
    first, last = ran.talk
    assert first.endswith("cannot answer just now; trying again")
    assert last.endswith("is `archer serve` running, and is --url or ARCHER_URL right?")


def test_a_broken_store_is_4(archer: Run, by_hand: HandDriven, monkeypatch: pytest.MonkeyPatch) -> None:
    by_hand.store.close()
    by_hand.database_file.unlink()
    by_hand.database_file.mkdir()
    monkeypatch.setattr("archer.cli.waiting._PATIENCE_SECONDS", 0.3)

    ran = archer("submit", str(by_hand.application))

    assert (ran.code, ran.out) == (4, "")
    assert ran.talk[-1].startswith("archer: the job store is unavailable (")


@pytest.mark.parametrize(
    "arguments", [["--url", "nonsense", "list"], ["list", "--url", "nonsense"], ["frobnicate"], ["status"]]
)
def test_a_mistake_at_the_keyboard_is_2(run: Run, arguments: list[str]) -> None:
    ran = run(*arguments)

    assert (ran.code, ran.out) == (2, "")
    assert "Traceback" not in ran.err


def test_help_explains_the_exit_codes(run: Run) -> None:
    for command in ([], ["submit"], ["wait"], ["kill"]):
        ran = run(*command, "--help")
        assert ran.code == 0
        for line in (
            "  1  a job that was waited for ended FAILED or CANCELLED",
            "  5  the time given for waiting was up",
        ):
            assert " ".join(line.split()) in " ".join(ran.out.split())


def test_a_reader_that_goes_away_ends_it_quietly(served: str, by_hand: HandDriven) -> None:
    job = by_hand.submit()
    by_hand.run(job, driver="x" * 1_000_000)
    command = f"{sys.executable} -m archer.cli logs {job.id} --url {served} | head -c 1; exit ${{PIPESTATUS[0]}}"

    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60)

    assert (ended.returncode, ended.stdout, ended.stderr) == (141, "x", "")


def test_a_terminal_without_unicode_gets_codes(served: str, by_hand: HandDriven) -> None:
    job = by_hand.submit()
    by_hand.run(job, driver="5 €\n")

    ended = subprocess.run(
        [sys.executable, "-m", "archer.cli", "logs", job.id, "--url", served],
        capture_output=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"5 \\u20ac\n", b"")
