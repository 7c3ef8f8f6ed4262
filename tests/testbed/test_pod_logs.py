"""Logs of pretended pods: the annotation's text, to a client of the cluster alone."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import httpx
import pytest

from testbed.kubernetes import Client
from testbed.pki import Authority
from testbed.pod_logs import LOG_ANNOTATION, PodLogs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from testbed.pki import Pair


def api(request: httpx.Request) -> httpx.Response:
    if request.url.path == "/api/v1":
        return httpx.Response(200, json={"resources": [{"name": "pods", "kind": "Pod", "namespaced": True}]})
    if not request.url.path.endswith("/driver"):
        return httpx.Response(404, json={"reason": "NotFound", "message": "no such pod"})
    return httpx.Response(200, json={"metadata": {"annotations": {LOG_ANNOTATION: "one\ntwo\nthree\n"}}})


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "ca")


@pytest.fixture
def logs(authority: Authority) -> Iterator[PodLogs]:
    made = PodLogs(
        Client("https://api", transport=httpx.MockTransport(api)),
        certificate=authority.server("kubelet", ["127.0.0.1"]),
        authority=authority.pair.certificate,
    )
    yield made
    made.close()


def ask(logs: PodLogs, authority: Authority, path: str, client: Pair | None) -> httpx.Response:
    context = ssl.create_default_context(cafile=str(authority.pair.certificate))
    if client is not None:
        context.load_cert_chain(client.certificate, client.key)
    with httpx.Client(verify=context, trust_env=False) as http:
        return http.get(f"https://127.0.0.1:{logs.port}{path}")


@pytest.mark.parametrize(
    ("path", "code", "said"),
    [
        ("/containerLogs/default/driver/main", 200, "one\ntwo\nthree\n"),
        ("/containerLogs/default/driver/main?tailLines=2", 200, "two\nthree\n"),
        ("/containerLogs/default/driver/main?tailLines=0", 200, ""),
        ("/containerLogs/default/driver/main?limitBytes=5", 200, "one\nt"),
        ("/containerLogs/default/other/main", 500, "404 NotFound: no such pod\n"),
        ("/exec/default/driver/main", 404, "the testbed's nodes serve /containerLogs only\n"),
    ],
)
def test_the_answer_is_the_annotation(logs: PodLogs, authority: Authority, path: str, code: int, said: str) -> None:
    answer = ask(logs, authority, path, authority.client("api-server", user="kube-apiserver"))

    assert (answer.status_code, answer.text) == (code, said)


def test_nobody_without_a_certificate_of_the_cluster_gets_an_answer(
    logs: PodLogs, authority: Authority, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path, "other").client("stranger", user="stranger")
    for client in (None, stranger):
        with pytest.raises(httpx.TransportError):
            ask(logs, authority, "/containerLogs/default/driver/main", client)
