"""A server that misbehaves when told to, and a client of it."""

from collections.abc import Iterator

import pytest

from archer.kubernetes.access import Access
from archer.kubernetes.client import ApiClient

from .collection_server import CollectionServer


@pytest.fixture
def server() -> Iterator[CollectionServer]:
    with CollectionServer() as server:
        yield server


@pytest.fixture
def client(server: CollectionServer) -> Iterator[ApiClient]:
    with ApiClient(Access(server=server.url), timeout_seconds=5) as client:
        yield client
