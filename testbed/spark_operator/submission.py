"""From a SparkApplication to spark-submit's arguments: the operator's half of a submission.

Only what Moka's own specs use is passed on: names, images, sizes, labels, annotations, environment, templates, Spark and
Hadoop configuration. Secrets, mounts and volumes outside the templates are left out (design D10 puts them there).
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from testbed.spark_operator.application import (
    DRIVER_CONTAINER,
    EXECUTOR_CONTAINER,
    LABEL_APP,
    LABEL_LAUNCHED,
    LABEL_MUTATED,
    LABEL_SUBMISSION,
    driver_pod_name,
    owner_reference,
)
from testbed.spark_operator.kube import Object

_APP_FIELDS: Final = {
    "image": "spark.kubernetes.container.image",
    "imagePullPolicy": "spark.kubernetes.container.image.pullPolicy",
    "memoryOverheadFactor": "spark.kubernetes.memoryOverheadFactor",
    "pythonVersion": "spark.kubernetes.pyspark.pythonVersion",
}
_POD_FIELDS: Final = {
    "cores": "spark.{role}.cores",
    "coreRequest": "spark.kubernetes.{role}.request.cores",
    "coreLimit": "spark.kubernetes.{role}.limit.cores",
    "memory": "spark.{role}.memory",
    "memoryOverhead": "spark.{role}.memoryOverhead",
    "serviceAccount": "spark.kubernetes.authenticate.{role}.serviceAccountName",
    "javaOptions": "spark.{role}.extraJavaOptions",
}
_EXECUTOR_FIELDS: Final = {
    "instances": "spark.executor.instances",
    "deleteOnTermination": "spark.kubernetes.executor.deleteOnTermination",
}
_KUEUE: Final = "kueue.x-k8s.io/"


@dataclass(frozen=True, kw_only=True)
class Submission:
    """What spark-submit is told."""

    name: str
    namespace: str
    conf: Mapping[str, str]
    driver_template: Object
    executor_template: Object
    main_class: str | None = None
    main_file: str | None = None
    arguments: tuple[str, ...] = field(default=())


def submission_of(app: Object) -> Submission:
    """Return the submission of `app`, whose status carries the submission's id already."""
    spec, metadata = app["spec"], app["metadata"]
    return Submission(
        name=metadata["name"],
        namespace=metadata["namespace"],
        conf=dict(_conf(app)),
        driver_template=_template(app, "driver", DRIVER_CONTAINER),
        executor_template=_template(app, "executor", EXECUTOR_CONTAINER),
        main_class=spec.get("mainClass"),
        main_file=spec.get("mainApplicationFile"),
        arguments=tuple(spec.get("arguments", ())),
    )


def _conf(app: Object) -> Iterator[tuple[str, str]]:
    """Yield the properties in the operator's order: a later one wins over an earlier one of the same key."""
    spec = app["spec"]
    yield "spark.kubernetes.namespace", app["metadata"]["namespace"]
    yield from ((conf, _text(spec[key])) for key, conf in _APP_FIELDS.items() if spec.get(key))
    yield "spark.kubernetes.submission.waitAppCompletion", "false"
    own_name = "spark.kubernetes.driver.pod.name"
    yield from ((key, value) for key, value in spec.get("sparkConf", {}).items() if key != own_name)
    yield from ((f"spark.hadoop.{key}", value) for key, value in spec.get("hadoopConf", {}).items())
    yield own_name, driver_pod_name(app)
    for role in ("driver", "executor"):
        yield from _pod_conf(app, role)
    yield from ((f"spark.kubernetes.node.selector.{key}", value) for key, value in spec.get("nodeSelector", {}).items())
    yield from _dynamic_allocation(spec.get("dynamicAllocation", {}))


def _pod_conf(app: Object, role: str) -> Iterator[tuple[str, str]]:
    part = app["spec"][role]
    labels = {LABEL_APP: app["metadata"]["name"], LABEL_LAUNCHED: "true"}
    if part.get("template") is None:
        labels[LABEL_MUTATED] = "true"
    labels[LABEL_SUBMISSION] = app["status"]["submissionID"]
    inherited = app["metadata"].get("labels", {})
    labels.update((key, value) for key, value in inherited.items() if not key.startswith(_KUEUE))
    labels.update(part.get("labels", {}))
    yield from ((f"spark.kubernetes.{role}.label.{key}", value) for key, value in labels.items())
    fields = _POD_FIELDS if role == "driver" else {**_POD_FIELDS, **_EXECUTOR_FIELDS}
    yield from ((conf.format(role=role), _text(part[key])) for key, conf in fields.items() if part.get(key) is not None)
    if image := part.get("image") or app["spec"].get("image"):
        yield f"spark.kubernetes.{role}.container.image", image
    annotations = part.get("annotations", {})
    yield from ((f"spark.kubernetes.{role}.annotation.{key}", value) for key, value in annotations.items())
    environment = "spark.kubernetes.driverEnv." if role == "driver" else "spark.executorEnv."
    yield from ((f"{environment}{key}", value) for key, value in part.get("envVars", {}).items())


def _dynamic_allocation(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if not settings.get("enabled"):
        return
    yield "spark.dynamicAllocation.enabled", "true"
    for key in ("initialExecutors", "minExecutors", "maxExecutors"):
        if settings.get(key) is not None:
            yield f"spark.dynamicAllocation.{key}", _text(settings[key])
    tracking = settings.get("shuffleTrackingEnabled", True)
    yield "spark.dynamicAllocation.shuffleTracking.enabled", _text(tracking)


def _template(app: Object, role: str, container: str) -> Object:
    """Return the pod template that the operator writes to a file: the user's, with the owner added."""
    template = copy.deepcopy(app["spec"][role].get("template")) or {"spec": {"containers": [{"name": container}]}}
    owner = owner_reference(app)
    if role == "executor":
        # the driver is the executors' controller; the application is a second owner
        del owner["controller"], owner["blockOwnerDeletion"]
    metadata = template.setdefault("metadata", {})
    owners = metadata.setdefault("ownerReferences", [])
    if owner not in owners:
        owners.append(owner)
    return template


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
