"""Images looked up in moto's ECR."""

import json
from collections.abc import Iterator
from typing import Any

import boto3  # type: ignore[import-untyped]
import pytest
from moto import mock_aws

from moka_constructs.manifest_set.handler import images
from moka_constructs.manifest_set.handler.errors import SetError

from .conftest import a_deployment

ACCOUNT = "123456789012"
REGISTRY = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"
MANIFEST = {"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json", "layers": []}
DIGEST = f"sha256:{'a' * 64}"


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        made = boto3.session.Session(region_name="us-east-1")
        ecr = made.client("ecr")
        ecr.create_repository(repositoryName="moka-dev/spark-operator")
        ecr.put_image(repositoryName="moka-dev/spark-operator", imageTag="2.5.2", imageManifest=json.dumps(MANIFEST))
        yield made


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        (f"{REGISTRY}/moka-dev/spark:4.0", images.EcrImage("us-east-1", "moka-dev/spark", "4.0")),
        (f"{REGISTRY}/moka-dev/spark:4.0@{DIGEST}", images.EcrImage("us-east-1", "moka-dev/spark", DIGEST)),
        (f"{REGISTRY}/moka-dev/spark@{DIGEST}", images.EcrImage("us-east-1", "moka-dev/spark", DIGEST)),
        (f"{REGISTRY}/spark", images.EcrImage("us-east-1", "spark", "latest")),
        (f"{ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com.cn/a/b:1", images.EcrImage("cn-north-1", "a/b", "1")),
        (f"{ACCOUNT}.dkr.ecr-fips.us-gov-west-1.amazonaws.com/a:1", images.EcrImage("us-gov-west-1", "a", "1")),
        ("210987654321.dkr.ecr.us-east-1.amazonaws.com/a:1", None),
        ("registry.example.com/moka/spark:4.0", None),
        ("spark:4.0", None),
    ],
)
def test_an_image_of_the_accounts_registry_is_known_by_its_address(
    reference: str, expected: images.EcrImage | None
) -> None:
    assert images.in_account(reference, ACCOUNT) == expected


def test_images_that_are_there_are_no_matter(session: Any) -> None:
    found = f"{REGISTRY}/moka-dev/spark-operator:2.5.2"

    images.check(session, ACCOUNT, [a_deployment("a", "n", image=found), a_deployment("b", "n", image="other/x:1")])


def test_all_that_are_missing_are_told_with_who_needs_them(session: Any) -> None:
    wanted = [
        a_deployment("controller", "n", image=f"{REGISTRY}/moka-dev/spark-operator:9.9.9"),
        a_deployment("webhook", "n", image=f"{REGISTRY}/moka-dev/spark-operator:9.9.9"),
        a_deployment("scheduler", "n", image=f"{REGISTRY}/moka-dev/yunikorn:1.9.0"),
    ]

    with pytest.raises(SetError) as error:
        images.check(session, ACCOUNT, wanted)

    assert str(error.value).splitlines() == [
        "images are missing (`moka images push ENV` copies them):",
        f"  {REGISTRY}/moka-dev/spark-operator:9.9.9: the repository has no such image; needed by Deployment n/controller and Deployment n/webhook",
        f"  {REGISTRY}/moka-dev/yunikorn:1.9.0: there is no such repository; needed by Deployment n/scheduler",
    ]


def test_a_registry_that_cannot_be_asked_is_told_with_its_reason(session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.exceptions import ConnectTimeoutError  # type: ignore[import-untyped]

    class Ecr:
        def describe_images(self, **_: Any) -> None:
            raise ConnectTimeoutError(endpoint_url="https://api.ecr.us-east-1.amazonaws.com")

    monkeypatch.setattr(session, "client", lambda *_, **__: Ecr())

    with pytest.raises(SetError, match=r"ECR cannot be asked: Connect timeout on endpoint URL"):
        images.check(session, ACCOUNT, [a_deployment("a", "n", image=f"{REGISTRY}/a:1")])
