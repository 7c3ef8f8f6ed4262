"""Spark's command line, environment and properties."""

from pathlib import Path
from typing import Any

import pytest

from archer.backends.local import spark
from archer.backends.local.java import Java

JAVA = Java(home=Path("/opt/java"), version=17)
SCRATCH = Path("/data/scratch")


def spec(**fields: Any) -> dict[str, Any]:
    application = {
        "file": "/jobs/report.py",
        "main_class": None,
        "arguments": ["--day", "a b"],
        "py_files": [],
        "jars": [],
        "files": [],
        "archives": [],
    }
    return {
        "name": "report",
        "application": {**application, **fields.pop("application", {})},
        "master": "local[2]",
        "heap_mib": 1024,
        "conf": {},
        "environment": {},
        **fields,
    }


def test_arguments_stand_last_and_word_by_word() -> None:
    words = spark.submit_arguments(spec(), Path("/data/spark.properties"))

    assert words == [
        *("--master", "local[2]", "--deploy-mode", "client", "--name", "report"),
        *("--properties-file", "/data/spark.properties"),
        *("/jobs/report.py", "--day", "a b"),
    ]


def test_a_jar_starts_its_class_and_dependencies_are_listed() -> None:
    application = {
        "file": "local:///opt/app.jar",
        "main_class": "com.example.Main",
        "jars": ["/a.jar", "https://repo.example/b.jar"],
        "py_files": ["file:///lib.zip"],
        "files": ["/etc/motd"],
        "archives": ["/env.tgz#env"],
    }

    words = spark.submit_arguments(spec(application=application), Path("/p"))

    assert words[words.index("--class") + 1] == "com.example.Main"
    assert words[words.index("--jars") + 1] == "/a.jar,https://repo.example/b.jar"
    assert words[words.index("--py-files") + 1] == "/lib.zip"
    assert words[words.index("--files") + 1] == "/etc/motd"
    assert words[words.index("--archives") + 1] == "/env.tgz#env"
    assert "/opt/app.jar" in words


def test_the_jvm_is_started_directly_without_the_module_that_pypis_java_lacks() -> None:
    words = spark.java_command(JAVA, spec(), SCRATCH)

    assert words[0] == "/opt/java/bin/java"
    assert words[-1] == "org.apache.spark.deploy.SparkSubmit"
    assert words[words.index("-cp") + 1].endswith("/pyspark/jars/*")
    assert "-Xmx1024m" in words
    assert "-XX:+ExitOnOutOfMemoryError" in words
    assert "-Djava.io.tmpdir=/data/scratch/tmp" in words
    assert "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED" in words
    assert not [word for word in words if "incubator" in word]


def test_the_module_options_are_those_of_the_installed_spark() -> None:
    import re
    import zipfile

    (jar,) = (spark.spark_home() / "jars").glob("spark-launcher_*.jar")
    with zipfile.ZipFile(jar) as archive:
        code = archive.read("org/apache/spark/launcher/JavaModuleOptions.class")
    theirs = {word.decode() for word in re.findall(rb"-[-XD][\x20-\x7e]{5,120}", code)}

    assert theirs - set(spark.MODULE_OPTIONS) == {"--add-modules=jdk.incubator.vector"}
    assert set(spark.MODULE_OPTIONS) <= theirs


def test_the_application_id_can_be_chosen_in_the_installed_spark() -> None:
    import zipfile

    (jar,) = (spark.spark_home() / "jars").glob("spark-core_*.jar")
    with zipfile.ZipFile(jar) as archive:
        code = archive.read("org/apache/spark/scheduler/local/LocalSchedulerBackend.class")

    assert b"spark.test.appId" in code


def test_what_the_launcher_would_do_for_driver_options_is_done() -> None:
    conf = {
        "spark.driver.extraJavaOptions": "-Dname='a b' -XX:+UseSerialGC",
        "spark.driver.defaultJavaOptions": "-Dearly=1",
        "spark.driver.extraClassPath": "/opt/lib/*",
        "spark.driver.extraLibraryPath": "/opt/native",
    }

    words = spark.java_command(JAVA, spec(conf=conf), SCRATCH)
    environment = spark.environment({}, spec(conf=conf), java=JAVA, scratch=SCRATCH)

    assert words.index("-Dearly=1") < words.index("-Dname=a b") < words.index("-XX:+UseSerialGC")
    assert words[words.index("-cp") + 1].startswith("/opt/lib/*:")
    assert environment["LD_LIBRARY_PATH"] == "/opt/native"


def test_a_job_does_not_see_the_servers_secrets() -> None:
    server = {"PATH": "/bin", "HOME": "/home/ada", "AWS_SECRET_ACCESS_KEY": "s", "KUBERNETES_SERVICE_HOST": "10.0.0.1"}

    environment = spark.environment(server, spec(environment={"STAGE": "test"}), java=JAVA, scratch=SCRATCH)

    assert set(environment) == {
        *("PATH", "HOME", "STAGE", "SPARK_HOME", "SPARK_LOCAL_IP", "JAVA_HOME", "TMPDIR"),
        *("PYSPARK_PYTHON", "PYSPARK_DRIVER_PYTHON"),
    }
    assert environment["SPARK_LOCAL_IP"] == "127.0.0.1"


def test_a_submissions_own_variables_win() -> None:
    environment = spark.environment(
        {"PATH": "/bin"}, spec(environment={"PATH": "/opt/bin", "PYSPARK_PYTHON": "/py"}), java=None, scratch=SCRATCH
    )

    assert (environment["PATH"], environment["PYSPARK_PYTHON"]) == ("/opt/bin", "/py")


def test_defaults_yield_to_the_submission_and_archers_own_do_not() -> None:
    conf = {"spark.sql.warehouse.dir": "/warehouse", "spark.ui.port": "4040", "spark.x": "1"}

    found = spark.effective_conf(conf, app_id="local-a", scratch=SCRATCH, events=Path("/data/events"))

    assert found["spark.sql.warehouse.dir"] == "/warehouse"
    assert found["spark.ui.port"] == "0"
    assert found["spark.x"] == "1"
    assert found["spark.eventLog.dir"] == "file:///data/events"
    assert found["spark.test.appId"] == "local-a"


@pytest.mark.parametrize("value", ["plain", "a b", " lead", "a=b:c#d!e", "back\\slash", "new\nline", "größe 😀", ""])
def test_properties_come_back_from_java_as_they_were(value: str) -> None:
    line = spark.properties_text({"spark.my key": value}).removesuffix("\n")

    key, _, written = line.partition("=")
    assert key == "spark.my\\u0020key"
    # the escapes of java.util.Properties are UTF-16 code units, as JSON's are
    import json

    assert json.loads(f'"{written}"') == value
    assert line.isascii()


@pytest.mark.parametrize(
    ("location", "path"),
    [("/a/b", "/a/b"), ("file:///a/b", "/a/b"), ("local:///a/b", "/a/b"), ("s3a://b/k", None), ("https://h/k", None)],
)
def test_local_files_are_told_from_others(location: str, path: str | None) -> None:
    assert spark.local_path(location) == (None if path is None else Path(path))
