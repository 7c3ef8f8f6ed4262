"""What this machine refuses, and what it only notes."""

import os
from pathlib import Path
from typing import Any

import pytest

from archer.backends.local import admission, spark
from testbed.archer_builders import make_submission

HOST_MIB = 16 * 1024


@pytest.fixture
def app(tmp_path: Path) -> Path:
    path = tmp_path / "report.py"
    path.write_text("print(1)\n")
    return path


def paths(app: Path, *, application: dict[str, Any] | None = None, **fields: Any) -> dict[str, str]:
    """Path to fix of every problem."""
    submission = make_submission(application={"file": str(app), **(application or {})}, **fields)
    return {problem.path: problem.fix for problem in admission.check(submission, host_memory_mib=HOST_MIB)}


def test_an_ordinary_job_is_admitted(app: Path) -> None:
    version = spark.spark_version()

    assert paths(app, cluster="local", spark_version=version) == {}
    assert paths(app, spark_version=version.rpartition(".")[0]) == {}


def test_all_that_one_machine_can_not_do_is_told_at_once(app: Path) -> None:
    found = paths(
        app,
        image="x:1",
        parameters={"a": "b"},
        cluster="one",
        shuffle="celeborn",
        spark_version="3.5",
        driver={"memory": "100g"},
        executor={"memory": "200g"},
        conf={"spark.driver.extraJavaOptions": "-Xmx9g"},
        application={"jars": ["/no.jar"], "archives": ["/no.tgz#env"]},
    )

    assert set(found) == {
        *("image", "parameters", "cluster", "shuffle", "spark_version", "driver.memory", "executor.memory"),
        *("conf.spark.driver.extraJavaOptions", "application.jars.0", "application.archives.0"),
    }


def test_parameters_are_a_profiles_business_where_one_is_named(app: Path) -> None:
    assert paths(app, profile="daily", parameters={"day": "1"}) == {}


def test_what_only_nodes_would_make_a_difference_to_is_noted(app: Path) -> None:
    told = admission.notes(make_submission(application={"file": str(app)}, executor={"max_instances": 4}))

    assert told == [
        "no effect on one machine: max_instances, min_instances, capacity, architecture: it has one kind of node"
    ]


def test_a_version_that_only_begins_alike_is_another(app: Path) -> None:
    assert "spark_version" in paths(app, spark_version="4.00")


def test_missing_files_folders_and_unreadable_files_are_told_apart(tmp_path: Path, app: Path) -> None:
    found = paths(app, application={"files": [str(tmp_path / "no"), str(tmp_path), f"file://{app}"]})

    assert found == {
        "application.files.0": "create it, or correct the path",
        "application.files.1": "name a file, not a folder",
    }


def test_an_archive_may_be_given_another_name(app: Path) -> None:
    assert paths(app, application={"archives": [f"{app}#environment"]}) == {}


def test_s3_needs_a_library_that_can_be_asked_for(app: Path) -> None:
    s3 = {"files": ["s3a://bucket/key"]}

    assert "hadoop-aws" in paths(app, application=s3)["application.files.0"]
    assert paths(app, application=s3, conf={"spark.jars.packages": "org.apache.hadoop:hadoop-aws:3.4.1"}) == {}


def test_java_options_that_a_shell_could_not_read_are_refused(app: Path) -> None:
    assert (
        "quotation"
        in paths(app, conf={"spark.driver.extraJavaOptions": "-Da='x"})["conf.spark.driver.extraJavaOptions"]
    )


def test_memory_is_judged_with_its_overhead(app: Path) -> None:
    assert paths(app, driver={"memory": "11g"}) == {}
    # 40 % for Python
    assert "driver.memory" in paths(app, driver={"memory": "12g"})


def test_what_changes_nothing_here_is_noted() -> None:
    submission = make_submission(
        queue="root.etl",
        conf={"spark.kubernetes.driver.node.selector.x": "y", "spark.dynamicAllocation.enabled": "true"},
    )

    notes = admission.notes(submission)

    assert len(notes) == 3
    assert "queue root.etl" in notes[0]
    assert "spark.dynamicAllocation.enabled: there are no executors" in notes[1]
    assert "spark.kubernetes.driver.node.selector.x: there is no Kubernetes" in notes[2]
    assert admission.notes(make_submission()) == []


def test_java_options_that_would_not_run_the_job_are_refused(app: Path) -> None:
    found = paths(app, conf={"spark.driver.extraJavaOptions": "-version", "spark.driver.defaultJavaOptions": "-X"})

    assert set(found) == {"conf.spark.driver.extraJavaOptions", "conf.spark.driver.defaultJavaOptions"}


def test_a_name_longer_than_any_file_has_is_a_wrong_path(tmp_path: Path, app: Path) -> None:
    name = "x" * 300

    found = paths(app, application={"file": f"{tmp_path}/{name}.py"})

    assert "correct the path" in found["application.file"]


def test_a_pipe_is_no_application(tmp_path: Path, app: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")

    assert paths(app, application={"file": f"{tmp_path}/pipe.py"}) == {
        "application.file": "name a file, not a device or a pipe"
    }
