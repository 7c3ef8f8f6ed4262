"""The real operator's validating webhook beside a testbed: the binary, started and registered as our chart does it.

The chart's Service is an ExternalName here that leads to this machine, so the API server asks for the same name under the
same configuration and believes the authority that the webhook itself writes there. Only the port is another one.
"""

import copy
import os
import random
import time
from pathlib import Path
from typing import Final, Self

from archer.ports import free_port
from environments.names import OPERATOR_NAMESPACE
from k8s_manifests.spark_operator import WEBHOOK, WEBHOOK_SERVICE
from testbed.cluster import Cluster
from testbed.errors import CannotStartError
from testbed.kubernetes import Manifest
from testbed.operator_chart import OperatorChart, changed

_HOST: Final = "127.0.0.1"
_PORTS: Final = range(20_000, 32_000)
_START_SECONDS: Final = 60
_REGISTRATION: Final = ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration")


class RealWebhook:
    """The webhook of a chart that is installed, as a context; in it, the API server asks it about the chart's namespaces.

    The binary listens for the API server on all addresses of the machine: it has no flag for one.
    """

    def __init__(self, program: Path, cluster: Cluster, chart: OperatorChart) -> None:
        self.cluster = cluster
        self._program = program
        self._chart = chart
        self.port = free_port(_HOST, random.choice(_PORTS))  # noqa: S311 - no secret
        self._name = str(chart.webhook_configuration["metadata"]["name"])

    def __enter__(self) -> Self:
        with self.cluster.client() as client:
            client.apply(service_to_here(self.port), force=True)
            client.apply(registration_at(self._chart, self.port), force=True)
        metrics = free_port(_HOST, self.port + 1)
        certificates = self.cluster.folder / "serving-certs"
        certificates.mkdir(exist_ok=True)
        flags = {
            "health-probe-bind-address": f"{_HOST}:{free_port(_HOST, metrics + 1)}",
            "metrics-bind-address": f"{_HOST}:{metrics}",
            "webhook-port": str(self.port),
            "webhook-cert-dir": str(certificates),
        }
        kubeconfig = self.cluster.kubeconfig_for(OPERATOR_NAMESPACE, WEBHOOK)
        command: list[str | Path] = [self._program, *changed(self._chart.webhook_arguments, flags)]
        self.cluster.run(WEBHOOK, command, {**os.environ, "KUBECONFIG": str(kubeconfig)})
        self._wait_until_registered()
        return self

    def __exit__(self, *_error: object) -> None:
        self.cluster.end(WEBHOOK)
        with self.cluster.client() as client:
            client.delete(*_REGISTRATION, self._name, missing_ok=True)
            client.delete("v1", "Service", WEBHOOK_SERVICE, OPERATOR_NAMESPACE, missing_ok=True)

    def log(self) -> str:
        """Return what it said so far."""
        return self.cluster.log(WEBHOOK).read_text(encoding="utf-8", errors="replace")

    def registration(self) -> Manifest:
        """Return the configuration as the API server has it."""
        with self.cluster.client() as client:
            return client.get(*_REGISTRATION, self._name)

    def _wait_until_registered(self) -> None:
        """Wait until it has written its authority into every webhook and serves."""
        deadline = time.monotonic() + _START_SECONDS
        while True:
            self.cluster.keeper.check(WEBHOOK)
            webhooks = self.registration()["webhooks"]
            if (
                all(each["clientConfig"].get("caBundle") for each in webhooks)
                and "Serving webhook server" in self.log()
            ):
                return
            if time.monotonic() > deadline:
                tail = self.cluster.keeper.log_tail(WEBHOOK)
                raise CannotStartError(f"{WEBHOOK} did not register within {_START_SECONDS} s; it said:\n{tail}")
            time.sleep(0.1)


def service_to_here(port: int) -> Manifest:
    """Return the chart's Service as one that leads to this machine."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": WEBHOOK_SERVICE, "namespace": OPERATOR_NAMESPACE},
        "spec": {"type": "ExternalName", "externalName": _HOST, "ports": [{"port": port}]},
    }


def registration_at(chart: OperatorChart, port: int) -> Manifest:
    """Return the chart's registration with another port."""
    registration = copy.deepcopy(chart.webhook_configuration)
    for webhook in registration["webhooks"]:
        webhook["clientConfig"]["service"]["port"] = port
    return registration
