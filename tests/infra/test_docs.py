import re
from pathlib import Path

from moka import roles_reference
from moka.assembly import SynthesizedStack
from moka.plan import make_plan
from moka.plan.docs import PICTURE
from moka.plan.picture import plan_picture
from moka.plan.times import UNKNOWN, typical

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "docs/reference/stacks.md", ROOT / "docs/concepts/infrastructure.md"]


def test_every_file_that_the_pages_name_exists() -> None:
    for page in PAGES:
        named = set(re.findall(r"`((?:infra|tests|benchmarks|environments)/[\w/]+\.py)`", page.read_text()))

        assert named
        assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_reference_has_a_row_for_every_kind_of_stack(stacks: dict[str, SynthesizedStack]) -> None:
    rows = re.findall(r"^\| `<env>/([a-z]+)", PAGES[0].read_text(), re.MULTILINE)

    assert set(rows) == {path.split("/")[1].split("-")[0] for path in stacks}


def test_the_reference_names_what_differs_from_the_recommended_flags() -> None:
    text = PAGES[0].read_text()

    assert "@aws-cdk/core:defaultCrossStackReferences: strong" in text
    assert "enableAdditionalMetadataCollection" in text


def test_the_reference_of_roles_is_what_the_templates_give(stacks: dict[str, SynthesizedStack]) -> None:
    told = roles_reference.PAGE.read_text(encoding="utf-8")

    assert told == roles_reference.page(stacks.values()), "stale: run python -m moka.roles_reference"


def test_every_type_that_is_deployed_has_a_typical_creation_time(stacks: dict[str, SynthesizedStack]) -> None:
    kinds = {resource["Type"] for stack in stacks.values() for resource in stack.resources.values()}

    missing = [kind for kind in sorted(kinds) if typical(kind, {}) is UNKNOWN]
    assert missing == [], "add them to moka/plan/times.py with a source, then run python -m moka.plan.docs"


def test_the_picture_of_prods_plan_is_what_the_templates_give(stacks: dict[str, SynthesizedStack]) -> None:
    prod = [stack for stack in stacks.values() if stack.environment == "prod"]

    assert PICTURE.read_text(encoding="utf-8") == plan_picture(make_plan(prod)), "stale: run python -m moka.plan.docs"
