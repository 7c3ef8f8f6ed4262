"""The Spark image's entrypoint starts what Spark's own pods ask for. Spark itself is run by it in tests/e2e/images."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ENTRYPOINT = Path(__file__).parents[3] / "images" / "spark" / "entrypoint.sh"
EXECUTOR = {
    "SPARK_DRIVER_URL": "spark://CoarseGrainedScheduler@driver-svc:7078",
    "SPARK_EXECUTOR_ID": "3",
    "SPARK_EXECUTOR_CORES": "2",
    "SPARK_EXECUTOR_MEMORY": "896m",
    "SPARK_APPLICATION_ID": "spark-1",
    "SPARK_EXECUTOR_POD_IP": "10.0.0.7",
    "SPARK_RESOURCE_PROFILE_ID": "0",
    "SPARK_EXECUTOR_POD_NAME": "j-1-exec-3",
    "SPARK_JAVA_OPT_0": "-Dspark.driver.port=7078",
    "SPARK_JAVA_OPT_1": "-Dwith=two words",
    "SPARK_JAVA_OPT_2": "-Da=2",
    "SPARK_JAVA_OPT_10": "-Dnever=after a gap",
}
ECHO = '#!/bin/bash\nprintf "%s\\n" "program=${0##*/}" "cwd=$PWD" "tmpdir=${TMPDIR:-}" "jvm=${JAVA_TOOL_OPTIONS:-}" "s3a=${LOCAL_DIRS:-}" "$@"\n'


class Image:
    """The image's root as far as the entrypoint sees it: programs that print their arguments, one a line."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.spark_home = root / "opt" / "spark"
        self.bin = root / "bin"
        self.work = root / "work"
        self.work.mkdir(parents=True)
        self.program(self.spark_home / "bin" / "spark-submit")
        self.program(self.spark_home / "bin" / "spark-class")
        self.program(self.bin / "java")
        # tini's own arguments are dropped, as tini does
        self.program(self.bin / "tini", '#!/bin/bash\n[ "$1 $2" = "-s --" ] || exit 99\nshift 2\nexec "$@"\n')

    def program(self, path: Path, text: str = ECHO) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def run(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": f"{self.bin}:{os.defpath}", "SPARK_HOME": str(self.spark_home), **variables}
        return subprocess.run(
            [ENTRYPOINT, *words], cwd=self.work, env=environment, capture_output=True, text=True, check=False
        )


@pytest.fixture
def image(tmp_path: Path) -> Image:
    return Image(tmp_path)


def test_a_driver_is_spark_submit_in_client_mode_bound_to_the_pods_address(image: Image) -> None:
    done = image.run("driver", "--class", "A B", "local:///a.jar", "x y", SPARK_DRIVER_BIND_ADDRESS="10.0.0.5")

    lines = done.stdout.splitlines()
    assert lines[0] == "program=spark-submit"
    assert lines[5:] == [
        "--conf",
        "spark.driver.bindAddress=10.0.0.5",
        "--conf",
        "spark.executorEnv.SPARK_DRIVER_POD_IP=10.0.0.5",
        "--deploy-mode",
        "client",
        "--class",
        "A B",
        "local:///a.jar",
        "x y",
    ]


def test_a_driver_without_an_address_is_refused_with_the_variable_that_lacks(image: Image) -> None:
    done = image.run("driver", "local:///a.jar")

    assert (done.returncode, done.stdout) == (2, "")
    assert "SPARK_DRIVER_BIND_ADDRESS is not set" in done.stderr


def test_an_executor_is_a_jvm_of_the_memory_options_and_names_that_the_pod_carries(image: Image) -> None:
    lines = image.run("executor", **EXECUTOR, JAVA_HOME="").stdout.splitlines()

    assert lines[0] == "program=java"
    # the variables count from 0 without a gap, so the one after a gap is nobody's
    assert lines[5:10] == ["-Dspark.driver.port=7078", "-Dwith=two words", "-Da=2", "-Xms896m", "-Xmx896m"]
    assert lines[12:] == [
        "org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend",
        "--driver-url",
        "spark://CoarseGrainedScheduler@driver-svc:7078",
        "--executor-id",
        "3",
        "--cores",
        "2",
        "--app-id",
        "spark-1",
        "--hostname",
        "10.0.0.7",
        "--resourceProfileId",
        "0",
        "--podName",
        "j-1-exec-3",
    ]


def test_an_executors_class_path_is_conf_users_jars_sparks_jars_and_its_folder(image: Image) -> None:
    lines = image.run(
        "executor",
        **EXECUTOR,
        JAVA_HOME="",
        SPARK_CONF_DIR="/conf",
        HADOOP_CONF_DIR="/hadoop",
        SPARK_CLASSPATH="/first.jar",
        SPARK_EXTRA_CLASSPATH="/extra.jar",
        SPARK_DIST_CLASSPATH="/dist/*",
    ).stdout.splitlines()

    assert lines[10] == "-cp"
    home = image.spark_home
    assert lines[11] == f"/conf:/hadoop:/first.jar:{home}/jars/*:/extra.jar:/dist/*:{image.work}"


def test_an_executor_names_every_variable_that_lacks_at_once(image: Image) -> None:
    done = image.run("executor", SPARK_EXECUTOR_ID="1")

    assert (done.returncode, done.stdout) == (2, "")
    lacking = [name for name in EXECUTOR if "JAVA_OPT" not in name and name != "SPARK_EXECUTOR_ID"]
    assert f"not set: {' '.join(lacking)};" in done.stderr


def test_the_history_server_runs_through_sparks_launcher(image: Image) -> None:
    lines = image.run("history-server").stdout.splitlines()

    assert lines[0] == "program=spark-class"
    assert lines[5:] == ["org.apache.spark.deploy.history.HistoryServer"]


def test_any_other_command_is_run_as_it_is(image: Image) -> None:
    image.program(image.bin / "other")

    assert image.run("other", "a b").stdout.splitlines()[5:] == ["a b"]


def test_no_command_is_refused_with_those_that_there_are(image: Image) -> None:
    done = image.run()

    assert (done.returncode, done.stdout) == (2, "")
    assert "expected driver, executor, history-server" in done.stderr


def test_a_user_without_a_name_is_told_before_the_jvm_starts(image: Image) -> None:
    image.program(image.bin / "id", '#!/bin/bash\n[ "$*" = --user ] && echo 4242 || exit 1\n')

    done = image.run("history-server")

    assert (done.returncode, done.stdout) == (2, "")
    assert "the user 4242 has no entry in /etc/passwd; run the pod as 185" in done.stderr


def test_on_a_read_only_root_files_go_to_sparks_local_directory(image: Image, tmp_path: Path) -> None:
    local = tmp_path / "local-1"
    local.mkdir()
    # a root that cannot be written to, also not by root: the test's own test program says so
    text = ENTRYPOINT.read_text().replace(
        '[ -d "$1" ] && [ -w "$1" ]', f'case "$1" in {tmp_path}/local-1*) ;; *) false ;; esac'
    )
    changed = tmp_path / "entrypoint.sh"
    changed.write_text(text)
    changed.chmod(0o755)
    environment = {
        "PATH": f"{image.bin}:{os.defpath}",
        "SPARK_HOME": str(image.spark_home),
        "JAVA_TOOL_OPTIONS": "-Dx=1",
    }
    done = subprocess.run(
        [changed, "history-server"],
        cwd=image.work,
        env={**environment, "SPARK_LOCAL_DIRS": f"{local},/other"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.splitlines()[1:5] == [
        f"cwd={local}",
        f"tmpdir={local}/tmp",
        f"jvm=-Dx=1 -Djava.io.tmpdir={local}/tmp -XX:-UsePerfData",
        f"s3a={local}",
    ]


def test_with_a_writable_tmp_the_jvm_is_told_nothing(image: Image, tmp_path: Path) -> None:
    lines = image.run("history-server", SPARK_LOCAL_DIRS=str(tmp_path)).stdout.splitlines()

    assert lines[1:4] == [f"cwd={image.work}", "tmpdir=", "jvm="]


def test_s3a_buffers_in_sparks_local_directory_unless_told_otherwise(image: Image, tmp_path: Path) -> None:
    local = str(tmp_path)

    assert image.run("history-server", SPARK_LOCAL_DIRS=f"{local},/other").stdout.splitlines()[4] == f"s3a={local}"
    told = image.run("history-server", SPARK_LOCAL_DIRS=local, LOCAL_DIRS="/mine").stdout.splitlines()[4]
    assert told == "s3a=/mine"
    assert image.run("history-server").stdout.splitlines()[4] == "s3a="
