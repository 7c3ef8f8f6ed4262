"""Clusters found in moto's EKS, and the function called as boto3 calls it, over HTTP."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import boto3  # type: ignore[import-untyped]
import pytest
from moto import mock_aws

from environments import load
from moka.delivery.aws import Account
from moka.delivery.reach import ViaLambda, Wishes
from moka.delivery.sets import RenderedSet
from moka.errors import BadInputError, MokaError
from moka_constructs.manifest_set.handler import bundle
from moka_constructs.manifest_set.handler.order import ManifestFile

DEV = load("dev").model_copy(update={"account": "123456789012"})
BATCH = DEV.cluster("batch")


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws(config={"core": {"passthrough": {"urls": [r"http://127\.0\.0\.1.*"]}}}):
        yield


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., list[Any]]]:
    """`function(answer)` stands where Lambda is and returns the list that requests are put into."""
    servers = []

    def start(answer: object, *, error: str | None = None) -> list[Any]:
        asked: list[Any] = []

        class Lambda(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                asked.append((self.path, json.loads(body)))
                content = json.dumps(answer).encode()
                self.send_response(200)
                if error is not None:
                    self.send_header("X-Amz-Function-Error", error)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Lambda)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        servers.append((server, thread))
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", f"http://127.0.0.1:{server.server_port}")
        return asked

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_cluster_is_found_in_eks_and_the_caller_gets_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    from moto.moto_api._internal import mock_random

    # moto's own certificate is random letters
    monkeypatch.setattr(mock_random, "get_random_string", lambda *_, **__: base64.b64encode(b"PEM").decode())
    made = boto3.client("eks", region_name=DEV.region).create_cluster(
        name="moka-dev-batch",
        roleArn="arn:aws:iam::123456789012:role/c",
        resourcesVpcConfig={"subnetIds": ["subnet-1"]},
    )["cluster"]

    server = Account(DEV, None).server(BATCH)

    assert server.url == made["endpoint"]
    assert server.ca == "PEM"
    assert server.token is not None
    assert server.token(False).startswith("k8s-aws-v1.")


def test_a_cluster_that_is_not_there_is_told_with_its_name() -> None:
    with pytest.raises(
        MokaError, match=r"AWS refused eks describe_cluster moka-dev-batch: .*ResourceNotFoundException"
    ):
        Account(DEV, None).server(BATCH)


def test_credentials_of_another_account_are_refused_before_anything() -> None:
    with pytest.raises(BadInputError, match="must be of account 111111111111, environment dev's, got 123456789012"):
        Account(load("dev"), None)


def test_the_clusters_function_gets_the_set_and_its_answer_is_the_result(function: Callable[..., list[Any]]) -> None:
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}}
    files = (ManifestFile(name="10-n.yaml", manifests=(manifest,)),)
    rendered = RenderedSet(
        environment="dev", cluster="batch", eks_cluster="moka-dev-batch", name="platform", files=files
    )
    asked = function({"differences": [], "left over": []})

    result = ViaLambda(account=Account(DEV, None), cluster=BATCH).carry("diff", rendered, Wishes(prune=True))

    ((path, event),) = asked
    assert result == {"differences": [], "left over": []}
    assert path == "/2015-03-31/functions/moka-dev-batch-manifests/invocations"
    assert bundle.read(base64.b64decode(event.pop("Bundle"))) == files
    assert event == {
        "Action": "diff",
        "ClusterName": "moka-dev-batch",
        "Set": "platform",
        "Options": {"prune": True, "everything": False, "force_fields": [], "wait": True},
    }


def test_a_function_that_broke_is_told_in_its_own_words(function: Callable[..., list[Any]]) -> None:
    function({"errorMessage": "Task timed out after 900 seconds"}, error="Unhandled")

    with pytest.raises(MokaError, match="function moka-dev-batch-manifests broke: Task timed out after 900 seconds"):
        Account(DEV, None).invoke(BATCH, {})
