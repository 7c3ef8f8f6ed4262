"""What all places together say of a submission."""

import pytest

from archer.backends.fleet import Fleet
from archer.errors import Problem
from testbed.archer_builders import make_submission
from testbed.archer_fakes import FakeBackend

WRONG = Problem(path="image", value="absent", allowed="an image", fix="name one")


@pytest.mark.parametrize("clusters", [("east",), ("east", "west")])
def test_a_cluster_that_there_is_not_is_refused_and_not_waited_for(clusters: tuple[str, ...]) -> None:
    fleet = Fleet([FakeBackend(cluster=name) for name in clusters])

    (problem,) = fleet.check(make_submission(cluster="north"))

    assert (problem.path, problem.value) == ("cluster", '"north"')
    assert problem.allowed == f"a cluster of this environment: {', '.join(clusters)}"


def test_what_else_is_wrong_is_told_with_it() -> None:
    fleet = Fleet([FakeBackend(cluster="east", problems=(WRONG,))])

    assert [problem.path for problem in fleet.check(make_submission(cluster="north"))] == ["cluster", "image"]


def test_a_place_that_refuses_the_name_in_its_own_words_is_heard() -> None:
    own = Problem(path="cluster", value='"north"', allowed="absent", fix="leave it out")
    fleet = Fleet([FakeBackend(problems=(own,))])

    assert fleet.check(make_submission(cluster="north")) == (own,)


def test_where_one_place_can_honour_it_the_others_do_not_matter() -> None:
    fleet = Fleet([FakeBackend(cluster="east", problems=(WRONG,)), FakeBackend(cluster="west")])

    assert fleet.check(make_submission()) == ()
    assert fleet.check(make_submission(cluster="east")) == (WRONG,)
