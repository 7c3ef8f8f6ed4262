"""Public registries behind the account's own: ECR fetches an image when a node first asks for it, and keeps it.

Repositories that ECR makes this way follow a template, because no stack of ours can name them before they exist.
"""

import dataclasses
import json
from collections.abc import Mapping
from typing import Final, Literal

from aws_cdk import CfnTag
from aws_cdk import aws_ecr as ecr
from constructs import Construct

from moka_constructs.errors import PropsError
from moka_constructs.location import Location
from moka_constructs.service_role import ServiceRole, ServiceRoleProps
from moka_constructs.statements import Statement

Upstream = Literal["docker-hub", "ecr-public", "github", "gitlab", "k8s", "quay"]

_REGISTRIES: Final[Mapping[Upstream, tuple[str, str]]] = {
    "docker-hub": ("docker-hub", "registry-1.docker.io"),
    "ecr-public": ("ecr-public", "public.ecr.aws"),
    "github": ("github-container-registry", "ghcr.io"),
    "gitlab": ("gitlab-container-registry", "registry.gitlab.com"),
    "k8s": ("k8s", "registry.k8s.io"),
    "quay": ("quay", "quay.io"),
}
"""{upstream: (ECR's word for it, its address)}:
https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache.html"""
WANT_SECRET: Final[frozenset[Upstream]] = frozenset({"docker-hub", "github", "gitlab"})
"""Upstreams that let nobody in without a name."""
LONGEST_PREFIX: Final = 30


@dataclasses.dataclass(frozen=True, kw_only=True)
class CachedRegistry:
    """One public registry."""

    upstream: Upstream
    prefix: str
    """What the names of its repositories start with, at most 30 characters."""
    credential_arn: str | None = None
    """Secret ecr-pullthroughcache/… with userName and accessToken, for those that want one."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PullThroughCachesProps:
    """Which registries, and how their images are kept."""

    registries: tuple[CachedRegistry, ...]
    location: Location
    key_arn: str
    """KMS key of the layers."""
    role_name: str
    """Role with which ECR makes the repositories."""
    tags: Mapping[str, str]
    """Tags of the repositories that ECR makes."""
    expire_days: int = 180
    """Days that an image is kept; it is fetched again when it is asked for again."""


class PullThroughCaches(Construct):
    """A rule and a template for repositories per registry."""

    def __init__(self, scope: Construct, construct_id: str, props: PullThroughCachesProps) -> None:
        super().__init__(scope, construct_id)
        for registry in props.registries:
            self._check(registry)
        role = self._role(props)
        for registry in props.registries:
            name = "".join(part.capitalize() for part in registry.upstream.split("-"))
            word, address = _REGISTRIES[registry.upstream]
            template = ecr.CfnRepositoryCreationTemplate(
                self,
                f"{name}Template",
                applied_for=["PULL_THROUGH_CACHE"],
                prefix=registry.prefix,
                description=f"Images of {address}, fetched when they are first asked for",
                # a tag that moves upstream moves here; what must not move is named by digest
                image_tag_mutability="MUTABLE",
                encryption_configuration=ecr.CfnRepositoryCreationTemplate.EncryptionConfigurationProperty(
                    encryption_type="KMS", kms_key=props.key_arn
                ),
                lifecycle_policy=_expire(props.expire_days),
                custom_role_arn=role,
                resource_tags=[CfnTag(key=key, value=value) for key, value in props.tags.items()],
            )
            rule = ecr.CfnPullThroughCacheRule(
                self,
                f"{name}Rule",
                ecr_repository_prefix=registry.prefix,
                upstream_registry=word,
                upstream_registry_url=address,
                credential_arn=registry.credential_arn,
            )
            # an image asked for between the two would land in a repository without the template's settings
            rule.add_resource_dependency(template)

    def _check(self, registry: CachedRegistry) -> None:
        if len(registry.prefix) > LONGEST_PREFIX:
            raise PropsError(
                "PrefixTooLong",
                f"`prefix` must have at most {LONGEST_PREFIX} characters, got {registry.prefix} ({len(registry.prefix)}); shorten it",
                self,
            )
        if (registry.upstream in WANT_SECRET) != (registry.credential_arn is not None):
            wanted = "be given" if registry.upstream in WANT_SECRET else "be absent"
            raise PropsError(
                "SecretMismatch",
                f"`credential_arn` must {wanted} for {registry.upstream}, got {registry.credential_arn}; {', '.join(sorted(WANT_SECRET))} want one, the others none",
                self,
            )

    def _role(self, props: PullThroughCachesProps) -> str:
        location = props.location
        repositories = tuple(location.arn("ecr", f"repository/{registry.prefix}/*") for registry in props.registries)
        role = ServiceRole(
            self,
            "Role",
            ServiceRoleProps(
                role_name=props.role_name,
                location=location,
                description="Lets ECR make repositories for images of public registries",
                service="ecr.amazonaws.com",
                statements=(
                    Statement(
                        sid="MakeRepositories",
                        actions=("ecr:CreateRepository", "ecr:ReplicateImage", "ecr:TagResource"),
                        resources=repositories,
                    ),
                    Statement(
                        sid="EncryptRepositories",
                        actions=("kms:CreateGrant", "kms:RetireGrant", "kms:DescribeKey"),
                        resources=(props.key_arn,),
                    ),
                ),
                # the guide's trust policy has no condition, and nothing says that ECR sends the account:
                # https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-creation-templates-create-iam.html
            ),
        )
        return role.arn


def pull_cached_images(sid: str, location: Location, prefixes: tuple[str, ...]) -> Statement:
    """Let nodes ask for images that are not cached yet, in the repositories of `prefixes` only.

    Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache-iam.html
    """
    return Statement(
        sid=sid,
        actions=("ecr:BatchImportUpstreamImage", "ecr:CreateRepository"),
        resources=tuple(location.arn("ecr", f"repository/{prefix}/*") for prefix in prefixes),
    )


def _expire(days: int) -> str:
    rule = {
        "rulePriority": 1,
        "description": f"drop images {days} days after they were fetched",
        "selection": {"tagStatus": "any", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": days},
        "action": {"type": "expire"},
    }
    return json.dumps({"rules": [rule]})
