"""EKS' own answers come from a server on loopback, over the real SDK; tokens are verified in tests/e2e/archer."""

from __future__ import annotations

import base64
from urllib.parse import parse_qs, urlsplit

import pytest
from boto3 import Session  # type: ignore[import-untyped]  # boto3 ships no types

from archer.kubernetes.access import Access
from archer.kubernetes.errors import ClusterUnreachableError
from testbed.eks_api import EksApi, described


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return Session(aws_access_key_id="AKIATEST", aws_secret_access_key="secret", region_name="eu-west-1")


def test_where_a_cluster_is_and_whom_to_believe_comes_from_eks(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    with EksApi(described("https://x.eks.test", b"ca")) as eks:
        monkeypatch.setenv("AWS_ENDPOINT_URL_EKS", eks.url)
        access = Access.from_eks("moka-dev-batch", "eu-west-1", session)

    assert eks.paths == ["/clusters/moka-dev-batch"]
    assert (access.server, access.ca) == ("https://x.eks.test", "ca")
    assert access.credentials is not None
    token = access.credentials.token()
    signed = urlsplit(base64.urlsafe_b64decode(token.removeprefix("k8s-aws-v1.") + "==").decode())
    query = parse_qs(signed.query)
    assert signed.netloc == "sts.eu-west-1.amazonaws.com"
    assert query["Action"] == ["GetCallerIdentity"]
    assert query["X-Amz-Expires"] == ["60"]
    assert query["X-Amz-SignedHeaders"] == ["host;x-k8s-aws-id"]
    assert access.credentials.token() == token


@pytest.mark.parametrize(
    ("kind", "fix"),
    [
        ("ResourceNotFoundException", "correct the name or the region"),
        ("AccessDeniedException", "allow eks:DescribeCluster"),
    ],
)
def test_what_eks_refuses_is_told_with_what_to_do(
    session: Session, monkeypatch: pytest.MonkeyPatch, kind: str, fix: str
) -> None:
    with EksApi({"message": "no"}, status=403, error=kind) as eks:
        monkeypatch.setenv("AWS_ENDPOINT_URL_EKS", eks.url)
        with pytest.raises(ClusterUnreachableError, match=fix) as caught:
            Access.from_eks("moka-dev-batch", "eu-west-1", session)

    assert "moka-dev-batch" in str(caught.value)


def test_a_cluster_that_is_being_made_has_no_endpoint(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    with EksApi({"cluster": {"status": "CREATING"}}) as eks:
        monkeypatch.setenv("AWS_ENDPOINT_URL_EKS", eks.url)
        with pytest.raises(ClusterUnreachableError, match="its status is CREATING; wait until it is ACTIVE"):
            Access.from_eks("moka-dev-batch", "eu-west-1", session)


def test_without_credentials_of_aws_the_message_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")

    with pytest.raises(ClusterUnreachableError, match="Unable to locate credentials; check credentials"):
        Access.from_eks("moka-dev-batch", "eu-west-1")
