"""`archer serve` as a child of ours: started at once, known to be ready when its own `/readyz` says so.

Its stdin is our pipe: when we end, however we end, the pipe closes and the server stops itself and its jobs.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from moka.errors import BadInputError, MokaError
from moka.processes import Child, venv_environment
from moka.synth import BIN

if TYPE_CHECKING:
    from pathlib import Path

_START_SECONDS = 90.0
"""A cold start on two busy cores takes about five seconds; nobody should wait for ever for one that hangs."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a server that is ready can be reached."""

    url: str
    history_url: str | None


class ArcherServer:
    """One server on one data folder, with the environment's queues, teams and profiles from `config`."""

    def __init__(self, data: Path, *, config: Path, port: int, history_port: int, slots: int) -> None:
        self.data = data
        self.address: Address | None = None
        """None until it is ready."""
        self._port, self._history_port = port, history_port
        self._deadline = time.monotonic() + _START_SECONDS
        data.mkdir(parents=True, exist_ok=True)
        ports = ["--port", str(port), "--history-port", str(history_port)]
        lifetime = ["--slots", str(slots), "--stop-on-stdin-eof", "--stop-jobs-on-exit"]
        self.child = Child(
            "archer",
            [str(BIN / "archer"), "serve", "--backend", "local", "--data", str(data), *ports, *lifetime],
            log=data.parent / "logs" / "archer.log",
            cwd=data,
            env=venv_environment(BIN, {"ARCHER_CONFIG": str(config)}),
        )

    def check(self) -> Address | None:
        """The address once the server is ready. Raises MokaError when it ended or takes too long."""
        code = self.child.exit_code()
        if code is not None:
            kind = BadInputError if code == BadInputError.exit_code else MokaError
            raise kind(f"archer ended with {code}; the end of {self.child.log}:\n{self.child.log_tail()}")
        if self.address is None:
            self.address = self._ready()
        if self.address is None and time.monotonic() > self._deadline:
            tail = self.child.log_tail()
            raise MokaError(f"archer is not ready after {_START_SECONDS:.0f} s; the end of {self.child.log}:\n{tail}")
        return self.address

    def notices(self) -> list[str]:
        """What is not as it was asked for: ports that others had."""
        if self.address is None:
            return []
        wanted = {
            "Archer": (self._port, self.address.url),
            "the History Server": (self._history_port, self.address.history_url),
        }
        return [
            f"port {port} is taken; {name} listens on {url}"
            for name, (port, url) in wanted.items()
            if url is not None and port not in {0, urlsplit(url).port}
        ]

    def _ready(self) -> Address | None:
        try:
            said: dict[str, Any] = json.loads((self.data / "server.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        if said.get("pid") != self.child.pid:
            return None  # left by an earlier server
        try:
            # trust_env: a proxy for the outside world must not be asked for this machine
            ready = httpx.get(f"{said['url']}/readyz", timeout=2, trust_env=False).is_success
        except httpx.TransportError:
            return None
        return Address(url=said["url"], history_url=said.get("history_url")) if ready else None
