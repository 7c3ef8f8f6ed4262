"""Which Java is taken."""

import subprocess
import sys
from pathlib import Path

import pytest

from archer.backends.local.java import find_java, probe
from archer.errors import BackendUnavailableError, LaunchRefusedError


def make_java(folder: Path, version: str, *, code: int = 0) -> Path:
    """A home whose `java -version` answers as real ones do."""
    (folder / "bin").mkdir(parents=True)
    program = folder / "bin" / "java"
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-04-15' >&2\nexit {code}\n")
    program.chmod(0o755)
    return folder


def test_java_home_comes_before_path_and_path_before_pypis(tmp_path: Path) -> None:
    home = make_java(tmp_path / "home", "17.0.15")
    on_path = make_java(tmp_path / "path", "21.0.8")
    path = {"PATH": f"{on_path / 'bin'}:/usr/bin:/bin"}

    assert find_java(None, {"JAVA_HOME": str(home), **path}).home == home
    assert find_java(None, path).home == on_path
    assert find_java(None, path).version == 21


def test_an_unsuitable_java_is_passed_over(tmp_path: Path) -> None:
    old = make_java(tmp_path / "old", "1.8.0_402")
    broken = make_java(tmp_path / "broken", "17", code=1)
    good = make_java(tmp_path / "good", "17.0.15")

    assert find_java(None, {"JAVA_HOME": str(old), "PATH": f"{good / 'bin'}:/bin"}).home == good
    assert find_java(None, {"JAVA_HOME": str(broken), "PATH": f"{good / 'bin'}:/bin"}).home == good


def test_pypis_java_is_found_when_nothing_else_is(tmp_path: Path) -> None:
    found = find_java(None, {"PATH": str(tmp_path)})

    assert found.version == 21
    assert found.home.name == "java-runtime"


def test_a_configured_java_that_does_not_fit_is_refused_and_not_replaced(tmp_path: Path) -> None:
    new = make_java(tmp_path / "new", "25.0.1")

    with pytest.raises(LaunchRefusedError, match="install Java 17 or 21") as caught:
        find_java(new, {})

    assert caught.value.detail == f"java_home {new}: version 25"


def test_a_folder_without_java_does_not_run(tmp_path: Path) -> None:
    assert probe(tmp_path) is None


def test_a_machine_without_open_files_left_is_no_machine_without_java(tmp_path: Path) -> None:
    """The job would fail for good, and with the wrong diagnosis."""
    program = (
        "import resource, sys; from pathlib import Path; from archer.backends.local.java import find_java\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))\n"
        "try: find_java(Path(sys.argv[1]), {})\n"
        "except OSError as error: print(error.strerror)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, str(make_java(tmp_path, "17"))], capture_output=True, text=True, check=False
    )

    assert (done.stdout, done.stderr) == ("Too many open files\n", "")


def test_a_java_that_does_not_answer_in_time_is_asked_again_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archer.backends.local.java._PROBE_SECONDS", 0.2)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").write_text("#!/bin/sh\nexec sleep 60\n")
    (tmp_path / "bin" / "java").chmod(0o755)

    with pytest.raises(BackendUnavailableError, match="no answer from java"):
        find_java(tmp_path, {})
