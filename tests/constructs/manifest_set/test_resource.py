import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from moka_constructs import Location, ManifestFunction, ManifestFunctionProps, ManifestSet, ManifestSetProps, PropsError

Resources = dict[str, dict[str, Any]]
Template = Callable[[Callable[[Any], object]], Resources]
Only = Callable[[Resources, str], dict[str, Any]]
ARN = "arn:aws:lambda:us-east-1:111111111111:function:moka-test-c-manifests"


def props(**changes: Any) -> ManifestSetProps:
    given: dict[str, Any] = {
        "name": "platform",
        "cluster_name": "moka-test-c",
        "function_arn": ARN,
        "bundle": None,
    }
    return ManifestSetProps(**{**given, **changes})


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    file = tmp_path / "bundle.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("10-namespaces.json", "[]")
    return file


def test_a_set_of_values_alone_needs_no_bundle(template: Template, only: Only) -> None:
    values = {"database_endpoint": "db.example.com"}
    found = only(template(lambda stack: ManifestSet(stack, "Set", props(values=values))), "Custom::MokaManifestSet")[
        "Properties"
    ]

    assert found == {
        "ServiceToken": ARN,
        "ServiceTimeout": 840,
        "ClusterName": "moka-test-c",
        "Set": "platform",
        "Remove": "keep_jobs",
        "Values": values,
    }


def test_the_bundle_is_an_asset_of_the_stack_and_changes_the_resource_when_its_content_does(
    template: Template, only: Only, bundle: Path, tmp_path: Path
) -> None:
    def key(digest: str) -> str:
        resources = template(lambda stack: ManifestSet(stack, "Set", props(bundle=bundle, digest=digest)))
        found = only(resources, "Custom::MokaManifestSet")["Properties"]
        assets = json.loads((tmp_path / "assembly" / "Test.assets.json").read_text())["files"]
        (asset,) = (each for each in assets.values() if each["source"]["path"].endswith(".zip"))
        (place,) = asset["destinations"].values()
        assert found["Key"] == place["objectKey"]
        copied = tmp_path / "assembly" / asset["source"]["path"]
        assert copied.read_bytes() == bundle.read_bytes()
        return str(found["Key"])

    first = key("a" * 64)

    assert first.endswith(".zip")
    assert key("a" * 64) == first
    assert key("b" * 64) != first


def test_what_may_be_removed_and_taken_over_reaches_the_function(template: Template, only: Only) -> None:
    changed = props(remove="everything", force_fields=(".spec.replicas",))
    found = only(template(lambda stack: ManifestSet(stack, "Set", changed)), "Custom::MokaManifestSet")["Properties"]

    assert (found["Remove"], found["ForceFields"]) == ("everything", [".spec.replicas"])


def test_a_set_waits_for_what_it_is_told_to(template: Template, only: Only) -> None:
    def build(stack: Any) -> None:
        function = ManifestFunction(
            stack,
            "Manifests",
            ManifestFunctionProps(
                name="moka-test-c-manifests",
                location=Location(partition="aws", account="111111111111", region="us-east-1"),
                cluster_name="moka-test-c",
                cluster_endpoint="https://c.example.com",
                cluster_ca="Y2E=",
                cluster_security_group_id="sg-cluster",
                vpc_id="vpc-1",
                subnet_ids=("subnet-a",),
                log_retention_days=30,
            ),
        )
        ManifestSet(stack, "Set", props(function_arn=function.arn, after=function.needed))

    resources = template(build)
    needed = {
        key
        for key, each in resources.items()
        if each["Type"] in {"AWS::EKS::AccessEntry", "AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress"}
    }

    assert len(needed) == 3
    assert needed <= set(only(resources, "Custom::MokaManifestSet")["DependsOn"])


@pytest.mark.parametrize("name", ["a" * 41, "with space", "", "dot.ted"])
def test_a_name_that_is_no_label_is_refused(template: Template, name: str) -> None:
    with pytest.raises(PropsError, match="`name` must be at most 40 letters") as error:
        template(lambda stack: ManifestSet(stack, "Set", props(name=name)))

    assert error.value.code == "BadSetName"
