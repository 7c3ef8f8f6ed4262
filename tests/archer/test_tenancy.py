"""What an environment makes of a submission: filled in, or refused with the names that would do."""

from typing import Any

import pytest

from archer.cluster_config import ClusterConfig
from archer.tenancy import Admission, Tenancy
from testbed.archer_builders import make_cluster_config, make_submission

LAB = make_cluster_config(
    *("root.shared.adhoc.tier3", "root.ads.ctr.tier1", "root.ads.ctr.tier2"),
    teams={"ads": ["root.ads"], "everyone": ["root.shared"]},
)


def admit(config: ClusterConfig | None = LAB, **fields: Any) -> Admission:
    return Tenancy(config).admit(make_submission(**fields))


def refused(config: ClusterConfig | None = LAB, **fields: Any) -> list[str]:
    return [str(problem) for problem in admit(config, **fields).problems]


def test_a_job_that_names_no_queue_waits_in_the_default_one_and_its_history_says_so() -> None:
    admitted = admit()

    assert admitted.queue == admitted.submission.queue == "root.shared.adhoc.tier3"
    assert admitted.problems == []
    assert admitted.notes == ["queue root.shared.adhoc.tier3 is the default of environment lab; the job names none"]


@pytest.mark.parametrize("team", [None, "ads"])
def test_a_leaf_that_is_named_is_taken_without_a_word(team: str | None) -> None:
    admitted = admit(queue="root.ads.ctr.tier1", team=team)

    assert (admitted.queue, admitted.problems, admitted.notes) == ("root.ads.ctr.tier1", [], [])


def test_a_queue_that_nobody_defines_is_refused_with_the_leaves_and_the_likely_one() -> None:
    assert refused(queue="root.ads.ctr.tier3") == [
        (
            "`queue` must be a leaf of environment lab's queue tree: root.ads.ctr.tier1, root.ads.ctr.tier2, "
            'root.shared.adhoc.tier3, got "root.ads.ctr.tier3"; did you mean `root.ads.ctr.tier2`?'
        )
    ]
    assert refused(queue="root.zzz")[0].endswith("; use one of them")


def test_a_queue_that_nobody_defines_is_refused_with_the_teams_own_leaves() -> None:
    assert refused(queue="root.zzz", team="everyone") == [
        (
            "`queue` must be a leaf of environment lab's queue tree that team everyone may use: root.shared.adhoc.tier3, "
            'got "root.zzz"; use one of them'
        )
    ]


def test_a_parent_takes_no_jobs_and_the_leaves_below_it_are_named() -> None:
    assert refused(queue="root.ads") == [
        (
            '`queue` must be a leaf of the queue tree, which alone takes jobs, got "root.ads"; '
            "name a leaf below it: root.ads.ctr.tier1, root.ads.ctr.tier2"
        )
    ]


def test_of_many_leaves_those_that_look_alike_are_named() -> None:
    config = make_cluster_config(*(f"root.team{number}.tier{tier}" for number in range(20) for tier in (1, 2)))

    (problem,) = refused(config, queue="root.team7.teir1")

    assert "root.team7.tier1, " in problem
    assert " and 34 more, got" in problem
    assert problem.count("root.team") == 8, "six in the list, the value, the likely one"
    assert problem.endswith("did you mean `root.team7.tier1`?")


def test_an_unknown_team_is_refused_with_the_teams_there_are() -> None:
    assert refused(team="adds") == [
        '`team` must be a team of environment lab: ads, everyone, got "adds"; did you mean `ads`?'
    ]


def test_a_team_may_not_use_the_queue_of_another() -> None:
    assert refused(team="everyone", queue="root.ads.ctr.tier1") == [
        (
            "`queue` must be a queue that team everyone may use: root.shared.adhoc.tier3, "
            'got "root.ads.ctr.tier1"; use one of them, or ask a team that may use root.ads.ctr.tier1: ads'
        )
    ]


def test_a_team_that_may_not_use_the_default_queue_has_to_name_one() -> None:
    assert refused(team="ads") == [
        (
            "`queue` must be a queue that team ads may use: root.ads.ctr.tier1, root.ads.ctr.tier2, got absent; "
            "name one of them: the default, root.shared.adhoc.tier3, is not for this team"
        )
    ]


def test_a_queue_that_no_team_may_use_can_not_be_used_as_a_team() -> None:
    config = make_cluster_config("root.a", "root.b", teams={"ads": ["root.a"]})

    assert refused(config, team="ads", queue="root.b")[0].endswith('got "root.b"; use one of them')


def test_an_unknown_profile_is_refused() -> None:
    config = make_cluster_config("root.a", profiles=[{"name": "large"}])

    assert refused(config, profile="lagre") == [
        '`profile` must be a profile of environment lab: large, got "lagre"; did you mean `large`?'
    ]
    assert refused(profile="large") == [
        (
            "`profile` must be absent: environment lab has no profiles, "
            'got "large"; leave it out, or define it in the environment file'
        )
    ]


def test_everything_that_is_wrong_is_told_at_once() -> None:
    problems = admit(team="nobody", queue="root.nowhere", profile="none").problems

    assert [problem.path for problem in problems] == ["team", "queue", "profile"]


def test_a_profile_is_applied_and_its_note_follows_the_queues() -> None:
    config = make_cluster_config("root.a", profiles=[{"name": "large", "driver": {"cores": 4, "memory": "8g"}}])

    admitted = admit(config, profile="large")

    assert (admitted.submission.driver.memory, admitted.submission.queue) == ("8g", "root.a")
    assert admitted.notes[1:] == ["from profile large: driver.cores 4, driver.memory 8g"]


def test_without_an_environment_there_is_one_queue_any_team_and_no_profile() -> None:
    admitted = admit(None, team="whoever")

    assert (admitted.queue, admitted.submission.queue, admitted.problems) == ("root.default", "root.default", [])
    assert admit(None, queue="root.default").problems == []
    assert refused(None, queue="root.etl", profile="large") == [
        (
            "`queue` must be `root.default`, the only queue of a server that knows no environment, "
            'got "root.etl"; leave it out, or start the server with ARCHER_CONFIG naming an archer.yaml '
            "(from `moka render ENV`) that has it"
        ),
        (
            "`profile` must be absent: a server that knows no environment has no profiles, "
            'got "large"; leave it out, or start the server with ARCHER_CONFIG naming an archer.yaml '
            "(from `moka render ENV`) that has it"
        ),
    ]
