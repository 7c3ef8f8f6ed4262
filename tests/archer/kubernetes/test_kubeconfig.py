from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from archer.kubernetes.access import Access
from archer.kubernetes.errors import InvalidAccessError


def kubeconfig(folder: Path, *, cluster: dict[str, Any] | None = None, user: dict[str, Any] | None = None) -> Path:
    """A file of two contexts, of which `batch` is the current one."""
    document = {
        "current-context": "batch",
        "contexts": [
            {"name": "batch", "context": {"cluster": "c", "user": "u"}},
            {"name": "other", "context": {"cluster": "o", "user": "u"}},
        ],
        "clusters": [
            {"name": "c", "cluster": {"server": "https://10.0.0.1:6443", **(cluster or {})}},
            {"name": "o", "cluster": {"server": "https://10.0.0.2"}},
        ],
        "users": [{"name": "u", "user": user or {}}],
    }
    file = folder / "kubeconfig"
    file.write_text(yaml.safe_dump(document))
    return file


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def told(file: Path, context: str | None = None) -> list[str]:
    with pytest.raises(InvalidAccessError) as caught:
        Access.from_kubeconfig(file, context)
    assert caught.value.file == str(file)
    return [str(problem) for problem in caught.value.problems]


def test_the_current_context_is_taken_unless_another_is_named(tmp_path: Path) -> None:
    file = kubeconfig(tmp_path)

    assert Access.from_kubeconfig(file).server == "https://10.0.0.1:6443"
    assert Access.from_kubeconfig(file, "other").server == "https://10.0.0.2"


def test_data_and_files_beside_the_kubeconfig_mean_the_same(tmp_path: Path) -> None:
    for name in ("ca", "cert", "key"):
        (tmp_path / name).write_text(name)
    by_file = kubeconfig(
        tmp_path,
        cluster={"certificate-authority": "ca", "tls-server-name": "kubernetes"},
        user={"client-certificate": "cert", "client-key": "key"},
    )
    one = Access.from_kubeconfig(by_file)
    by_data = kubeconfig(
        tmp_path,
        cluster={"certificate-authority-data": encoded("ca"), "tls-server-name": "kubernetes"},
        user={"client-certificate-data": encoded("cert"), "client-key-data": encoded("key")},
    )

    assert one == Access.from_kubeconfig(by_data)
    assert (one.ca, one.client_certificate, one.tls_server_name) == ("ca", "cert\nkey", "kubernetes")


def test_a_token_comes_from_the_file_before_the_word(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from the file")
    word = Access.from_kubeconfig(kubeconfig(tmp_path, user={"token": "word"})).credentials
    file = Access.from_kubeconfig(kubeconfig(tmp_path, user={"token": "word", "tokenFile": "token"})).credentials

    assert word is not None
    assert file is not None
    assert (word.token(), file.token()) == ("word", "from the file")


def test_trust_is_dropped_only_where_the_kubeconfig_says_so(tmp_path: Path) -> None:
    assert not Access.from_kubeconfig(kubeconfig(tmp_path)).insecure
    assert Access.from_kubeconfig(kubeconfig(tmp_path, cluster={"insecure-skip-tls-verify": True})).insecure


def test_everything_that_is_wrong_is_told_at_once_and_no_secret_with_it(tmp_path: Path) -> None:
    file = kubeconfig(
        tmp_path,
        cluster={"server": "", "proxy-url": "http://proxy", "certificate-authority": "nowhere"},
        user={
            "username": "ada",
            "password": "hunter2",
            "client-key-data": "!",
            "exec": {
                "apiVersion": "client.authentication.k8s.io/v1alpha1",
                "command": "x",
                "interactiveMode": "Always",
            },
        },
    )

    problems = told(file)

    assert [problem.split("`")[1] for problem in problems] == [
        "clusters.c.proxy-url",
        "users.u.username",
        "users.u.password",
        "clusters.c.server",
        "clusters.c.certificate-authority",
        "users.u.client-key-data",
        "users.u.exec.apiVersion",
        "users.u.exec.interactiveMode",
    ]
    assert "hunter2" not in "".join(problems)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "`kubeconfig` must be a kubeconfig that can be read"),
        ("[", "`kubeconfig` must be a kubeconfig that can be read"),
        ("- a", "`kubeconfig` must be a kubeconfig"),
        ("{}", "`current-context` must be the name of one of its contexts (none there), got absent"),
    ],
)
def test_a_file_that_is_no_kubeconfig_is_named(tmp_path: Path, content: str | None, problem: str) -> None:
    file = tmp_path / "kubeconfig"
    if content is not None:
        file.write_text(content)

    assert told(file)[0].startswith(problem)


def test_a_context_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    assert told(kubeconfig(tmp_path), "prod") == [
        '`context` must be the name of one of its contexts (batch, other), got "prod"; name one of those'
    ]


def test_a_certificate_needs_its_key(tmp_path: Path) -> None:
    file = kubeconfig(tmp_path, user={"client-certificate-data": encoded("c")})

    assert told(file)[0].startswith("`users.u.client-key` must be there")
