"""A container registry repository: immutable tags, scanned on push, encrypted, old untagged images dropped."""

import dataclasses
import json

from aws_cdk import RemovalPolicy
from aws_cdk import aws_ecr as ecr
from constructs import Construct


@dataclasses.dataclass(frozen=True, kw_only=True)
class ImageRepositoryProps:
    """Which images, and what becomes of them."""

    repository_name: str
    key_arn: str
    """KMS key of the layers. ECR cannot change it later: another key means another repository."""
    retain: bool
    """Whether images outlive the stack; without it they are deleted with the repository."""
    untagged_days: int = 14
    """Days until an image that lost its tag is dropped."""


class ImageRepository(Construct):
    """An ECR repository."""

    def __init__(self, scope: Construct, construct_id: str, props: ImageRepositoryProps) -> None:
        super().__init__(scope, construct_id)
        rule = {
            "rulePriority": 1,
            "description": "drop images that no tag points to",
            "selection": {
                "tagStatus": "untagged",
                "countType": "sinceImagePushed",
                "countUnit": "days",
                "countNumber": props.untagged_days,
            },
            "action": {"type": "expire"},
        }
        repository = ecr.CfnRepository(
            self,
            "Resource",
            repository_name=props.repository_name,
            image_tag_mutability="IMMUTABLE",
            image_scanning_configuration=ecr.CfnRepository.ImageScanningConfigurationProperty(scan_on_push=True),
            encryption_configuration=ecr.CfnRepository.EncryptionConfigurationProperty(
                encryption_type="KMS", kms_key=props.key_arn
            ),
            lifecycle_policy=ecr.CfnRepository.LifecyclePolicyProperty(
                lifecycle_policy_text=json.dumps({"rules": [rule]})
            ),
            empty_on_delete=not props.retain,
        )
        if props.retain:
            repository.apply_removal_policy(RemovalPolicy.RETAIN)
        self.name = props.repository_name
