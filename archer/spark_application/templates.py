"""The pod templates of driver and executors: all that the operator's mutating webhook would have put in (design D10).

Spark takes a template as the start of each pod and adds its own; the namespace admits what the `restricted` Pod Security
profile admits. Nothing of a template depends on a webhook, so jobs start while every webhook is down.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from archer.cluster_config import PoolView
from archer.spark_application import names
from archer.spark_application.inputs import Inputs
from archer.spark_application.platform_conf import EXECUTOR_STOP_SECONDS

Json = dict[str, Any]

USER_ID: Final = 185
"""User and group of Spark's images."""
LOCAL_DIR: Final = "spark-local-dir-1"
"""Spark takes a volume with this start of a name for its scratch space."""
LOCAL_DIR_PATH: Final = "/var/data/spark-local-dir-1"
DRIVER_STOP_SECONDS: Final = 60
"""Enough to close the last part of the event log."""

_EXPANDED = re.compile(r"\$(?=[$(])")


def literal(text: str) -> str:
    """`text` so that the kubelet leaves it alone: in arguments and variables it expands `$(NAME)` and halves `$$`.

    https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
    """
    return _EXPANDED.sub("$$", text)


def driver_template(inputs: Inputs, pool: PoolView, labels: Mapping[str, str]) -> Json:
    """The driver's: it carries the finalizer, and says to YuniKorn whose job it is."""
    annotations = {
        names.SAFE_TO_EVICT: "false",
        names.ALLOW_PREEMPTION: "false",
        # executors may not: the admission controller refuses it from anybody but the operator
        names.YUNIKORN_USER: names.user_info(inputs.submission.user, inputs.team.name),
    }
    template = _template(inputs, pool, labels, "driver")
    template["metadata"]["annotations"] |= annotations
    template["metadata"]["finalizers"] = [names.FINALIZER]
    template["spec"] |= {
        "automountServiceAccountToken": True,
        "terminationGracePeriodSeconds": DRIVER_STOP_SECONDS,
    }
    return template


def executor_template(inputs: Inputs, pool: PoolView, labels: Mapping[str, str]) -> Json:
    """An executor's: no token of the API server, and time to hand its blocks on."""
    template = _template(inputs, pool, labels, "executor")
    template["metadata"]["annotations"][names.SAFE_TO_EVICT] = "false"
    template["spec"] |= {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": EXECUTOR_STOP_SECONDS,
    }
    return template


def _template(inputs: Inputs, pool: PoolView, labels: Mapping[str, str], role: str) -> Json:
    container = names.DRIVER_CONTAINER if role == "driver" else names.EXECUTOR_CONTAINER
    environment = sorted(inputs.submission.environment.items())
    return {
        "metadata": {"labels": dict(labels), "annotations": queue_annotation(inputs.queue)},
        "spec": {
            "schedulerName": names.SCHEDULER,
            "priorityClassName": f"moka-{inputs.tier}-{role}",
            "serviceAccountName": inputs.team.service_account,
            "enableServiceLinks": False,
            "nodeSelector": dict(pool.node_selector),
            "tolerations": [toleration.model_dump(mode="json") for toleration in pool.tolerations],
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": USER_ID,
                "runAsGroup": USER_ID,
                "fsGroup": USER_ID,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "volumes": [{"name": LOCAL_DIR, "emptyDir": {}}],
            "containers": [
                {
                    "name": container,
                    "env": [{"name": name, "value": literal(value)} for name, value in environment],
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "capabilities": {"drop": ["ALL"]},
                        "privileged": False,
                    },
                    "volumeMounts": [{"name": LOCAL_DIR, "mountPath": LOCAL_DIR_PATH}],
                }
            ],
        },
    }


def queue_annotation(queue: str) -> dict[str, str]:
    """For a queue whose path a label cannot hold: YuniKorn then reads the annotation."""
    return {} if names.is_label_value(queue) else {names.YUNIKORN_QUEUE: queue}
