"""Profiles: values for what a job leaves out, and never for anything else."""

from typing import Any

from archer.cluster_config import ProfileView
from archer.errors import Problem
from archer.profiles import Profiled, apply
from archer.submission import Submission
from testbed.archer_builders import make_submission

LARGE = ProfileView.model_validate(
    {
        "name": "large",
        "spark_version": "4.0.5",
        "driver": {"cores": 4, "memory": "8g"},
        "executor": {"cores": 4, "memory": "16g", "instances": 10},
        "conf": {"spark.sql.shuffle.partitions": "64", "spark.my.password": "hunter2"},
    }
)


def under(profile: ProfileView = LARGE, **fields: Any) -> Profiled:
    return apply(profile, make_submission(profile=profile.name, **fields))


def test_a_job_that_says_nothing_gets_all_of_the_profile() -> None:
    job = under().submission

    assert (job.driver.cores, job.driver.memory, job.driver.memory_overhead) == (4, "8g", None)
    assert (job.executor.cores, job.executor.memory, job.executor.instances) == (4, "16g", 10)
    assert job.spark_version == "4.0.5"
    assert job.conf == LARGE.conf


def test_what_the_job_says_wins_also_when_it_equals_a_default() -> None:
    job = under(
        driver={"memory": "1g"},
        executor={"instances": 1, "memory_overhead": "1g"},
        conf={"spark.sql.shuffle.partitions": "8", "spark.x": "y"},
        spark_version="4.0",
    ).submission

    assert (job.driver.cores, job.driver.memory) == (4, "1g")
    assert (job.executor.instances, job.executor.cores, job.executor.memory_overhead) == (1, 4, "1g")
    assert job.conf == {"spark.sql.shuffle.partitions": "8", "spark.my.password": "hunter2", "spark.x": "y"}
    assert job.spark_version == "4.0"


def test_a_job_under_a_profile_obeys_every_rule_of_submissions() -> None:
    job = under().submission

    assert Submission.model_validate(job.model_dump(mode="json")) == job


def test_the_history_tells_what_is_the_profiles_and_no_value_that_may_be_secret() -> None:
    note = under(driver={"cores": 1}, executor={"cores": 1, "memory": "1g"}).note()

    assert note == (
        "from profile large: driver.memory 8g, executor.instances 10, spark_version 4.0.5, "
        "conf.spark.sql.shuffle.partitions, conf.spark.my.password"
    )


def test_a_profile_that_adds_nothing_says_so() -> None:
    small = ProfileView.model_validate({"name": "small", "driver": {"cores": 1, "memory": "1g"}})

    profiled = under(small, driver={"cores": 2, "memory": "2g"})

    assert profiled.submission.driver.cores == 2
    assert profiled.note() == "profile small adds nothing: the job says all of it itself"


def test_only_a_problem_with_a_value_of_the_profile_is_the_profiles() -> None:
    profiled = under(driver={"memory": "1g"})
    theirs = Problem(path="executor.memory", value="x", allowed="y", fix="ask for less")
    own = Problem(path="driver.memory", value="x", allowed="y", fix="ask for less")

    assert profiled.attributed(theirs).fix == "ask for less; the value is profile large's"
    assert profiled.attributed(own) == own
