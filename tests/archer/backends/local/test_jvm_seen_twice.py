"""A program that a JVM is just starting is not charged with the JVM's memory a second time; a real second process is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from archer.backends.local import procs

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1024
JVM = b"/usr/bin/java\0-Xmx1g\0org.apache.spark.deploy.SparkSubmit\0"
DAEMON = b"/usr/bin/python3\0-m\0pyspark.daemon\0"


def process(proc: Path, pid: int, parent: int, words: bytes, mib: int) -> None:
    (proc / str(pid)).mkdir()
    (proc / str(pid) / "stat").write_text(f"{pid} (a (b) c) S {parent} 1 1")
    (proc / str(pid) / "cmdline").write_bytes(words)
    (proc / str(pid) / "smaps_rollup").write_text(
        f"00400000-7fff [rollup]\nPss_Anon: {mib * MIB} kB\nPss_Shmem: 0 kB\n"
    )


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(procs, "_PROC", tmp_path)
    process(tmp_path, 9, 1, b"/usr/bin/python3\0runner\0", 10)
    process(tmp_path, 10, 9, JVM, 900)
    return tmp_path


def test_program_that_a_jvm_is_starting_is_not_counted(proc: Path) -> None:
    process(proc, 11, 10, JVM, 900)

    assert procs.exact_memory_mib([10, 11]) == 900


def test_program_that_has_been_started_is_counted(proc: Path) -> None:
    process(proc, 11, 10, b"/bin/chmod\0000644\0file\0", 2)

    assert procs.exact_memory_mib([10, 11]) == 902


def test_python_worker_forked_from_its_daemon_is_counted(proc: Path) -> None:
    process(proc, 11, 10, DAEMON, 50)
    process(proc, 12, 11, DAEMON, 400)

    assert procs.exact_memory_mib([10, 11, 12]) == 1350
