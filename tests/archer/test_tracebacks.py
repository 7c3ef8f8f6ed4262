"""Finding the error in a log."""

from archer.tracebacks import exception_in, traceback_in

PYTHON = """\
before
Traceback (most recent call last):
  File "/jobs/report.py", line 12, in <module>
    main()
  File "/jobs/report.py", line 7, in main
    load(path)
  File "/jobs/lib.py", line 3, in load
    raise KeyError(path)
KeyError: 'day'
after
"""

PY4J = """\
Traceback (most recent call last):
  File "/jobs/report.py", line 3, in <module>
    spark.range(3)
  File "/site-packages/pyspark/sql/session.py", line 1024, in range
  File "/site-packages/py4j/java_gateway.py", line 1362, in __call__
pyspark.errors.exceptions.captured.IllegalArgumentException: Error while instantiating 'SessionStateBuilder':

JVM stacktrace:
java.lang.IllegalArgumentException: Error while instantiating 'SessionStateBuilder':
\tat org.apache.spark.sql.X.y(X.scala:1)
Caused by: java.lang.IllegalArgumentException: spark.sql.shuffle.partitions should be int, but was abc
\t... 19 more
"""

JAVA = """\
26/11/23 10:00:00 INFO SparkContext: Running Spark version 4.0.1
Exception in thread "main" java.lang.IllegalStateException: no input for 2026-11-23
\tat org.apache.spark.Something.go(Something.scala:5)
\tat com.example.Report$.main(Report.scala:41)
"""


def test_the_users_own_line_is_named() -> None:
    trace = traceback_in(PYTHON, "/jobs/report.py")

    assert trace is not None
    assert (trace.error, trace.error_type, trace.where) == ("KeyError: 'day'", "KeyError", "report.py:7")
    assert trace.text.startswith("Traceback")
    assert trace.text.endswith("KeyError: 'day'")


def test_a_program_that_is_not_in_the_traceback_gives_way_to_the_last_foreign_line() -> None:
    trace = traceback_in(PYTHON, "/jobs/other.py")

    assert trace is not None
    assert trace.where == "lib.py:3"


def test_the_last_traceback_counts() -> None:
    trace = traceback_in(PYTHON + PYTHON.replace("KeyError: 'day'", "ValueError"), "/jobs/report.py")

    assert trace is not None
    assert trace.error == "ValueError"


def test_the_jvms_own_cause_says_more_than_pythons_line() -> None:
    trace = traceback_in(PY4J, "/jobs/report.py")

    assert trace is not None
    assert trace.error == "java.lang.IllegalArgumentException: spark.sql.shuffle.partitions should be int, but was abc"
    assert trace.where == "report.py:3"


def test_a_program_that_python_can_not_parse_is_named_with_its_line() -> None:
    log = '  File "/jobs/report.py", line 4\n    def f(:\n          ^\nSyntaxError: invalid syntax\n'

    trace = traceback_in(log, "/jobs/report.py")

    assert trace is not None
    assert (trace.error, trace.where) == ("SyntaxError: invalid syntax", "report.py:4")


def test_a_log_without_an_error_gives_none() -> None:
    assert traceback_in("all went well\n", "/a.py") is None
    assert traceback_in("Traceback (most recent call last):\n", "/a.py") is None
    assert traceback_in("Traceback (most recent call last):\n  File", "/a.py") is None
    assert exception_in("INFO done\n") is None


def test_a_java_exception_is_found_with_the_users_own_line() -> None:
    found = exception_in(JAVA)

    assert found is not None
    assert found.error == "java.lang.IllegalStateException: no input for 2026-11-23"
    assert found.where == "Report.scala:41"
