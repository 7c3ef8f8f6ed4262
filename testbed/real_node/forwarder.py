"""A port of this machine's loopback that leads into a node's network: for programs that are to run here and reach its API server.

Bytes are passed on as they are, so TLS and the certificates are the API server's own. A thread may be in another network
than its process, and a socket stays in the one that it was made in.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from types import TracebackType

_NETWORK: Final = 0x40000000
"""CLONE_NEWNET: only a network may be entered."""
_PIECE: Final = 65536
_CONNECT_SECONDS: Final = 10


class Forwarder:
    """Listens on loopback, as a context; each connection goes on to `target` in the network of the process `pid`."""

    def __init__(self, pid: int, target: tuple[str, int]) -> None:
        self._target = target
        self._network = Path(f"/proc/{pid}/ns/net")
        self._connector = ThreadPoolExecutor(1, "connector", initializer=self._enter)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, name="forwarder", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # a listener that is only closed would still wait in accept
        _shut(self._listener)
        self._listener.close()
        self._connector.shutdown()
        for each in list(self._open):
            _shut(each)

    def _enter(self) -> None:
        with self._network.open() as network:
            if ctypes.CDLL(None, use_errno=True).setns(network.fileno(), _NETWORK) != 0:
                number = ctypes.get_errno()
                raise OSError(number, f"can't enter the network {self._network}: {os.strerror(number)}")

    def _accept(self) -> None:
        while True:
            try:
                here, _from = self._listener.accept()
            except OSError:
                return  # closed
            try:
                there = self._connector.submit(socket.create_connection, self._target, _CONNECT_SECONDS).result()
            except (OSError, RuntimeError):
                # nobody listens there just now, or we are closing: as without us
                here.close()
                continue
            there.settimeout(None)
            threading.Thread(target=self._connect, args=(here, there), name="forwarding", daemon=True).start()

    def _connect(self, here: socket.socket, there: socket.socket) -> None:
        with here, there:
            self._open |= {here, there}
            back = threading.Thread(target=_pass_on, args=(there, here), name="forwarding-back", daemon=True)
            back.start()
            _pass_on(here, there)
            back.join()
            self._open -= {here, there}


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    try:
        while piece := one.recv(_PIECE):
            other.sendall(piece)
        # the other direction may have more to say
        other.shutdown(socket.SHUT_WR)
    except OSError:
        for each in (one, other):
            _shut(each)


def _shut(each: socket.socket) -> None:
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
