import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from archer.kubernetes.errors import ClusterUnreachableError
from archer.kubernetes.exec_plugin import exec_token

V1 = "client.authentication.k8s.io/v1"


def plugin(folder: Path, script: str, **more: Any) -> dict[str, Any]:
    """A program that does that, as a kubeconfig names it; it counts its runs in a file."""
    program = folder / "give-token"
    program.write_text(f"#!/bin/sh\necho run >> {folder}/runs\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return {"apiVersion": V1, "command": "./give-token", **more}


def runs(folder: Path) -> int:
    return len((folder / "runs").read_text().splitlines())


def printing(token: str, expires_in: timedelta | None = None) -> str:
    status = {"token": token}
    if expires_in is not None:
        status["expirationTimestamp"] = (datetime.now(UTC) + expires_in).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"echo '{json.dumps({'apiVersion': V1, 'kind': 'ExecCredential', 'status': status})}'"


@pytest.mark.parametrize("expires_in", [None, timedelta(minutes=15)])
def test_a_program_is_run_once_for_as_long_as_its_token_lives(tmp_path: Path, expires_in: timedelta | None) -> None:
    token = exec_token(plugin(tmp_path, printing("t", expires_in)), None, tmp_path)

    assert [token.token() for _ in range(3)] == ["t"] * 3
    assert runs(tmp_path) == 1


def test_a_program_is_run_again_before_its_token_ends(tmp_path: Path) -> None:
    token = exec_token(plugin(tmp_path, printing("t", timedelta(minutes=15))), None, tmp_path)
    token.token()
    token._made -= 14 * 60 + 1

    token.token()

    assert runs(tmp_path) == 2


def test_a_token_that_is_over_already_is_not_kept(tmp_path: Path) -> None:
    token = exec_token(plugin(tmp_path, printing("t", timedelta(minutes=-1))), None, tmp_path)
    token.token()
    token.token()

    assert runs(tmp_path) == 2


def test_a_program_gets_its_arguments_variables_and_what_it_may_know(tmp_path: Path) -> None:
    script = f'echo "$1 $FLAVOUR $KUBERNETES_EXEC_INFO" > {tmp_path}/told\n{printing("t")}'
    given = plugin(
        tmp_path, script, args=["--for"], env=[{"name": "FLAVOUR", "value": "mint"}], provideClusterInfo=True
    )

    exec_token(given, {"server": "https://10.0.0.1"}, tmp_path).token()

    argument, flavour, info = (tmp_path / "told").read_text().split(maxsplit=2)
    assert (argument, flavour) == ("--for", "mint")
    assert json.loads(info) == {
        "apiVersion": V1,
        "kind": "ExecCredential",
        "spec": {"interactive": False, "cluster": {"server": "https://10.0.0.1"}},
    }


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo not logged in >&2; exit 3", "it ended with exit code 3: not logged in"),
        ("echo hello", "it did not print an ExecCredential"),
        ("echo '{\"status\": {}}'", "it gave no token"),
        ("echo '{\"status\": null}'", "it did not print an ExecCredential"),
    ],
)
def test_a_program_that_gives_no_token_is_named_with_what_it_said(tmp_path: Path, script: str, why: str) -> None:
    with pytest.raises(ClusterUnreachableError) as caught:
        exec_token(plugin(tmp_path, script), None, tmp_path).token()

    assert why in str(caught.value)
    assert "give-token` by hand" in str(caught.value)


def test_a_program_that_is_missing_comes_with_the_hint_of_the_kubeconfig(tmp_path: Path) -> None:
    given = {"apiVersion": V1, "command": "no-such-program-here", "installHint": "install it from the wiki"}

    with pytest.raises(ClusterUnreachableError, match="there is no such program; install it from the wiki"):
        exec_token(given, None, tmp_path).token()
