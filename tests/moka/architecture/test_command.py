"""`moka draw` as people call it, on an assembly that exists already, and with input that it refuses."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from environments import environment_names
from moka.cli import main

from .conftest import SVG, Templates, folder_of, stacks_of


@pytest.fixture
def folder(demo: Templates, tmp_path: Path) -> Path:
    return folder_of(stacks_of(demo), tmp_path / "cdk.out")


def moka(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int | str | None, str, str]:
    with pytest.raises(SystemExit) as end:
        main(["draw", *arguments])
    said = capsys.readouterr()
    return end.value.code, said.out, said.err


def test_it_writes_below_dist_and_prints_the_path(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    assert moka(capsys, "demo", "--assembly", str(folder)) == (0, "dist/demo/architecture.svg\n", "")
    root = ET.parse(tmp_path / "dist/demo/architecture.svg").getroot()
    assert root.findtext(f"{SVG}title") == "Architecture of demo"


def test_output_is_the_folder_to_write_below(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = tmp_path / "pictures"

    assert moka(capsys, "demo", "--assembly", str(folder), "-o", str(wanted))[0] == 0
    assert (wanted / "demo/architecture.svg").is_file()


def test_two_processes_with_other_hashes_write_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    written = []
    for seed in ("1", "2"):
        command = [
            sys.executable,
            "-m",
            "moka.cli",
            "draw",
            "demo",
            "--assembly",
            str(folder),
            "-o",
            str(tmp_path / seed),
        ]
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PYTHONHASHSEED": seed}, timeout=60)
        written.append((tmp_path / seed / "demo/architecture.svg").read_bytes())

    assert written[0] == written[1]


def test_a_folder_that_cannot_be_written_to_is_told(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("a file")
    code, out, err = moka(capsys, "demo", "--assembly", str(folder), "--output", str(tmp_path / "file"))

    assert (code, out) == (2, "")
    assert err.startswith(f"moka: `--output` must be a folder that can be written to, got {tmp_path}/file: ")
    assert err.endswith("; give another\n")


def test_an_unknown_environment_is_refused_before_any_synth(capsys: pytest.CaptureFixture[str]) -> None:
    assert moka(capsys, "qa") == (2, "", f"moka: `ENV` must be one of {', '.join(environment_names())}, got 'qa'\n")
