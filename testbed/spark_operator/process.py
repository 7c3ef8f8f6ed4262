"""An operator as a process beside a testbed: started with our chart's arguments and account, stopped, and started again.

`OperatorProcess` is the stand-in. `testbed.real_spark_operator` is the same with the binary: the contract suite knows only
what is here.
"""

import os
import random
import sys
import time
from collections.abc import Callable, Mapping
from typing import Final, Self

from archer.ports import free_port
from testbed.cluster import Cluster
from testbed.errors import CannotStartError
from testbed.operator_chart import OperatorChart, forget_lease
from testbed.spark_home import ROOT

_START_SECONDS: Final = 60
_HOST: Final = "127.0.0.1"
_PORTS: Final = range(20_000, 32_000)
"""Below those that Linux gives to outgoing connections; two that start at once rarely look at the same ones."""


class OperatorProcess:
    """One operator for some of the chart's namespaces, as a context; `flags` replace or add arguments of the chart."""

    flavour = "stand-in"
    started_line = "Starting workers"

    def __init__(
        self,
        cluster: Cluster,
        chart: OperatorChart,
        *,
        name: str = "spark-operator",
        namespaces: tuple[str, ...] | None = None,
        flags: Mapping[str, str] | None = None,
    ) -> None:
        self.cluster = cluster
        self.chart = chart
        self.name = name
        self.namespaces = namespaces or chart.job_namespaces
        self.pid = 0
        self._started_before = 0
        # what a process on a shared machine needs: loopback, ports of its own
        self.health_port = free_port(_HOST, random.choice(_PORTS))  # noqa: S311 - no secret
        self.metrics_port = free_port(_HOST, self.health_port + 1)
        self.flags = {
            "health-probe-bind-address": f"{_HOST}:{self.health_port}",
            "metrics-bind-address": f"{_HOST}:{self.metrics_port}",
            "namespaces": ",".join(self.namespaces),
            **(flags or {}),
        }

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it; returns when it leads and works. Raises CannotStartError."""
        self.launch()
        self.wait_until_working()

    def launch(self) -> None:
        """Start it and return at once: the second of an election stands by until it leads."""
        self._started_before = self.log().count(self.started_line)
        self._launch()

    def works(self) -> bool:
        """Return whether it has begun to work since it was started last."""
        return self.log().count(self.started_line) > self._started_before

    def wait_until_working(self) -> None:
        """Return when it leads and works. Raises CannotStartError."""
        deadline = time.monotonic() + _START_SECONDS
        while not self.works():
            self.cluster.keeper.check(self.name)
            if time.monotonic() > deadline:
                tail = self.cluster.keeper.log_tail(self.name)
                raise CannotStartError(f"{self.name} did not start to work within {_START_SECONDS} s; it said:\n{tail}")
            time.sleep(0.05)

    def crash(self) -> None:
        """End it as kill -9 does and leave its lease to run out."""
        self._end(graceful=False)

    def stop(self, *, graceful: bool = False) -> None:
        """Stop it, as a crash would or by SIGTERM, and delete its lease if it had one. Does nothing when it does not run."""
        self._end(graceful=graceful)
        if "--leader-election=true" in self.chart.arguments_with(self.flags):
            with self.cluster.client() as client:
                forget_lease(client)

    def log(self) -> str:
        """Return what it said so far, over all its starts."""
        file = self.cluster.log(self.name)
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    def environment(self) -> dict[str, str]:
        """Return the process' environment; the account is the chart's."""
        kubeconfig = self.chart.kubeconfig(self.cluster)
        return {**os.environ, "KUBECONFIG": str(kubeconfig), "PYTHONPATH": str(ROOT)}

    def _launch(self) -> None:
        command = [sys.executable, "-m", "testbed.spark_operator", *self.chart.arguments_with(self.flags)]
        self.pid = self.cluster.run(self.name, command, self.environment())

    def _end(self, *, graceful: bool) -> None:
        self.cluster.end(self.name, graceful=graceful)


MakeOperator = Callable[..., OperatorProcess]
"""Makes an operator beside a cluster, not started."""
StartOperator = Callable[..., OperatorProcess]
"""Starts an operator with other arguments, for a test that must have one of its own."""
