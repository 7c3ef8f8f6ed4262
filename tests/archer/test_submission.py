"""What a user may ask for, and every way in which it is refused."""

from typing import Any

import pytest
from pydantic import ValidationError

from archer.errors import Problem
from archer.problems import problems_of
from archer.submission import Submission

SMALLEST = {"name": "report", "application": {"file": "/jobs/report.py"}}


def problems(**fields: Any) -> list[Problem]:
    """What is wrong with the smallest submission and these fields."""
    with pytest.raises(ValidationError) as caught:
        Submission.model_validate({**SMALLEST, **fields})
    return problems_of(caught.value, Submission)


def test_the_smallest_submission_names_itself_and_its_application() -> None:
    submission = Submission.model_validate(SMALLEST)

    assert submission.queue is None
    assert submission.driver.memory == "1g"
    assert submission.executor.instances == 1
    assert submission.retry.max_attempts == 1
    assert submission.timeouts.run_seconds is None


def test_every_field_can_be_given() -> None:
    everything = {
        "name": "nightly.report-1",
        "team": "growth",
        "queue": "root.company.growth.tier-1",
        "user": "ada",
        "application": {
            "file": "s3a://jobs/report.jar",
            "main_class": "com.example.Report$",
            "arguments": ["--day", "2026-11-23", "with space", ""],
            "py_files": ["/jobs/lib.zip"],
            "jars": ["https://repo.example/a.jar"],
            "files": ["file:///etc/motd"],
            "archives": ["hdfs://nn/env.tgz#env"],
        },
        "spark_version": "4.0",
        "image": "registry.example/spark:4.0",
        "profile": "large",
        "parameters": {"day": "2026-11-23"},
        "cluster": "one",
        "driver": {"cores": 2, "memory": "4g", "memory_overhead": "1g"},
        "architecture": "arm64",
        "priority": -5,
        "shuffle": "celeborn",
        "executor": {
            "instances": 10,
            "cores": 4,
            "memory": "16g",
            "memory_overhead": "4g",
            "min_instances": 2,
            "max_instances": 40,
            "capacity": "spot",
        },
        "conf": {"spark.sql.shuffle.partitions": "200"},
        "environment": {"STAGE": "test"},
        "timeouts": {"queue_seconds": 60, "start_seconds": 60, "run_seconds": 3600},
        "retry": {"max_attempts": 3},
        "labels": {"example.com/owner": "growth"},
        "idempotency_key": "2026-11-23/report",
    }

    submission = Submission.model_validate(everything)

    assert set(everything) == set(Submission.model_fields)
    assert submission.model_dump(mode="json") == everything


@pytest.mark.parametrize(("file", "main_class", "kind"), [("/a.py", None, "python"), ("/a.jar", "A", "java")])
def test_the_language_follows_the_suffix(file: str, main_class: str | None, kind: str) -> None:
    submission = Submission.model_validate({**SMALLEST, "application": {"file": file, "main_class": main_class}})

    assert submission.application.type == kind


def test_all_problems_are_told_at_once_each_with_path_value_and_fix() -> None:
    found = problems(
        name="two words",
        executer={},
        driver={"memory": "1x", "cores": "2"},
        conf={"spark.master": "local", "spark.eventLog.dir": "/x"},
        retry={"max_attempts": 99},
    )

    assert [problem.path for problem in found] == [
        "name",
        "driver.cores",
        "driver.memory",
        "conf.spark.master",
        "conf.spark.eventLog.dir",
        "retry.max_attempts",
        "executer",
    ]
    assert found[-1].fix == "did you mean `executor`?"
    assert found[-2].allowed == "at most 10"
    assert found[-2].value == "99"
    assert "leave it out" in found[3].fix


@pytest.mark.parametrize(
    ("fields", "path", "allowed"),
    [
        ({"application": {"file": "report.py"}}, "application.file", "an absolute path or a URI"),
        ({"application": {"file": "s3://b/report.py"}}, "application.file", "an absolute path or a file, s3a"),
        ({"application": {"file": "ftp://h/report.py"}}, "application.file", "an absolute path or a file, s3a"),
        ({"application": {"file": "s3a://"}}, "application.file", "an absolute path or a file, s3a"),
        ({"application": {"file": "/report.sh"}}, "application.file", "a .py or .jar file"),
        ({"application": {"file": "/report.jar"}}, "application.main_class", "the class to start"),
        ({"application": {"file": "/a.py", "main_class": "A"}}, "application.main_class", "absent for a .py"),
        ({"application": {"file": "/a.py", "jars": ["x.jar"]}}, "application.jars.0", "an absolute path"),
        ({"application": {"file": "/a.py", "py_files": ["/a,b.py"]}}, "application.py_files.0", "a location without"),
        ({"application": {"file": "/a.py", "jars": ["/a.jar,/b.jar"]}}, "application.jars.0", "a location without"),
        ({"application": {"file": "/a.py", "arguments": ["é" * 40000]}}, "application.arguments.0", "at most 65536 by"),
        ({"environment": {"A": "é" * 40000}}, "environment.A", "at most 65536 bytes"),
        ({"environment": {"_JAVA_OPTIONS": "-version"}}, "environment._JAVA_OPTIONS", "a variable that Archer doesn't"),
        (
            {"environment": {"JAVA_TOOL_OPTIONS": "x"}},
            "environment.JAVA_TOOL_OPTIONS",
            "a variable that Archer doesn't",
        ),
        ({"application": {"file": "/a.py", "arguments": ["a\0b"]}}, "application.arguments.0", "text that matches"),
        ({"application": {"file": "/a.py", "arguments": "a b"}}, "application.arguments", "a list"),
        ({"application": {}}, "application.file", "present"),
        ({"name": ""}, "name", "text that matches"),
        ({"name": "x" * 64}, "name", "text that matches"),
        ({"name": 7}, "name", "a string"),
        ({"user": "\ud800"}, "user", "valid Unicode text"),
        ({"user": "a\nb"}, "user", "text that matches"),
        ({"queue": "default"}, "queue", "text that matches"),
        ({"team": "Growth"}, "team", "text that matches"),
        ({"driver": {"memory": "0g"}}, "driver.memory", "text that matches"),
        ({"driver": {"memory": "100m"}}, "driver.memory", "between 512m and"),
        ({"executor": {"memory": "99t"}}, "executor.memory", "between 512m and"),
        ({"executor": {"instances": 0}}, "executor.instances", "at least 1"),
        ({"executor": {"instances": True}}, "executor.instances", "a whole number"),
        ({"executor": {"instances": 2.0}}, "executor.instances", "a whole number"),
        ({"executor": {"cores": 10**30}}, "executor.cores", "at most 256"),
        ({"conf": {"hive.x": "1"}}, "conf.hive.x", "text that matches"),
        ({"conf": {"spark.x": 1}}, "conf.spark.x", "a string"),
        ({"conf": {"spark.driver.memory": "1g"}}, "conf.spark.driver.memory", "a key that Archer doesn't set"),
        ({"environment": {"A-B": "1"}}, "environment.A-B", "text that matches"),
        ({"environment": {"ARCHER_DATA": "1"}}, "environment.ARCHER_DATA", "a variable that Archer doesn't set"),
        ({"environment": {"SPARK_HOME": "1"}}, "environment.SPARK_HOME", "a variable that Archer doesn't set"),
        ({"labels": {"a b": "1"}}, "labels.a b", "text that matches"),
        ({"labels": {"a": "x" * 64}}, "labels.a", "at most 63 characters"),
        ({"timeouts": {"run_seconds": 0}}, "timeouts.run_seconds", "at least 1"),
        ({"idempotency_key": ""}, "idempotency_key", "at least 1 characters"),
        ({"idempotency_key": "with space"}, "idempotency_key", "text that matches"),
        ({"retry": []}, "retry", "an object"),
        ({"retry": {"attempts": 2}}, "retry.attempts", "one of max_attempts"),
    ],
)
def test_each_rule_refuses_with_its_own_words(fields: dict[str, Any], path: str, allowed: str) -> None:
    found = problems(**fields)

    assert [problem.path for problem in found] == [path]
    assert found[0].allowed.startswith(allowed)
    assert found[0].fix


def test_every_reserved_property_says_what_to_do_instead() -> None:
    from archer.reserved import RESERVED_CONF

    for entry in RESERVED_CONF:
        key = entry.replace("*", "anything")
        (problem,) = problems(conf={key: "x"})
        assert problem.fix == RESERVED_CONF[entry]


def test_properties_that_only_look_reserved_are_free() -> None:
    free = {"spark.driver.memoryOverheadFactor": "0.2", "spark.jars.packages": "a:b:1", "spark.masterful": "x"}

    assert Submission.model_validate({**SMALLEST, "conf": free}).conf == free


def test_a_refusal_never_repeats_a_secret() -> None:
    """It may end in the log of a build that many read."""
    found = problems(
        environment={"DB_PASSWORD": 12345678, "DB-TOKEN": "hunter2"},
        conf={"spark.hadoop.fs.s3a.secret.key": ["hunter2"]},
        env={"DB_PASSWORD": "hunter2"},
    )

    assert len(found) == 4
    assert not any(secret in str(problem) for problem in found for secret in ("hunter2", "12345678"))
