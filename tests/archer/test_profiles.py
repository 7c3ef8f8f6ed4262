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


DAILY = ProfileView.model_validate(
    {
        "name": "daily",
        "executor": {"cores": "${cores}", "memory": "${heap}", "instances": 10},
        "conf": {"spark.app.day": "${day}", "spark.x": "${day}-${cores} ${env:HOME} ${spark.app.id}"},
        "parameters": [
            {"name": "day", "description": "day to compute"},
            {"name": "cores", "type": "integer", "default": "4", "minimum": 1, "maximum": 8},
            {"name": "heap", "type": "memory", "default": "8g", "allowed": ["8g", "16g"]},
            {"name": "ratio", "type": "number", "default": "0.5", "maximum": 1},
            {"name": "fast", "type": "boolean", "default": "true"},
        ],
    }
)


def told(**parameters: str) -> list[str]:
    return [str(problem) for problem in under(DAILY, parameters=parameters).problems]


def test_parameters_fill_the_places_and_defaults_the_rest() -> None:
    job = under(DAILY, parameters={"day": "2026-11-23", "heap": "16g"}).submission

    assert (job.executor.cores, job.executor.memory, job.executor.instances) == (4, "16g", 10)
    assert job.conf["spark.app.day"] == "2026-11-23"


def test_sparks_own_substitutions_are_left_to_spark() -> None:
    assert under(DAILY, parameters={"day": "1"}).submission.conf["spark.x"] == "1-4 ${env:HOME} ${spark.app.id}"


def test_every_wrong_parameter_is_told_at_once() -> None:
    found = told(dya="1", cores="9", heap="12g", ratio="x", fast="yes")

    assert found == [
        '`parameters.dya` must be a parameter of profile daily: day, cores, heap, ratio, fast, got "1"; did you mean `day`?',
        "`parameters.day` must be present: day to compute, got absent; give it: `day` of profile daily",
        '`parameters.cores` must be a whole number of at least 1 and at most 8, got "9"; change it',
        '`parameters.heap` must be one of 8g, 16g, got "12g"; change it',
        '`parameters.ratio` must be a number, got "x"; change it',
        '`parameters.fast` must be true or false, got "yes"; change it',
    ]


def test_a_value_that_does_not_fit_where_it_stands_is_the_parameters_fault() -> None:
    sized = ProfileView.model_validate(
        {"name": "sized", "driver": {"cores": 1, "memory": "${heap}"}, "parameters": [{"name": "heap"}]}
    )

    (problem,) = under(sized, parameters={"heap": "lots"}).problems

    assert problem.path == "parameters.heap"
    assert problem.fix == "change it; it becomes driver.memory of profile sized"


def test_a_profile_without_parameters_takes_none() -> None:
    (problem,) = under(parameters={"day": "1"}).problems

    assert str(problem) == '`parameters.day` must be absent: profile large has no parameters, got "1"; leave it out'


def test_nothing_is_lent_while_a_parameter_is_wrong() -> None:
    assert under(DAILY, parameters={}).lent == {}
