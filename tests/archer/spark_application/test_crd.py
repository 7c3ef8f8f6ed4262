"""The CRD's own schema judges a manifest, and so does what no schema says."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archer.spark_application import crd
from archer.spark_application.__main__ import main, schema_text
from testbed import spark_application_samples as samples

RELEASE = Path(__file__).parents[3] / "k8s_manifests" / "imports" / "sparkapplications.json"

Change = Callable[[dict[str, Any]], Any]


def changed(change: Change) -> dict[str, Any]:
    manifest = copy.deepcopy(samples.manifest("python-minimal"))
    change(manifest)
    return manifest


def test_the_committed_schema_is_the_releases_that_the_platform_installs() -> None:
    assert crd.FILE.read_text() == schema_text(RELEASE)


def test_the_schema_is_written_by_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archer.spark_application.__main__.FILE", tmp_path / "schema.json")

    main(RELEASE)

    assert "status" not in json.loads((tmp_path / "schema.json").read_text())["properties"]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda m: m["spec"]["driver"].update(cores=0), "spec.driver.cores"),
        (lambda m: m["spec"]["driver"].update(cores="1"), "spec.driver.cores"),
        (lambda m: m["spec"]["executor"].update(instances=0), "spec.executor.instances"),
        (lambda m: m["spec"].update(type="Cobol"), "spec.type"),
        (lambda m: m["spec"].update(mode="standalone"), "spec.mode"),
        (lambda m: m["spec"]["restartPolicy"].update(type="Sometimes"), "spec.restartPolicy.type"),
        (lambda m: m["spec"].pop("sparkVersion"), "spec"),
        (lambda m: m["spec"].update(colour="red"), "spec"),
        (lambda m: m["spec"]["driver"].update(core=1), "spec.driver"),
        (lambda m: m["spec"]["sparkConf"].update({"spark.x": 1}), "spec.sparkConf.spark.x"),
        (lambda m: m["spec"].update(deps={"jars": "a.jar"}), "spec.deps.jars"),
        (lambda m: m["metadata"].update(name="J-1"), "metadata.name"),
        (lambda m: m["metadata"].update(name="1a"), "metadata.name"),
        (lambda m: m["metadata"].update(name="a" * 48), "metadata.name"),
        (lambda m: m["metadata"]["labels"].update({"a/b/c": "x"}), "metadata.labels.a/b/c"),
        (lambda m: m["metadata"]["labels"].update(x="y" * 64), "metadata.labels.x"),
        (
            lambda m: m["spec"]["driver"]["template"]["metadata"]["labels"].update(x="-"),
            "spec.driver.template.metadata.labels.x",
        ),
        (lambda m: m["metadata"]["annotations"].update(x="y" * 300_000), "metadata.annotations"),
        (lambda m: m["spec"]["sparkConf"].update({"spark.x": "y" * 950_000}), "conf"),
        (lambda m: m["spec"].update(arguments=["y" * 60_000] * 25), "(document)"),
    ],
)
def test_what_would_be_refused_later_is_refused_here(change: Change, path: str) -> None:
    problems = crd.problems_of(changed(change))

    assert [problem.path for problem in problems] == [path]
    assert problems[0].fix


@pytest.mark.parametrize(
    "change",
    [
        # a template is schemaless: Spark may know fields that the CRD doesn't
        lambda m: m["spec"]["driver"]["template"]["spec"].update(field="new"),
        lambda m: m["spec"]["driver"].update(ports=[{"name": "a", "containerPort": 1, "protocol": "TCP"}]),
        # int-or-string
        lambda m: m["spec"]["driver"].update(
            lifecycle={"preStop": {"httpGet": {"port": 80}}},
            coreLimit="1200m",
            gpu={"name": "nvidia.com/gpu", "quantity": 1},
        ),
        lambda m: m["spec"]["driver"].update(lifecycle={"preStop": {"httpGet": {"port": "http"}}}),
        lambda m: m["metadata"]["labels"].update({"example.com/a": ""}),
    ],
)
def test_what_is_right_passes(change: Change) -> None:
    assert crd.problems_of(changed(change)) == []


def test_all_problems_are_told_at_once() -> None:
    def change(manifest: dict[str, Any]) -> None:
        manifest["metadata"]["name"] = "A"
        manifest["spec"]["type"] = "Cobol"
        manifest["spec"]["driver"]["cores"] = 0

    assert {problem.path for problem in crd.problems_of(changed(change))} == {
        "metadata.name",
        "spec.type",
        "spec.driver.cores",
    }
