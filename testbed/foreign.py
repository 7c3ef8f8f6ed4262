"""A cluster that somebody else made, for the tests to run on: named by two variables, and only with its owner's word.

The tests delete nodes, namespaces and definitions. So the cluster must be named on purpose (`KUBECONFIG` is never read), and
it must say itself that it may be broken: the label `moka.dev/testbed=true` on its namespace kube-system.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final, Self

import httpx

from testbed import kubeconfig
from testbed.binaries import binaries
from testbed.cluster import TESTBED_LABEL, Cluster
from testbed.errors import ForeignClusterError, NoGoError
from testbed.keeper import Keeper
from testbed.kubernetes import ApiError

KUBECONFIG_VARIABLE: Final = "MOKA_TESTBED_KUBECONFIG"
CONTEXT_VARIABLE: Final = "MOKA_TESTBED_CONTEXT"


class ForeignCluster(Cluster):
    """That cluster; close() removes our files about it, nothing in it."""

    @classmethod
    def from_environment(cls) -> Self | None:
        """The cluster that the variables name, None when they name none. Raises ForeignClusterError."""
        file, context = os.environ.get(KUBECONFIG_VARIABLE), os.environ.get(CONTEXT_VARIABLE)
        if not file and not context:
            return None
        if not file or not context:
            given, missing = (
                (KUBECONFIG_VARIABLE, CONTEXT_VARIABLE) if file else (CONTEXT_VARIABLE, KUBECONFIG_VARIABLE)
            )
            raise ForeignClusterError(
                f"{given} is set and {missing} is not: a cluster to break is named by both; set both, or neither to start one here"
            )
        return cls(Path(file), context)

    def __init__(self, file: Path, context: str) -> None:
        keeper = Keeper("moka-testbed-foreign-")
        try:
            self._take(keeper, kubectl=_kubectl())
            access = kubeconfig.read(file, context, keeper.folder)
            self.kubeconfig, self.context, self.server = file.absolute(), context, access.server
            self.ca_file = keeper.folder / "ca.crt"
            self.ca_file.write_bytes(access.authority or b"")
            self._check()
        except BaseException:
            self._release()
            raise

    def close(self) -> None:
        """End the programs beside it and remove what we wrote about it."""
        self._release()

    def _check(self) -> None:
        try:
            with self.client() as client:
                labels = client.get("v1", "Namespace", "kube-system")["metadata"].get("labels", {})
        except (httpx.HTTPError, ApiError) as error:
            raise ForeignClusterError(
                f"can't ask {self.server} (context {self.context!r} of {self.kubeconfig}) whether it is a testbed: {error}; "
                f"it must answer, and let that user read the namespace kube-system"
            ) from error
        if labels.get(TESTBED_LABEL) != "true":
            raise ForeignClusterError(
                f"{self.server} (context {self.context!r} of {self.kubeconfig}) does not say that tests may break it: its "
                f"namespace kube-system has {TESTBED_LABEL}={labels.get(TESTBED_LABEL)!r}, it must be 'true'. The tests delete "
                f"nodes, namespaces and definitions. If nobody needs that cluster: kubectl --kubeconfig {self.kubeconfig} "
                f"--context {self.context} label namespace kube-system {TESTBED_LABEL}=true"
            )


def _kubectl() -> Path:
    """Ours, of the release that the tests are written for; without Go the one on PATH."""
    try:
        return binaries("kubectl")["kubectl"]
    except NoGoError:
        found = shutil.which("kubectl")
        if found is None:
            raise
        return Path(found)
