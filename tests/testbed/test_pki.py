"""Real TLS between the certificates: who is believed by whom, and as what."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from pathlib import Path

import pytest

from testbed.pki import Authority, Pair, token_keys


def handshake(server: Pair, authority: Path, client: Pair | None, *, clients_of: Path, host: str) -> dict[str, str]:
    """Connect; return the subject that the server saw of the client."""
    inside = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(clients_of))
    inside.load_cert_chain(server.certificate, server.key)
    inside.verify_mode = ssl.CERT_REQUIRED
    outside = ssl.create_default_context(cafile=str(authority))
    if client is not None:
        outside.load_cert_chain(client.certificate, client.key)
    subject: dict[str, str] = {}
    near, far = socket.socketpair()

    def serve() -> None:
        try:
            with inside.wrap_socket(near, server_side=True) as accepted:
                certificate = accepted.getpeercert()
                assert certificate is not None
                for part in certificate["subject"]:
                    subject.update(dict(part))  # type: ignore[arg-type]  # pairs, which the stubs do not say
                accepted.sendall(b"!")
        except OSError:
            near.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with outside.wrap_socket(far, server_hostname=host) as connected:
            if connected.recv(1) != b"!":
                raise ssl.SSLError("refused")
    finally:
        far.close()
        thread.join()
    return subject


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "ca")


def test_a_client_is_known_by_its_user_and_group(authority: Authority) -> None:
    server = authority.server("api", ["127.0.0.1", "kubernetes.default.svc"])
    client = authority.client("admin", user="boss", groups=["system:masters"])
    ca = authority.pair.certificate

    for host in ("127.0.0.1", "kubernetes.default.svc"):
        seen = handshake(server, ca, client, clients_of=ca, host=host)
        assert seen == {"commonName": "boss", "organizationName": "system:masters"}


def test_another_name_than_the_certificates_is_refused(authority: Authority) -> None:
    server = authority.server("api", ["127.0.0.1"])
    client = authority.client("admin", user="boss")
    ca = authority.pair.certificate

    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(server, ca, client, clients_of=ca, host="127.0.0.2")


def test_a_client_of_the_other_authority_is_refused(authority: Authority, tmp_path: Path) -> None:
    other = Authority(tmp_path, "etcd-ca")
    server = other.server("etcd", ["127.0.0.1"])
    stranger = authority.client("admin", user="boss", groups=["system:masters"])
    certificate = other.pair.certificate

    with pytest.raises(OSError):
        handshake(server, certificate, stranger, clients_of=certificate, host="127.0.0.1")


def test_keys_are_ours_alone_and_last_a_day(authority: Authority, tmp_path: Path) -> None:
    pair = authority.client("admin", user="boss")
    private, public = token_keys(tmp_path)

    assert [path.stat().st_mode & 0o777 for path in (pair.key, private, authority.pair.key)] == [0o600] * 3
    assert "BEGIN PUBLIC KEY" in public.read_text()
    day = subprocess.run(
        ["openssl", "x509", "-in", pair.certificate, "-noout", "-checkend", str(25 * 3600)],
        capture_output=True,
        check=False,
    )
    assert day.returncode == 1
