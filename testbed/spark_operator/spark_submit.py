"""spark-submit without Spark: makes a driver's objects through the API and says what Spark would say when it cannot.

The stand-in calls `submit`; the real operator runs this module as `$SPARK_HOME/bin/spark-submit`, where it saves the ten
core-seconds of a JVM. Annotations on `spec.driver` make a submission misbehave as a slow or broken one does:

- `testbed.moka.dev/submit-error`: fail with that text instead of making anything
- `testbed.moka.dev/submit-seconds`: take that long before anything is made
- `testbed.moka.dev/driver-pod-delay-seconds`: say done at once, make the driver pod that much later, or `never`
"""

import argparse
import math
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import yaml

from testbed.spark_operator import driver_objects
from testbed.spark_operator.kube import CONFIG_MAPS, PODS, SERVICES, ApiError, Client, Object
from testbed.spark_operator.submission import Submission

ERROR: Final = "testbed.moka.dev/submit-error"
SECONDS: Final = "testbed.moka.dev/submit-seconds"
POD_DELAY: Final = "testbed.moka.dev/driver-pod-delay-seconds"

_ANNOTATION: Final = "spark.kubernetes.driver.annotation."


class SubmitError(Exception):
    """The submission failed; the text is what spark-submit prints to stderr."""


def submit(client: Client, submission: Submission, *, with_objects: bool = True) -> None:
    """Make the driver pod, and what belongs to it unless told not to. Raises SubmitError."""
    if seconds := submission.conf.get(_ANNOTATION + SECONDS):
        time.sleep(float(seconds))
    if text := submission.conf.get(_ANNOTATION + ERROR):
        raise SubmitError(text)
    make_objects(client, submission, with_objects=with_objects)


def pod_delay(conf: Mapping[str, str]) -> float:
    """Return the seconds by which the driver pod is to come after the submission's end; infinite when it never comes."""
    stated = conf.get(_ANNOTATION + POD_DELAY, "0")
    return math.inf if stated == "never" else float(stated)


def make_objects(client: Client, submission: Submission, *, with_objects: bool) -> None:
    """Make pod, ConfigMaps and Service. Raises SubmitError; the pod is removed again when what follows it fails."""
    unique = driver_objects.unique_id()
    selector = f"spark-{unique}{driver_objects.unique_id()}"
    namespace = submission.namespace
    pods = PODS.path(namespace)
    pod = _create(client, pods, driver_objects.driver_pod(submission, selector=selector, unique=unique))
    if not with_objects:
        return
    try:
        for config_map in driver_objects.config_maps(submission, pod, unique=unique):
            _create(client, CONFIG_MAPS.path(namespace), config_map)
        _create(client, SERVICES.path(namespace), driver_objects.driver_service(submission, pod, unique=unique))
    except SubmitError:
        client.delete(PODS.path(namespace, pod["metadata"]["name"]))
        raise


def _create(client: Client, path: str, body: Object) -> Object:
    try:
        return client.create(path, body)
    except ApiError as error:
        # the shape of fabric8's message: the operator looks for "code=409" in it
        address = client.address
        raise SubmitError(
            f"Failure executing: POST at: https://{address.hostname}:{address.port}{path}. Message: {error}. "
            f"Received status: Status(apiVersion=v1, code={error.status}, kind=Status, message={error}, "
            f"reason={error.reason}, status=Failure)."
        ) from error


def command_line(submission: Submission, *, master: str, folder: Path) -> list[str]:
    """Return the arguments that the operator writes for spark-submit; the templates are written into `folder`."""
    conf = dict(submission.conf)
    for role, template in (("driver", submission.driver_template), ("executor", submission.executor_template)):
        file = folder / f"{role}-pod-template.yaml"
        file.write_text(yaml.safe_dump(template))
        conf[f"spark.kubernetes.{role}.podTemplateFile"] = str(file)
        conf[f"spark.kubernetes.{role}.podTemplateContainerName"] = f"spark-kubernetes-{role}"
    return [
        *("--master", f"k8s://{master}", "--deploy-mode", "cluster"),
        *(("--class", submission.main_class) if submission.main_class else ()),
        *("--name", submission.name),
        *(word for key, value in conf.items() for word in ("--conf", f"{key}={value}")),
        *((submission.main_file,) if submission.main_file else ()),
        *submission.arguments,
    ]


def parse(arguments: Sequence[str]) -> Submission:
    """Read the command line that the operator writes for spark-submit."""
    parser = argparse.ArgumentParser(prog="spark-submit", allow_abbrev=False)
    parser.add_argument("--master", required=True)
    parser.add_argument("--deploy-mode", choices=["cluster"], required=True)
    parser.add_argument("--class", dest="main_class")
    parser.add_argument("--name", required=True)
    parser.add_argument("--conf", action="append", default=[])
    for unused in ("--jars", "--packages", "--exclude-packages", "--repositories", "--py-files", "--files"):
        parser.add_argument(unused)
    parser.add_argument("--archives")
    parser.add_argument("--proxy-user")
    parser.add_argument("main_file", nargs="?")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    given = parser.parse_args(list(arguments))
    conf = dict(entry.split("=", 1) for entry in given.conf)
    templates = [
        yaml.safe_load(Path(conf.pop(f"spark.kubernetes.{role}.podTemplateFile")).read_text())
        for role in ("driver", "executor")
    ]
    for role in ("driver", "executor"):
        conf.pop(f"spark.kubernetes.{role}.podTemplateContainerName", None)
    return Submission(
        name=given.name,
        namespace=conf["spark.kubernetes.namespace"],
        conf=conf,
        driver_template=templates[0],
        executor_template=templates[1],
        main_class=given.main_class,
        main_file=given.main_file,
        arguments=tuple(given.arguments),
    )


def main(arguments: Sequence[str]) -> int:
    """Submit as a process of its own, with the account that `KUBECONFIG` names."""
    submission = parse(arguments)
    client = Client(Path(os.environ["KUBECONFIG"]))
    delay = pod_delay(submission.conf)
    if delay == math.inf or (delay and os.fork()):
        return 0
    if delay:
        # the operator waits for the end of stdout and stderr, not of the process alone
        for stream in (0, 1, 2):
            os.close(stream)
        time.sleep(delay)
    try:
        submit(client, submission)
    except SubmitError as error:
        if not delay:
            sys.stderr.write(f'Exception in thread "main" {error}\n')
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
