"""Archer beside a real node: `archer serve` on this machine, with the cluster's rights and an environment of this one node.

The node stands for both pools of the environment, and has their sizes: what Archer believes to fit does fit. Its Spark image
lacks the client of S3, and `archer.yaml` says so; then jobs write no event log. The database is SQLite.
"""

from __future__ import annotations

import os
import sys
import urllib.parse
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final, Self

import yaml

from environments import Environment, load
from environments.loading import FOLDER
from environments.names import ARCHER_GROUP, namespace
from k8s_manifests.archer_config import archer_config
from k8s_manifests.labels import NODE_POOL
from testbed.archer_rig import ROOT, ArcherProcess
from testbed.archer_rights import install_archer_rights
from testbed.real_node import files
from testbed.real_node.forwarder import Forwarder
from testbed.real_node.image import SPARK
from testbed.spark_operator.driver_objects import SPARK_VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from testbed.real_node.node import RealNode

NODE_TYPES: Final = {"amd64": "m8i.large", "arm64": "m8g.large"}
"""2 vCPU and 8 GiB: less than the machines have on which this runs."""
TEAM: Final = "examples"
QUEUE: Final = "root.shared.adhoc.tier3"


def node_environment(folder: Path, *, architecture: str, vcores: int) -> Environment:
    """The test environment with nodes like this one, and a queue that never has more under way than fits on it."""
    document = yaml.safe_load((FOLDER / "test.yaml").read_text(encoding="utf-8"))
    for pool in document["clusters"][0]["pools"]:
        if pool["role"] in {"driver", "executor"}:
            pool["instance_types"] = [NODE_TYPES[architecture]]
            pool.pop("nvme", None)
    for queue in document["queues"]["tree"]:
        if queue["name"] == "shared":
            # every pod asks for a whole core: drivers without executors would wait for each other
            queue["max"] = {"vcores": vcores, "memory_gib": 8 * vcores // 2}
    file = folder / "node.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return load(file)


class ArcherOnNode:
    """One Archer with all roles, as a context; `url` is its API. Further `settings` are ARCHER_ variables."""

    def __init__(self, node: RealNode, folder: Path, **settings: str) -> None:
        self._node = node
        self._folder = folder
        self._settings: Mapping[str, str] = settings
        self._things = ExitStack()
        self.url = ""

    def __enter__(self) -> Self:
        with ExitStack() as things:
            self._start(things)
            self._things = things.pop_all()
        return self

    def __exit__(self, *_error: object) -> None:
        self._things.close()

    def _start(self, things: ExitStack) -> None:
        plane = self._node.plane
        client = plane.client()
        status = client.get("v1", "Node", files.NODE)["status"]
        self.environment = node_environment(
            self._folder, architecture=status["nodeInfo"]["architecture"], vcores=int(status["capacity"]["cpu"])
        )
        (spec,) = self.environment.clusters
        (team,) = (each for each in self.environment.teams if each.name == TEAM)
        self.namespace = namespace(team)
        install_archer_rights(plane, self.environment, spec)
        client.patch("v1", "Node", files.NODE, body={"metadata": {"labels": {NODE_POOL: spec.name}}})
        server = urllib.parse.urlsplit(plane.server)
        forwarder = things.enter_context(Forwarder(self._node.pid, (server.hostname or "", server.port or 0)))
        folder = self._folder / "archer"
        folder.mkdir()
        self.process = ArcherProcess(
            name="archer",
            folder=folder,
            command=[sys.executable, "-O", "-m", "archer.cli", "serve"],
            environment={
                **{key: value for key, value in os.environ.items() if key in {"PATH", "HOME", "LANG", "TMPDIR"}},
                "PYTHONPATH": str(ROOT),
                "ARCHER_BACKEND": "kubernetes",
                "ARCHER_DATA": str(folder),
                "ARCHER_CONFIG": str(self._write("archer.yaml", self._configuration(spec.name))),
                "ARCHER_KUBECONFIG": str(self._write("archer.kubeconfig", self._access(spec.name, forwarder.port))),
                "ARCHER_PORT": "0",
                "ARCHER_HISTORY": "false",
                "ARCHER_RETRY_PAUSE_SECONDS": "1",
                **self._settings,
            },
        )
        things.callback(self.process.kill)
        self.process.start()
        self.url = self.process.wait_ready()

    def _configuration(self, cluster: str) -> dict[str, Any]:
        content = archer_config(self.environment)
        (view,) = content["clusters"]
        for pool in view["pools"]:
            pool["node_selector"] = {NODE_POOL: cluster}
        content["spark_images"] = [{"spark_version": SPARK_VERSION, "image": SPARK}]
        content["spark_features"] = []
        return content

    def _access(self, cluster: str, port: int) -> dict[str, Any]:
        """Archer's own identity; the certificate is valid for loopback too."""
        found = yaml.safe_load(self._node.plane.kubeconfig_as("archer", [ARCHER_GROUP]).read_text(encoding="utf-8"))
        at = {**found["clusters"][0]["cluster"], "server": f"https://127.0.0.1:{port}"}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": cluster, "cluster": at}],
            "users": [{"name": cluster, "user": found["users"][0]["user"]}],
            "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": cluster}}],
        }

    def _write(self, name: str, content: Mapping[str, Any]) -> Path:
        file = self._folder / name
        file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        return file
