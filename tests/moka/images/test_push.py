"""A push looks first, tells all problems at once, and never overwrites."""

from dataclasses import replace
from typing import Any

import pytest

from k8s_manifests.own_images import ARCHER
from moka.images.catalog import Entry
from moka.images.push import Plan, carry_out, plan
from moka.images.tools import Manifest, ToolError
from tests.moka.images.conftest import BOTH, NO_REPOSITORY, Registries, index

THING = Entry(
    kind="mirrored",
    repository="thing",
    tag="1.0",
    source="upstream.example.com/a/thing:1.0",
    digest=None,
    version_source="https://example.com/1.0",
    target="registry.example.com/moka/thing:1.0",
)
CONTENT = index(*BOTH, name="thing")
DIGEST = Manifest(raw=CONTENT).digest
OURS = Entry(
    kind="built",
    repository="archer",
    tag="0.1.0-0123456789ab",
    source="images/archer/Dockerfile",
    digest=None,
    version_source=None,
    target="registry.example.com/moka/archer:0.1.0-0123456789ab",
    own=ARCHER,
)


def planned(registries: Registries, *entries: Entry, platforms: tuple[str, ...] = BOTH) -> Plan:
    return plan(entries, registries, platforms, fix_repository="make it first")


def outcome(found: Plan) -> list[tuple[str, str | None]]:
    assert found.problems == ()
    return [(step.action, step.digest) for step in found.steps]


def problem(found: Plan) -> str:
    (text,) = found.problems
    return text


@pytest.mark.parametrize("pinned", [None, DIGEST])
def test_what_is_not_there_is_copied_by_digest(
    registries: Registries, capsys: pytest.CaptureFixture[str], pinned: str | None
) -> None:
    registries.content[THING.source] = CONTENT
    found = planned(registries, replace(THING, digest=pinned))

    assert outcome(found) == [("copy", DIGEST)]
    assert carry_out(found.steps, registries, BOTH) == ()
    assert registries.content[THING.target] == CONTENT
    assert capsys.readouterr().out == f"copied {THING.target} {DIGEST}\n"


def test_a_second_push_changes_nothing(registries: Registries) -> None:
    registries.content[THING.source] = CONTENT
    for _ in range(2):
        found = planned(registries, THING, OURS)
        carry_out(found.steps, registries, BOTH)

    assert registries.changes == [f"copy {THING.target}", f"build {OURS.target}"]
    assert [action for action, _ in outcome(planned(registries, THING, OURS))] == ["there", "there"]


def test_a_pinned_image_that_is_there_is_not_asked_for_upstream(registries: Registries) -> None:
    registries.content[THING.target] = CONTENT
    registries.broken[THING.source] = ToolError("no network")

    assert outcome(planned(registries, replace(THING, digest=DIGEST))) == [("there", DIGEST)]


def test_an_unpinned_image_that_is_there_stays_while_upstream_does_not_answer_and_that_is_said(
    registries: Registries,
) -> None:
    registries.content[THING.target] = CONTENT
    registries.broken[THING.source] = ToolError("no network")

    found = planned(registries, THING)

    assert outcome(found) == [("there", DIGEST)]
    assert "upstream did not answer" in found.steps[0].line()
    assert "no network" in found.steps[0].line()


@pytest.mark.parametrize("pinned", [None, DIGEST])
def test_a_tag_that_holds_something_else_is_a_problem_and_not_overwritten(
    registries: Registries, pinned: str | None
) -> None:
    registries.content[THING.source] = CONTENT
    registries.content[THING.target] = index(*BOTH, name="other")

    text = problem(planned(registries, replace(THING, digest=pinned)))

    assert f"{THING.target} holds {Manifest(raw=index(*BOTH, name='other')).digest}" in text
    assert "tags are not overwritten" in text


def test_a_tag_that_upstream_moved_away_from_the_pin_is_a_problem(registries: Registries) -> None:
    registries.content[THING.source] = index(*BOTH, name="moved")

    text = problem(planned(registries, replace(THING, digest=DIGEST)))

    assert f"pins {DIGEST}" in text
    assert "upstream moved the tag" in text


def test_an_upstream_tag_that_is_not_there_names_the_page_and_the_file(registries: Registries) -> None:
    text = problem(planned(registries, THING))

    assert "https://example.com/1.0" in text
    assert "k8s_manifests/images.py" in text


def test_an_image_without_a_wanted_architecture_is_a_problem(registries: Registries) -> None:
    registries.content[THING.source] = index("linux/amd64")

    assert "has no image for linux/arm64" in problem(planned(registries, THING))
    assert outcome(planned(registries, THING, platforms=("linux/amd64",)))[0][0] == "copy"


def test_ours_that_was_pushed_for_fewer_architectures_is_a_problem(registries: Registries) -> None:
    registries.content[OURS.target] = index("linux/amd64")

    assert "has no image for linux/arm64; remove the tag" in problem(planned(registries, OURS))


def test_all_problems_are_told_at_once(registries: Registries) -> None:
    registries.broken[THING.target] = NO_REPOSITORY
    registries.broken[OURS.target] = ToolError("401 unauthorized")
    gone = replace(THING, source="upstream.example.com/gone:1.0", target="registry.example.com/moka/gone:1.0")

    found = planned(registries, THING, OURS, gone)

    assert len(found.problems) == 3
    assert found.problems[0] == f"{THING.target}: the registry has no such repository; make it first"
    assert found.problems[1] == f"{OURS.target} cannot be asked: 401 unauthorized"
    assert "gone:1.0 is not there" in found.problems[2]


def test_what_this_machine_cannot_build_is_told_before_anything_is_copied(registries: Registries) -> None:
    registries.told = "no emulation for linux/arm64"

    assert problem(planned(registries, OURS)) == "no emulation for linux/arm64"
    registries.content[OURS.target] = index(*BOTH)
    assert outcome(planned(registries, OURS))[0][0] == "there", "nothing is left to build"


def test_a_copy_that_arrives_changed_is_a_failure(registries: Registries) -> None:
    registries.content[THING.source] = CONTENT
    registries.wrong_copies = True

    (text,) = carry_out(planned(registries, THING).steps, registries, BOTH)

    assert text.startswith(f"{THING.target}: copied, but the tag holds sha256:")
    assert text.endswith(f"not {DIGEST}")


def test_one_failure_does_not_keep_the_others_from_being_pushed(
    registries: Registries, capsys: pytest.CaptureFixture[str]
) -> None:
    registries.content[THING.source] = CONTENT
    steps = planned(registries, OURS, THING).steps
    registries.broken[OURS.target] = ToolError("buildah ended with 1: no space left")

    (text,) = carry_out(steps, registries, BOTH)

    assert text == f"{OURS.target}: buildah ended with 1: no space left"
    assert capsys.readouterr().out == f"copied {THING.target} {DIGEST}\n"


def test_a_build_gets_the_platforms_and_the_base(registries: Registries) -> None:
    carry_out(planned(registries, OURS).steps, registries, BOTH, "localhost/base:1")

    (recipe,) = registries.recipes
    assert recipe.platforms == BOTH
    assert recipe.arguments["BASE"] == "localhost/base:1"


def test_a_single_image_does_not_say_its_architecture_and_is_taken_as_it_is(registries: Registries) -> None:
    single: Any = b'{"config": {}}'
    registries.content[OURS.target] = single

    assert outcome(planned(registries, OURS)) == [("there", Manifest(raw=single).digest)]
