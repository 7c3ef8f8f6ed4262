import os
import subprocess
import sys
from pathlib import Path

import pytest

from k8s_manifests.node_runtime import put_node_on_path


def test_charts_render_when_no_node_is_on_path() -> None:
    code = "import k8s_manifests, cdk8s; print(cdk8s.Yaml.stringify({'a': 1}))"

    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PATH": ""}, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "a: 1"


def test_the_virtual_environments_node_wins_over_the_systems(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "node").touch()
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", "/elsewhere")

    put_node_on_path()
    put_node_on_path()

    assert os.environ["PATH"] == f"{tmp_path}{os.pathsep}/elsewhere"


def test_no_node_at_all_is_one_clear_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(FileNotFoundError, match=r"`node` is neither in .* nor on PATH; run `scripts/setup.sh`"):
        put_node_on_path()
