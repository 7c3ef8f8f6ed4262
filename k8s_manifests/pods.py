"""Pods of the platform, typed, so that none can be rendered without limits, probes or a restricted security context.

The restricted profile of https://kubernetes.io/docs/concepts/security/pod-security-standards/ is what every pod gets, unless it
gives its reason in `not_restricted`, which then stands on the pod. Volumes are emptyDirs with a size, Secrets or ConfigMaps to
read, and folders of the node for such a pod; a component that needs another kind adds it as a type.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from k8s_manifests import labels
from k8s_manifests.errors import ChartError
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
class SecretVolume:
    """A Secret whose keys are files. The pod waits for it, so somebody else may make it at run time."""

    name: str
    path: str
    secret: str
    """Name of the Secret, in the pod's namespace."""

    def volume(self) -> dict[str, Any]:
        # for the pod's group, which every container runs in
        return {"name": self.name, "secret": {"secretName": self.secret, "defaultMode": 0o440}}

    def mount(self) -> dict[str, Any]:
        return {"name": self.name, "mountPath": self.path, "readOnly": True}


@dataclass(frozen=True, kw_only=True)
class ConfigVolume:
    """A ConfigMap whose keys are files."""

    name: str
    path: str
    config_map: str
    """Name of the ConfigMap, in the pod's namespace."""

    def volume(self) -> dict[str, Any]:
        return {"name": self.name, "configMap": {"name": self.config_map}}

    def mount(self) -> dict[str, Any]:
        return {"name": self.name, "mountPath": self.path, "readOnly": True}


@dataclass(frozen=True, kw_only=True)
class NodeVolume:
    """A folder of the node (hostPath), mounted at the same path; only for pods that are not restricted."""

    name: str
    path: str
    writable: bool = False
    """The folder is made when it is not there; without it, it must be."""

    def volume(self) -> dict[str, Any]:
        kind = "DirectoryOrCreate" if self.writable else "Directory"
        return {"name": self.name, "hostPath": {"path": self.path, "type": kind}}

    def mount(self) -> dict[str, Any]:
        mount = {"name": self.name, "mountPath": self.path}
        return mount if self.writable else {**mount, "readOnly": True}


Volume = ScratchVolume | SecretVolume | ConfigVolume | NodeVolume


@dataclass(frozen=True, kw_only=True)
class ConfigKey:
    """One key of a ConfigMap that may be made after the pod: the container waits for it."""

    config_map: str
    """Name of the ConfigMap, in the pod's namespace."""
    key: str

    def manifest(self) -> dict[str, Any]:
        return {"configMapKeyRef": {"name": self.config_map, "key": self.key}}


CONTAINER_SECURITY: Final[dict[str, Any]] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "privileged": False,
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""securityContext of every container."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """A container that does something and ends: in a Job, or before a pod's container starts. It has no probes."""

    name: str
    image: str
    """Full reference with a version tag."""
    command: tuple[str, ...] = ()
    """Instead of the image's entrypoint; the image's by default."""
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, ConfigKey] = field(default_factory=dict)
    """Environment variables that hold a key of a ConfigMap."""
    resources: Resources
    volumes: tuple[Volume, ...] = ()

    def manifest(self) -> dict[str, Any]:
        return {
            **_beginning(self),
            "resources": self.resources.manifest(),
            "securityContext": dict(CONTAINER_SECURITY),
            "volumeMounts": [volume.mount() for volume in self.volumes],
        }


@dataclass(frozen=True, kw_only=True)
class Container:
    """A long-running container."""

    name: str
    image: str
    """Full reference with a version tag."""
    command: tuple[str, ...] = ()
    """Instead of the image's entrypoint; the image's by default."""
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    pod_fields: Mapping[str, str] = field(default_factory=dict)
    """Environment variables that hold a field of the pod: {"NAMESPACE": "metadata.namespace"}."""
    config: Mapping[str, ConfigKey] = field(default_factory=dict)
    """Environment variables that hold a key of a ConfigMap."""
    ports: Mapping[str, int] = field(default_factory=dict)
    """Port number by port name."""
    resources: Resources
    liveness: HttpProbe
    readiness: HttpProbe
    startup: HttpProbe | None = None
    """For a container that needs longer to start than liveness allows; none by default."""
    drain_seconds: int = 0
    """Time between the end of new requests and the signal to stop, which `stop_seconds` of the pod includes."""
    scratch: tuple[ScratchVolume, ...] = ()
    files: tuple[SecretVolume | ConfigVolume, ...] = ()
    node_folders: tuple[NodeVolume, ...] = ()

    @property
    def volumes(self) -> tuple[Volume, ...]:
        return (*self.scratch, *self.files, *self.node_folders)

    def manifest(self, *, as_root: bool = False) -> dict[str, Any]:
        startup = {} if self.startup is None else {"startupProbe": self.startup.manifest()}
        drain = {"lifecycle": {"preStop": {"sleep": {"seconds": self.drain_seconds}}}} if self.drain_seconds else {}
        return {
            **_beginning(self),
            "ports": [{"name": name, "containerPort": port, "protocol": "TCP"} for name, port in self.ports.items()],
            "resources": self.resources.manifest(),
            **startup,
            "livenessProbe": self.liveness.manifest(),
            "readinessProbe": self.readiness.manifest(),
            **drain,
            "securityContext": {**CONTAINER_SECURITY, "runAsNonRoot": not as_root},
            "volumeMounts": [volume.mount() for volume in self.volumes],
        }


@dataclass(frozen=True, kw_only=True)
class Pod:
    """A pod of one container."""

    container: Container
    before: tuple[Step, ...] = ()
    """What runs to its end, one after the other, before the container starts."""
    service_account: str
    api_token: bool = True
    """Whether the container gets a token for the API server; without rights there it needs none."""
    user_id: int
    """Numeric uid, gid and fsGroup of the image; runAsNonRoot cannot check a name."""
    not_restricted: str = ""
    """Why the pod may not be restricted: it then may run as root and have folders of the node, and nothing more."""
    placement: Placement
    priority_class: str
    stop_seconds: int = 30
    """terminationGracePeriodSeconds."""
    evictable: bool = True
    """Whether the autoscaler may move the pod to empty its node."""

    def __post_init__(self) -> None:
        if (self.user_id == 0 or self.container.node_folders) and not self.not_restricted:
            raise ChartError(
                self.container.name,
                "runs as root or has folders of the node without a reason; give it in `not_restricted`, or do without",
            )

    @property
    def annotations(self) -> dict[str, str]:
        """What the pod says about itself."""
        reason = {labels.NOT_RESTRICTED: self.not_restricted} if self.not_restricted else {}
        return reason if self.evictable else {**reason, labels.SAFE_TO_EVICT: "false"}

    def manifest(self, spread_over: Mapping[str, str] | None) -> dict[str, Any]:
        """Return the pod's spec; `spread_over` are the labels of the pods to keep apart, None where each node has one."""
        spread = (
            {}
            if spread_over is None
            else {
                "topologySpreadConstraints": [
                    _spread("kubernetes.io/hostname", "DoNotSchedule", spread_over),
                    _spread("topology.kubernetes.io/zone", "ScheduleAnyway", spread_over),
                ]
            }
        )
        return {
            "serviceAccountName": self.service_account,
            "automountServiceAccountToken": self.api_token,
            # one environment variable per Service of the namespace otherwise: "argument list too long" at thousands
            "enableServiceLinks": False,
            "priorityClassName": self.priority_class,
            "terminationGracePeriodSeconds": self.stop_seconds,
            "securityContext": pod_security(self.user_id),
            **as_pod_fields(self.placement),
            **spread,
            **({"initContainers": [step.manifest() for step in self.before]} if self.before else {}),
            "containers": [self.container.manifest(as_root=self.user_id == 0)],
            "volumes": volumes_of(self.container, *self.before),
        }


def pod_security(user_id: int) -> dict[str, Any]:
    """Return the securityContext of a pod whose image runs as that uid and gid."""
    return {
        "runAsNonRoot": user_id != 0,
        "runAsUser": user_id,
        "runAsGroup": user_id,
        "fsGroup": user_id,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def volumes_of(*containers: Container | Step) -> list[dict[str, Any]]:
    """Return the volumes of a pod of these containers, each once."""
    found = {volume.name: volume.volume() for container in containers for volume in container.volumes}
    return list(found.values())


def _beginning(container: Container | Step) -> dict[str, Any]:
    """Return a container's first fields, without those that would be empty but for `args`."""
    fields = container.pod_fields if isinstance(container, Container) else {}
    variables: list[dict[str, Any]] = [
        {"name": key, "valueFrom": {"fieldRef": {"fieldPath": path}}} for key, path in fields.items()
    ]
    variables += [{"name": name, "valueFrom": key.manifest()} for name, key in container.config.items()]
    variables += [{"name": key, "value": value} for key, value in container.env.items()]
    return {
        "name": container.name,
        "image": container.image,
        "imagePullPolicy": "IfNotPresent",
        **({"command": list(container.command)} if container.command else {}),
        "args": list(container.args),
        **({"env": variables} if variables else {}),
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
