from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from archer.kubernetes.access import Access
from archer.kubernetes.errors import ClusterUnreachableError, InvalidAccessError


@pytest.mark.parametrize("server", ["10.0.0.1", "ftp://10.0.0.1", "https://", ""])
def test_an_address_that_is_none_is_refused(server: str) -> None:
    with pytest.raises(InvalidAccessError, match="`server` must be an address like https"):
        Access(server=server)


def test_plain_http_is_for_this_machine_alone() -> None:
    Access(server="http://127.0.0.1:8001")
    Access(server="http://localhost:8001")
    Access(server="http://[::1]:8001")

    with pytest.raises(InvalidAccessError, match="plain http is for this machine alone"):
        Access(server="http://10.0.0.1:8080")


def test_tls_trusts_nobody_but_the_authority_and_checks_the_name() -> None:
    context = Access(server="https://10.0.0.1").tls()

    assert context is not None
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname


def test_an_authority_that_is_no_pem_is_told() -> None:
    with pytest.raises(ClusterUnreachableError, match=r"https://10\.0\.0\.1 can't be used"):
        Access(server="https://10.0.0.1", ca="no certificate").tls()


def test_a_client_certificate_that_is_no_pem_is_told_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    with pytest.raises(ClusterUnreachableError, match="can't be used"):
        Access(server="https://10.0.0.1", client_certificate="no certificate").tls()

    assert list(tmp_path.iterdir()) == []


def test_a_pod_finds_its_own_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "6443")
    (tmp_path / "ca.crt").write_text("ca")
    (tmp_path / "token").write_text("t")

    access = Access.in_cluster(tmp_path)

    assert access.server == "https://[fd00::1]:6443"
    assert access.ca == "ca"
    assert access.credentials is not None
    assert access.credentials.token() == "t"


def test_outside_of_a_pod_there_is_no_cluster_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(InvalidAccessError, match="run in a pod, or name a kubeconfig"):
        Access.in_cluster(tmp_path)

    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    with pytest.raises(InvalidAccessError, match="mount its service account's token"):
        Access.in_cluster(tmp_path)


def test_secrets_are_not_shown() -> None:
    assert "secret" not in repr(Access(server="https://10.0.0.1", client_certificate="secret"))
