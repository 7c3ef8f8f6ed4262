"""What a submission may ask of this machine: refused when it can't be honoured, noted when it changes nothing.

Nothing is ignored in silence: a job that silently loses its image or its queue would surprise its owner later.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from archer import memory
from archer.backends.local import java_options, spark
from archer.errors import Problem
from archer.problems import shown
from archer.submission import DEFAULT_QUEUE, Submission

CLUSTER = "local"

_NO_EFFECT = {
    "spark.dynamicAllocation.": "there are no executors to add or remove",
    "spark.kubernetes.": "there is no Kubernetes",
    "spark.shuffle.service.": "there is no shuffle service",
    "spark.executor.extraJavaOptions": "executors share the driver's JVM; use spark.driver.extraJavaOptions",
    "spark.executor.extraClassPath": "executors share the driver's JVM; use spark.driver.extraClassPath",
}


def check(submission: Submission, *, host_memory_mib: int) -> list[Problem]:
    """All that this machine can't do."""
    return [
        *_unsupported(submission),
        *_missing_files(submission),
        *_bad_java_options(submission),
        *_too_large(submission, host_memory_mib),
    ]


def notes(submission: Submission) -> list[str]:
    """What will be different from a cluster."""
    found = []
    if submission.queue not in {None, DEFAULT_QUEUE}:
        found.append(f"on one machine jobs start first come, first served: queue {submission.queue} has no limits here")
    executor = submission.executor
    if executor.max_instances is not None or executor.capacity is not None or submission.architecture is not None:
        found.append(
            "no effect on one machine: max_instances, min_instances, capacity, architecture: it has one kind of node"
        )
    for prefix, why in _NO_EFFECT.items():
        keys = sorted(key for key in submission.conf if key.startswith(prefix))
        if keys:
            found.append(f"no effect on one machine: {', '.join(keys)}: {why}")
    return found


def _unsupported(submission: Submission) -> Iterator[Problem]:
    if submission.cluster not in {None, CLUSTER}:
        yield _problem(
            "cluster", submission.cluster, f"absent or `{CLUSTER}`", "leave it out: this Archer has one machine"
        )
    if submission.image is not None:
        yield _problem(
            "image", submission.image, "absent", "leave it out: jobs run in this machine's own Python and Spark"
        )
    if submission.parameters and submission.profile is None:
        fix = "leave them out, or name the profile whose places they fill in"
        yield _problem("parameters", submission.parameters, "absent", fix)
    if submission.shuffle == "celeborn":
        yield _problem("shuffle", submission.shuffle, "disk", "leave it out: there is no Celeborn on one machine")
    installed = spark.spark_version()
    wanted = submission.spark_version
    if wanted is not None and wanted != installed and not installed.startswith(f"{wanted}."):
        yield _problem("spark_version", wanted, installed, "leave it out to use the Spark that is installed here")


def _missing_files(submission: Submission) -> Iterator[Problem]:
    for path, location in submission.application.locations():
        # `data.zip#name` unpacks as `name`
        file = spark.local_path(location.partition("#")[0])
        if file is None:
            yield from _unreachable(path, location, submission)
        elif not _is_readable(file):
            yield _problem(path, location, "a file that the server can read", _how_to_find(file))


def _is_readable(file: Path) -> bool:
    try:
        return file.is_file() and os.access(file, os.R_OK)
    except OSError:
        # a name that is too long, a folder that may not be entered
        return False


def _unreachable(path: str, location: str, submission: Submission) -> Iterator[Problem]:
    if not location.startswith("s3a://") or "spark.jars.packages" in submission.conf:
        return
    if not any((spark.spark_home() / "jars").glob("hadoop-aws-*.jar")):
        fix = "copy it to this machine, or add org.apache.hadoop:hadoop-aws to `conf.spark.jars.packages`"
        yield _problem(path, location, "a file on this machine (its Spark has no hadoop-aws)", fix)


def _how_to_find(file: Path) -> str:
    try:
        if not file.exists():
            return "create it, or correct the path"
    except OSError as error:
        return f"correct the path ({error.strerror})"
    if file.is_dir():
        return "name a file, not a folder"
    return "let the server's user read it" if file.is_file() else "name a file, not a device or a pipe"


def _bad_java_options(submission: Submission) -> Iterator[Problem]:
    for key in ("spark.driver.extraJavaOptions", "spark.driver.defaultJavaOptions"):
        yield from java_options.problems(f"conf.{key}", submission.conf.get(key, ""))


def _too_large(submission: Submission, host_memory_mib: int) -> Iterator[Problem]:
    python = submission.application.type == "python"
    for field in ("driver", "executor"):
        part = getattr(submission, field)
        needed = memory.with_overhead_mib(part.memory, part.memory_overhead, python=python)
        if needed > host_memory_mib:
            allowed = f"such that memory and overhead fit into this machine's {host_memory_mib} MiB"
            yield _problem(f"{field}.memory", part.memory, allowed, f"ask for less: this is {needed} MiB in all")


def _problem(path: str, value: object, allowed: str, fix: str) -> Problem:
    return Problem(path=path, value=shown(value), allowed=allowed, fix=fix)
