"""From evidence to a diagnosis: why an attempt failed and what to do about it (D16).

Pure: text and numbers in, one frozen record out. The rules are tried in the order of how sure their evidence is: what
Archer did itself, then what the cluster, the operating system or the JVM said, then what the logs tell.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from archer import pod_diagnosis
from archer.model import Category, Diagnosis, Role
from archer.pod_diagnosis import HEAP_EXITS, SPARK_OOM_EXIT, PodEvidence
from archer.tracebacks import exception_in, traceback_in

MAX_SUMMARY = 200
MAX_DETAIL = 4000

_DEADLY = frozenset({4, 6, 7, 8, 9, 11, 15})
"""SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGKILL, SIGSEGV, SIGTERM."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known about an attempt that ended without success."""

    application: str
    """The application file, to find the user's own line in a traceback."""
    exit_code: int | None = None
    """128 + N when signal N ended it; None when nobody saw the end."""
    signal: int | None = None
    stopped_for: str | None = None
    """Why Archer stopped it: memory-limit, run-timeout, start-timeout, stuck, shutdown, cancel; None: it ended by itself."""
    launch_error: str | None = None
    """Why the program could not be started at all."""
    peak_memory_mib: int | None = None
    memory_limit_mib: int | None = None
    heap: str | None = None
    """The heap it had, as Spark writes it."""
    disk_free_mib: int | None = None
    """Space that was left, at its end, where it keeps its files and logs."""
    seconds_allowed: int | None = None
    """The limit in time that was exceeded."""
    driver_log: str = ""
    """End of the driver's stderr: Spark's own lines, JVM errors."""
    stdout: str = ""
    """End of stdout, where PySpark sends the Python program's output, tracebacks included."""
    no_log: str = ""
    """Why there is no log, where there should be one: whoever reads the diagnosis must know that it was made without."""
    conf_keys: frozenset[str] = frozenset()
    """Spark properties that the submission set: one of them in the error's words is the culprit."""
    application_started: bool = False
    """Whether Spark's application was up at some time."""
    pods: PodEvidence | None = None
    """What a cluster says; then `driver_log` and `stdout` are one stream, in both fields. None: there is no cluster."""

    @property
    def text(self) -> str:
        return f"{self.driver_log}\n{self.stdout}"


def diagnose(evidence: Evidence) -> Diagnosis:
    """The first rule that applies; the last one always does."""
    found = next((found for rule in _RULES if (found := rule(evidence)) is not None), None) or _unexplained(evidence)
    if not evidence.no_log:
        return found
    room = MAX_DETAIL - len(evidence.no_log) - 1
    return replace(found, detail="\n".join(filter(None, (found.detail[-room:], evidence.no_log))))


def lost(what_was_seen: str) -> Diagnosis:
    """For an attempt that vanished without a result: being gone is not a result (D15)."""
    return _diagnosis(
        Category.LOST,
        "the attempt vanished without a result",
        what_was_seen,
        "Archer repeats it by itself at most twice; if it happens again, look for what kills processes on the machine",
    )


def _diagnosis(
    category: Category,
    summary: str,
    detail: str,
    resolution: str,
    exit_code: int | None = None,
    *,
    role: Role | None = None,
) -> Diagnosis:
    return Diagnosis(
        category=category,
        summary=summary if len(summary) <= MAX_SUMMARY else f"{summary[: MAX_SUMMARY - 1]}…",
        detail=detail if len(detail) <= MAX_DETAIL else f"…{detail[-MAX_DETAIL + 1 :]}",
        resolution=resolution,
        exit_code=exit_code,
        role=role,
    )


def _cut(found: Diagnosis | None) -> Diagnosis | None:
    if found is None:
        return None
    return _diagnosis(found.category, found.summary, found.detail, found.resolution, found.exit_code, role=found.role)


def _never_started(seen: Evidence) -> Diagnosis | None:
    if seen.pods is None or seen.stopped_for not in {"start-timeout", "stuck"}:
        return None
    seconds = seen.seconds_allowed if seen.stopped_for == "start-timeout" else None
    return _cut(pod_diagnosis.never_started(seen.pods, seconds_allowed=seconds))


def _pods(seen: Evidence) -> Diagnosis | None:
    return None if seen.pods is None else _cut(pod_diagnosis.of_driver(seen.pods, seen.exit_code))


def _executors(seen: Evidence) -> Diagnosis | None:
    return None if seen.pods is None else _cut(pod_diagnosis.of_executors(seen.pods, seen.exit_code, seen.stdout))


def _memory_limit(seen: Evidence) -> Diagnosis | None:
    if seen.stopped_for != "memory-limit":
        return None
    return _diagnosis(
        Category.OOM_CONTAINER,
        f"the job used more memory than its limit of {seen.memory_limit_mib} MiB",
        f"driver and workers together used {seen.peak_memory_mib} MiB; the limit is the heap ({seen.heap}) and its overhead",
        "raise `driver.memory_overhead` (Python and off-heap memory) or `driver.memory` and `executor.memory` (heap)",
        seen.exit_code,
    )


def _timeout(seen: Evidence) -> Diagnosis | None:
    if seen.stopped_for == "run-timeout":
        summary = f"stopped after {seen.seconds_allowed} s, the job's own `timeouts.run_seconds`"
        fix = "raise `timeouts.run_seconds`, or look in the History Server for what took so long"
    elif seen.stopped_for == "start-timeout":
        summary = f"Spark was not up within {seen.seconds_allowed} s, the job's own `timeouts.start_seconds`"
        fix = "raise `timeouts.start_seconds`, or read the driver's log for what it waited for"
    else:
        return None
    return _diagnosis(Category.TIMEOUT, summary, last_lines(seen.driver_log), fix, seen.exit_code)


def _shutdown(seen: Evidence) -> Diagnosis | None:
    if seen.stopped_for != "shutdown":
        return None
    return lost("the process that watches the job was told to stop, as at a shutdown of the machine")


def _full_disk(seen: Evidence) -> Diagnosis | None:
    trace = traceback_in(seen.stdout, seen.application) or exception_in(seen.driver_log)
    said = "No space left on device" in f"{trace.text if trace else ''}{last_lines(seen.driver_log)}"
    if not said and seen.disk_free_mib != 0:
        return None
    return _diagnosis(
        Category.USER_ERROR,
        "the disk on which the job keeps its files is full",
        last_lines(seen.text) or "nothing could be written any more, logs included",
        "free space where Archer keeps its data, or write less: shuffle, scratch files and logs are there; then submit again",
        seen.exit_code,
    )


def _launch_error(seen: Evidence) -> Diagnosis | None:
    if seen.launch_error is None:
        return None
    return _diagnosis(
        Category.SUBMIT_ERROR,
        f"Spark could not be started: {seen.launch_error}",
        seen.launch_error,
        "the server's administrator checks `spark_submit_command` and `java_home` of `archer serve`",
        seen.exit_code,
    )


def _out_of_heap(seen: Evidence) -> Diagnosis | None:
    # with another exit code the program may only have printed, or survived, such an error
    ended_by_it = seen.exit_code in HEAP_EXITS
    trace = None if ended_by_it else traceback_in(seen.stdout, seen.application)
    text = seen.text if ended_by_it else f"{seen.driver_log}\n{trace.text if trace else ''}"
    if seen.pods is not None and trace is not None:
        # one stream for all: what stands outside of the last traceback may be printed, or survived
        text = trace.text
    error = re.search(r"java\.lang\.OutOfMemoryError(?::[^\n]{0,120})?", text)
    if error is None and seen.exit_code != SPARK_OOM_EXIT:
        return None
    return _diagnosis(
        Category.OOM_HEAP,
        f"the JVM ran out of its heap of {seen.heap}" if seen.heap else "the JVM ran out of heap",
        error.group() if error else f"exit code {SPARK_OOM_EXIT} is Spark's for an OutOfMemoryError",
        "raise `driver.memory` (a collect, a broadcast) or `executor.memory` (tasks), or use more partitions",
        seen.exit_code,
        role=None if seen.pods is None else _whose_heap(seen.stdout, ended_by_it=ended_by_it),
    )


def _whose_heap(log: str, *, ended_by_it: bool) -> Role:
    in_a_task = not ended_by_it and "due to stage failure" in pod_diagnosis.last_words(log)
    return "executor" if in_a_task else "driver"


def _python_memory_error(seen: Evidence) -> Diagnosis | None:
    trace = traceback_in(seen.stdout, seen.application)
    if trace is None or not trace.error_type.endswith("MemoryError"):
        return None
    return _diagnosis(
        Category.OOM_PYTHON,
        f"Python ran out of memory at {trace.where}",
        trace.text,
        "raise `driver.memory_overhead`, where Python's memory comes from, or keep less data in Python",
        seen.exit_code,
    )


def _killed_from_outside(seen: Evidence) -> Diagnosis | None:
    signal = seen.signal or _signal_of_python(seen)
    if signal is None:
        return None
    near_limit = (seen.peak_memory_mib or 0) >= 0.9 * (seen.memory_limit_mib or float("inf"))
    if signal == 9 and near_limit:
        return _diagnosis(
            Category.OOM_CONTAINER,
            f"killed by signal 9 while using {seen.peak_memory_mib} of {seen.memory_limit_mib} MiB",
            "the kernel kills a process like this when memory runs out",
            "raise `driver.memory_overhead` or `driver.memory`",
            seen.exit_code,
        )
    if signal in {9, 15, 1, 2}:
        return lost(f"the driver was killed by signal {signal}, which Archer did not send")
    return _diagnosis(
        Category.USER_ERROR,
        f"the driver crashed with signal {signal}",
        last_lines(seen.text),
        "look for native code (a library, a codec, a UDF) in the driver's log",
        seen.exit_code,
    )


def _signal_of_python(seen: Evidence) -> int | None:
    """A Python driver is a child of the JVM, which ends with the child's exit code: 128 + N for signal N."""
    number = (seen.exit_code or 0) - 128
    return number if number in _DEADLY else None


_SUBMIT_ERRORS = (
    (
        r"Error: Failed to load class ([\w.$]+)",
        "the .jar has no class {0}",
        "correct `application.main_class`, or the .jar",
    ),
    (r"can't open file '?([^'\n]+?)'?: \[Errno 2\]", "the file {0} is gone", "put the file back, then submit again"),
    (r"Error: (Could not create the Java Virtual Machine[^\n]*)", "{0}", "correct `spark.driver.extraJavaOptions`"),
    (r"Invalid maximum heap size: ([^\n]+)", "the JVM refuses a heap of {0}", "ask for less `driver.memory`"),
    (r"(JAVA_GATEWAY_EXITED[^\n]*)", "Python could not reach Spark: {0}", "read the driver's log"),
)
"""Sentences of the JVM, Python and SparkSubmit that mean: this can never start. Pattern, summary, resolution."""


def _submit_error(seen: Evidence) -> Diagnosis | None:
    for pattern, summary, resolution in _SUBMIT_ERRORS:
        match = re.search(pattern, seen.text)
        if match:
            detail = last_lines(seen.text)
            return _diagnosis(Category.SUBMIT_ERROR, summary.format(match[1]), detail, resolution, seen.exit_code)
    return None


def _python_exception(seen: Evidence) -> Diagnosis | None:
    trace = traceback_in(seen.stdout, seen.application)
    if trace is None:
        return None
    return _diagnosis(
        Category.USER_ERROR,
        f"{trace.error} ({trace.where})",
        trace.text,
        _conf_to_correct(seen, trace.text) or f"correct the program at {trace.where}, then submit again",
        seen.exit_code,
    )


def _java_exception(seen: Evidence) -> Diagnosis | None:
    error = exception_in(seen.driver_log)
    if error is None:
        return None
    if seen.application_started:
        category, resolution = Category.USER_ERROR, "correct the program or its input, then submit again"
    else:
        category, resolution = (
            Category.SUBMIT_ERROR,
            "correct `conf` or `application`: Spark refused to start with them",
        )
    resolution = _conf_to_correct(seen, error.text) or resolution
    return _diagnosis(category, error.error, error.text, resolution, seen.exit_code)


def _conf_to_correct(seen: Evidence, error: str) -> str | None:
    named = sorted(key for key in seen.conf_keys if re.search(rf"{re.escape(key)}(?![\w.]*\w)", error))
    return f"correct {', '.join(f'`conf.{key}`' for key in named)}, then submit again" if named else None


def _spark_submit_message(seen: Evidence) -> Diagnosis | None:
    errors = re.findall(r"^Error: ([^\n]+)", seen.driver_log, flags=re.MULTILINE)
    if seen.application_started or not errors:
        return None
    detail = last_lines(seen.driver_log)
    return _diagnosis(Category.SUBMIT_ERROR, errors[-1], detail, "correct what Spark complains about", seen.exit_code)


def _unexplained(seen: Evidence) -> Diagnosis:
    return _diagnosis(
        Category.USER_ERROR,
        f"the program ended with exit code {seen.exit_code}",
        last_lines(seen.text),
        "read the end of the logs; the program itself chose this exit code",
        seen.exit_code,
    )


def last_lines(text: str, count: int = 20) -> str:
    """The last `count` lines that aren't empty."""
    return "\n".join([line for line in text.splitlines() if line.strip()][-count:])


def _stuck(seen: Evidence) -> Diagnosis | None:
    if seen.stopped_for != "stuck":
        return None
    detail = last_lines(seen.driver_log)
    fix = "read the operator's log for this application, or ask whoever runs the cluster"
    return _diagnosis(Category.SUBMIT_ERROR, "it did not start, and nothing says why", detail, fix, seen.exit_code)


_RULES: tuple[Callable[[Evidence], Diagnosis | None], ...] = (
    _never_started,
    _memory_limit,
    _timeout,
    _stuck,
    _shutdown,
    _pods,
    _full_disk,
    _launch_error,
    _executors,
    _out_of_heap,
    _python_memory_error,
    _killed_from_outside,
    _submit_error,
    _python_exception,
    _java_exception,
    _spark_submit_message,
)
