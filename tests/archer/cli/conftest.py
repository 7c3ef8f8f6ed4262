"""The command line run in this process against the real application, served on a free port."""

from __future__ import annotations

import io
import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from archer.cli import main
from archer.http_server import HttpServer

if TYPE_CHECKING:
    from tests.archer.conftest import HandDriven

_SHAPES = (
    (re.compile(r"j-[0-9a-z]{26}"), "j-ID"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ"), "TIME"),
    (re.compile(r"\b(?:\d+m )?\d+(?:\.\d)?s\b"), "0.0s"),
    (re.compile(r"http://127\.0\.0\.1:\d+(?=/jobs/)"), "URL"),
)


def shape(text: str) -> list[str]:
    """The lines, with ids, times, lengths of time and our own address made equal; runs of blanks become one."""
    for pattern, word in _SHAPES:
        text = pattern.sub(word, text)
    return [re.sub(r"(?<=\S) {2,}", "  ", line) for line in text.splitlines()]


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return shape(self.out)

    @property
    def talk(self) -> list[str]:
        return shape(self.err)


Run = Callable[..., Ran]


@pytest.fixture
def served(by_hand: HandDriven) -> Iterator[str]:
    """The application's address."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = HttpServer(by_hand.app, listening, shutdown_seconds=1)
    assert server.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.stop(5)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """`run("list", "--output", "json")`: the command's exit code and what it wrote."""
    monkeypatch.setenv("LOGNAME", "ada")

    def call(*arguments: str, stdin: str = "") -> Ran:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        captured = capsys.readouterr()
        return Ran(int(ended.value.code or 0), captured.out, captured.err)

    return call


@pytest.fixture
def archer(run: Run, served: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """As `run`, with ARCHER_URL set to the served application."""
    monkeypatch.setenv("ARCHER_URL", served)
    return run
