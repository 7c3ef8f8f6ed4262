"""The examples' input appears whole or not at all, and is made again only when it must be."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

SCRIPT = Path(__file__).parents[2] / "examples" / "datasets.py"
TPCH = ("tpch", "--scale-factor", "0.001")


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command: Sequence[str] = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete set, as the script made it; tests get copies."""
    folder = tmp_path_factory.mktemp("made") / "tpch"
    assert run(*TPCH, "--output", folder).returncode == 0
    return folder


@pytest.fixture
def tpch(tmp_path: Path, made: Path) -> Path:
    """A complete set that was made earlier."""
    return Path(shutil.copytree(made, tmp_path / "tpch"))


def stamps(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}


def test_tpch_has_eight_tables_of_the_scale_asked_for(tmp_path: Path) -> None:
    made = run(*TPCH, "--output", tmp_path / "deep" / "tpch")

    assert (made.returncode, made.stdout) == (0, "")
    tables = {file.stem: pq.read_metadata(file).num_rows for file in (tmp_path / "deep" / "tpch").glob("*.parquet")}
    assert len(tables) == 8
    assert (tables["orders"], tables["customer"], tables["nation"]) == (1500, 150, 25)


def test_flights_are_the_packages_own_records(tmp_path: Path) -> None:
    made = run("flights", "--output", tmp_path / "flights")

    assert made.returncode == 0
    with (tmp_path / "flights" / "flights.csv").open() as file:
        assert sum(1 for _ in file) == 1 + 336_776
    assert {file.name for file in (tmp_path / "flights").iterdir()} == {
        "flights.csv",
        "airlines.csv",
        "airports.csv",
        "dataset.json",
    }


def test_complete_set_is_left_alone(tpch: Path) -> None:
    before = stamps(tpch)

    again = run(*TPCH, "--output", tpch)

    assert again.returncode == 0
    assert again.stderr.endswith("is complete already\n")
    assert stamps(tpch) == before


@pytest.mark.parametrize("damage", ["missing", "truncated", "manifest"])
def test_damaged_set_is_made_again(tpch: Path, damage: str) -> None:
    orders = tpch / "orders.parquet"
    if damage == "missing":
        orders.unlink()
    elif damage == "truncated":
        os.truncate(orders, 100)
    else:
        (tpch / "dataset.json").write_text("{")

    again = run(*TPCH, "--output", tpch)

    assert again.returncode == 0
    assert pq.read_metadata(orders).num_rows == 1500


def test_other_scale_replaces_the_set(tpch: Path) -> None:
    run("tpch", "--scale-factor", "0.002", "--output", tpch)

    assert pq.read_metadata(tpch / "orders.parquet").num_rows == 3000


def test_killed_maker_leaves_nothing_that_looks_complete(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "tpch", "--scale-factor", "1", "--output", str(tmp_path / "tpch")]
    maker = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(".tpch.making/*.parquet")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(maker.pid, signal.SIGKILL)
    maker.wait()

    assert not (tmp_path / "tpch").exists()
    assert run(*TPCH, "--output", tmp_path / "tpch").returncode == 0
    assert pq.read_metadata(tmp_path / "tpch" / "orders.parquet").num_rows == 1500
    assert not (tmp_path / ".tpch.making").exists()


def test_two_makers_at_once_make_it_once(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), *TPCH, "--output", str(tmp_path / "tpch")]
    makers = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]

    said = sorted(maker.communicate(timeout=120)[1].split()[-1] for maker in makers)

    assert [maker.returncode for maker in makers] == [0, 0]
    assert said == ["already", "made"]


def test_refuses_a_folder_with_other_peoples_files(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")

    refused = run(*TPCH, "--output", tmp_path / "mine")

    assert refused.returncode == 2
    assert refused.stderr == (
        f"datasets: `--output` must be empty or a data set made by this script, got {tmp_path / 'mine'}; "
        "name another folder\n"
    )
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize("scale", ["0", "-1", "many", "1e9", "NaN"])
def test_refuses_a_scale_that_makes_no_sense(tmp_path: Path, scale: str) -> None:
    refused = run("tpch", f"--scale-factor={scale}", "--output", tmp_path / "tpch")

    assert refused.returncode == 2
    assert f"must be a number from 0.001 to 100, got '{scale}'" in refused.stderr
    assert not (tmp_path / "tpch").exists()


def test_output_that_cannot_be_made_is_said_without_a_trace(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    refused = run(*TPCH, "--output", tmp_path / "file" / "tpch")

    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr
