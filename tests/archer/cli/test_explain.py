"""`archer explain`: the manifest and the origin of each value, offline; every refusal at once."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from testbed import spark_application_samples as samples

if TYPE_CHECKING:
    from tests.archer.cli.conftest import Run

FILE = "s3a://moka-lab-artifacts/ads/report.py"
PAGE = Path(__file__).parents[3] / "docs" / "concepts" / "spark-application.md"


@pytest.fixture
def config(tmp_path: Path) -> str:
    """`archer.yaml` of the sample environment."""
    file = tmp_path / "archer.yaml"
    file.write_text(yaml.safe_dump(samples.DOCUMENT))
    return str(file)


def test_the_manifest_is_the_one_that_would_be_created(run: Run, config: str) -> None:
    words = ["--name", "report", "--team", "ads", "--queue", samples.QUEUE, "--user", "ada@example.com"]

    ran = run("explain", FILE, *words, "--config", config, "-o", "json")

    told = json.loads(ran.out)["manifest"]
    made = samples.manifest("python-minimal")
    assert ran.code == 0, ran.err
    assert told["spec"]["sparkConf"].keys() == made["spec"]["sparkConf"].keys()
    assert {**told["spec"], "sparkConf": None, "driver": None, "executor": None} == {
        **made["spec"],
        "sparkConf": None,
        "driver": None,
        "executor": None,
    }


def test_each_property_tells_its_layer_and_what_it_covers(run: Run, config: str) -> None:
    words = ["--team", "ads", "--queue", samples.QUEUE, "--profile", "daily", "--parameter", "day=2026-11-23"]

    ran = run("explain", FILE, *words, "--conf", "spark.sql.shuffle.partitions=9", "--config", config, "-o", "json")

    conf = json.loads(ran.out)["conf"]
    assert conf["spark.sql.shuffle.partitions"] == {
        "value": "9",
        "layer": "job",
        "overrode": [{"layer": "environment", "value": "200"}, {"layer": "team", "value": "400"}],
    }
    assert conf["spark.app.day"]["layer"] == "profile"
    assert conf["spark.sql.session.timeZone"]["layer"] == "environment"
    assert conf["spark.decommission.enabled"]["layer"] == "platform"


def test_the_table_says_it_for_people(run: Run, config: str) -> None:
    ran = run("explain", FILE, "--team", "ads", "--queue", samples.QUEUE, "--config", config, "--memory-rung", "2")

    lines = [line.split() for line in ran.out.splitlines()]
    assert ["memory", "rung", "2"] in lines
    assert ["spark.sql.shuffle.partitions", "400", "team", "environment", "200"] in lines
    assert yaml.safe_load(ran.out.split("\n---\n")[1])["spec"]["executor"]["memory"] == "2048m"


def test_everything_that_is_wrong_is_told_at_once(run: Run, config: str) -> None:
    ran = run(
        *("explain", "/here/job.py", "--team", "nobody", "--shuffle", "celeborn", "--config", config),
        *("--conf", "spark.kubernetes.driver.podTemplateFile=x", "--profile", "dayly"),
    )

    assert ran.code == 2
    assert ran.out == ""
    paths = re.findall(r"^  `([^`]+)` must be", ran.err, flags=re.MULTILINE)
    assert sorted(paths) == [
        "application.file",
        "conf.spark.kubernetes.driver.podTemplateFile",
        "profile",
        "shuffle",
        "team",
    ]


def test_no_environment_is_bad_input(run: Run) -> None:
    ran = run("explain", FILE)

    assert (ran.code, ran.out) == (2, "")
    assert "--config" in ran.err


def test_a_secret_is_not_shown(run: Run, config: str) -> None:
    words = ["--team", "ads", "--queue", samples.QUEUE, "--conf", "spark.my.password=hunter2", "--config", config]

    assert "hunter2" not in run("explain", FILE, *words).out
    assert "hunter2" not in run("explain", FILE, *words, "-o", "json").out


def test_an_unknown_cluster_is_told_with_those_there_are(run: Run, config: str) -> None:
    ran = run("explain", FILE, "--team", "ads", "--cluster", "moon", "--config", config)

    assert ran.code == 2
    assert "a cluster of environment lab: batch" in ran.err


def test_the_examples_of_the_page_run(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "archer.yaml").write_text(yaml.safe_dump(samples.DOCUMENT))
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    commands = [line for block in blocks for line in block.splitlines() if line.startswith("archer explain")]

    assert commands
    for line in commands:
        ran = run(*shlex.split(line)[1:])
        assert ran.code == 0, ran.err
