"""Names that Archer, the Spark operator and Spark give to things in a cluster, and the API paths that lead to them."""

from typing import Final

from archer.spark_application import names as written
from archer.spark_application.manifest import API_VERSION

FINALIZER: Final = written.FINALIZER

JOB_LABEL: Final = written.JOB_ID
ATTEMPT_LABEL: Final = written.ATTEMPT
"""On each application; the operator copies them to driver and executors."""

INSTALLATION_LABEL: Final = written.INSTALLATION

APP_LABEL: Final = "sparkoperator.k8s.io/app-name"
ROLE_LABEL: Final = "spark-role"

STOPPED_ANNOTATION: Final = f"{written.PREFIX}stopped-for"
"""On a driver's pod, written before its application is deleted: why Archer ended it."""

WAITED_ANNOTATION: Final = f"{written.PREFIX}waited-for"
"""Beside it, on one that never started: what it waited for, as `category: text`. A kubelet forgets that when it ends the pod."""

OURS: Final = JOB_LABEL
DRIVERS: Final = f"{JOB_LABEL},{ROLE_LABEL}=driver"
EXECUTORS: Final = f"{JOB_LABEL},{ROLE_LABEL}=executor"
"""Label selectors: what other people run in the namespace is none of our business."""

DRIVER_CONTAINER: Final = written.DRIVER_CONTAINER
EXECUTOR_CONTAINER: Final = written.EXECUTOR_CONTAINER


def applications(namespace: str, name: str = "") -> str:
    """Path of a namespace's SparkApplications, or of one."""
    return _path(f"/apis/{API_VERSION}/namespaces/{namespace}/sparkapplications", name)


def pods(namespace: str, name: str = "") -> str:
    """Path of a namespace's pods, or of one."""
    return _path(f"/api/v1/namespaces/{namespace}/pods", name)


def driver(attempt: str) -> str:
    """Name of the attempt's driver pod, as the operator makes it."""
    return f"{attempt}-driver"


def attempt_of_driver(pod: str) -> str:
    """The inverse of `driver`."""
    return pod.removesuffix("-driver")


def attempt_of_executor(pod: str) -> str:
    """The attempt of an executor's pod: the names begin with the application's (`podNamePrefix`)."""
    return pod.rpartition("-exec-")[0]


def _path(collection: str, name: str) -> str:
    return f"{collection}/{name}" if name else collection
