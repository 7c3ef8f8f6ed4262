"""The real Spark operator beside a testbed: the binary that SPARK_OPERATOR_BIN names, as our chart would start it.

Its account, roles and arguments are those of the rendered chart; a host process gets other ports, and a `SPARK_HOME`. By
default that one holds a spark-submit without Spark (`testbed.spark_home`); `spark_home` names another one. Drivers that do
not run make no executors, so `testbed.spark_operator.executors` does it for them, as administrator.
"""

import os
import sys
import urllib.parse
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from testbed.cluster import Cluster
from testbed.operator_chart import OperatorChart
from testbed.spark_home import light_spark_home
from testbed.spark_operator.process import OperatorProcess

VARIABLE: Final = "SPARK_OPERATOR_BIN"


def binary() -> Path | None:
    """Return the binary that the variable names, None when it names none. Raises FileNotFoundError for one that is missing."""
    named = os.environ.get(VARIABLE)
    if not named:
        return None
    path = Path(named)
    if not os.access(path, os.X_OK) or path.is_dir():
        raise FileNotFoundError(f"{VARIABLE} must name an executable file, got {named}; build the operator and name it")
    return path


class RealOperatorProcess(OperatorProcess):
    """The binary, and the drivers' executors beside it."""

    flavour = "real"
    # three controllers start; this one is about applications
    started_line = '"msg":"Starting workers","controller":"sparkapplication"'

    def __init__(
        self,
        program: Path,
        cluster: Cluster,
        chart: OperatorChart,
        *,
        name: str = "spark-operator",
        namespaces: tuple[str, ...] | None = None,
        flags: Mapping[str, str] | None = None,
        spark_home: Path | None = None,
    ) -> None:
        # flags of the stand-in alone
        drivers = (flags or {}).get("drivers", "true") == "true"
        known = {key: value for key, value in (flags or {}).items() if key != "drivers"}
        super().__init__(cluster, chart, name=name, namespaces=namespaces, flags=known)
        self._program = program
        self._drivers = drivers
        self._spark_home = spark_home or light_spark_home(cluster.folder / "spark-home")

    def environment(self) -> dict[str, str]:
        server = urllib.parse.urlsplit(self.cluster.server)
        return {
            **super().environment(),
            "SPARK_HOME": str(self._spark_home),
            "KUBERNETES_SERVICE_HOST": server.hostname or "",
            "KUBERNETES_SERVICE_PORT": str(server.port),
        }

    def _launch(self) -> None:
        command: list[str | Path] = [self._program, *self.chart.arguments_with(self.flags)]
        environment = self.environment()
        self.pid = self.cluster.run(self.name, command, environment)
        if self._drivers:
            of = f"--namespaces={','.join(self.namespaces)}"
            administrator = {**environment, "KUBECONFIG": str(self.cluster.kubeconfig)}
            drivers = [sys.executable, "-m", "testbed.spark_operator.executors", of]
            self.cluster.run(f"{self.name}-drivers", drivers, administrator)

    def _end(self, *, graceful: bool) -> None:
        super()._end(graceful=graceful)
        self.cluster.end(f"{self.name}-drivers")


def chosen_operator(cluster: Cluster, chart: OperatorChart, **settings: Any) -> OperatorProcess:
    """Return the operator that the variable names, the testbed's own when it names none; not started."""
    program = binary()
    if program is None:
        settings.pop("spark_home", None)
        return OperatorProcess(cluster, chart, **settings)
    return RealOperatorProcess(program, cluster, chart, **settings)
