"""From rows of pods and applications, as a cluster gives them, to the category of the diagnosis (D16)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from archer.backends.kubernetes import records
from archer.backends.kubernetes.evidence import MAX_EXECUTORS, collect
from archer.backends.kubernetes.following import counted
from archer.backends.kubernetes.observation import End, Facts, judge
from archer.diagnosis import Evidence, diagnose, lost
from archer.model import Category, Diagnosis
from testbed import spark_manifests as made

C = Category
SPEC = {
    "spec": {
        "mainApplicationFile": "local:///app/report.py",
        "driver": {"memory": "2g", "memoryOverhead": "512m"},
        "executor": {"memory": "8g"},
        "sparkConf": {"spark.sql.shuffle.partitions": "abc"},
    }
}
POOLS: records.Pools = (("driver", {"pool": "driver"}), ("spot", {"pool": "spot"}))
SPOT = {"pool": "spot"}
DEMAND = {"pool": "driver"}


def evidence_of(
    app: made.Manifest | None,
    driver: made.Manifest | None = None,
    executors: Sequence[made.Manifest] = (),
    *,
    log: str = "",
    stopped_for: str | None = None,
) -> Evidence:
    facts = Facts(
        application=None if app is None else records.application(app),
        driver=None if driver is None else records.driver(driver, POOLS),
        executors=counted({pod["metadata"]["name"]: records.executor(pod, POOLS) for pod in executors}),
        now=made.BORN_SECONDS + 400,
        confirmed=True,
        stopped_for=stopped_for,
    )
    end = judge(facts)
    assert isinstance(end, End), end
    return collect(facts, end, spec=SPEC, log=log, spot={"spot"})


def of(*row: Any, **more: Any) -> Diagnosis:
    return diagnose(evidence_of(*row, **more))


def failed(exit_code: int, reason: str = "Error") -> made.Manifest:
    return made.application("FAILED", f"driver container failed with ExitCode: {exit_code}, Reason: {reason}")


def ended(exit_code: int, **more: Any) -> tuple[made.Manifest, made.Manifest]:
    """The application and the driver's pod of a driver that failed so."""
    return failed(exit_code), made.driver("Failed", exit_code=exit_code, **more)


TRACEBACK = """\
Traceback (most recent call last):
  File "/app/report.py", line 5, in <module>
    main()
{error}
"""
LOST_EXECUTOR = TRACEBACK.format(
    error="py4j.protocol.Py4JJavaError: An error occurred while calling o45.collect.\n"
    ": org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in stage 1.0 failed 1 times, most recent "
    "failure: Lost task 0.0 (10.0.0.1 executor 1): ExecutorLostFailure (executor 1 exited caused by one of the running tasks)"
)
WORKER = TRACEBACK.format(
    error="py4j.protocol.Py4JJavaError: An error occurred while calling o45.collect.\n"
    ": org.apache.spark.SparkException: Job aborted due to stage failure: Lost task 0.0 (10.0.0.1 executor 1): "
    "org.apache.spark.SparkException: Python worker exited unexpectedly (crashed)"
)
HEAP_OF_A_TASK = TRACEBACK.format(
    error="py4j.protocol.Py4JJavaError: An error occurred while calling o45.collect.\n"
    ": org.apache.spark.SparkException: Job aborted due to stage failure: Lost task 0.0\n"
    "Caused by: java.lang.OutOfMemoryError: Java heap space"
)
JVM_DRIVER = made.driver("Failed", exit_code=137, reason="OOMKilled")
OOM_EXECUTOR = made.executor(phase="Failed", exit_code=137, reason="OOMKilled")
NOT_FOUND = made.application("FAILED", "driver pod not found")
QUOTA = 'pods "x-driver" is forbidden: exceeded quota: team, requested: requests.memory=2Gi, used: 63Gi, limited: 64Gi'

DRIVER, EXECUTOR, NOBODY = "driver", "executor", None
ROWS: list[tuple[str, Category, str | None, tuple[Any, ...], dict[str, Any]]] = [
    # -- memory: what each looks like was seen on a real node
    ("driver, JVM or Python, past the container", C.OOM_CONTAINER, DRIVER, (failed(137, "OOMKilled"), JVM_DRIVER), {}),
    ("the same, and the pod is gone", C.OOM_CONTAINER, DRIVER, (failed(137, "OOMKilled"), None), {}),
    (
        "executor's Python worker, the JVM left cleanly",
        C.OOM_PYTHON,
        EXECUTOR,
        (
            *ended(1),
            [made.executor(phase="Succeeded", exit_code=0, reason="OOMKilled")],
        ),
        {"log": WORKER},
    ),
    (
        "executor's whole container",
        C.OOM_CONTAINER,
        EXECUTOR,
        (*ended(1), [OOM_EXECUTOR]),
        {"log": LOST_EXECUTOR},
    ),
    (
        "executors, too often for Spark",
        C.OOM_CONTAINER,
        EXECUTOR,
        (*ended(11), [OOM_EXECUTOR]),
        {"log": "INFO: Max number of executor failures (1) reached"},
    ),
    (
        "executor's heap, by its exit code",
        C.OOM_HEAP,
        EXECUTOR,
        (*ended(1), [made.executor(phase="Failed", exit_code=52)]),
        {"log": LOST_EXECUTOR},
    ),
    (
        "executor's heap, by the driver's words",
        C.OOM_HEAP,
        EXECUTOR,
        ended(1),
        {"log": HEAP_OF_A_TASK},
    ),
    (
        "driver's heap, ended by the JVM",
        C.OOM_HEAP,
        DRIVER,
        ended(3),
        {"log": "Terminating due to java.lang.OutOfMemoryError: Java heap space"},
    ),
    (
        "driver's heap, by Spark's exit code",
        C.OOM_HEAP,
        DRIVER,
        ended(52),
        {},
    ),
    (
        "driver's Python, by its own error",
        C.OOM_PYTHON,
        NOBODY,
        ended(1),
        {"log": TRACEBACK.format(error="MemoryError")},
    ),
    # -- places
    (
        "drained, on demand",
        C.NODE_LOSS,
        DRIVER,
        ended(143, pool=DEMAND, conditions=[made.disrupted("EvictionByEvictionAPI")], deleted=made.BORN),
        {},
    ),
    (
        "drained, spot",
        C.SPOT_LOSS,
        DRIVER,
        ended(143, pool=SPOT, conditions=[made.disrupted("EvictionByEvictionAPI")], deleted=made.BORN),
        {},
    ),
    (
        "the node went without a word",
        C.NODE_LOSS,
        DRIVER,
        (NOT_FOUND, made.driver("Failed", conditions=[made.disrupted("DeletionByPodGC")], deleted=made.BORN)),
        {},
    ),
    (
        "shut down by the kubelet",
        C.NODE_LOSS,
        DRIVER,
        ended(143, pod_reason="Terminated", message="Pod was terminated in response to imminent node shutdown."),
        {},
    ),
    (
        "executors on spot nodes",
        C.SPOT_LOSS,
        EXECUTOR,
        (
            *ended(11),
            [made.executor(phase="Failed", pool=SPOT, conditions=[made.disrupted("DeletionByTaintManager")])],
        ),
        {},
    ),
    (
        "executors on nodes on demand",
        C.NODE_LOSS,
        EXECUTOR,
        (
            *ended(1),
            [made.executor(phase="Failed", pool=DEMAND, conditions=[made.disrupted("DeletionByTaintManager")])],
        ),
        {"log": LOST_EXECUTOR},
    ),
    # -- the start
    (
        "image, stuck",
        C.IMAGE_PULL,
        NOBODY,
        (
            made.application("SUBMITTED", deleted=True),
            made.driver(
                "Failed",
                waiting={"reason": "ImagePullBackOff", "message": "manifest unknown"},
                deleted=made.BORN,
                annotations={"archer.moka.dev/stopped-for": "stuck"},
            ),
        ),
        {},
    ),
    (
        "no room, start timeout",
        C.UNSCHEDULABLE,
        NOBODY,
        (
            made.application("SUBMITTED", deleted=True),
            made.driver(
                "Pending",
                node=None,
                conditions=[made.unschedulable()],
                deleted=made.BORN,
                annotations={"archer.moka.dev/stopped-for": "start-timeout"},
            ),
        ),
        {},
    ),
    ("quota at the submission", C.QUOTA, NOBODY, (made.application("FAILED", QUOTA), None), {}),
    (
        "a conflict, which a quota makes too",
        C.LOST,
        NOBODY,
        (made.application("FAILED", "driver pod already exist"), None),
        {},
    ),
    (
        "the API server was away",
        C.LOST,
        NOBODY,
        (made.application("FAILED", "failed to run spark-submit: connect: connection refused"), None),
        {},
    ),
    (
        "spark-submit refuses",
        C.SUBMIT_ERROR,
        NOBODY,
        (made.application("FAILED", "failed to run spark-submit:\nError: Unrecognized option: --nonsense"), None),
        {},
    ),
    # -- ends from outside
    (
        "deleted by somebody",
        C.LOST,
        DRIVER,
        ended(143, deleted=made.BORN),
        {},
    ),
    (
        "killed by somebody",
        C.LOST,
        NOBODY,
        ended(137),
        {},
    ),
    (
        "an end that nobody saw",
        C.LOST,
        DRIVER,
        (NOT_FOUND, made.driver("Failed", exit_code=137, reason="ContainerStatusUnknown")),
        {},
    ),
    (
        "run timeout",
        C.TIMEOUT,
        NOBODY,
        (
            None,
            made.driver(
                "Failed",
                exit_code=143,
                deleted=made.BORN,
                annotations={"archer.moka.dev/stopped-for": "run-timeout"},
            ),
        ),
        {},
    ),
    (
        "stuck for its image, as a kubelet leaves the pod that Archer ended",
        C.IMAGE_PULL,
        NOBODY,
        (
            None,
            made.driver(
                "Failed",
                exit_code=137,
                reason="ContainerStatusUnknown",
                deleted=made.BORN,
                annotations={
                    "archer.moka.dev/stopped-for": "stuck",
                    "archer.moka.dev/waited-for": "image-pull: Back-off pulling image registry.example/spark:9",
                },
            ),
        ),
        {},
    ),
    (
        "start timeout before there was a driver",
        C.TIMEOUT,
        NOBODY,
        (None, None),
        {"stopped_for": "start-timeout"},
    ),
    # -- the program
    (
        "its own error",
        C.USER_ERROR,
        NOBODY,
        ended(1),
        {"log": TRACEBACK.format(error="ValueError: no such day")},
    ),
    (
        "its own error, and somebody deleted the pod afterwards",
        C.USER_ERROR,
        NOBODY,
        ended(1, deleted=made.LATEST),
        {"log": TRACEBACK.format(error="ValueError: no such day")},
    ),
    (
        "its own error, though an executor had been lost and was replaced",
        C.USER_ERROR,
        NOBODY,
        (*ended(1), [OOM_EXECUTOR]),
        {"log": "WARN: Lost executor 1\n" + TRACEBACK.format(error="ValueError: no such day")},
    ),
    (
        "too much on its disk",
        C.USER_ERROR,
        NOBODY,
        ended(
            137,
            pod_reason="Evicted",
            message="Pod ephemeral local storage usage exceeds the total limit of containers 1Gi.",
        ),
        {},
    ),
]


@pytest.mark.parametrize(("category", "role", "row", "more"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_each_row_of_pods_has_its_category_and_whose_fault_it_is(
    category: Category, role: str | None, row: tuple[Any, ...], more: dict[str, Any]
) -> None:
    found = of(*row, **more)

    assert (found.category, found.role) == (category, role), found


def test_every_category_is_reached() -> None:
    assert {row[1] for row in ROWS} == set(Category)


def test_a_vanished_attempt_is_lost() -> None:
    assert lost("the operator says: driver pod not found").category is C.LOST


def test_the_memory_that_was_asked_for_is_named() -> None:
    of_driver = of(failed(137, "OOMKilled"), JVM_DRIVER)
    of_executor = of(*ended(11), [OOM_EXECUTOR])

    assert of_driver.summary == "the driver used more memory than its container has (heap 2g and overhead 512m)"
    assert of_executor.summary == "an executor used more memory than the container has (heap 8g and its overhead)"
    assert f"{made.NAME}-exec-1: exit code 137, OOMKilled" in of_executor.detail


def test_a_property_that_the_error_names_is_what_to_correct() -> None:
    log = TRACEBACK.format(error="x.IllegalArgumentException: spark.sql.shuffle.partitions should be int")

    found = of(*ended(1), log=log)

    assert "correct `conf.spark.sql.shuffle.partitions`" in found.resolution


def test_words_about_a_full_heap_that_the_program_survived_are_not_its_end() -> None:
    log = "java.lang.OutOfMemoryError: Java heap space (caught)\n" + TRACEBACK.format(error="ValueError: mine")

    found = of(*ended(1), log=log)

    assert found.summary == "ValueError: mine (report.py:5)"


def test_of_thousands_of_executors_that_failed_the_first_are_told() -> None:
    executors = [made.executor(number, "Failed", exit_code=1) for number in range(2000)]

    found = evidence_of(*ended(11), executors)

    assert found.pods is not None
    assert len(found.pods.executors) == MAX_EXECUTORS


@pytest.mark.parametrize(("why", "words"), [("start-timeout", "within 60 s"), ("stuck", "in time")])
def test_only_the_jobs_own_limit_is_named_with_its_seconds(why: str, words: str) -> None:
    driver = made.driver(
        "Pending",
        node=None,
        conditions=[made.unschedulable()],
        deleted=made.BORN,
        annotations={"archer.moka.dev/stopped-for": why},
    )

    seen = evidence_of(made.application("SUBMITTED", deleted=True), driver)

    assert words in diagnose(replace(seen, seconds_allowed=60)).summary
