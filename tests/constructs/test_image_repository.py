import json
from collections.abc import Callable
from typing import Any

import pytest

from moka_constructs import ImageRepository, ImageRepositoryProps

Template = Callable[[Callable[[Any], object]], dict[str, dict[str, Any]]]
Only = Callable[[dict[str, dict[str, Any]], str], dict[str, Any]]


@pytest.mark.parametrize(("retain", "policy"), [(True, "Retain"), (False, "Delete")])
def test_images_go_with_the_repository_only_when_it_is_not_retained(
    template: Template, only: Only, retain: bool, policy: str
) -> None:
    props = ImageRepositoryProps(repository_name="moka/spark", key_arn="arn:aws:kms:x:1:key/1", retain=retain)
    repository = only(template(lambda stack: ImageRepository(stack, "Image", props)), "AWS::ECR::Repository")

    assert repository.get("DeletionPolicy", "Delete") == policy
    assert repository["Properties"]["EmptyOnDelete"] is not retain


def test_only_images_without_a_tag_expire(template: Template, only: Only) -> None:
    props = ImageRepositoryProps(repository_name="moka/spark", key_arn="arn:aws:kms:x:1:key/1", retain=True)
    repository = only(template(lambda stack: ImageRepository(stack, "Image", props)), "AWS::ECR::Repository")
    (rule,) = json.loads(repository["Properties"]["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]

    assert rule["selection"]["tagStatus"] == "untagged"
    assert rule["selection"]["countNumber"] == 14
