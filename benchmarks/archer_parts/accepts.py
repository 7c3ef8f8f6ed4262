"""Durable accepts: POST /jobs of a real `archer serve --roles api`, on PostgreSQL and on SQLite, each commit on disk.

The server asks for a token, as a team's does, and each request has an idempotency key. Submissions are some 3 KB with 30
Spark properties. No cluster runs beside it: accepting a job needs none.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from benchmarks.archer_parts.figures import Goals, cpu_seconds, load, milliseconds, percentile
from k8s_manifests.archer_config import archer_config
from testbed.archer_rig import ROOT, ArcherProcess, rig_environment, submission
from testbed.postgres import PostgresServer

P99_SECONDS: Final = 0.05
"""Goal at 32 clients."""
PER_SECOND: Final = 300
"""Goal on PostgreSQL."""
_KUBECONFIG: Final = """apiVersion: v1
kind: Config
clusters: [{name: east, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: east, user: {token: none}}]
contexts: [{name: east, context: {cluster: east, user: east}}]
"""


def body() -> str:
    """A submission of some 3 KB."""
    conf = {f"spark.sql.benchmark.property.{number}": f"value-{number:04d}-" + "x" * 40 for number in range(28)}
    document = submission(0, conf=conf, name="report-%NUMBER%")
    return json.dumps(document)


def run(folder: Path, goals: Goals, *, clients: Sequence[int], requests: int) -> None:
    """Measure and print, first on PostgreSQL, then on SQLite."""
    with PostgresServer(durable=True) as server:
        _measure(
            "PostgreSQL",
            folder / "accepts-postgresql",
            goals,
            clients=clients,
            requests=requests,
            database=server.variables("postgres"),
        )
    _measure("SQLite", folder / "accepts-sqlite", goals, clients=clients, requests=requests, database={})


def _measure(
    name: str,
    folder: Path,
    goals: Goals,
    *,
    clients: Sequence[int],
    requests: int,
    database: Mapping[str, str],
) -> None:
    folder.mkdir(parents=True)
    process, token = _start(folder, database)
    try:
        url = process.wait_ready()
        port = int(url.rpartition(":")[2])
        assert process.process is not None
        pid, text = process.process.pid, body()
        print(f"accepts on {name}, submissions of {len(text)} bytes; {load()}", flush=True)
        for number in clients:
            before = cpu_seconds(pid)
            found = _drive(port, number, requests, token, text)
            cpu = (cpu_seconds(pid) - before) / (requests + _warm(requests))
            rate = requests / found["wall"]
            print(
                f"  {number:3d} clients {rate:7.1f}/s   {milliseconds(found['seconds'])}   "
                f"server's CPU {cpu * 1000:5.2f} ms each   {found['statuses']}",
                flush=True,
            )
            if number == max(clients):
                goals.at_most(
                    f"p99 of accepts at {number} clients on {name}", percentile(found["seconds"], 99), P99_SECONDS, " s"
                )
                if name == "PostgreSQL":
                    goals.at_least(f"accepts at {number} clients on {name}", rate, PER_SECOND, "/s")
    finally:
        process.stop()


def _start(folder: Path, database: Mapping[str, str]) -> tuple[ArcherProcess, str]:
    config, kubeconfig = folder / "archer.yaml", folder / "kubeconfig"
    environment = rig_environment(folder, max_applications=100_000)
    config.write_text(yaml.safe_dump(archer_config(environment), sort_keys=False))
    kubeconfig.write_text(_KUBECONFIG)
    variables = {
        **{key: value for key, value in os.environ.items() if key in {"PATH", "HOME", "LANG", "TMPDIR"}},
        **database,
        "PYTHONPATH": str(ROOT),
        "ARCHER_BACKEND": "kubernetes",
        "ARCHER_CONFIG": str(config),
        "ARCHER_KUBECONFIG": str(kubeconfig),
        "ARCHER_PORT": "0",
        "ARCHER_HISTORY": "false",
        "ARCHER_AUTHENTICATION": "token",
        "ARCHER_DATA": str(folder),
    }
    archer = [sys.executable, "-O", "-m", "archer.cli"]
    for words in (["migrate"], ["token", "create", "--direct", "--subject", "ada", "--role", "admin", "-o", "json"]):
        done = subprocess.run([*archer, *words], env=variables, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"archer {' '.join(words)} ended with {done.returncode}:\n{done.stderr}")
    token: str = json.loads(done.stdout)["secret"]
    command = [*archer, "serve", "--roles", "api"]
    process = ArcherProcess(name="api", folder=folder, command=command, environment=variables)
    process.start()
    return process, token


def _warm(requests: int) -> int:
    return max(64, requests // 10)


def _drive(port: int, clients: int, requests: int, token: str, text: str) -> dict[str, Any]:
    client = Path(__file__).with_name("load_client.py")
    words = [str(word) for word in (port, clients, requests, _warm(requests), token)]
    done = subprocess.run(
        [sys.executable, str(client), *words], input=text, capture_output=True, text=True, check=False, timeout=600
    )
    if done.returncode:
        sys.exit(f"the clients ended with {done.returncode}:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout)
    time.sleep(0.2)
    return found
