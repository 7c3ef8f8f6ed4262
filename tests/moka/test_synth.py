"""Synth and render in one process of their own; a user's mistake keeps its exit code."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

from environments import environment_names
from moka.synth import inventory_command

if TYPE_CHECKING:
    from pathlib import Path


def test_one_environment_is_synthesised_and_rendered_anew(tmp_path: Path) -> None:
    name = environment_names()[0]
    (tmp_path / "dist" / "gone").mkdir(parents=True)
    (tmp_path / "cdk.out").mkdir()
    (tmp_path / "cdk.out" / "stale.template.json").write_text("{}")

    ran = subprocess.run(
        inventory_command(tmp_path / "cdk.out", tmp_path / "dist", name),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=tmp_path,
    )

    assert ran.returncode == 0, ran.stderr
    artifacts = json.loads((tmp_path / "cdk.out" / "manifest.json").read_text())["artifacts"]
    stages = [artifact for artifact in artifacts.values() if artifact["type"] == "cdk:cloud-assembly"]
    assert [stage["properties"]["displayName"] for stage in stages] == [name]
    assert not (tmp_path / "cdk.out" / "stale.template.json").exists()
    assert [folder.name for folder in (tmp_path / "dist").iterdir()] == [name]
    assert list((tmp_path / "dist" / name).glob("*/*.yaml"))


def test_mistake_of_the_users_ends_with_2_and_a_sentence(tmp_path: Path) -> None:
    ran = subprocess.run(
        inventory_command(tmp_path / "cdk.out", tmp_path / "dist", "qa"),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=tmp_path,
    )

    assert ran.returncode == 2
    assert "qa" in ran.stderr
    assert ", ".join(environment_names()) in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not (tmp_path / "dist").exists()
