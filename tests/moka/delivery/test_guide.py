"""What docs/guides/apply.md and docs/concepts/delivery.md promise, compared with the program."""

import re
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from moka.cli import application
from moka_constructs.manifest_set.handler import references
from moka_constructs.manifest_set.handler.jobs import FINALIZER

DOCS = Path(__file__).parents[3] / "docs"
GUIDE = (DOCS / "guides" / "apply.md").read_text(encoding="utf-8")
CONCEPT = (DOCS / "concepts" / "delivery.md").read_text(encoding="utf-8")


def options(command: str) -> set[str]:
    """Every option of `moka COMMAND`."""
    group = get_command(application(command))
    found = group.get_command(typer.Context(group), command)  # type: ignore[attr-defined]  # a group of commands
    return {name for each in found.params for name in (*each.opts, *each.secondary_opts) if name.startswith("--")}


@pytest.mark.parametrize("command", ["apply", "diff"])
def test_the_guide_names_every_option_and_no_other(command: str) -> None:
    section = GUIDE.split("\n## Options\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`--.+?) \| (\w+) \|", section, re.MULTILINE)
    told = {name for names, of in rows if of in {"both", command} for name in re.findall(r"`(--[a-z-]+)`", names)}

    assert told == options(command) - {"--help"}


def test_labels_annotations_and_the_finalizer_are_those_of_the_program() -> None:
    for word in (references.SET_LABEL, f'{references.CREATE_ONLY}: "true"', FINALIZER):
        assert f"`{word}`" in CONCEPT, word


def test_what_a_failed_deploy_says_is_what_the_program_says() -> None:
    section = GUIDE.split("\n## When a deploy fails\n")[1]
    told = [
        phrase
        for row in re.findall(r"^\| (`.+?) \|", section, re.MULTILINE)
        for phrase in re.findall(r"`([^`]+)`", row)
    ]
    folder = Path(references.__file__).parent
    source = " ".join(file.read_text(encoding="utf-8") for file in folder.glob("*.py"))
    # placeholders of the guide stand where the program puts names
    parts = [part for phrase in told for part in re.split(r"\s*(?:FILE|KIND|…;)\s*", phrase) if part]

    assert len(told) >= 12
    assert [part for part in parts if part not in source] == []
