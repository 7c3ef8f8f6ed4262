import json
from collections.abc import Callable
from typing import Any

import pytest

from moka_constructs import (
    CachedRegistry,
    Location,
    PropsError,
    PullThroughCaches,
    PullThroughCachesProps,
    pull_cached_images,
)

Template = Callable[[Callable[[Any], object]], dict[str, dict[str, Any]]]
HERE = Location(partition="aws", account="111111111111", region="us-east-1")
KEY = "arn:aws:kms:us-east-1:111111111111:key/1"
SECRET = "arn:aws:secretsmanager:us-east-1:111111111111:secret:ecr-pullthroughcache/docker-hub-AbCdEf"


def build(template: Template, *registries: CachedRegistry) -> dict[str, dict[str, Any]]:
    props = PullThroughCachesProps(
        registries=registries, location=HERE, key_arn=KEY, role_name="moka-test-image-caches", tags={"owner": "us"}
    )
    return template(lambda stack: PullThroughCaches(stack, "Caches", props))


def only(resources: dict[str, dict[str, Any]], kind: str) -> dict[str, Any]:
    (found,) = (each for each in resources.values() if each["Type"] == kind)
    return found


def test_a_rule_names_the_registry_and_the_prefix(template: Template) -> None:
    rule = only(
        build(template, CachedRegistry(upstream="k8s", prefix="moka-test/k8s")), "AWS::ECR::PullThroughCacheRule"
    )

    assert rule["Properties"] == {
        "EcrRepositoryPrefix": "moka-test/k8s",
        "UpstreamRegistry": "k8s",
        "UpstreamRegistryUrl": "registry.k8s.io",
    }


def test_a_registry_that_wants_a_name_gets_its_secret(template: Template) -> None:
    hub = CachedRegistry(upstream="docker-hub", prefix="moka-test/docker-hub", credential_arn=SECRET)
    rule = only(build(template, hub), "AWS::ECR::PullThroughCacheRule")

    assert rule["Properties"]["CredentialArn"] == SECRET
    assert rule["Properties"]["UpstreamRegistryUrl"] == "registry-1.docker.io"


def test_repositories_that_ecr_makes_are_encrypted_tagged_and_cleaned_up_from_the_first_image_on(
    template: Template,
) -> None:
    resources = build(template, CachedRegistry(upstream="quay", prefix="moka-test/quay"))
    template_id = next(key for key, each in resources.items() if each["Type"] == "AWS::ECR::RepositoryCreationTemplate")
    made = resources[template_id]["Properties"]

    assert (made["Prefix"], made["AppliedFor"]) == ("moka-test/quay", ["PULL_THROUGH_CACHE"])
    assert made["EncryptionConfiguration"] == {"EncryptionType": "KMS", "KmsKey": KEY}
    assert made["ResourceTags"] == [{"Key": "owner", "Value": "us"}]
    (rule,) = json.loads(made["LifecyclePolicy"])["rules"]
    assert (rule["selection"]["countType"], rule["selection"]["countNumber"]) == ("sinceImagePushed", 180)
    assert template_id in only(resources, "AWS::ECR::PullThroughCacheRule")["DependsOn"]


def test_ecr_may_make_repositories_below_the_prefixes_only(template: Template) -> None:
    resources = build(
        template,
        CachedRegistry(upstream="quay", prefix="moka-test/quay"),
        CachedRegistry(upstream="k8s", prefix="moka-test/k8s"),
    )
    role = only(resources, "AWS::IAM::Role")["Properties"]
    make, encrypt = role["Policies"][0]["PolicyDocument"]["Statement"]

    assert make["Resource"] == [
        "arn:aws:ecr:us-east-1:111111111111:repository/moka-test/quay/*",
        "arn:aws:ecr:us-east-1:111111111111:repository/moka-test/k8s/*",
    ]
    assert encrypt["Resource"] == [KEY]


def test_ecr_is_trusted_as_its_guide_says(template: Template) -> None:
    """A condition on the account would stop ECR, should it not send one."""
    resources = build(template, CachedRegistry(upstream="quay", prefix="moka-test/quay"))
    trust = only(resources, "AWS::IAM::Role")["Properties"]["AssumeRolePolicyDocument"]["Statement"]

    assert trust == [{"Effect": "Allow", "Principal": {"Service": "ecr.amazonaws.com"}, "Action": "sts:AssumeRole"}]


def test_nodes_may_ask_for_images_below_the_prefixes_only() -> None:
    statement = pull_cached_images("Pull", HERE, ("moka-test/k8s",)).to_json()

    assert statement["Action"] == ["ecr:BatchImportUpstreamImage", "ecr:CreateRepository"]
    assert statement["Resource"] == ["arn:aws:ecr:us-east-1:111111111111:repository/moka-test/k8s/*"]


@pytest.mark.parametrize(
    ("registry", "code", "text"),
    [
        (CachedRegistry(upstream="github", prefix="p"), "SecretMismatch", "must be given for github, got None"),
        (
            CachedRegistry(upstream="k8s", prefix="p", credential_arn=SECRET),
            "SecretMismatch",
            "must be absent for k8s, got arn:",
        ),
        (CachedRegistry(upstream="k8s", prefix="p" * 31), "PrefixTooLong", r"at most 30 characters, got p+ \(31\)"),
    ],
)
def test_fails_on_a_registry_that_ecr_would_refuse(
    template: Template, registry: CachedRegistry, code: str, text: str
) -> None:
    with pytest.raises(PropsError, match=text) as error:
        build(template, registry)

    assert error.value.code == code
