"""Folders that the operator takes for `SPARK_HOME`: with a spark-submit of ours, or with Spark's own.

Ours makes the same objects in a tenth of a second. Spark's own is the JVM of the locked PySpark, some ten core-seconds; it
is started without Spark's launcher script, which asks for a Java module that the one from PyPI lacks.
"""

import os
import shlex
import sys
from pathlib import Path
from typing import Final

from archer.backends.local.java import find_java
from archer.backends.local.spark import MODULE_OPTIONS, spark_home

ROOT: Final = Path(__file__).parents[1]


def light_spark_home(folder: Path) -> Path:
    """Write a SPARK_HOME whose spark-submit is `testbed.spark_operator.spark_submit`."""
    command = [sys.executable, "-m", "testbed.spark_operator.spark_submit"]
    return _write(folder, command, {"PYTHONPATH": str(ROOT)})


def pyspark_home(folder: Path) -> Path:
    """Write a SPARK_HOME whose spark-submit is that of PySpark. Raises LaunchRefusedError when Java or PySpark is missing."""
    java = find_java(None, os.environ)
    classes = str(spark_home() / "jars" / "*")
    command = [str(java.executable), *MODULE_OPTIONS, "-cp", classes, "org.apache.spark.deploy.SparkSubmit"]
    return _write(folder, command, {"SPARK_LOCAL_IP": "127.0.0.1"})


def _write(folder: Path, command: list[str], variables: dict[str, str]) -> Path:
    script = folder / "bin" / "spark-submit"
    script.parent.mkdir(parents=True, exist_ok=True)
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
    script.write_text(f'#!/bin/sh\n{exports}exec {shlex.join(command)} "$@"\n')
    script.chmod(0o755)
    return folder
