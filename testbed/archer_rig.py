"""Archer as a team runs it, on this machine: clusters with operators and nodes, PostgreSQL, and Archer's processes by role.

Everything is real but the nodes' containers and, unless SPARK_OPERATOR_BIN is set, the operator: the environment is read from a
file, the charts' namespaces and rights are applied, Archer's processes are `archer serve` with the charts' identity at each
API server. Processes can be killed and started again at any moment.
"""

from __future__ import annotations

import copy
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import httpx
import psycopg
import yaml

from environments import Environment, load
from environments.loading import FOLDER
from environments.names import ARCHER_GROUP
from k8s_manifests.archer_config import archer_config
from testbed.archer_rights import install_archer_rights
from testbed.components import Settings
from testbed.control_plane import ControlPlane
from testbed.errors import CannotStartError
from testbed.fault_proxy import FaultProxy
from testbed.nodes import OUTCOME, RUN_SECONDS, PretendedNodes
from testbed.operator_chart import OperatorChart
from testbed.postgres import PostgresServer
from testbed.real_spark_operator import chosen_operator
from testbed.spark_applications import API, KIND
from testbed.spark_operator.process import OperatorProcess

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT: Final = Path(__file__).parent.parent
TEAMS: Final = ("ads", "search", "risk")
_OPERATOR_FLAGS: Final = {"driver-pod-creation-grace-period": "10s", "leader-election": "false"}
_START_SECONDS: Final = 60.0


def rig_environment(
    folder: Path,
    *,
    clusters: Sequence[str] = ("east",),
    max_applications: int = 1000,
    user_applications: int = 0,
    vcores: int = 4000,
) -> Environment:
    """Three teams, six queues and large nodes, from a file as an engineer would write it.

    `vcores` is each team's quota, `user_applications` what one user may run at once; 0: as many as there is room for.
    """
    document = yaml.safe_load((FOLDER / "test.yaml").read_text())
    (given,) = document["clusters"]
    for pool in given["pools"]:
        if pool["role"] in {"driver", "executor"}:
            pool |= {"instance_types": ["m8gd.16xlarge" if pool.get("nvme") else "m8g.16xlarge"], "max_pods": 250}
    document["clusters"] = [{**copy.deepcopy(given), "name": name} for name in clusters]
    quota = {"vcores": vcores, "memory_gib": 4 * vcores, "pods": 5 * vcores}
    document["teams"] = [
        {"name": team, "queues": [f"root.{team}"], "submitters": [team], "quota": quota} for team in TEAMS
    ]
    leaf: dict[str, Any] = {"max_applications": max_applications, "guaranteed": {"vcores": 20, "memory_gib": 80}}
    document["queues"] = {
        "default": "root.ads.etl.tier2",
        "tree": [
            {
                "name": team,
                "queues": [{"name": "etl", "queues": [{"name": "tier1", **leaf}, {"name": "tier2", **leaf}]}],
            }
            for team in TEAMS
        ],
    }
    if user_applications:
        most = {"vcores": 4000, "memory_gib": 16000}
        document["queues"]["user_limit"] = {"max_applications": user_applications, "max": most}
    document["archer"]["cluster"] = clusters[0]
    file = folder / "rig.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return load(file)


@dataclass
class RigCluster:
    """One cluster of the rig."""

    name: str
    plane: ControlPlane
    nodes: PretendedNodes
    operator: OperatorProcess
    proxy: FaultProxy | None = None


@dataclass
class ArcherProcess:
    """One `archer serve`."""

    name: str
    folder: Path
    command: list[str]
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; returns at once."""
        announcement = self.folder / "server.json"
        announcement.unlink(missing_ok=True)
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(  # our own program
                self.command, env=dict(self.environment), stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )

    def wait_ready(self) -> str:
        """Its address, once it answers that it is ready."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            assert self.process is not None
            if self.process.poll() is not None:
                break
            url = self.url()
            if url is not None:
                try:
                    if httpx.get(f"{url}/readyz", timeout=5).is_success:
                        return url
                except httpx.TransportError:
                    pass
            time.sleep(0.05)
        raise CannotStartError(f"archer {self.name} is not ready; it said:\n{self.log_tail()}")

    def url(self) -> str | None:
        """Where it listens; None while it hasn't said so."""
        try:
            found: str = json.loads((self.folder / "server.json").read_text())["url"]
        except (OSError, ValueError):
            return None
        return found

    def kill(self) -> None:
        """As a crash would: SIGKILL."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> int:
        """SIGTERM, and its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def log_tail(self, lines: int = 30) -> str:
        """The end of what it said, over all its starts."""
        return "\n".join((self.folder / "log").read_text(errors="replace").splitlines()[-lines:])


@dataclass
class Rig:
    """Clusters, a database, Archer; a context that leaves nothing behind."""

    folder: Path
    environment: Environment
    settings: Settings = field(default_factory=lambda: Settings(scheduler_names=("default-scheduler", "yunikorn")))
    nodes_per_zone: int = 2
    bare: bool = False
    """Clusters without nodes and without an operator: for those who play both themselves."""
    durable: bool = False
    """Whether each commit reaches the disk, as on a server of a team."""
    archer_settings: Mapping[str, str] = field(default_factory=dict)
    proxied: bool = False
    """Whether Archer reaches each cluster through a FaultProxy."""
    clusters: dict[str, RigCluster] = field(default_factory=dict)
    processes: dict[str, ArcherProcess] = field(default_factory=dict)
    _things: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        try:
            self.database = self._things.enter_context(PostgresServer(durable=self.durable))
            for spec in self.environment.clusters:
                self.clusters[spec.name] = self._start_cluster(spec)
            self._write_configuration()
            self.migrate()
        except BaseException:
            self._things.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes.values():
            process.kill()
        self._things.close()

    def _start_cluster(self, spec: Any) -> RigCluster:
        plane = self._things.enter_context(ControlPlane(self.settings))
        chart = OperatorChart.of(self.environment, spec)
        chart.install(plane)
        install_archer_rights(plane, self.environment, spec)
        nodes = PretendedNodes(plane)
        if not self.bare:
            self._things.enter_context(nodes)
        for pool in spec.pools:
            if pool.role in {"driver", "executor"} and not self.bare:
                nodes.add_pool(self.environment, spec, pool, per_zone=self.nodes_per_zone)
        operator = chosen_operator(plane, chart, flags=_OPERATOR_FLAGS)
        if not self.bare:
            self._things.enter_context(operator)
        proxy = None
        if self.proxied:
            pair = plane.ground.issuer.client("archer-proxy", user="archer", groups=[ARCHER_GROUP])
            proxy = self._things.enter_context(FaultProxy.before(plane, pair))
        return RigCluster(name=spec.name, plane=plane, nodes=nodes, operator=operator, proxy=proxy)

    def _write_configuration(self) -> None:
        self.config = self.folder / "archer.yaml"
        self.config.write_text(yaml.safe_dump(archer_config(self.environment), sort_keys=False), encoding="utf-8")
        merged: dict[str, Any] = {"apiVersion": "v1", "kind": "Config", "clusters": [], "users": [], "contexts": []}
        for name, cluster in self.clusters.items():
            found = yaml.safe_load(cluster.plane.kubeconfig_as("archer", [ARCHER_GROUP]).read_text())
            place = found["clusters"][0]["cluster"] if cluster.proxy is None else {"server": cluster.proxy.url}
            merged["clusters"].append({"name": name, "cluster": place})
            merged["users"].append({"name": name, "user": found["users"][0]["user"]})
            merged["contexts"].append({"name": name, "context": {"cluster": name, "user": name}})
        self.kubeconfig = self.folder / "archer.kubeconfig"
        self.kubeconfig.write_text(yaml.safe_dump(merged), encoding="utf-8")

    def variables(self) -> dict[str, str]:
        """The environment of Archer's processes."""
        inherited = {key: value for key, value in os.environ.items() if key in {"PATH", "HOME", "LANG", "TMPDIR"}}
        return {
            **inherited,
            "PYTHONPATH": str(ROOT),
            "ARCHER_BACKEND": "kubernetes",
            "ARCHER_CONFIG": str(self.config),
            "ARCHER_KUBECONFIG": str(self.kubeconfig),
            "ARCHER_PORT": "0",
            "ARCHER_HISTORY": "false",
            "ARCHER_CREATES_PER_MINUTE": "30000",
            "ARCHER_RETRY_PAUSE_SECONDS": "1",
            "ARCHER_LEASE_SECONDS": "5",
            **self.database.variables("postgres"),
            **self.archer_settings,
        }

    def migrate(self) -> None:
        """`archer migrate`, as the charts' Job does."""
        done = subprocess.run(  # our own program
            [sys.executable, "-m", "archer.cli", "migrate"],
            env={**self.variables(), "ARCHER_DATA": str(self.folder / "migrate")},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise CannotStartError(f"archer migrate ended with {done.returncode}: {done.stderr}")

    def archer(self, name: str, roles: str, **settings: str) -> ArcherProcess:
        """A process with these roles, started and ready; `settings` are further ARCHER_ variables."""
        folder = self.folder / name
        folder.mkdir()
        process = ArcherProcess(
            name=name,
            folder=folder,
            command=[sys.executable, "-O", "-m", "archer.cli", "serve", "--roles", roles],
            environment={**self.variables(), "ARCHER_DATA": str(folder), **settings},
        )
        self.processes[name] = process
        process.start()
        process.wait_ready()
        return process

    def connect(self) -> psycopg.Connection[Any]:
        """The database, as its owner."""
        return psycopg.connect(self.database.dsn(), autocommit=True)

    def states(self) -> dict[str, int]:
        """Jobs by state, as the database says."""
        with self.connect() as connection:
            return dict(connection.execute("SELECT state, count(*) FROM jobs GROUP BY state").fetchall())

    def applications(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every SparkApplication, with its cluster."""
        for name, cluster in self.clusters.items():
            with cluster.plane.client() as client:
                for each in client.list(API, KIND):
                    yield name, each


def submission(
    number: int, *, team: str = "ads", tier: str = "tier2", outcome: str = "succeed", seconds: int = 1, **fields: Any
) -> dict[str, Any]:
    """A small job whose driver ends as told, by the testbed's annotations."""
    annotation = "spark.kubernetes.driver.annotation."
    conf = {f"{annotation}{OUTCOME}": outcome, f"{annotation}{RUN_SECONDS}": str(seconds), **fields.pop("conf", {})}
    return {
        "name": f"rig-{number}",
        "application": {"file": "local:///opt/spark/examples/src/main/python/pi.py"},
        "team": team,
        "queue": f"root.{team}.etl.{tier}",
        "conf": conf,
        **fields,
    }
