"""The file that Archer reads, made without cdk8s and Node."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from archer.cluster_config import load_cluster_config
from environments import Environment, environment_names, load
from k8s_manifests import archer_config
from moka.archer_file import archer_file
from moka.errors import MokaError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", environment_names())
def test_archer_reads_the_file_of_every_environment_as_it_was_meant(name: str, tmp_path: Path) -> None:
    environment = load(name)
    file = tmp_path / "archer.yaml"
    file.write_text(archer_file(environment), encoding="utf-8")

    config = load_cluster_config(file)

    assert config.environment == name
    assert config.model_dump(mode="json", exclude_unset=True) == archer_config(environment)


def test_the_same_environment_gives_the_same_bytes_in_the_models_order() -> None:
    text = archer_file(load("test"))

    assert text == archer_file(load("test"))
    assert text.startswith("schema_version: 1\nenvironment: test\n")


def test_a_view_that_archer_refuses_is_an_error_with_its_problems() -> None:
    content = load("dev").model_dump(mode="json")
    environment = Environment.model_validate({**content, "queues": {**content["queues"], "default": "root.nobody"}})

    with pytest.raises(
        MokaError, match=r"^Archer refuses archer\.yaml of environment dev:\n`queues\.default` must be a leaf"
    ):
        archer_file(environment)


def test_it_starts_no_node() -> None:
    code = (
        "import sys; from environments import load; from moka.archer_file import archer_file; archer_file(load('test'));"
        "print(sorted({'cdk8s', 'jsii', 'aws_cdk', 'sqlalchemy', 'fastapi'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
