"""From evidence to a diagnosis, on logs as Spark 4.0 and Python write them."""

from typing import Any

import pytest

from archer.diagnosis import MAX_DETAIL, MAX_SUMMARY, Evidence, diagnose, lost
from archer.model import Category, Diagnosis

C = Category

TRACEBACK = """\
Traceback (most recent call last):
  File "/jobs/report.py", line 5, in <module>
    main()
{error}
"""


def of(**evidence: Any) -> Diagnosis:
    return diagnose(Evidence(**{"application": "/jobs/report.py", "exit_code": 1, **evidence}))


def test_a_python_exception_is_the_users_with_file_and_line() -> None:
    found = of(stdout=TRACEBACK.format(error="ValueError: no such day"))

    assert found.category is C.USER_ERROR
    assert found.summary == "ValueError: no such day (report.py:5)"
    assert "correct the program at report.py:5" in found.resolution
    assert found.exit_code == 1


def test_a_property_that_the_error_names_is_what_to_correct() -> None:
    error = "x.IllegalArgumentException: spark.sql.shuffle.partitions should be int, but was abc"

    found = of(stdout=TRACEBACK.format(error=error), conf_keys=frozenset({"spark.sql.shuffle.partitions", "spark.sql"}))

    assert found.resolution == "correct `conf.spark.sql.shuffle.partitions`, then submit again"


def test_the_memory_limit_is_named_with_both_numbers() -> None:
    found = of(
        stopped_for="memory-limit", exit_code=137, signal=9, memory_limit_mib=1408, peak_memory_mib=1500, heap="1024m"
    )

    assert found.category is C.OOM_CONTAINER
    assert "1408 MiB" in found.summary
    assert "1500 MiB" in found.detail
    assert "memory_overhead" in found.resolution


@pytest.mark.parametrize(
    "evidence",
    [
        {"exit_code": 3, "stdout": "Terminating due to java.lang.OutOfMemoryError: Java heap space\n", "heap": "512m"},
        {
            "exit_code": 1,
            "driver_log": "java.lang.OutOfMemoryError: GC overhead limit exceeded\n\tat x",
            "heap": "512m",
        },
        {"exit_code": 52, "driver_log": "", "heap": "512m"},
    ],
)
def test_a_heap_that_is_full_is_told_from_the_log_or_sparks_exit_code(evidence: dict[str, Any]) -> None:
    found = of(**evidence)

    assert found.category is C.OOM_HEAP
    assert found.summary == "the JVM ran out of its heap of 512m"


def test_pythons_memory_error_is_not_the_heap() -> None:
    found = of(stdout=TRACEBACK.format(error="MemoryError"))

    assert found.category is C.OOM_PYTHON
    assert "report.py:5" in found.summary


def test_numpys_memory_error_is_one_too() -> None:
    found = of(stdout=TRACEBACK.format(error="numpy.core._exceptions._ArrayMemoryError: Unable to allocate 8 GiB"))

    assert found.category is C.OOM_PYTHON


@pytest.mark.parametrize(("why", "field"), [("run-timeout", "run_seconds"), ("start-timeout", "start_seconds")])
def test_a_timeout_names_its_own_setting(why: str, field: str) -> None:
    found = of(stopped_for=why, exit_code=143, seconds_allowed=60)

    assert found.category is C.TIMEOUT
    assert "60 s" in found.summary
    assert field in found.resolution


def test_a_kill_from_outside_is_the_infrastructures_doing() -> None:
    assert of(signal=9, exit_code=137, peak_memory_mib=100, memory_limit_mib=1000).category is C.LOST
    assert of(signal=15, exit_code=143).category is C.LOST
    assert of(stopped_for="shutdown", exit_code=143).category is C.LOST


@pytest.mark.parametrize(
    ("exit_code", "peak", "category"), [(137, 100, C.LOST), (143, 100, C.LOST), (137, 1390, C.OOM_CONTAINER)]
)
def test_a_python_driver_that_was_killed_is_told_by_the_exit_code_that_spark_passes_on(
    exit_code: int, peak: int, category: Category
) -> None:
    """Of the two processes the kernel likes to kill the larger one, which may be Python."""
    assert of(exit_code=exit_code, memory_limit_mib=1400, peak_memory_mib=peak).category is category


def test_a_python_driver_that_crashed_is_told_by_its_signal() -> None:
    found = of(exit_code=139)

    assert (found.category, found.summary) == (C.USER_ERROR, "the driver crashed with signal 11")


def test_words_about_a_full_heap_that_the_program_survived_are_not_its_end() -> None:
    printed = "java.lang.OutOfMemoryError: Java heap space (caught)\n" + TRACEBACK.format(error="ValueError: mine")

    assert of(stdout=printed).summary == "ValueError: mine (report.py:5)"


def test_a_full_heap_that_python_was_told_of_is_its_end() -> None:
    trace = TRACEBACK.format(error="py4j.protocol.Py4JJavaError: An error occurred while calling o1.collect.")

    assert of(stdout=f"{trace}: java.lang.OutOfMemoryError: Direct buffer memory\n\tat x\n").category is C.OOM_HEAP


def test_a_kill_near_the_limit_is_the_kernels() -> None:
    found = of(signal=9, exit_code=137, peak_memory_mib=950, memory_limit_mib=1000)

    assert found.category is C.OOM_CONTAINER


def test_a_crash_of_native_code_is_told_by_its_signal() -> None:
    found = of(signal=11, exit_code=139)

    assert found.category is C.USER_ERROR
    assert "signal 11" in found.summary


@pytest.mark.parametrize(
    ("evidence", "summary"),
    [
        ({"driver_log": "Error: Failed to load class com.example.Nope.\n"}, "the .jar has no class com.example.Nope."),
        (
            {"stdout": "python: can't open file '/a.py': [Errno 2] No such file or directory\n"},
            "the file /a.py is gone",
        ),
        ({"driver_log": "Invalid maximum heap size: -Xmx9999g\n"}, "the JVM refuses a heap of -Xmx9999g"),
        ({"launch_error": "[Errno 2] No such file: 'spark-submit'"}, "Spark could not be started: [Errno 2] No such"),
        ({"driver_log": "Error: Unrecognized option: --foo\n"}, "Unrecognized option: --foo"),
        (
            {"driver_log": 'Exception in thread "main" java.lang.IllegalArgumentException: bad conf\n'},
            "java.lang.IllegalArgumentException: bad conf",
        ),
    ],
)
def test_what_can_never_start_is_a_submit_error(evidence: dict[str, Any], summary: str) -> None:
    found = of(**evidence)

    assert found.category is C.SUBMIT_ERROR
    assert found.summary.startswith(summary)
    assert found.resolution


def test_a_java_exception_of_an_application_that_was_up_is_the_users() -> None:
    log = 'Exception in thread "main" java.lang.IllegalStateException: no input\n'

    assert of(driver_log=log, application_started=True).category is C.USER_ERROR


def test_an_exit_code_without_words_is_told_as_it_is() -> None:
    found = of(exit_code=7, stdout="working\n\nstopping\n")

    assert found.category is C.USER_ERROR
    assert found.summary == "the program ended with exit code 7"
    assert found.detail.endswith("working\nstopping")


@pytest.mark.parametrize(
    "evidence",
    [
        {"disk_free_mib": 0},
        {"disk_free_mib": 0, "launch_error": "Exception occurred in preexec_fn.", "exit_code": 127},
        {"disk_free_mib": 900, "stdout": TRACEBACK.format(error="OSError: [Errno 28] No space left on device: '/x'")},
        {
            "disk_free_mib": 900,
            "driver_log": "java.io.IOException: No space left on device\n\tat java.io.X(X.java:1)\n",
        },
    ],
)
def test_a_full_disk_is_named_also_when_no_log_could_be_written(evidence: dict[str, Any]) -> None:
    found = of(**evidence)

    assert found.category is C.USER_ERROR
    assert found.summary == "the disk on which the job keeps its files is full"
    assert "free space where Archer keeps its data" in found.resolution


def test_words_about_a_full_disk_long_before_the_end_are_not_its_end() -> None:
    log = "java.io.IOException: No space left on device, trying another folder\n" + "26/11/25 INFO x\n" * 50

    assert of(driver_log=log, disk_free_mib=900).summary == "the program ended with exit code 1"


def test_texts_are_cut_to_what_the_store_keeps() -> None:
    found = of(stdout=TRACEBACK.format(error="ValueError: " + "x" * 10_000))

    assert len(found.summary) == MAX_SUMMARY
    assert len(found.detail) == MAX_DETAIL


def test_a_vanished_attempt_is_lost_never_a_result() -> None:
    found = lost("its folder is gone")

    assert found.category is C.LOST
    assert found.detail == "its folder is gone"
