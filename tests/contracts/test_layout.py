"""The layout that makes the imports work, and the promises that README makes."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def tracked(pattern: str) -> list[str]:
    done = subprocess.run(["git", "ls-files", pattern], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_constructs_is_a_source_root_and_not_a_package_that_shadows_the_library() -> None:
    assert not (ROOT / "constructs" / "__init__.py").exists()


def test_no_package_under_tests_shadows_a_package_of_ours() -> None:
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_app_is_a_table_of_contents_under_sixty_lines() -> None:
    assert len((ROOT / "app.py").read_text().splitlines()) < 60


def test_modules_stay_under_the_ceiling() -> None:
    too_long = {
        path: lines
        for path in tracked("*.py")
        if "/imports/" not in path
        and (ROOT / path).exists()
        and (lines := len((ROOT / path).read_text().splitlines())) > 450
    }

    assert too_long == {}


PAGES = sorted(str(path.relative_to(ROOT)) for folder in ("docs", "examples") for path in (ROOT / folder).rglob("*.md"))


def test_every_page_of_the_documentation_is_in_its_index() -> None:
    index = (ROOT / "docs" / "index.md").read_text()
    pages = [page.removeprefix("docs/") for page in PAGES if page.startswith("docs/") and page != "docs/index.md"]

    assert pages
    assert [page for page in pages if f"({page})" not in index] == []


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", *PAGES])
def test_every_link_of_a_page_leads_to_a_file(page: str) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", (ROOT / page).read_text())
    local = [target for target in targets if not target.startswith(("http:", "https:"))]
    missing = [target for target in local if not (ROOT / page).parent.joinpath(target).exists()]

    assert missing == []


def test_every_make_target_in_readme_exists() -> None:
    text = (ROOT / "README.md").read_text()
    named = set(re.findall(r"\bmake ([a-z][a-z0-9]*)", text))
    existing = set(re.findall(r"^([a-z][a-z0-9]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert {"run", "test"} <= named
    assert named <= existing


def test_every_folder_of_the_map_exists() -> None:
    text = (ROOT / "README.md").read_text()
    folders = re.findall(r"^\| `([a-z0-9_/]+)/`", text, re.MULTILINE)

    assert len(folders) >= 8
    assert [folder for folder in folders if not (ROOT / folder).is_dir()] == []
