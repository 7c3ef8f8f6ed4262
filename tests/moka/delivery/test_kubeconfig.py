import base64
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from moka.delivery.kubeconfig import read_server
from moka.errors import BadInputError


def written(
    tmp_path: Path, *, cluster: dict[str, Any] | None = None, user: dict[str, Any] | None = None, **top: Any
) -> Path:
    file = tmp_path / "config"
    document = {
        "current-context": "one",
        "clusters": [{"name": "c", "cluster": {"server": "https://api.example.com:6443", **(cluster or {})}}],
        "users": [{"name": "u", "user": user or {}}],
        "contexts": [{"name": "one", "context": {"cluster": "c", "user": "u"}}],
        **top,
    }
    file.write_text(yaml.safe_dump(document))
    return file


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_address_authority_and_token_are_read(tmp_path: Path) -> None:
    file = written(tmp_path, cluster={"certificate-authority-data": encoded("PEM")}, user={"token": "secret"})

    server = read_server(file, None, tmp_path)

    assert (server.url, server.ca) == ("https://api.example.com:6443", "PEM")
    assert server.token is not None
    assert server.token(False) == "secret"
    assert server.check_certificate


def test_keys_that_are_data_become_files_that_only_we_can_read(tmp_path: Path) -> None:
    user = {"client-certificate-data": encoded("CERT"), "client-key-data": encoded("KEY")}

    found = read_server(written(tmp_path, user=user), None, tmp_path).certificate_files

    assert found is not None
    assert [Path(name).read_text() for name in found] == ["CERT", "KEY"]
    assert {Path(name).stat().st_mode & 0o077 for name in found} == {0}


def test_files_are_looked_for_beside_the_kubeconfig(tmp_path: Path) -> None:
    for name in ("ca", "cert", "key", "token"):
        (tmp_path / name).write_text(f"{name}\n")
    file = written(
        tmp_path,
        cluster={"certificate-authority": "ca"},
        user={"client-certificate": "cert", "client-key": "key", "tokenFile": "token"},
    )

    server = read_server(file, None, tmp_path)

    assert server.ca == "ca\n"
    assert server.certificate_files is not None
    assert server.token is not None
    assert server.token(False) == "token"


def test_a_program_gives_a_token_and_another_when_that_is_refused(tmp_path: Path) -> None:
    count = tmp_path / "count"
    script = (
        "import json, os, pathlib; file = pathlib.Path(os.environ['COUNT']);"
        "number = int(file.read_text()) + 1 if file.exists() else 1; file.write_text(str(number));"
        "asked = json.loads(os.environ['KUBERNETES_EXEC_INFO']);"
        "print(json.dumps({'apiVersion': asked['apiVersion'], 'status': {'token': f'token {number}'}}))"
    )
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": sys.executable,
        "args": ["-c", script],
        "env": [{"name": "COUNT", "value": str(count)}],
    }

    token = read_server(written(tmp_path, user={"exec": plugin}), None, tmp_path).token

    assert token is not None
    assert [token(False), token(False), token(True)] == ["token 1", "token 1", "token 2"]


def test_a_program_that_fails_is_told_in_its_own_words(tmp_path: Path) -> None:
    plugin = {"apiVersion": "v1", "command": sys.executable, "args": ["-c", "import sys; sys.exit('log in first')"]}
    token = read_server(written(tmp_path, user={"exec": plugin}), None, tmp_path).token
    assert token is not None

    with pytest.raises(BadInputError, match="log in first"):
        token(False)


def test_another_context_is_chosen_by_its_name(tmp_path: Path) -> None:
    contexts = [{"name": name, "context": {"cluster": name, "user": "u"}} for name in ("one", "two")]
    clusters = [{"name": name, "cluster": {"server": f"https://{name}"}} for name in ("one", "two")]
    file = written(tmp_path, contexts=contexts, clusters=clusters)

    assert read_server(file, None, tmp_path).url == "https://one"
    assert read_server(file, "two", tmp_path).url == "https://two"


@pytest.mark.parametrize(
    ("top", "context", "text"),
    [
        ({}, "other", r"has no context 'other'; it has one"),
        ({"current-context": ""}, None, r"`--context` must be given, as .* has no current one; it has one"),
        ({"clusters": []}, None, r"has no cluster 'c'; it has none"),
        (
            {"users": [{"name": "u", "user": {"auth-provider": {"name": "gcp"}}}]},
            None,
            "uses auth-provider, which is not",
        ),
        (
            {"clusters": [{"name": "c", "cluster": {"server": "x", "proxy-url": "http://p"}}]},
            None,
            "uses proxy-url, which is not supported",
        ),
        (
            {"clusters": [{"name": "c", "cluster": {"server": "x", "certificate-authority-data": "?"}}]},
            None,
            "`certificate-authority` in .* cannot be read",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_with_what_there_is(
    tmp_path: Path, top: dict[str, Any], context: str | None, text: str
) -> None:
    with pytest.raises(BadInputError, match=text):
        read_server(written(tmp_path, **top), context, tmp_path)


@pytest.mark.parametrize("content", ["[", "text", json.dumps([])])
def test_a_file_that_is_no_kubeconfig_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "config"
    file.write_text(content)

    with pytest.raises(BadInputError, match="`--kubeconfig` must be a kubeconfig file"):
        read_server(file, None, tmp_path)


def test_what_a_server_presents_may_be_left_unchecked_or_have_another_name(tmp_path: Path) -> None:
    cluster = {"insecure-skip-tls-verify": True, "tls-server-name": "kubernetes"}

    server = read_server(written(tmp_path, cluster=cluster), None, tmp_path)

    assert (server.check_certificate, server.server_name) == (False, "kubernetes")
