"""Pods of the platform, typed, so that none can be rendered without limits, probes or a restricted security context.

The restricted profile of https://kubernetes.io/docs/concepts/security/pod-security-standards/ is not an option here: it
is what every pod gets. Volumes are emptyDirs with a size; a component that needs another kind adds it as a type.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from k8s_manifests.placement import Placement, as_pod_fields


@dataclass(frozen=True, kw_only=True)
class Resources:
    """CPU and memory of a container. Memory is requested in full, so that a pod is never killed for another's growth."""

    cpu_millis: int
    """CPU request, thousandths of a vCPU."""
    cpu_limit_millis: int
    """CPU limit, thousandths of a vCPU; well above the request where work comes in bursts."""
    memory_mib: int
    """Memory request and limit, MiB."""

    def manifest(self) -> dict[str, Any]:
        return {
            "requests": {"cpu": f"{self.cpu_millis}m", "memory": f"{self.memory_mib}Mi"},
            "limits": {"cpu": f"{self.cpu_limit_millis}m", "memory": f"{self.memory_mib}Mi"},
        }


@dataclass(frozen=True, kw_only=True)
class HttpProbe:
    """A probe by HTTP GET."""

    path: str
    port: int
    scheme: Literal["HTTP", "HTTPS"] = "HTTP"
    period_seconds: int = 10
    timeout_seconds: int = 3
    """Kubernetes' default of 1 s kills healthy JVM-starting pods on a busy node."""
    failure_threshold: int = 3

    def manifest(self) -> dict[str, Any]:
        return {
            "httpGet": {"path": self.path, "port": self.port, "scheme": self.scheme},
            "periodSeconds": self.period_seconds,
            "timeoutSeconds": self.timeout_seconds,
            "failureThreshold": self.failure_threshold,
        }


@dataclass(frozen=True, kw_only=True)
class ScratchVolume:
    """An emptyDir mounted into the container: the only place that it can write to."""

    name: str
    path: str
    size_mib: int
    """Size limit, MiB; the kubelet evicts the pod beyond it."""
    sub_path: str | None = None

    def volume(self) -> dict[str, Any]:
        return {"name": self.name, "emptyDir": {"sizeLimit": f"{self.size_mib}Mi"}}

    def mount(self) -> dict[str, Any]:
        mount = {"name": self.name, "mountPath": self.path}
        return mount if self.sub_path is None else {**mount, "subPath": self.sub_path}


@dataclass(frozen=True, kw_only=True)
class Container:
    """A long-running container."""

    name: str
    image: str
    """Full reference with a version tag."""
    args: tuple[str, ...] = ()
    ports: Mapping[str, int] = field(default_factory=dict)
    """Port number by port name."""
    resources: Resources
    liveness: HttpProbe
    readiness: HttpProbe
    startup: HttpProbe | None = None
    """For a container that needs longer to start than liveness allows; none by default."""
    scratch: tuple[ScratchVolume, ...] = ()

    def manifest(self) -> dict[str, Any]:
        startup = {} if self.startup is None else {"startupProbe": self.startup.manifest()}
        return {
            "name": self.name,
            "image": self.image,
            "imagePullPolicy": "IfNotPresent",
            "args": list(self.args),
            "ports": [{"name": name, "containerPort": port, "protocol": "TCP"} for name, port in self.ports.items()],
            "resources": self.resources.manifest(),
            **startup,
            "livenessProbe": self.liveness.manifest(),
            "readinessProbe": self.readiness.manifest(),
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "privileged": False,
                "readOnlyRootFilesystem": True,
                "runAsNonRoot": True,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "volumeMounts": [scratch.mount() for scratch in self.scratch],
        }


@dataclass(frozen=True, kw_only=True)
class Pod:
    """A pod of one container."""

    container: Container
    service_account: str
    user_id: int
    """Numeric uid, gid and fsGroup of the image; runAsNonRoot cannot check a name."""
    placement: Placement
    priority_class: str
    stop_seconds: int = 30
    """terminationGracePeriodSeconds."""

    def manifest(self, spread_over: Mapping[str, str]) -> dict[str, Any]:
        """Return the pod's spec; `spread_over` are the labels of the pods to keep apart."""
        return {
            "serviceAccountName": self.service_account,
            "automountServiceAccountToken": True,
            # one environment variable per Service of the namespace otherwise: "argument list too long" at thousands
            "enableServiceLinks": False,
            "priorityClassName": self.priority_class,
            "terminationGracePeriodSeconds": self.stop_seconds,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": self.user_id,
                "runAsGroup": self.user_id,
                "fsGroup": self.user_id,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            **as_pod_fields(self.placement),
            "topologySpreadConstraints": [
                _spread("kubernetes.io/hostname", "DoNotSchedule", spread_over),
                _spread("topology.kubernetes.io/zone", "ScheduleAnyway", spread_over),
            ],
            "containers": [self.container.manifest()],
            "volumes": [scratch.volume() for scratch in self.container.scratch],
        }


def _spread(topology_key: str, otherwise: str, labels: Mapping[str, str]) -> dict[str, Any]:
    return {
        "maxSkew": 1,
        "topologyKey": topology_key,
        "whenUnsatisfiable": otherwise,
        "labelSelector": {"matchLabels": dict(labels)},
        # count each rollout's pods for themselves, or the old ones keep the new from a node
        "matchLabelKeys": ["pod-template-hash"],
    }
