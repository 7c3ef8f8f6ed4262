"""Spark's command line, environment and properties for one attempt on this machine.

Pure, except for looking up where PySpark is installed. Spark's launcher (`bin/spark-submit`) is left out: it adds
`jdk.incubator.vector`, which a Java from PyPI lacks, and it would put one more process and shell between us and the JVM.
What the launcher does for `spark.driver.extraJavaOptions` and the like is done here.
"""

import shlex
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from archer.backends.local.java import Java
from archer.errors import LaunchRefusedError

# org.apache.spark.launcher.JavaModuleOptions of Spark 4.0, without --add-modules=jdk.incubator.vector
MODULE_OPTIONS = (
    "-XX:+IgnoreUnrecognizedVMOptions",
    "--add-opens=java.base/java.lang=ALL-UNNAMED",
    "--add-opens=java.base/java.lang.invoke=ALL-UNNAMED",
    "--add-opens=java.base/java.lang.reflect=ALL-UNNAMED",
    "--add-opens=java.base/java.io=ALL-UNNAMED",
    "--add-opens=java.base/java.net=ALL-UNNAMED",
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/java.util=ALL-UNNAMED",
    "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED",
    "--add-opens=java.base/java.util.concurrent.atomic=ALL-UNNAMED",
    "--add-opens=java.base/jdk.internal.ref=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.cs=ALL-UNNAMED",
    "--add-opens=java.base/sun.security.action=ALL-UNNAMED",
    "--add-opens=java.base/sun.util.calendar=ALL-UNNAMED",
    "--add-opens=java.security.jgss/sun.security.krb5=ALL-UNNAMED",
    "-Djdk.reflect.useDirectMethodHandle=false",
    "-Dio.netty.tryReflectionSetAccessible=true",
)

_KEPT_VARIABLES = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ")
"""Of the server's own environment a job sees these; a pod would see none of it, credentials least of all."""

SCRATCH_FOLDERS = ("work", "tmp", "local", "warehouse", "derby")


def spark_home() -> Path:
    """Folder of the installed PySpark. Raises LaunchRefusedError when there is none."""
    spec = find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise LaunchRefusedError("this machine has no Spark", "install it beside Archer: `pip install pyspark==4.0.*`")
    return Path(spec.origin).parent


def spark_version() -> str:
    """`4.0.5`."""
    spark_home()
    return version("pyspark")


def application_id(attempt_name: str) -> str:
    """Spark's application id, chosen by us: two local applications started in one millisecond would share one."""
    return f"local-{attempt_name}"


def event_log_name(app_id: str) -> str:
    """Name of the application's folder among the event logs (`RollingEventLogFilesWriter`)."""
    return f"eventlog_v2_{app_id}"


def local_path(location: str) -> Path | None:
    """The path behind a path, file:// or local:// (this machine is the image); None for what is elsewhere."""
    scheme, separator, rest = location.partition("://")
    if not separator:
        return Path(location)
    return Path("/" + rest.lstrip("/")) if scheme in {"file", "local"} else None


def _as_spark_wants(location: str) -> str:
    path = local_path(location)
    return location if path is None else str(path)


def submit_arguments(spec: Mapping[str, Any], properties: Path) -> list[str]:
    """SparkSubmit's arguments; the properties travel in a file, as `ps` shows arguments to everybody."""
    application = spec["application"]
    words = ["--master", spec["master"], "--deploy-mode", "client", "--name", spec["name"]]
    words += ["--properties-file", str(properties)]
    if application["main_class"]:
        words += ["--class", application["main_class"]]
    options = {"--py-files": "py_files", "--jars": "jars", "--files": "files", "--archives": "archives"}
    for option, key in options.items():
        if application[key]:
            words += [option, ",".join(map(_as_spark_wants, application[key]))]
    return [*words, _as_spark_wants(application["file"]), *application["arguments"]]


def java_command(java: Java, spec: Mapping[str, Any], scratch: Path) -> list[str]:
    """The JVM up to and including SparkSubmit's class."""
    conf = spec["conf"]
    class_path = [conf["spark.driver.extraClassPath"]] if "spark.driver.extraClassPath" in conf else []
    class_path.append(str(spark_home() / "jars" / "*"))
    options = [
        f"-Xmx{spec['heap_mib']}m",
        # a JVM without heap limps on and answers nobody: it must end, with words in the log, whichever thread failed.
        # Price: Spark can't spill after a failed allocation of its own, as it sometimes does
        "-XX:+ExitOnOutOfMemoryError",
        # its file would be left in /tmp by every killed JVM
        "-XX:-UsePerfData",
        f"-Djava.io.tmpdir={scratch / 'tmp'}",
        f"-Dderby.system.home={scratch / 'derby'}",
        *MODULE_OPTIONS,
        *shlex.split(conf.get("spark.driver.defaultJavaOptions", "")),
        *shlex.split(conf.get("spark.driver.extraJavaOptions", "")),
    ]
    return [str(java.executable), *options, "-cp", ":".join(class_path), "org.apache.spark.deploy.SparkSubmit"]


def environment(
    server: Mapping[str, str], spec: Mapping[str, Any], *, java: Java | None, scratch: Path
) -> dict[str, str]:
    """Variables of Spark's process: a few of the server's, Spark's own, then the submission's."""
    found = {name: server[name] for name in _KEPT_VARIABLES if name in server}
    found |= {
        "SPARK_HOME": str(spark_home()),
        # Spark's pages listen where this says; without it, on every address of the machine
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "TMPDIR": str(scratch / "tmp"),
    }
    if java is not None:
        found["JAVA_HOME"] = str(java.home)
    library_path = spec["conf"].get("spark.driver.extraLibraryPath")
    if library_path:
        found["LD_LIBRARY_PATH"] = library_path
    return found | dict(spec["environment"])


def properties_text(conf: Mapping[str, str]) -> str:
    """A java.util.Properties file; every character that means something there is escaped."""
    return "".join(f"{_escaped(key)}={_escaped(value)}\n" for key, value in sorted(conf.items()))


def _escaped(text: str) -> str:
    plain = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/$")
    units = text.encode("utf-16-be")
    codes: Sequence[int] = [int.from_bytes(units[at : at + 2]) for at in range(0, len(units), 2)]
    return "".join(chr(code) if chr(code) in plain else f"\\u{code:04x}" for code in codes)


def effective_conf(conf: Mapping[str, str], *, app_id: str, scratch: Path, events: Path) -> dict[str, str]:
    """The submission's properties between our defaults, which they beat, and what Archer decides."""
    return {
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.warehouse.dir": str(scratch / "warehouse"),
        **conf,
        "spark.test.appId": app_id,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.port": "0",
        "spark.local.dir": str(scratch / "local"),
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": events.as_uri(),
        "spark.eventLog.rolling.enabled": "true",
        # a program may start a second session; its log replaces the first one's instead of stopping it
        "spark.eventLog.overwrite": "true",
    }
