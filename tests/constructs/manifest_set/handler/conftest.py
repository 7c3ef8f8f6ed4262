"""A fake API server and deliveries to it. What a real one does is proven in tests/e2e/delivery."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from moka_constructs.manifest_set.handler.client import Client, Server
from moka_constructs.manifest_set.handler.deadline import Deadline
from moka_constructs.manifest_set.handler.order import ManifestFile
from moka_constructs.manifest_set.handler.run import Delivery, Options
from testbed.fake_api_server import FakeApiServer

from .cloudformation_side import CloudFormation

Manifest = dict[str, Any]
Files = dict[str, list[Manifest]]
Deliver = Callable[..., Delivery]


@pytest.fixture
def server() -> Iterator[FakeApiServer]:
    with FakeApiServer() as running:
        yield running


@pytest.fixture
def client(server: FakeApiServer) -> Iterator[Client]:
    made = Client(server=Server(url=server.url), deadline=Deadline(20))
    yield made
    made.close()


@pytest.fixture
def said() -> list[str]:
    """What deliveries said."""
    return []


@pytest.fixture
def deliver(server: FakeApiServer, said: list[str]) -> Iterator[Deliver]:
    """`deliver(seconds=20, prune=True)` makes a delivery of set `platform`."""
    clients: list[Client] = []

    def make(*, seconds: float = 20, **options: Any) -> Delivery:
        clients.append(Client(server=Server(url=server.url), deadline=Deadline(seconds)))
        return Delivery(
            client=clients[-1],
            options=Options(**{"set_name": "platform", "owner": "moka-test-c", **options}),
            say=said.append,
        )

    yield make
    for each in clients:
        each.close()


def as_files(files: Files) -> tuple[ManifestFile, ...]:
    return tuple(ManifestFile(name=name, manifests=tuple(manifests)) for name, manifests in files.items())


def an_object(kind: str, name: str, namespace: str = "", *, api: str = "v1", **fields: Any) -> Manifest:
    metadata: Manifest = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api, "kind": kind, "metadata": {**metadata, **fields.pop("metadata", {})}, **fields}


def a_deployment(name: str, namespace: str, *, replicas: int = 1, image: str = "x:1", system: bool = True) -> Manifest:
    pod: Manifest = {"containers": [{"name": "main", "image": image}]}
    if system:
        pod["nodeSelector"] = {"moka.dev/role": "system"}
    template = {"metadata": {"labels": {"app": name}}, "spec": pod}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template}
    return an_object("Deployment", name, namespace, api="apps/v1", spec=spec)


def a_crd(kind: str, group: str = "example.com") -> Manifest:
    plural = f"{kind.lower()}s"
    spec = {
        "group": group,
        "names": {"kind": kind, "plural": plural},
        "scope": "Namespaced",
        "versions": [{"name": "v1", "served": True}],
    }
    return an_object("CustomResourceDefinition", f"{plural}.{group}", api="apiextensions.k8s.io/v1", spec=spec)


@pytest.fixture
def cloudformation() -> Iterator[CloudFormation]:
    with CloudFormation() as side:
        yield side
