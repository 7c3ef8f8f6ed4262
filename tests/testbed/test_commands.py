"""Mistakes at the command line end with what is allowed, without a stack trace and before anything is started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "testbed", *words],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("up", "nowhere"), 2, "nowhere"),
        (("up", "dev", "--cluster", "other"), 2, "has no cluster 'other'; it has batch"),
        (("up", "dev", "--per-zone", "-1"), 2, "greater than or equal to 0"),
        (("build", "kubeadm"), 2, "no program kubeadm; choose of etcd"),
    ],
)
def test_a_mistake_is_answered_with_what_is_allowed(words: tuple[str, ...], code: int, said: str) -> None:
    done = run(*words)

    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_runs_and_nothing_is_ended(tmp_path: Path) -> None:
    assert run("status", XDG_RUNTIME_DIR=str(tmp_path)).stdout.startswith("no testbed runs")
    assert run("down", XDG_RUNTIME_DIR=str(tmp_path)).stdout == "no testbed runs\n"
    named = run("down", "lab", XDG_RUNTIME_DIR=str(tmp_path))
    assert (named.returncode, named.stderr) == (2, "testbed: no testbed lab runs; none does\n")


def test_an_entry_of_a_process_that_died_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "moka" / "testbed" / "running"
    folder.mkdir(parents=True)
    entry = folder / "moka-testbed-1.json"
    # our own number, and a birth that is not ours
    entry.write_text(f'{{"pid": {os.getpid()}, "born": 1.0, "context": "c", "server": "s", "kubeconfig": "k"}}')

    assert run("status", XDG_RUNTIME_DIR=str(tmp_path)).stdout.startswith("no testbed runs")
    assert not entry.exists()


def test_ctrl_c_ends_a_build_without_a_stack_trace(tmp_path: Path) -> None:
    go = tmp_path / "go"
    go.write_text('#!/bin/sh\n[ "$1" = env ] && echo \'{}\' && exit 0\ntouch "$0.started"\nexec sleep 600\n')
    go.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "XDG_CACHE_HOME": str(tmp_path)}
    environment.pop("KUBEBUILDER_ASSETS", None)
    build = subprocess.Popen(
        [sys.executable, "-m", "testbed", "build", "etcd"],
        cwd=ROOT,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert build.stderr is not None
    assert "building etcd" in build.stderr.readline()

    while not (tmp_path / "go.started").exists():
        assert build.poll() is None

    os.killpg(build.pid, signal.SIGINT)  # as a terminal does: the whole group
    _, said = build.communicate(timeout=60)

    assert build.returncode == 130
    assert "Traceback" not in said
    assert [path.name for path in tmp_path.glob("moka/testbed/*/*")] == [".lock"]


def test_without_go_it_says_what_to_install(tmp_path: Path) -> None:
    done = run("build", PATH=str(tmp_path), XDG_CACHE_HOME=str(tmp_path))

    assert done.returncode == 1
    assert done.stderr.startswith("testbed: etcd, kube-apiserver")
    assert "install Go" in done.stderr
