"""A cluster is broken only when it was named on purpose and says itself that it may be.

The API server here is a small one of our own that answers one question; a real one is asked in tests/e2e.
"""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from testbed import kubeconfig
from testbed.errors import ForeignClusterError
from testbed.foreign import ForeignCluster
from testbed.pki import Authority

Named = Callable[..., None]


@pytest.fixture
def named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Named]:
    """Starts an API server whose kube-system has these labels, and names it in the variables."""
    servers: list[HTTPServer] = []
    kubectl = tmp_path / "kubectl"
    kubectl.write_text("#!/bin/sh\n")
    kubectl.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("MOKA_TESTBED_KUBECONFIG", "MOKA_TESTBED_CONTEXT", "KUBECONFIG"):
        monkeypatch.delenv(name, raising=False)

    def start(labels: dict[str, str], variables: tuple[str, ...] = ("KUBECONFIG", "CONTEXT")) -> None:
        authority = Authority(tmp_path, "ca")
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        pair = authority.server("api", ["127.0.0.1"])
        context.load_cert_chain(pair.certificate, pair.key)

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                resources = {"resources": [{"name": "namespaces", "kind": "Namespace", "namespaced": False}]}
                found = {"metadata": {"name": "kube-system", "labels": labels}}
                body = json.dumps(found if "kube-system" in self.path else resources).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        path = kubeconfig.write(
            tmp_path / "config",
            context="lab",
            server=f"https://127.0.0.1:{server.server_address[1]}",
            authority=authority.pair.certificate,
            user="secret",
        )
        values = {"KUBECONFIG": str(path), "CONTEXT": "lab"}
        for name in variables:
            monkeypatch.setenv(f"MOKA_TESTBED_{name}", values[name])

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_no_variable_names_no_cluster_and_kubeconfig_is_not_read(
    named: Named, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    named({"moka.dev/testbed": "true"}, ())
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))

    assert ForeignCluster.from_environment() is None


def test_a_cluster_with_the_label_is_taken(named: Named, tmp_path: Path) -> None:
    named({"moka.dev/testbed": "true"})

    cluster = ForeignCluster.from_environment()

    assert cluster is not None
    assert (cluster.kubeconfig, cluster.context) == (tmp_path / "config", "lab")
    assert "BEGIN CERTIFICATE" in cluster.ca_file.read_text()
    folder = cluster.folder
    cluster.close()
    assert not folder.exists()


@pytest.mark.parametrize("labels", [{}, {"moka.dev/testbed": "false"}, {"kubernetes.io/metadata.name": "kube-system"}])
def test_a_cluster_without_the_label_is_refused_with_what_to_do(named: Named, labels: dict[str, str]) -> None:
    named(labels)

    with pytest.raises(ForeignClusterError, match=r"delete nodes.* label namespace kube-system moka.dev/testbed=true"):
        ForeignCluster.from_environment()


@pytest.mark.parametrize("variable", ["KUBECONFIG", "CONTEXT"])
def test_one_variable_alone_is_refused(named: Named, variable: str) -> None:
    named({"moka.dev/testbed": "true"}, (variable,))

    with pytest.raises(ForeignClusterError, match=r"MOKA_TESTBED_\w+ is set and MOKA_TESTBED_\w+ is not"):
        ForeignCluster.from_environment()


def test_a_cluster_that_does_not_answer_is_refused(named: Named, tmp_path: Path) -> None:
    named({})
    kubeconfig.write(
        tmp_path / "config", context="lab", server="https://127.0.0.1:1", authority=tmp_path / "ca.crt", user="secret"
    )

    with pytest.raises(ForeignClusterError, match=r"can't ask https://127.0.0.1:1 .* whether it is a testbed"):
        ForeignCluster.from_environment()
