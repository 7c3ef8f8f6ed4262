"""The History Server's life beside ours; a small program stands in Java's place, the real one is in the faults' tests."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from archer.backends.local.history import HistoryServer
from archer.ports import listen
from archer.settings import ServeSettings

FAKE_JAVA = """\
#!/usr/bin/env python3
import http.server, sys
if "-version" in sys.argv:
    print('openjdk version "17.0.1"', file=sys.stderr)
    sys.exit(0)
options = dict(word[2:].split("=", 1) for word in sys.argv if word.startswith("-Dspark"))
http.server.HTTPServer(("127.0.0.1", int(options["spark.history.ui.port"])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


def until(question: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not question():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def answers(url: str | None) -> bool:
    try:
        return url is not None and httpx.get(url, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
def settings(tmp_path: Path) -> ServeSettings:
    java = tmp_path / "java" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(FAKE_JAVA)
    java.chmod(0o755)
    (tmp_path / "data").mkdir()
    return ServeSettings(data=tmp_path / "data", java_home=tmp_path / "java", history_port=0)


@pytest.fixture
def history(settings: ServeSettings) -> Iterator[HistoryServer]:
    made = HistoryServer(settings, {"PATH": "/usr/bin:/bin"})
    yield made
    made.stop()


def test_it_answers_where_it_says_and_is_gone_after_stop(history: HistoryServer) -> None:
    history.start()
    until(lambda: answers(history.url))
    url = history.url

    history.stop()

    assert not answers(url)


def test_a_taken_port_means_the_next_one(settings: ServeSettings) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        moved = settings.model_copy(update={"history_port": port})
        history = HistoryServer(moved, {"PATH": "/usr/bin:/bin"})
        history.start()
        until(lambda: answers(history.url))

        assert history.url != f"http://127.0.0.1:{port}"
        history.stop()


def test_it_is_started_again_when_it_dies(settings: ServeSettings) -> None:
    told: list[str | None] = []
    server = HistoryServer(settings, {"PATH": "/usr/bin:/bin"}, on_change=lambda: told.append(server.url))
    server.start()
    until(lambda: answers(server.url))
    assert server._keeper is not None

    server._keeper.kill()
    until(lambda: bool(told) and answers(server.url))

    assert told[-1] == server.url
    server.stop()


def test_without_a_java_there_is_no_history_server_and_no_error(settings: ServeSettings) -> None:
    nowhere = settings.model_copy(update={"java_home": settings.data})
    history = HistoryServer(nowhere, {})

    history.start()

    assert history.url is None
    history.stop()
