import base64
import itertools
import time
from urllib.parse import parse_qs, urlsplit

import boto3  # type: ignore[import-untyped]
import pytest

from moka_constructs.manifest_set.handler import eks_token as module
from moka_constructs.manifest_set.handler.eks_token import eks_token, eks_token_source


@pytest.fixture
def session() -> object:
    return boto3.session.Session("AKIDEXAMPLE", "secret", "session", region_name="eu-west-1")


def decoded(token: str) -> str:
    prefix, _, text = token.partition(".")
    assert prefix == "k8s-aws-v1"
    assert "=" not in text
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()


def test_a_token_is_a_presigned_question_to_sts_about_one_cluster(session: object) -> None:
    url = urlsplit(decoded(eks_token(session, "eu-west-1", "moka-dev-batch")))
    query = {key: values[0] for key, values in parse_qs(url.query).items()}

    assert (url.scheme, url.netloc) == ("https", "sts.eu-west-1.amazonaws.com")
    assert query["Action"] == "GetCallerIdentity"
    assert query["X-Amz-SignedHeaders"] == "host;x-k8s-aws-id"
    assert query["X-Amz-Expires"] == "60"
    assert query["X-Amz-Credential"].startswith("AKIDEXAMPLE/")
    assert query["X-Amz-Security-Token"] == "session"


def test_another_cluster_is_signed_otherwise(session: object) -> None:
    one, other = (parse_qs(decoded(eks_token(session, "eu-west-1", name)))["X-Amz-Signature"] for name in ("a", "b"))

    assert one != other


def test_china_has_its_own_domain(session: object) -> None:
    assert urlsplit(decoded(eks_token(session, "cn-north-1", "c"))).netloc == "sts.cn-north-1.amazonaws.com.cn"


def test_a_token_is_kept_until_it_is_old_or_was_refused(session: object, monkeypatch: pytest.MonkeyPatch) -> None:
    now, numbers = [1000.0], itertools.count(1)
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(module, "eks_token", lambda *_: f"token {next(numbers)}")
    give = eks_token_source(session, "eu-west-1", "c")

    assert [give(False), give(False)] == ["token 1", "token 1"]
    # threads that were refused with one token together get one new token
    now[0] += 6
    assert [give(True), give(True)] == ["token 2", "token 2"]
    now[0] += 601
    assert give(False) == "token 3"
