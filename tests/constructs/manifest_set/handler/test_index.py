"""What AWS calls, with moto's S3 and a cluster in memory; over HTTPS and with a token it is tried in tests/e2e/delivery."""

import base64
from collections.abc import Iterator
from typing import Any

import boto3  # type: ignore[import-untyped]
import pytest
from moto import mock_aws

from moka_constructs.manifest_set.handler import bundle, index
from moka_constructs.manifest_set.handler.deadline import Deadline
from testbed.fake_api_server import FakeApiServer

from .cloudformation_side import CloudFormation
from .conftest import Files, a_deployment, an_object, as_files

FILES: Files = {
    "10-namespaces.yaml": [an_object("Namespace", "moka-system")],
    "30-work.yaml": [a_deployment("d", "moka-system", system=False)],
}


class Context:
    """What Lambda passes along."""

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


@pytest.fixture
def function(server: FakeApiServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The surroundings of the function; gives S3."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "ACCOUNT": "123456789012",
        "CLUSTER_NAME": "moka-test-c",
        "CLUSTER_ENDPOINT": server.url,
        "CLUSTER_CA": base64.b64encode(b"unused over http").decode(),
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws(config={"core": {"passthrough": {"urls": [r"http://127\.0\.0\.1.*"]}}}):
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="assets")
        content = as_files(FILES)
        s3.put_object(Bucket="assets", Key="set.zip", Body=bundle.write(bundle.contents(content)))
        yield s3


@pytest.fixture(autouse=True)
def closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close the connections that a sandbox would keep."""
    made = []
    build = index.delivery_of

    def remember(*arguments: Any) -> Any:
        made.append(build(*arguments))
        return made[-1]

    monkeypatch.setattr(index, "delivery_of", remember)
    yield
    for each in made:
        each.client.close()


def test_a_request_of_cloudformation_applies_the_bundle_that_it_names(
    function: Any, server: FakeApiServer, cloudformation: CloudFormation
) -> None:
    properties = {"Bucket": "assets", "Key": "set.zip", "Values": {"oidc_issuer": "x"}}

    assert index.handle(cloudformation.event("Create", properties), Context()) is None

    (answer,) = cloudformation.answers
    assert answer["Status"] == "SUCCESS", answer["Reason"]
    assert "/apis/apps/v1/namespaces/moka-system/deployments/d" in server.objects
    assert server.objects["/api/v1/namespaces/moka-system/configmaps/moka-platform"]["data"] == {"oidc_issuer": "x"}


def test_a_bundle_that_is_not_there_fails_the_deploy_with_its_name(
    function: Any, cloudformation: CloudFormation
) -> None:
    index.handle(cloudformation.event("Create", {"Bucket": "assets", "Key": "gone.zip"}), Context())

    (answer,) = cloudformation.answers
    assert answer["Status"] == "FAILED"
    assert "NoSuchKey" in answer["Reason"]


def test_properties_become_options(function: Any) -> None:
    properties = {
        "ClusterName": "c",
        "Set": "platform",
        "Remove": "everything",
        "ForceFields": [".spec.replicas"],
        "Values": {"a": "b"},
    }

    options = index.deliver(properties, Deadline(5), lambda _: None).options

    assert (options.everything, options.force_fields, options.platform_values) == (
        True,
        (".spec.replicas",),
        {"a": "b"},
    )
    assert options.prune
    assert options.access_seconds > 60
    plain = index.deliver(
        {"ClusterName": "c", "Set": "platform", "Remove": "keep_jobs"}, Deadline(5), lambda _: None
    ).options
    assert (plain.everything, plain.force_fields, plain.platform_values) == (False, (), None)
    assert plain.prune
    nothing = index.deliver({"ClusterName": "c", "Set": "platform", "Remove": "nothing"}, Deadline(5), lambda _: None)
    assert (nothing.options.prune, nothing.options.everything) == (False, False)


def by_hand(action: str, **options: Any) -> dict[str, Any]:
    content = base64.b64encode(bundle.write(bundle.contents(as_files(FILES)))).decode()
    result = index.handle(
        {"Action": action, "ClusterName": "moka-test-c", "Set": "platform", "Bundle": content, "Options": options},
        Context(),
    )
    assert result is not None
    return result


def test_an_invocation_by_hand_applies_and_compares_what_came_with_it(function: Any, server: FakeApiServer) -> None:
    assert [each["outcome"] for each in by_hand("diff")["differences"]] == ["created", "created"]
    assert by_hand("apply", prune=True)["counts"]["created"] == 2
    assert by_hand("diff") == {"differences": [], "left over": []}


def test_a_failure_by_hand_is_a_result(function: Any, server: FakeApiServer) -> None:
    server.faults.append(lambda m, p: (422, {"message": "is bad"}) if m == "PATCH" and "/deployments/" in p else None)

    assert by_hand("apply") == {
        "failed": "applying 30-work.yaml",
        "problems": [["Deployment moka-system/d", "is bad"]],
    }
    server.faults[:] = [lambda *_: (403, {"message": "no"})]
    assert "refuses: no" in by_hand("apply")["failed"]
