"""Deployments and what always comes with one: a disruption budget and, when it serves something, a Service. DaemonSets."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from k8s_manifests import labels
from k8s_manifests.base import MokaChart
from k8s_manifests.kinds import Kind
from k8s_manifests.pods import Pod

CONFIGURATION: Final = "moka.dev/configuration"
"""Annotation of pods that read their configuration once: its digest."""
_ROLLING: Final = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}


@dataclass(frozen=True, kw_only=True)
class DeploymentProps:
    """One Deployment of the platform."""

    name: str
    namespace: str
    selector: Mapping[str, str]
    """Labels of its pods; see `labels.selector`. They never change: Kubernetes refuses another selector."""
    replicas: int
    pod: Pod
    alone: bool = False
    """Whether two pods must never run at once: a rollout then ends the old one before it starts the new one."""
    configuration: str = ""
    """Text that the pods read once, at their start: another text rolls them out again."""


def add_deployment(chart: MokaChart, props: DeploymentProps) -> None:
    """Add the Deployment and its PodDisruptionBudget (`maxUnavailable: 1`).

    A budget by maxUnavailable never blocks a drain for ever, which minAvailable does with one replica.
    """
    own_labels = {labels.COMPONENT: props.selector[labels.COMPONENT]}
    chart.add(
        Kind.DEPLOYMENT,
        props.name,
        {
            "spec": {
                "replicas": props.replicas,
                "revisionHistoryLimit": 3,
                "selector": {"matchLabels": dict(props.selector)},
                "strategy": {"type": "Recreate"} if props.alone else dict(_ROLLING),
                "template": {
                    "metadata": _pod_metadata(chart, props),
                    "spec": props.pod.manifest(props.selector),
                },
            }
        },
        namespace=props.namespace,
        labels=own_labels,
    )
    chart.add(
        Kind.POD_DISRUPTION_BUDGET,
        props.name,
        {
            "spec": {
                "maxUnavailable": 1,
                "selector": {"matchLabels": dict(props.selector)},
                # a pod that never became ready must not keep a node from being drained
                "unhealthyPodEvictionPolicy": "AlwaysAllow",
            }
        },
        namespace=props.namespace,
        labels=own_labels,
    )


@dataclass(frozen=True, kw_only=True)
class DaemonSetProps:
    """One pod per node of some pools."""

    name: str
    namespace: str
    selector: Mapping[str, str]
    """Labels of its pods; they never change."""
    pod: Pod
    configuration: str = ""
    """As of a Deployment."""


def add_daemon_set(chart: MokaChart, props: DaemonSetProps) -> None:
    """Add the DaemonSet. It has no budget: a drain leaves its pods, and its controller counts no disruption."""
    chart.add(
        Kind.DAEMON_SET,
        props.name,
        {
            "spec": {
                "revisionHistoryLimit": 3,
                "selector": {"matchLabels": dict(props.selector)},
                "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "10%"}},
                "template": {"metadata": _pod_metadata(chart, props), "spec": props.pod.manifest(None)},
            }
        },
        namespace=props.namespace,
        labels={labels.COMPONENT: props.selector[labels.COMPONENT]},
    )


def _pod_metadata(chart: MokaChart, props: DeploymentProps | DaemonSetProps) -> dict[str, Any]:
    """Return a template's metadata: what selects the pods, and how they differ when their configuration does."""
    annotations = dict(props.pod.annotations)
    if props.configuration:
        annotations[CONFIGURATION] = hashlib.sha256(props.configuration.encode()).hexdigest()[:16]
    found: dict[str, Any] = {"labels": {**chart.labels, **props.selector}}
    return {**found, "annotations": annotations} if annotations else found


@dataclass(frozen=True, kw_only=True)
class ServiceProps:
    """A ClusterIP Service."""

    name: str
    namespace: str
    selector: Mapping[str, str]
    ports: Mapping[str, int]
    """Service port by its name, which is the name of the container's port, too."""
    targets: Mapping[str, str] = field(default_factory=dict)
    """Name of the container's port where it is another than the Service port's."""
    scraped: bool = False
    """Whether the port `metrics` is to be scraped."""
    metrics_path: str = "/metrics"
    """Where the metrics are."""


def add_service(chart: MokaChart, props: ServiceProps) -> None:
    """Add the Service."""
    ports: list[dict[str, Any]] = [
        {"name": name, "port": port, "targetPort": props.targets.get(name, name), "protocol": "TCP"}
        for name, port in props.ports.items()
    ]
    own_labels = {labels.COMPONENT: props.selector[labels.COMPONENT]}
    chart.add(
        Kind.SERVICE,
        props.name,
        {"spec": {"type": "ClusterIP", "selector": dict(props.selector), "ports": ports}},
        namespace=props.namespace,
        labels={**own_labels, labels.METRICS: "true"} if props.scraped else own_labels,
        annotations=None if props.metrics_path == "/metrics" else {labels.METRICS_PATH: props.metrics_path},
    )
