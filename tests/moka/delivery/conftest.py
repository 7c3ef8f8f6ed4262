"""`moka` in this process, and a cluster in memory that a kubeconfig leads to."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from moka.cli import application
from testbed.fake_api_server import FakeApiServer


@pytest.fixture
def server() -> Iterator[FakeApiServer]:
    with FakeApiServer() as running:
        yield running


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run `moka WORD…`; errors of moka are raised, as they are to `moka.cli.main`. No kubeconfig of the machine is seen."""
    monkeypatch.setitem(os.environ, "KUBECONFIG", "/nowhere")

    def invoke(command: str, *words: object) -> Result:
        return CliRunner().invoke(
            application(command), [command, *map(str, words)], catch_exceptions=False, standalone_mode=True
        )

    return invoke


@pytest.fixture
def kubeconfig(tmp_path: Path, server: FakeApiServer) -> Path:
    """A kubeconfig of the cluster in memory."""
    file = tmp_path / "kubeconfig"
    document = {
        "current-context": "memory",
        "clusters": [{"name": "c", "cluster": {"server": server.url}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "memory", "context": {"cluster": "c", "user": "u"}}],
    }
    file.write_text(yaml.safe_dump(document))
    return file
