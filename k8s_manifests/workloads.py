"""Deployments and what always comes with one: a disruption budget and, when it serves something, a Service. StatefulSets, DaemonSets."""

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
    _add_budget(chart, props)


def _add_budget(chart: MokaChart, props: "DeploymentProps | StatefulSetProps") -> None:
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
        labels={labels.COMPONENT: props.selector[labels.COMPONENT]},
    )


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A volume that each pod of a StatefulSet has for its own, and that outlives it."""

    name: str
    path: str
    storage_class: str
    size_gib: int

    def mount(self) -> dict[str, Any]:
        return {"name": self.name, "mountPath": self.path}

    def manifest(self) -> dict[str, Any]:
        return {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": self.name},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "storageClassName": self.storage_class,
                "resources": {"requests": {"storage": f"{self.size_gib}Gi"}},
                "volumeMode": "Filesystem",
            },
        }


@dataclass(frozen=True, kw_only=True)
class StatefulSetProps:
    """Pods with names that stay; their Service has the set's name and no address."""

    name: str
    namespace: str
    selector: Mapping[str, str]
    """Labels of its pods; they never change."""
    replicas: int
    pod: Pod
    claim: Claim | None = None
    rolled_by_hand: bool = False
    """Whether a pod gets a new version only when somebody deletes it."""
    configuration: str = ""
    """As of a Deployment."""


def add_stateful_set(chart: MokaChart, props: StatefulSetProps) -> None:
    """Add the StatefulSet and its PodDisruptionBudget (`maxUnavailable: 1`). Pods start side by side: they wait for each other."""
    spec = props.pod.manifest(props.selector)
    claims = {}
    if props.claim is not None:
        spec["containers"][0]["volumeMounts"].append(props.claim.mount())
        claims = {"volumeClaimTemplates": [props.claim.manifest()]}
    strategy: dict[str, Any] = {"type": "OnDelete"} if props.rolled_by_hand else {"type": "RollingUpdate"}
    chart.add(
        Kind.STATEFUL_SET,
        props.name,
        {
            "spec": {
                "serviceName": props.name,
                "replicas": props.replicas,
                "revisionHistoryLimit": 3,
                "podManagementPolicy": "Parallel",
                "updateStrategy": strategy,
                "selector": {"matchLabels": dict(props.selector)},
                "template": {"metadata": _pod_metadata(chart, props), "spec": spec},
                **claims,
            }
        },
        namespace=props.namespace,
        labels={labels.COMPONENT: props.selector[labels.COMPONENT]},
    )
    _add_budget(chart, props)


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


def _pod_metadata(chart: MokaChart, props: DeploymentProps | StatefulSetProps | DaemonSetProps) -> dict[str, Any]:
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
    headless: bool = False
    """Whether it has no address and gives its pods names, also before they are ready."""


def add_service(chart: MokaChart, props: ServiceProps) -> None:
    """Add the Service."""
    ports: list[dict[str, Any]] = [
        {"name": name, "port": port, "targetPort": props.targets.get(name, name), "protocol": "TCP"}
        for name, port in props.ports.items()
    ]
    own_labels = {labels.COMPONENT: props.selector[labels.COMPONENT]}
    address = {"clusterIP": "None", "publishNotReadyAddresses": True} if props.headless else {}
    chart.add(
        Kind.SERVICE,
        props.name,
        {"spec": {"type": "ClusterIP", **address, "selector": dict(props.selector), "ports": ports}},
        namespace=props.namespace,
        labels={**own_labels, labels.METRICS: "true"} if props.scraped else own_labels,
        annotations=None if props.metrics_path == "/metrics" else {labels.METRICS_PATH: props.metrics_path},
    )
