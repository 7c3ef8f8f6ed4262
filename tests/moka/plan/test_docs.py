"""The pages about plans say what the program does."""

from __future__ import annotations

import re

from moka.plan.docs import COMMAND, DOCS, TIMES_PAGE, times_page
from moka.plan.times import CREATION_TIMES

GUIDE = DOCS / "guides" / "deploy-plan.md"


def test_the_page_of_creation_times_is_the_table() -> None:
    assert TIMES_PAGE.read_text(encoding="utf-8") == times_page(), f"stale: run `{COMMAND}` and commit the result"


def test_every_type_and_every_source_is_on_the_page() -> None:
    text = TIMES_PAGE.read_text(encoding="utf-8")

    assert [time.kind for time in CREATION_TIMES if f"`{time.kind}`" not in text] == []
    assert [time.source for time in CREATION_TIMES if time.source not in text] == []


def test_every_link_of_guide_and_reference_leads_to_a_file() -> None:
    for page in (GUIDE, TIMES_PAGE, DOCS / "index.md"):
        links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
        assert [link for link in links if not (page.parent / link).exists()] == []
