"""`archer finalizers release` and its options; what it does to a cluster is tried in tests/e2e/archer/test_backend.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from archer.cluster_config import ClusterConfig
from testbed.archer_builders import make_cluster_config

if TYPE_CHECKING:
    from pathlib import Path

    from tests.archer.cli.conftest import Run

RELEASE = ("finalizers", "release", "--namespace", "spark-ads")


@pytest.fixture
def config(tmp_path: Path) -> str:
    file = tmp_path / "archer.yaml"
    written: ClusterConfig = make_cluster_config("root.ads")
    file.write_text(written.model_dump_json(exclude_none=True))
    return str(file)


def test_a_cluster_of_archer_yaml_needs_that_file(run: Run) -> None:
    ended = run(*RELEASE, "--cluster", "batch")

    assert (ended.code, ended.out) == (2, "")
    assert "`config` must be an archer.yaml, got absent" in ended.err


def test_an_unknown_cluster_is_refused_with_those_there_are(run: Run, config: str) -> None:
    ended = run(*RELEASE, "--cluster", "nope", "--config", config)

    assert ended.code == 2
    assert "`cluster` must be one of batch, got nope" in ended.err


def test_a_kubeconfig_that_is_not_there_is_refused(run: Run, tmp_path: Path) -> None:
    ended = run(*RELEASE, "--kubeconfig", str(tmp_path / "missing"))

    assert ended.code == 2
    assert "missing" in ended.err


def test_a_namespace_must_be_named(run: Run) -> None:
    ended = run("finalizers", "release")

    assert ended.code == 2
    assert "--namespace" in ended.err


def test_a_cluster_that_does_not_answer_is_said_to_be_away(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: here\n"
        "clusters: [{name: here, cluster: {server: 'http://127.0.0.1:1'}}]\n"
        "contexts: [{name: here, context: {cluster: here, user: me}}]\n"
        "users: [{name: me, user: {}}]\n"
    )

    ended = run(*RELEASE, "--kubeconfig", str(file))

    assert ended.code == 4
    assert "127.0.0.1:1" in ended.err
