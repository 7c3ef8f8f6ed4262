"""`archer serve` as a process of its own, with a stand-in for Spark's program: the whole way of a job, and a crash in it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from testbed.archer_builders import make_cluster_config

if TYPE_CHECKING:
    from tests.archer.cli.conftest import Ran, Run

# takes SparkSubmit's place: runs the application with this Python, as the last words say
STAND_IN = """
import runpy, sys
at = next(i for i, word in enumerate(sys.argv) if word.endswith(".py") and i > 0)
sys.argv = sys.argv[at:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@contextmanager
def serving(data: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server with its own data folder; ended at the latest with the block, jobs included."""
    stand_in = data.parent / "stand_in.py"
    stand_in.write_text(STAND_IN)
    command = [sys.executable, "-m", "archer.cli", "serve", "--data", str(data), "--no-history", *options]
    environment = {
        **os.environ,
        "ARCHER_SPARK_SUBMIT_COMMAND": f"{sys.executable} {stand_in}",
        "ARCHER_LEASE_SECONDS": "1",
    }
    with (data.parent / "serve.log").open("ab") as log:
        server = subprocess.Popen(command, env=environment, stderr=log, stdout=log)
    try:
        yield server
    finally:
        if server.poll() is None:
            server.terminate()
        server.wait(30)


def address(data: Path, server: subprocess.Popen[bytes]) -> str:
    """Where it listens, from the file that it writes for programs."""
    while True:
        assert server.poll() is None, (data.parent / "serve.log").read_text()
        try:
            found = json.loads((data / "server.json").read_text())
        except (OSError, ValueError):
            found = {}
        if found.get("pid") == server.pid:
            return str(found["url"])
        time.sleep(0.05)


def test_a_job_goes_all_the_way_and_sigterm_ends_the_server_with_0(run: Run, tmp_path: Path) -> None:
    job = tmp_path / "job.py"
    job.write_text("import sys\nprint('hello', *sys.argv[1:])\nsys.exit(3 if 'bad' in sys.argv else 0)\n")

    with serving(tmp_path / "data", "--port", "0") as server:
        url = address(tmp_path / "data", server)
        good = run("submit", str(job), "--url", url, "--wait", "--", "world")
        bad = run("submit", str(job), "--url", url, "--wait", "--", "bad")
        logs = run("logs", "1", "--stream", "stdout", "--follow", "--url", url)
        server.send_signal(signal.SIGTERM)
        code = server.wait(30)

    assert (good.code, bad.code, code) == (0, 1, 0)
    assert logs.out == "hello world\n"
    assert bad.talk[-3].startswith("archer: job (j-ID) ended FAILED: ")
    assert not (tmp_path / "data" / "server.json").exists()


def test_waiting_survives_a_server_that_is_killed_and_started_again(run: Run, tmp_path: Path) -> None:
    job = tmp_path / "job.py"
    ran, go = tmp_path / "ran", tmp_path / "go"
    job.write_text(
        "import pathlib, sys, time\n"
        "ran, go = map(pathlib.Path, sys.argv[1:])\n"
        "ran.open('a').write('once ')\n"
        "while not go.exists():\n    time.sleep(0.05)\n"
    )
    data = tmp_path / "data"
    waited: list[Ran] = []

    with serving(data, "--port", "0") as first:
        url = address(data, first)
        job_id = run("submit", str(job), "--url", url, "--", str(ran), str(go)).out.strip()
        while not ran.exists():
            time.sleep(0.05)
        waiting = threading.Thread(target=lambda: waited.append(run("wait", job_id, "--url", url)))
        waiting.start()
        first.kill()
        first.wait(30)
    with serving(data, "--port", url.rpartition(":")[2], "--strict-port") as second:
        address(data, second)
        go.touch()
        waiting.join(60)

    assert waited[0].code == 0, waited[0].err
    assert ran.read_text() == "once "


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--port", "99999", "--slots", "0"], ["archer: refused, 2 problems:", "`port`", "`slots`"]),
        (
            ["--host", "0.0.0.0"],
            ["archer: `host` must be a loopback address while `authentication` is none, got '0.0.0.0'"],
        ),
        (["--roles", "api,cook"], ["archer: refused, 1 problem:", "`roles.1`", "cook"]),
        (["--backend", "yarn"], ["archer: refused, 1 problem:", "`backend`", "yarn"]),
    ],
)
def test_settings_that_cannot_be_are_bad_input(run: Run, tmp_path: Path, options: list[str], words: list[str]) -> None:
    ended = run("serve", "--data", str(tmp_path / "data"), *options)

    assert (ended.code, ended.out) == (2, "")
    for word in words:
        assert word in ended.err
    assert "Traceback" not in ended.err


def test_a_config_that_cannot_be_used_ends_with_all_its_problems_before_anything_is_made(
    run: Run, tmp_path: Path
) -> None:
    config = tmp_path / "archer.yaml"
    content = make_cluster_config("root.a").model_dump(mode="json")
    content["queues"]["default"], content["teams"][0]["queues"] = "root.b", ["root.c"]
    config.write_text(yaml.safe_dump(content))

    ended = run("serve", "--data", str(tmp_path / "data"), "--config", str(config))

    assert (ended.code, ended.out) == (2, "")
    assert ended.err.splitlines() == [
        f"archer: refused, 2 problems in {config}:",
        '  `queues.default` must be a leaf of `queues.tree`, got "root.b"; use one of root.a',
        '  `teams.0.queues` must be a path of `queues.tree`, got "root.c"; use one of root.a',
    ]
    assert not (tmp_path / "data").exists()


def test_a_config_that_is_not_there_is_bad_input(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHER_CONFIG", str(tmp_path / "archer.yaml"))

    ended = run("serve", "--data", str(tmp_path / "data"))

    assert (ended.code, ended.out) == (2, "")
    assert ended.err.splitlines() == [
        "archer: refused, 1 problem:",
        (
            f'  `config` must be a file that can be read (No such file or directory), got "{tmp_path}/archer.yaml"; '
            "point ARCHER_CONFIG or --config at an archer.yaml; `moka render ENV` writes one"
        ),
    ]


def test_a_server_with_a_config_knows_its_queues_and_teams(run: Run, tmp_path: Path) -> None:
    (tmp_path / "job.py").touch()
    config = tmp_path / "archer.yaml"
    config.write_text(
        yaml.safe_dump(make_cluster_config("root.a", "root.b", teams={"ads": ["root.a"]}).model_dump(mode="json"))
    )

    with serving(tmp_path / "data", "--port", "0", "--roles", "api", "--config", str(config)) as server:
        url = address(tmp_path / "data", server)
        taken = run("submit", str(tmp_path / "job.py"), "--url", url, "--team", "ads", "-o", "json")
        refused = run("submit", str(tmp_path / "job.py"), "--url", url, "--team", "ads", "--queue", "root.b")

    assert json.loads(taken.out)["queue"] == "root.a"
    assert (refused.code, refused.out) == (2, "")
    assert "`queue` must be a queue that team ads may use: root.a, got" in refused.err


def test_a_server_that_cannot_open_its_store_lets_go_of_its_port(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    words = [sys.executable, "-X", "dev", "-m", "archer.cli", "serve", "--data", str(tmp_path / "file" / "data")]

    ended = subprocess.run([*words, "--port", "0"], capture_output=True, text=True, check=False, timeout=60)

    assert ended.returncode == 2
    assert "unclosed <socket" not in ended.stderr


def test_migrate_makes_the_database_and_may_be_repeated(run: Run, tmp_path: Path) -> None:
    data = tmp_path / "new" / "data"

    first = run("migrate", "--data", str(data))
    second = run("migrate", "--data", str(data))

    assert (first.code, second.code) == (0, 0)
    assert first.err == f"archer: the database of {data} is up to date\n"
    assert (data / "archer.db").stat().st_size > 0


@pytest.mark.parametrize("command", ["migrate", "serve"])
def test_a_data_folder_that_cannot_be_is_bad_input(tmp_path: Path, command: str) -> None:
    (tmp_path / "file").touch()
    words = [sys.executable, "-m", "archer.cli", command, "--data", str(tmp_path / "file" / "data")]

    ended = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)

    assert ended.returncode == 2
    assert ended.stderr.splitlines()[-1].startswith("archer: can't use ")
    assert "Traceback" not in ended.stderr


def test_beyond_loopback_it_listens_only_to_those_who_prove_who_they_are(tmp_path: Path, run: Run) -> None:
    data = tmp_path / "data"
    refused = run("serve", "--data", str(data), "--host", "0.0.0.0")
    assert refused.code == 2
    for word in ("ARCHER_AUTHENTICATION=token", "archer token create --direct", "ARCHER_TRUSTED_PROXIES", "127.0.0.1"):
        assert word in refused.err
    assert not (data / "archer.db").exists()
