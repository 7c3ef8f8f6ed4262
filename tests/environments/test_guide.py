"""The guide shows what the command prints, and YAML and JSON that are valid."""

import json
import re
from pathlib import Path

import yaml

from environments.document import parse
from environments.loading import FOLDER, judge
from environments.model import Environment
from environments.problems import render_text

GUIDE = (FOLDER.parent / "docs" / "guides" / "environments.md").read_text(encoding="utf-8")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^ *```{language}\n(.*?)^ *```$", GUIDE, flags=re.MULTILINE | re.DOTALL)


def test_the_shown_problems_are_the_ones_that_the_command_prints() -> None:
    text = (FOLDER / "dev.yaml").read_text(encoding="utf-8")
    for old, new in (
        ("max_nodes_per_zone: 4", 'max_nodes_per_zone: "4"'),
        ("[r8gd.4xlarge,", "[r8gd.4xlrge,"),
        ("queues: [root.ads]", "queues: [root.adds]"),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)

    errors = judge(parse("environments/dev.yaml", text.encode())).errors

    (shown,) = _blocks("text")
    assert _without_lines(shown) == _without_lines(render_text(errors) + "\n")


def _without_lines(printed: str) -> str:
    """Take the line numbers out: a comment more in dev.yaml does not make the guide wrong."""
    return re.sub(r"\.yaml:\d+", ".yaml:N", printed)


def test_the_shown_yaml_is_made_of_keys_of_the_file() -> None:
    shown = [yaml.safe_load(block) for block in _blocks("yaml")]

    assert shown
    assert all(set(each) <= set(Environment.model_fields) for each in shown)


def test_the_shown_key_policy_lets_auto_scaling_use_the_key_and_create_grants() -> None:
    (block,) = _blocks("json")
    actions = [action for statement in json.loads(block) for action in [statement["Action"]]]

    assert "kms:CreateGrant" in actions
    assert any("kms:GenerateDataKey*" in action for action in actions if isinstance(action, list))


def test_every_shipped_file_is_in_the_guide() -> None:
    for file in FOLDER.glob("*.yaml"):
        assert f"`environments/{file.name}`" in GUIDE


def test_every_link_inside_the_docs_leads_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", GUIDE):
        assert (Path(FOLDER.parent / "docs" / "guides") / target).exists(), target
