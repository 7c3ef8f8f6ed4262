"""Tokens from a program that a kubeconfig names, by the contract of client.authentication.k8s.io.

https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins. The program is run without a
terminal, and its token is kept until shortly before the end that it names.
"""

import json
import os
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from archer.kubernetes.credentials import RenewedToken
from archer.kubernetes.errors import ClusterUnreachableError

VERSIONS: Final = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_RUN_SECONDS: Final = 60.0
_EARLY_SECONDS: Final = 60.0
_SAID: Final = 500
"""Letters of what the program said that go into a message."""


def exec_token(plugin: Mapping[str, Any], cluster: Mapping[str, Any] | None, folder: Path) -> RenewedToken:
    """Return the token that `plugin`, the `exec` of a kubeconfig's user, gives.

    `cluster` is told to the program when it wants to know; `folder` is the kubeconfig's.
    """
    command = str(plugin["command"])
    if os.sep in command:
        command = str(folder / command)
    line = [command, *(str(each) for each in plugin.get("args") or ())]
    spec: dict[str, Any] = {"interactive": False}
    if plugin.get("provideClusterInfo"):
        spec["cluster"] = dict(cluster or {})
    told = {"apiVersion": plugin["apiVersion"], "kind": "ExecCredential", "spec": spec}
    extra = {str(each["name"]): str(each["value"]) for each in plugin.get("env") or ()}
    hint = str(plugin.get("installHint") or "").strip()

    def run() -> tuple[str, float | None]:
        environment = {**os.environ, **extra, "KUBERNETES_EXEC_INFO": json.dumps(told)}
        try:
            done = subprocess.run(
                line,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=_RUN_SECONDS,
            )
        except FileNotFoundError as error:
            raise _failure(command, "there is no such program", hint) from error
        except subprocess.TimeoutExpired as error:
            raise _failure(command, f"it did not end within {_RUN_SECONDS:.0f} s", hint) from error
        except (OSError, UnicodeDecodeError) as error:
            raise _failure(command, str(error), hint) from error
        if done.returncode:
            said = " ".join((done.stderr or done.stdout).split())[-_SAID:]
            raise _failure(command, f"it ended with exit code {done.returncode}: {said or 'it said nothing'}", hint)
        return _read(command, done.stdout, hint)

    return RenewedToken(run)


def _read(command: str, said: str, hint: str) -> tuple[str, float | None]:
    """Return the token, and for how many seconds to keep it."""
    try:
        status = json.loads(said)["status"]
        token = status.get("token")
        end = status.get("expirationTimestamp")
        left = None if end is None else (datetime.fromisoformat(end) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _failure(command, f"it did not print an ExecCredential: {type(error).__name__} {error}", hint) from error
    if not token:
        raise _failure(command, "it gave no token (client certificates of programs are not supported)", hint)
    # a token of a short life is kept for half of it
    return str(token), None if left is None else max(left - _EARLY_SECONDS, left / 2, 0.0)


def _failure(command: str, why: str, hint: str) -> ClusterUnreachableError:
    fix = hint or f"run `{command}` by hand"
    return ClusterUnreachableError(f"the program that gives the credential failed: {command}: {why}; {fix}")
