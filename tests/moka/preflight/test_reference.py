"""The reference page and the guide say what the program does."""

from __future__ import annotations

import re
from pathlib import Path

from moka.preflight.checks import CHECKS
from moka.preflight.quotas import QUOTAS
from moka.preflight.reference import PAGE, page

GUIDE = Path(__file__).resolve().parents[3] / "docs/guides/preflight.md"


def test_the_page_is_what_the_checks_declare() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m moka.preflight.reference` and commit the result"


def test_every_check_and_quota_is_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")

    assert [check.name for check in CHECKS if f"| `{check.name}` |" not in text] == []
    assert [quota.code for quota in QUOTAS if f"| {quota.code} |" not in text] == []


def test_every_check_that_the_guide_names_exists() -> None:
    named = set(re.findall(r"--only ([a-z-]+)", GUIDE.read_text(encoding="utf-8")))

    assert named
    assert named <= {check.name for check in CHECKS}


def test_every_link_of_guide_and_reference_leads_to_a_file() -> None:
    for document in (GUIDE, PAGE):
        links = re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text(encoding="utf-8"))
        assert links
        assert [link for link in links if not (document.parent / link).exists()] == []
