"""Which Java is taken."""

from pathlib import Path

import pytest

from archer.backends.local.java import find_java, probe
from archer.errors import LaunchRefusedError


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
