"""`moka apply` and `moka diff`, the real program, against a real API server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from testbed.control_plane import ControlPlane
    from testbed.kubernetes import Client

MOKA = str(Path(sys.executable).with_name("moka"))
Moka = Callable[..., subprocess.CompletedProcess[str]]
WEBHOOK = ("moka-operator", "spark-operator-webhook")


@pytest.fixture(scope="module")
def moka(own_plane: ControlPlane) -> Moka:
    """`moka("diff")` runs it on a cluster without Archer, through the plane's kubeconfig."""

    def run(command: str, *words: str) -> subprocess.CompletedProcess[str]:
        where = ["--kubeconfig", str(own_plane.kubeconfig), "--context", own_plane.context]
        return subprocess.run(
            [MOKA, command, "prod", "--cluster", "adhoc", *where, *words], capture_output=True, text=True, check=False
        )

    return run


@pytest.fixture(scope="module")
def applied(moka: Moka) -> subprocess.CompletedProcess[str]:
    return moka("apply")


def test_what_a_cluster_lacks_is_told_and_exits_3(moka: Moka, api: Client) -> None:
    done = moka("diff")

    assert done.returncode == 3, done.stderr
    assert "+ Deployment moka-operator/spark-operator-controller" in done.stdout.splitlines()
    assert api.find("v1", "Namespace", "moka-operator") is None


def test_an_apply_tells_steps_on_stderr_and_what_it_did_on_stdout(
    applied: subprocess.CompletedProcess[str], api: Client
) -> None:
    assert applied.returncode == 0, applied.stderr
    assert "+ Deployment moka-operator/spark-operator-controller" in applied.stdout.splitlines()
    assert any(line.endswith(" created") for line in applied.stdout.splitlines())
    assert any("applying CRDs" in line for line in applied.stderr.splitlines())
    status = api.get("apps/v1", "Deployment", "spark-operator-controller", "moka-operator")["status"]
    assert status["availableReplicas"] == 2
    assert api.find("v1", "ConfigMap", "moka-platform", "moka-system") is None


def test_what_somebody_scaled_is_a_difference_and_a_conflict_until_it_is_forced(
    applied: subprocess.CompletedProcess[str], moka: Moka, own_plane: ControlPlane, api: Client
) -> None:
    own_plane.kubectl("scale", "-n", WEBHOOK[0], f"deploy/{WEBHOOK[1]}", "--replicas=3")

    differing, refused = moka("diff"), moka("apply")

    assert differing.returncode == 3
    assert "    spec.replicas: 3 → 2" in differing.stdout.splitlines()
    assert refused.returncode == 1
    assert (
        f'Deployment {"/".join(WEBHOOK)}: .spec.replicas belongs to "kubectl" with subresource "scale"'
        in refused.stderr
    )
    forced = moka("apply", "--force-conflicts", f"Deployment {'/'.join(WEBHOOK)}:.spec.replicas", "--no-wait")
    assert forced.returncode == 0, forced.stderr
    assert moka("diff").returncode == 0
    assert api.get("apps/v1", "Deployment", WEBHOOK[1], WEBHOOK[0])["spec"]["replicas"] == 2


def test_a_rollout_that_does_not_end_exits_1_and_names_every_one(
    applied: subprocess.CompletedProcess[str], moka: Moka, own_plane: ControlPlane
) -> None:
    own_plane.kubectl("cordon", "-l", "moka.dev/role=system")
    try:
        own_plane.kubectl("delete", "pod", "-n", "moka-operator", "--all", "--wait=false")
        done = moka("apply", "--timeout", "15")
    finally:
        own_plane.kubectl("uncordon", "-l", "moka.dev/role=system")

    assert done.returncode == 1
    assert "rollouts are not complete, not finished within 15 s:" in done.stderr
    assert "  Deployment moka-operator/spark-operator-controller: 0 of 2 pods are ready (pod " in done.stderr


def test_json_holds_the_outcome_of_every_object(applied: subprocess.CompletedProcess[str], moka: Moka) -> None:
    done = moka("apply", "--no-wait", "--output", "json")

    (only,) = json.loads(done.stdout)
    assert (only["environment"], only["cluster"], only["set"]) == ("prod", "adhoc", "platform")
    assert set(only["objects"].values()) <= {"unchanged", "left alone"}
    assert only["objects"]["Namespace moka-operator"] == "unchanged"


def test_a_cluster_of_another_environment_is_not_overwritten_by_mistake(
    applied: subprocess.CompletedProcess[str], own_plane: ControlPlane
) -> None:
    where = ["--kubeconfig", str(own_plane.kubeconfig), "--cluster", "batch"]
    done = subprocess.run([MOKA, "apply", "staging", *where], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "the set that is here was made for moka-prod-adhoc, not for moka-staging-batch" in done.stderr
