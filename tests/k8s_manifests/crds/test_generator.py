from pathlib import Path
from typing import Any

import pytest
import yaml

from k8s_manifests.crds.__main__ import main
from k8s_manifests.crds.facts import table
from k8s_manifests.crds.generator import generate


def test_the_committed_crds_are_what_the_models_give() -> None:
    stale = [path.name for path, text in generate().items() if path.read_text(encoding="utf-8") != text]

    assert stale == [], "run `python -m k8s_manifests.crds` and commit the result"


def test_nothing_else_lies_beside_them() -> None:
    paths = list(generate())

    assert sorted(paths[0].parent.iterdir()) == sorted(paths)


def test_a_crd_is_small_enough_for_any_way_of_applying_it() -> None:
    # a client-side apply keeps the object in an annotation, of which 262,144 bytes are taken
    sizes = {path.stem: len(text) for path, text in generate().items()}

    assert max(sizes.values()) < 100_000, sizes


@pytest.mark.parametrize("arguments", [["--facts"], ["--unknown"], ["file.yaml"]])
def test_a_wrong_use_of_the_command_is_told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr() == ("", "usage: python -m k8s_manifests.crds [--facts FILE.yaml...]\n")


def test_the_command_prints_the_facts_of_a_releases_files(
    crds: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "sparkconnects.yaml"
    file.write_text(yaml.safe_dump(crds["SparkConnect"]), encoding="utf-8")

    assert main(["--facts", str(file)]) == 0
    assert capsys.readouterr().out == table([crds["SparkConnect"]])
