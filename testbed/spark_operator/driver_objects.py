"""From spark-submit's arguments to the driver's objects: pod, headless Service and ConfigMaps, as Spark 4.0 makes them.

What a scheduler, a controller or Archer can see is there: names, labels, owners, container, sizes, ports, volumes, the
template's own fields. `tests/e2e/spark_operator/test_spark_submit.py` compares it with what a real spark-submit makes.
"""

import copy
import json
import math
import re
import uuid
from collections.abc import Mapping
from typing import Any, Final

from testbed.spark_operator.application import (
    DRIVER_CONTAINER,
    EXECUTOR_CONTAINER,
    LABEL_EXECUTOR,
    LABEL_ROLE,
    LABEL_SELECTOR,
)
from testbed.spark_operator.kube import Object
from testbed.spark_operator.submission import Submission

SPARK_VERSION: Final = "4.0.5"
_UNITS: Final = {"": 1 / 1024**2, "k": 1 / 1024, "m": 1.0, "g": 1024.0, "t": 1024.0**2}
_MIN_OVERHEAD_MIB: Final = 384
_DRIVER_PORTS: Final = {"driver-rpc-port": 7078, "blockmanager": 7079, "spark-ui": 4040}
_CONF_DIR: Final = "/opt/spark/conf"
_TEMPLATE_DIR: Final = "/opt/spark/pod-template"
_TEMPLATE_FILE: Final = "pod-spec-template.yml"
_LOCAL_DIR: Final = "/var/data/spark-testbed"
_ENVIRONMENT: Final = {"driver": "spark.kubernetes.driverEnv.", "executor": "spark.executorEnv."}


def unique_id() -> str:
    """Return sixteen hexadecimal digits, as Spark puts them into names."""
    return uuid.uuid4().hex[:16]


def driver_pod(submission: Submission, *, selector: str, unique: str) -> Object:
    """Return the driver pod; `selector` is Spark's id of the application, `unique` part of its ConfigMaps' names."""
    conf = submission.conf
    pod, container = _from_template(submission.driver_template, DRIVER_CONTAINER)
    _describe(pod, submission, "driver", selector)
    pod["metadata"]["name"] = conf["spark.kubernetes.driver.pod.name"]
    environment = {"SPARK_USER": "testbed", "SPARK_APPLICATION_ID": selector}
    _fill(container, submission, "driver", environment)
    container["env"].append(
        {
            "name": "SPARK_DRIVER_BIND_ADDRESS",
            "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}},
        }
    )
    container["env"].append({"name": "SPARK_CONF_DIR", "value": _CONF_DIR})
    container["ports"] = [
        *container.get("ports", []),
        *({"name": name, "containerPort": port, "protocol": "TCP"} for name, port in _DRIVER_PORTS.items()),
    ]
    container["args"] = _arguments(submission)
    spec = pod["spec"]
    spec["restartPolicy"] = "Never"
    _add_local_directory(spec, container)
    mounts, volumes = container.setdefault("volumeMounts", []), spec["volumes"]
    volumes.append(_config_volume("spark-conf-volume-driver", conf_map_name(unique), "spark.properties"))
    mounts.append({"name": "spark-conf-volume-driver", "mountPath": _CONF_DIR})
    template_map = template_map_name(submission.name, unique)
    volumes.append(_config_volume("pod-template-volume", template_map, _TEMPLATE_FILE))
    mounts.append({"name": "pod-template-volume", "mountPath": _TEMPLATE_DIR})
    return pod


def executor_pod(submission: Submission, *, selector: str, number: int, prefix: str, driver: Object) -> Object:
    """Return one executor pod, as the driver would make it."""
    pod, container = _from_template(submission.executor_template, EXECUTOR_CONTAINER)
    _describe(pod, submission, "executor", selector)
    pod["metadata"]["name"] = f"{prefix}-exec-{number}"
    pod["metadata"]["labels"] |= {LABEL_EXECUTOR: str(number), "spark-exec-resourceprofile-id": "0"}
    owner = {"apiVersion": "v1", "kind": "Pod", "name": driver["metadata"]["name"], "uid": driver["metadata"]["uid"]}
    pod["metadata"].setdefault("ownerReferences", []).append({**owner, "controller": True})
    _fill(container, submission, "executor", {"SPARK_EXECUTOR_ID": str(number)})
    container["ports"] = [
        *container.get("ports", []),
        {"name": "blockmanager", "containerPort": 7079, "protocol": "TCP"},
    ]
    container["args"] = ["executor"]
    pod["spec"]["restartPolicy"] = "Never"
    pod["spec"].setdefault("hostname", pod["metadata"]["name"][-63:].lstrip("-."))
    _add_local_directory(pod["spec"], container)
    return pod


def driver_service(submission: Submission, pod: Object, *, unique: str) -> Object:
    """Return the headless Service by which executors find the driver."""
    name = service_name(submission, unique)
    labels = _labels(submission, "driver", pod["metadata"]["labels"][LABEL_SELECTOR])
    ports = [{"name": port, "port": number, "targetPort": number} for port, number in _DRIVER_PORTS.items()]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "labels": {LABEL_SELECTOR: labels[LABEL_SELECTOR]}, **_owned_by(pod)},
        "spec": {"clusterIP": "None", "selector": labels, "ports": ports},
    }


def config_maps(submission: Submission, pod: Object, *, unique: str) -> tuple[Object, Object]:
    """Return the ConfigMaps of the driver: its properties, and the executors' pod template."""
    own = _own_properties(submission, pod, service_name(submission, unique))
    properties = "".join(f"{key}={_escaped(value)}\n" for key, value in {**submission.conf, **own}.items())
    template = {"apiVersion": "v1", "kind": "Pod", **submission.executor_template}
    return (
        _config_map(conf_map_name(unique), {"spark.properties": properties}, pod),
        _config_map(template_map_name(submission.name, unique), {"podtemplate": json.dumps(template)}, pod),
    )


def _own_properties(submission: Submission, pod: Object, service: str) -> dict[str, str]:
    """What spark-submit tells the driver beside the job's own: who it is, where it is found, how its executors look."""
    return {
        "spark.master": "k8s://https://kubernetes.default.svc",
        "spark.submit.deployMode": "cluster",
        "spark.kubernetes.submitInDriver": "true",
        "spark.kubernetes.driver.pod.name": pod["metadata"]["name"],
        "spark.app.name": submission.name,
        "spark.app.id": pod["metadata"]["labels"][LABEL_SELECTOR],
        "spark.driver.host": f"{service}.{submission.namespace}.svc",
        "spark.driver.port": str(_DRIVER_PORTS["driver-rpc-port"]),
        "spark.driver.blockManager.port": str(_DRIVER_PORTS["blockmanager"]),
        "spark.kubernetes.resource.type": "python" if (submission.main_file or "").endswith(".py") else "java",
        "spark.kubernetes.executor.podTemplateFile": f"{_TEMPLATE_DIR}/{_TEMPLATE_FILE}",
        "spark.kubernetes.executor.podTemplateContainerName": EXECUTOR_CONTAINER,
    }


def _escaped(value: str) -> str:
    """As java.util.Properties reads it back."""
    return value.replace("\\", "\\\\").replace("\n", "\\n")


def service_name(submission: Submission, unique: str) -> str:
    """Return the name of the driver's Service."""
    name = f"{submission.name}-{unique}-driver-svc"
    return name if len(name) <= 63 else f"spark-{unique}-driver-svc"


def conf_map_name(unique: str) -> str:
    return f"spark-drv-{unique}-conf-map"


def template_map_name(name: str, unique: str) -> str:
    return f"{name}-{unique}-driver-podspec-conf-map"


def memory_mib(conf: Mapping[str, str], role: str, *, jvm: bool) -> int:
    """Return a pod's memory: heap plus overhead, which is a share of the heap and never less than 384 MiB."""
    heap = _mib(conf.get(f"spark.{role}.memory", "1g"))
    if stated := conf.get(f"spark.{role}.memoryOverhead"):
        return math.ceil(heap + _mib(stated))
    default = conf.get("spark.kubernetes.memoryOverheadFactor", "0.1" if jvm else "0.4")
    factor = float(conf.get(f"spark.{role}.memoryOverheadFactor", default))
    return math.ceil(heap + max(int(factor * heap), _MIN_OVERHEAD_MIB))


def app_name_label(name: str) -> str:
    """Return the application's name as Spark makes a label of it."""
    cleaned = re.sub("-+", "-", re.sub("[^a-z0-9-]", "-", name.strip().lower()))
    return cleaned[:63].strip("-")


def _mib(text: str) -> float:
    found = re.fullmatch(r"(\d+)([kmgt]?)b?", text.strip().lower())
    if found is None:
        raise ValueError(f"size must be a number with k, m, g or t, got {text!r}")
    # without a unit a size is in MiB
    return float(found[1]) * _UNITS[found[2] or "m"]


def _from_template(template: Object, container_name: str) -> tuple[Object, Object]:
    """Return a pod made of `template`, and its Spark container: the one of that name, else the first."""
    template = copy.deepcopy(template)
    pod: Object = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": template.get("metadata") or {},
        "spec": template.get("spec") or {},
    }
    containers = pod["spec"].setdefault("containers", [])
    container = next((item for item in containers if item.get("name") == container_name), None)
    if container is None:
        container = containers[0] if containers else {}
        if not containers:
            containers.append(container)
    container["name"] = container.get("name") or container_name
    return pod, container


def _describe(pod: Object, submission: Submission, role: str, selector: str) -> None:
    """Set the labels, annotations and spec fields that the configuration states, over those of the template."""
    conf, metadata, spec = submission.conf, pod["metadata"], pod["spec"]
    metadata["namespace"] = submission.namespace
    metadata["labels"] = {**(metadata.get("labels") or {}), **_labels(submission, role, selector)}
    annotations = {**(metadata.get("annotations") or {}), **_prefixed(conf, f"spark.kubernetes.{role}.annotation.")}
    metadata["annotations"] = annotations
    account = conf.get(f"spark.kubernetes.authenticate.{role}.serviceAccountName")
    if role == "executor":
        # Spark gives executors the driver's account unless told otherwise
        account = account or conf.get("spark.kubernetes.authenticate.driver.serviceAccountName")
    if account:
        spec["serviceAccountName"] = account
    scheduler = conf.get(f"spark.kubernetes.{role}.scheduler.name", conf.get("spark.kubernetes.scheduler.name"))
    if scheduler:
        spec["schedulerName"] = scheduler
    selectors = {
        **_prefixed(conf, "spark.kubernetes.node.selector."),
        **_prefixed(conf, f"spark.kubernetes.{role}.node.selector."),
    }
    if selectors:
        spec["nodeSelector"] = {**spec.get("nodeSelector", {}), **selectors}


def _labels(submission: Submission, role: str, selector: str) -> dict[str, str]:
    """Return the labels that Spark gives, those of the template apart."""
    return {
        **_prefixed(submission.conf, f"spark.kubernetes.{role}.label."),
        "spark-version": SPARK_VERSION,
        "spark-app-name": app_name_label(submission.name),
        LABEL_SELECTOR: selector,
        LABEL_ROLE: role,
    }


def _fill(container: Object, submission: Submission, role: str, environment: Mapping[str, str]) -> None:
    """Set image, sizes and environment of the Spark container."""
    conf = submission.conf
    image = conf.get(f"spark.kubernetes.{role}.container.image", conf.get("spark.kubernetes.container.image"))
    if image:
        container["image"] = image
    container["imagePullPolicy"] = conf.get("spark.kubernetes.container.image.pullPolicy", "IfNotPresent")
    jvm = not (submission.main_file or "").endswith((".py", ".R"))
    memory = f"{memory_mib(conf, role, jvm=jvm)}Mi"
    cores = conf.get(f"spark.kubernetes.{role}.request.cores", conf.get(f"spark.{role}.cores", "1"))
    resources = container.setdefault("resources", {})
    resources["requests"] = {**resources.get("requests", {}), "cpu": cores, "memory": memory}
    resources["limits"] = {**resources.get("limits", {}), "memory": memory}
    if limit := conf.get(f"spark.kubernetes.{role}.limit.cores"):
        resources["limits"]["cpu"] = limit
    stated = {**environment, **_prefixed(conf, _ENVIRONMENT[role])}
    container["env"] = [
        *container.get("env", []),
        *({"name": name, "value": value} for name, value in stated.items()),
    ]


def _arguments(submission: Submission) -> list[str]:
    main_class = submission.main_class or "org.apache.spark.deploy.PythonRunner"
    file = [submission.main_file] if submission.main_file else []
    start = ["driver", "--properties-file", f"{_CONF_DIR}/spark.properties", "--class", main_class]
    return [*start, *file, *submission.arguments]


def _add_local_directory(spec: Object, container: Object) -> None:
    """Add Spark's scratch directory, unless the template brings volumes for it; either way the container is told."""
    volumes, mounts = spec.setdefault("volumes", []), container.setdefault("volumeMounts", [])
    places = [mount["mountPath"] for mount in mounts if mount["name"].startswith("spark-local-dir-")]
    if not places:
        places = [_LOCAL_DIR]
        volumes.append({"name": "spark-local-dir-1", "emptyDir": {}})
        mounts.append({"name": "spark-local-dir-1", "mountPath": _LOCAL_DIR})
    container.setdefault("env", []).append({"name": "SPARK_LOCAL_DIRS", "value": ",".join(places)})


def _config_volume(name: str, config_map: str, path: str) -> Object:
    key = "podtemplate" if path.endswith(".yml") else path
    return {"name": name, "configMap": {"name": config_map, "items": [{"key": key, "path": path, "mode": 420}]}}


def _config_map(name: str, data: dict[str, str], pod: Object) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, **_owned_by(pod)},
        "immutable": True,
        "data": data,
    }


def _owned_by(pod: Object) -> dict[str, Any]:
    metadata = pod["metadata"]
    owner = {"apiVersion": "v1", "kind": "Pod", "name": metadata["name"], "uid": metadata["uid"], "controller": True}
    return {"namespace": metadata["namespace"], "ownerReferences": [owner]}


def _prefixed(conf: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {key.removeprefix(prefix): value for key, value in conf.items() if key.startswith(prefix)}
