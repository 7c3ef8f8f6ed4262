"""What a killed node left is found by its claim, and what a living one holds is left alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from testbed.real_node import remains
from testbed.real_node.remains import Claim, claims, sweep

ROOT = Path(__file__).parents[3]
HOLD = """
import pathlib, sys, time
from testbed.real_node import remains
remains.CGROUPS = pathlib.Path(sys.argv[1])
remains._make_cgroup = lambda name: (remains.CGROUPS / name).mkdir()
claim = remains.Claim.of(pathlib.Path(sys.argv[2]))
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture
def cgroups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One hierarchy of cgroup v2, as a folder."""
    root = tmp_path / "cgroup"
    root.mkdir()
    (root / "cgroup.controllers").write_text("cpu memory")
    monkeypatch.setattr(remains, "CGROUPS", root)
    monkeypatch.setattr(remains, "_make_cgroup", lambda name: (root / name / "kubepods" / "pod1").mkdir(parents=True))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return root


def test_a_release_removes_folder_cgroup_and_claim(cgroups: Path, tmp_path: Path) -> None:
    (tmp_path / "node").mkdir()
    claim = Claim.of(tmp_path / "node")
    assert (cgroups / claim.cgroup / "kubepods").exists()
    assert len(list(claims().iterdir())) == 1

    claim.release()

    assert [path.name for path in cgroups.iterdir()] == ["cgroup.controllers"]
    assert not (tmp_path / "node").exists()
    assert list(claims().iterdir()) == []


def test_a_sweep_takes_what_nobody_holds_and_leaves_what_somebody_does(cgroups: Path, tmp_path: Path) -> None:
    left, held = tmp_path / "left", tmp_path / "held"
    left.mkdir()
    held.mkdir()
    claims().mkdir(parents=True)
    (claims() / "moka-testbed-left.json").write_text(json.dumps({"folder": str(left)}))
    (cgroups / "moka-testbed-left" / "kubepods").mkdir(parents=True)
    mine = Claim.of(held)

    assert sweep() == ["moka-testbed-left"]
    assert not left.exists()
    assert not (cgroups / "moka-testbed-left").exists()
    assert held.exists()
    assert (cgroups / mine.cgroup).exists()
    mine.release()


def test_a_claim_ends_with_its_holder_however_that_ends(cgroups: Path, tmp_path: Path) -> None:
    folder = tmp_path / "node"
    folder.mkdir()
    command = [sys.executable, "-c", HOLD, str(cgroups), str(folder)]
    with subprocess.Popen(command, cwd=ROOT, env=dict(os.environ), stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            assert sweep() == []
        finally:
            holder.kill()

    assert len(sweep()) == 1
    assert not folder.exists()
