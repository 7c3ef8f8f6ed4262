"""A machine that can't run a node is told everything that it lacks, each with what to do, before anything is started."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from testbed.errors import CannotRunHereError
from testbed.real_node import machine

ROOT = Path(__file__).parents[3]


def test_every_missing_debian_package_is_named_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(machine, "CNI_PROGRAMS", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    packages = "conntrack containerd containernetworking-plugins debootstrap iproute2 iptables runc util-linux"

    with pytest.raises(CannotRunHereError, match=f"missing: .*; apt-get install {packages}$"):
        machine.require()


def test_an_ordinary_user_is_told_to_be_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    with pytest.raises(CannotRunHereError, match=r"root is needed, this is user 1000; run it as root"):
        machine.require()


def test_what_the_kernel_refuses_is_named_with_its_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    refusing = tmp_path / "refusing"
    refusing.write_text("#!/bin/sh\necho 'unshare failed: Operation not permitted' >&2\nexit 1\n")
    refusing.chmod(0o755)
    monkeypatch.setattr(machine, "_NAMESPACES", (str(refusing),))

    said = machine._refused_by_the_kernel()

    assert len(said) == len(machine._TRIALS)
    assert all("unshare failed: Operation not permitted; use a machine" in line for line in said)


def test_the_set_up_of_the_e2e_tests_installs_what_a_node_needs_and_ci_calls_it() -> None:
    set_up = ROOT / "scripts" / "setup-e2e.sh"
    installed = set(re.findall(r"[\w.+-]+", set_up.read_text()))

    assert {*machine.DEBIAN_PACKAGES.values(), machine.CNI_PACKAGE} - installed == set()
    assert f"sh {set_up.relative_to(ROOT)}" in (ROOT / ".ci" / "run").read_text()


def test_the_command_ends_with_the_list_and_no_stack_trace(tmp_path: Path) -> None:
    python = Path(sys.executable)
    environment = {
        **os.environ,
        "PATH": str(tmp_path),
        "XDG_RUNTIME_DIR": str(tmp_path),
        "XDG_CACHE_HOME": str(tmp_path),
    }
    done = subprocess.run(
        [python, "-m", "testbed", "real-node", "up"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.startswith("testbed: a real node can't run on this machine:\n- ")
    assert "Traceback" not in done.stderr


def test_down_says_that_none_runs(tmp_path: Path) -> None:
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "testbed", "real-node", "down"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "no real node runs\n")
