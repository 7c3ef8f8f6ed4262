"""A token of AWS IAM is the password of each new connection, as seen on the wire."""

from __future__ import annotations

import socket
import struct
from threading import Thread
from urllib.parse import parse_qs

import pytest

from archer.errors import StoreUnavailableError
from archer.store.address import postgresql_address
from archer.store.connection import Database


class PasswordTrap:
    """Asks every client for its password, as a server does, remembers it, and lets nobody in."""

    def __init__(self) -> None:
        self.passwords: list[str] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            with client:
                (length,) = struct.unpack("!i", client.recv(4, socket.MSG_WAITALL))
                client.recv(length - 4, socket.MSG_WAITALL)
                # AuthenticationCleartextPassword
                client.sendall(b"R" + struct.pack("!ii", 8, 3))
                _, length = struct.unpack("!ci", client.recv(5, socket.MSG_WAITALL))
                self.passwords.append(client.recv(length - 4, socket.MSG_WAITALL).rstrip(b"\0").decode())
                refusal = b"SFATAL\0VFATAL\0C28P01\0MPAM authentication failed\0\0"
                client.sendall(b"E" + struct.pack("!i", len(refusal) + 4) + refusal)

    def close(self) -> None:
        self._listening.close()


def test_each_new_connection_signs_a_token_of_its_own_and_sends_it_as_password(monkeypatch: pytest.MonkeyPatch) -> None:
    trap = PasswordTrap()
    given = {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(trap.port),
        "PGUSER": "archer",
        "PGDATABASE": "archer",
        # the trap speaks no TLS
        "PGSSLMODE": "disable",
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "session",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    database = Database(postgresql_address(given, iam=True))

    for number in range(2):
        monkeypatch.setenv("AWS_SESSION_TOKEN", f"session-{number}")
        with pytest.raises(StoreUnavailableError, match="PAM authentication failed") as told, database.read():
            pass
        assert "X-Amz" not in str(told.value)

    assert len(trap.passwords) == 2
    for password in trap.passwords:
        place, _, query = password.partition("/?")
        signed = {name: value[0] for name, value in parse_qs(query).items()}
        assert place == f"127.0.0.1:{trap.port}"
        assert (signed["Action"], signed["DBUser"], signed["X-Amz-Expires"]) == ("connect", "archer", "900")
        assert signed["X-Amz-Credential"].startswith("AKIDEXAMPLE/")
        assert signed["X-Amz-Credential"].endswith("/eu-central-1/rds-db/aws4_request")
        assert signed["X-Amz-Signature"]
    database.close()
    trap.close()
