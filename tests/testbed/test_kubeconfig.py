"""Kubeconfig files: what ours say, and what is made of somebody else's."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from testbed import kubeconfig
from testbed.errors import ForeignClusterError
from testbed.pki import Authority


def document(user: dict[str, Any], cluster: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": "https://10.0.0.1", **(cluster or {})}}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "lab", "context": {"cluster": "c", "user": "u"}}],
    }


def written(tmp_path: Path, content: Any) -> Path:
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(content))
    return path


def test_a_certificate_goes_into_the_file_and_comes_out_again(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ca")
    pair = authority.client("admin", user="boss")
    path = kubeconfig.write(
        tmp_path / "config", context="lab", server="https://1.2.3.4", authority=authority.pair.certificate, user=pair
    )

    access = kubeconfig.read(path, "lab", tmp_path)

    assert access.server == "https://1.2.3.4"
    assert access.authority == authority.pair.certificate.read_bytes()
    assert access.certificate is not None
    assert access.certificate.read_bytes() == pair.certificate.read_bytes()
    assert access.token is None
    assert path.stat().st_mode & 0o777 == 0o600
    access.tls()


def test_a_token_goes_into_the_file_and_comes_out_again(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ca").pair.certificate
    path = kubeconfig.write(tmp_path / "config", context="lab", server="https://x", authority=authority, user="secret")

    access = kubeconfig.read(path, "lab", tmp_path)

    assert (access.token, access.certificate) == ("secret", None)


def test_files_are_found_beside_the_kubeconfig(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("pem")
    (tmp_path / "token").write_text("secret\n")
    path = written(tmp_path, document({"tokenFile": "token"}, {"certificate-authority": "ca.pem"}))

    access = kubeconfig.read(path, "lab", tmp_path)

    assert (access.authority, access.token) == (b"pem", "secret")


def test_a_program_for_credentials_is_asked(tmp_path: Path) -> None:
    program = "import json, os; print(json.dumps({'status': {'token': os.environ['WHO'] + '-token'}}))"
    user = {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": sys.executable,
            "args": ["-c", program],
            "env": [{"name": "WHO", "value": "me"}],
        }
    }

    assert kubeconfig.read(written(tmp_path, document(user)), "lab", tmp_path).token == "me-token"


def test_a_program_that_gives_no_token_is_named(tmp_path: Path) -> None:
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "false"}}

    with pytest.raises(ForeignClusterError, match=r"credentials gave no token: false: .*; run it by hand"):
        kubeconfig.read(written(tmp_path, document(user)), "lab", tmp_path)


def test_an_unknown_context_is_answered_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ForeignClusterError, match=r"has no context 'prod'; it has lab: name one of those"):
        kubeconfig.read(written(tmp_path, document({})), "prod", tmp_path)


@pytest.mark.parametrize("content", ["{", "[]", "just words", "contexts: 1"])
def test_a_file_that_is_no_kubeconfig_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "config"
    path.write_text(content)

    with pytest.raises(ForeignClusterError, match=str(path)):
        kubeconfig.read(path, "lab", tmp_path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ForeignClusterError, match=r"can't read kubeconfig .*none: .*No such file"):
        kubeconfig.read(tmp_path / "none", "lab", tmp_path)


def test_data_wins_over_a_file_and_is_kept_in_our_folder(tmp_path: Path) -> None:
    data = base64.b64encode(b"inline").decode()
    cluster = {"certificate-authority": "no-such-file", "certificate-authority-data": data}
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    assert kubeconfig.read(written(tmp_path, document({}, cluster)), "lab", scratch).authority == b"inline"
    assert json.dumps([path.stat().st_mode & 0o777 for path in scratch.iterdir()]) == json.dumps([0o600])


def test_a_file_that_is_written_again_stays_whole_for_who_is_reading_it(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ca").pair.certificate
    path = tmp_path / "config"

    def write(token: str) -> None:
        kubeconfig.write(path, context="lab", server="https://x", authority=authority, user=token)

    write("first")
    with path.open(encoding="utf-8") as reading:
        write("second")
        assert yaml.safe_load(reading)["users"][0]["user"]["token"] == "first"

    assert kubeconfig.read(path, "lab", tmp_path).token == "second"
    assert [each.name for each in tmp_path.glob("config*")] == ["config"]
