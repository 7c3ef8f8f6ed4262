"""The table of verbs and standings, and who stands where. What the API answers by it: tests/archer/api/test_access.py."""

import pytest

from archer.auth.identity import ANYBODY, Identity, Proof, is_role
from archer.auth.roles import ALLOWED, SERVER, Standing, Target, Verb, may, require, standings
from archer.errors import NotAllowedError


def somebody(*roles: str, subject: str = "ada", teams: frozenset[str] = frozenset()) -> Identity:
    return Identity(subject=subject, roles=frozenset(roles), teams=teams, proof=Proof.TOKEN)


@pytest.mark.parametrize(
    ("role", "queue", "below"),
    [
        ("submitter:root.etl", "root.etl", True),
        ("submitter:root.etl", "root.etl.daily.tier1", True),
        ("submitter:root.etl", "root.etl-other", False),
        ("submitter:root.etl", "root.etlx", False),
        ("submitter:root.etl", "root", False),
        ("submitter:root.etl.daily", "root.etl", False),
        ("submitter:root", "root.anything.at.all", True),
    ],
)
def test_a_submitter_covers_its_queue_and_what_lies_below(role: str, queue: str, below: bool) -> None:
    assert may(somebody(role), Verb.SUBMIT, Target(queue=queue)) is below


def test_nobody_owns_a_job_without_an_owner() -> None:
    assert Standing.OWNER not in standings(somebody(), Target(queue="root.x", owner=None))
    assert Standing.OWNER in standings(somebody(), Target(queue="root.x", owner="ada"))
    assert Standing.OWNER not in standings(somebody(), Target(queue="root.x", owner="Ada"))


def test_a_team_covers_its_own_jobs_alone() -> None:
    tina = somebody(teams=frozenset({"ads"}))

    assert may(tina, Verb.KILL, Target(queue="root.x", owner="ada2", team="ads"))
    assert not may(tina, Verb.KILL, Target(queue="root.x", owner="ada2", team="ml"))
    assert not may(tina, Verb.KILL, Target(queue="root.x", owner="ada2", team=None))


def test_every_verb_has_a_row_and_an_admin_may_do_it() -> None:
    assert set(ALLOWED) == set(Verb)
    assert all(may(somebody("admin"), verb) for verb in Verb)


def test_operators_steer_and_submitters_do_not() -> None:
    assert may(somebody("operator"), Verb.STEER)
    assert not may(somebody("submitter:root", "viewer"), Verb.STEER)


def test_nothing_is_allowed_without_a_role_or_a_relation() -> None:
    assert not [verb for verb in Verb if may(somebody(), verb, Target(queue="root.x", owner="bob", team="ads"))]


def test_whoever_is_at_the_local_door_may_do_all() -> None:
    assert all(may(ANYBODY, verb, SERVER) for verb in Verb)


@pytest.mark.parametrize("word", ["", "Admin", "submitter", "submitter:", "submitter:etl", "submitter:root.", "root"])
def test_a_word_that_is_no_role_is_none(word: str) -> None:
    assert not is_role(word)
    assert not [verb for verb in Verb if may(somebody(word), verb, Target(queue="root.x"))]


def test_a_refusal_says_what_it_takes() -> None:
    with pytest.raises(NotAllowedError) as refused:
        require(somebody(), Verb.KILL, Target(queue="root.etl", owner="bob", team="ads"))

    assert str(refused.value) == (
        "ada may not kill this job; that takes being the job's owner, being a submitter of team ads, role operator or role admin"
    )
