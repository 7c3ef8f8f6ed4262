"""Our chart of the Spark operator, applied to a testbed: who the operator is, what it may do, how it is started.

Taken from the rendered manifests of an environment and from nowhere else, so a role or an argument that is missing in the
chart is missing here too. The Deployments are left out, because the operator runs as a process of this machine, and so is
the validating webhook, which nobody would answer.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from environments import Environment
from environments.clusters import Cluster as ClusterSpec
from environments.names import OPERATOR_NAMESPACE, namespace
from k8s_manifests import build_charts
from k8s_manifests.spark_operator import CONTROLLER, WEBHOOK
from testbed.cluster import Cluster
from testbed.kubernetes import ApiError, Client, Manifest

_COMPONENTS: Final = ("crds", "namespaces", "priority-classes", "spark-operator")
_LEFT_OUT: Final = frozenset({"Deployment", "ValidatingWebhookConfiguration", "PodDisruptionBudget"})
_DEFINITION: Final = "CustomResourceDefinition"
_SERVED_SECONDS: Final = 60
_NOT_FOUND: Final = 404


@dataclass(frozen=True, kw_only=True)
class OperatorChart:
    """The operator's part of one cluster's manifests."""

    manifests: tuple[Manifest, ...]
    """What to apply, in order."""
    arguments: tuple[str, ...]
    """Arguments of the controller's container."""
    webhook_arguments: tuple[str, ...]
    """Arguments of the webhook's container."""
    webhook_configuration: Manifest
    """What the API server would send to the webhook; not among `manifests`."""
    job_namespaces: tuple[str, ...]

    @classmethod
    def of(cls, environment: Environment, cluster: ClusterSpec) -> Self:
        """Render the environment's charts and keep what the operator needs."""
        rendered = [
            manifest
            for component in build_charts(environment, cluster)
            if component.name in _COMPONENTS
            for manifest in component.manifests
        ]
        deployments = {each["metadata"]["name"]: each for each in rendered if each["kind"] == "Deployment"}
        (configuration,) = (each for each in rendered if each["kind"] == "ValidatingWebhookConfiguration")
        return cls(
            manifests=tuple(manifest for manifest in rendered if manifest["kind"] not in _LEFT_OUT),
            arguments=_arguments(deployments[CONTROLLER]),
            webhook_arguments=_arguments(deployments[WEBHOOK]),
            webhook_configuration=configuration,
            job_namespaces=tuple(namespace(team) for team in environment.teams_on(cluster)),
        )

    def install(self, cluster: Cluster) -> None:
        """Apply everything; returns when the definitions are served."""
        _install(cluster, self.manifests)

    def install_definitions(self, cluster: Cluster) -> None:
        """Apply the definitions alone; returns when they are served."""
        _install(cluster, [manifest for manifest in self.manifests if manifest["kind"] == _DEFINITION])

    def kubeconfig(self, cluster: Cluster) -> Path:
        """Return a kubeconfig whose user is the controller's service account."""
        return cluster.kubeconfig_for(OPERATOR_NAMESPACE, CONTROLLER)

    def arguments_with(self, flags: Mapping[str, str]) -> list[str]:
        """Return the controller's arguments with some flags set to another value, new ones at the end."""
        return changed(self.arguments, flags)


def changed(arguments: Sequence[str], flags: Mapping[str, str]) -> list[str]:
    """Return `arguments` with some flags set to another value, new ones at the end."""
    left = dict(flags)
    result = []
    for argument in arguments:
        name, _, _value = argument.removeprefix("--").partition("=")
        result.append(f"--{name}={left.pop(name)}" if name in left else argument)
    return [*result, *(f"--{name}={value}" for name, value in left.items())]


def forget_lease(client: Client) -> None:
    """Delete the controller's lease: whoever comes next leads at once instead of waiting for its end."""
    for lease in client.list("coordination.k8s.io/v1", "Lease", OPERATOR_NAMESPACE):
        name = lease["metadata"]["name"]
        client.delete("coordination.k8s.io/v1", "Lease", name, OPERATOR_NAMESPACE, missing_ok=True)


def _arguments(deployment: Manifest) -> tuple[str, ...]:
    return tuple(deployment["spec"]["template"]["spec"]["containers"][0]["args"])


def _install(cluster: Cluster, manifests: Sequence[Manifest]) -> None:
    with cluster.client() as client:
        for manifest in manifests:
            client.apply(manifest, force=True)
        for manifest in manifests:
            if manifest["kind"] == _DEFINITION:
                _wait_until_served(client, manifest)


def _wait_until_served(client: Client, definition: Manifest) -> None:
    """Wait for discovery, not for a condition: the operator ends at its start when its kinds are not there."""
    group, names = definition["spec"]["group"], definition["spec"]["names"]
    api_version = f"{group}/{definition['spec']['versions'][0]['name']}"
    deadline = time.monotonic() + _SERVED_SECONDS
    while True:
        try:
            client.list(api_version, names["kind"])
        except ApiError as error:
            if error.code != _NOT_FOUND or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return
