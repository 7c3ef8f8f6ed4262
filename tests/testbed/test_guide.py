"""The guide names what there is: annotations, commands, fixtures, settings."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from testbed import nodes
from testbed.binaries import kubernetes_version

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/guides/testbed.md").read_text(encoding="utf-8")
ANNOTATIONS = {nodes.OUTCOME, nodes.RUN_SECONDS, nodes.START_SECONDS, nodes.EXIT_CODE, nodes.STOP_SECONDS, nodes.LOG}


def test_the_guide_lists_every_annotation_and_no_other() -> None:
    assert set(re.findall(r"^\| `(testbed\.moka\.dev/[\w-]+)`", GUIDE, re.MULTILINE)) == ANNOTATIONS


def test_stages_read_the_same_annotations() -> None:
    text = nodes.STAGES.read_text(encoding="utf-8")
    # logs are answered by testbed/pod_logs.py
    assert set(re.findall(r"testbed\.moka\.dev/[\w-]+", text)) == ANNOTATIONS - {nodes.LOG}


def test_every_outcome_of_the_guide_is_one_of_the_stages() -> None:
    row = next(line for line in GUIDE.splitlines() if line.startswith(f"| `{nodes.OUTCOME}`"))
    documents = list(yaml.safe_load_all(nodes.STAGES.read_text(encoding="utf-8")))
    selected = {
        value
        for document in documents
        if document["kind"] == "Stage"
        for expression in document["spec"]["selector"]["matchExpressions"]
        if "outcome" in expression["key"]
        for value in expression["values"]
    }

    assert set(re.findall(r"`([a-z-]+)`", row.split("|")[2])) == selected


def test_the_guide_names_the_fixtures_and_the_release() -> None:
    conftest = (ROOT / "tests/e2e/conftest.py").read_text(encoding="utf-8")
    fixtures = set(re.findall(r"@pytest\.fixture(?:\(.*\))?\ndef (\w+)", conftest)) - {"programs"}

    assert {name for name in fixtures if f"`{name}" not in GUIDE} == set()
    assert f"Kubernetes {kubernetes_version()} at" in GUIDE
