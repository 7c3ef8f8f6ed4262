"""Whether the delivery registry holds the images that the clusters pull.

Only ECR can be asked. Before the first deploy the environment's own repositories are not there yet: that warns and names
the command that fills them; a repository that is there without the tag fails, because a rollout would wait for it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from environments import Environment
from environments.names import partition, registry
from moka.preflight.calls import Call, Scope
from moka.preflight.check import Check, Context, WantedImage, ask
from moka.preflight.failures import NotFoundError
from moka.preflight.rows import Verdict, failed, listed, passed, warned

_ECR: Final = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr(-fips)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?(/(?P<prefix>.+))?"
)


@dataclass(frozen=True, kw_only=True)
class EcrRegistry:
    """A registry in ECR."""

    account: str
    region: str
    prefix: str
    """What stands before each repository's name, with a slash at its end when there is any."""


def ecr_registry(environment: Environment) -> EcrRegistry | None:
    """Return where the images are when that is ECR, else None."""
    match = _ECR.fullmatch(registry(environment))
    if match is None:
        return None
    prefix = match["prefix"]
    return EcrRegistry(account=match["account"], region=match["region"], prefix=f"{prefix}/" if prefix else "")


def _repository_arns(environment: Environment) -> tuple[str, ...]:
    found = ecr_registry(environment)
    if found is None:
        return ()
    return (f"arn:{partition(environment)}:ecr:{found.region}:{found.account}:repository/{found.prefix}*",)


IMAGES: Final = Call(
    "ecr", "DescribeImages", Scope(words="the delivery registry's repositories", arns=_repository_arns)
)


def judge(environment: Environment, repository: str, tag: str, answer: str) -> Iterator[Verdict]:
    """Yield whether an image is there; `answer` is "there", "no image" or "no repository"."""
    subject = f"{repository}:{tag}"
    push = f"moka images push {environment.name}"
    if answer == "there":
        yield passed(subject, "there")
    elif answer == "no repository" and environment.delivery.registry == "account":
        fix = f"./cdk deploy '{environment.name}/data', then {push}, before the platform stacks"
        yield warned(subject, "no repository yet", needed="before the platform stacks", fix=fix)
    elif answer == "no repository":
        yield failed(
            subject,
            "no such repository",
            needed="the image in the existing registry",
            fix=f"copy the image to {registry(environment)}",
        )
    else:
        fix = push if environment.delivery.registry == "account" else f"copy the image to {registry(environment)}"
        yield failed(subject, "no such tag", needed=tag, fix=fix)


def _answer(context: Context, where: EcrRegistry, image: WantedImage) -> str:
    try:
        context.aws.get(
            IMAGES,
            region=where.region,
            registryId=where.account,
            repositoryName=f"{where.prefix}{image.repository}",
            imageIds=[{"imageTag": image.tag}],
        )
    except NotFoundError as error:
        return "no repository" if error.code == "RepositoryNotFoundException" else "no image"
    return "there"


def _one(context: Context, where: EcrRegistry, image: WantedImage) -> Iterator[Verdict]:
    repository = f"{where.prefix}{image.repository}"
    return ask(
        f"{repository}:{image.tag}",
        lambda: _answer(context, where, image),
        lambda answer: judge(context.environment, repository, image.tag, answer),
    )


def _run(context: Context) -> Iterator[Verdict]:
    where = ecr_registry(context.environment)
    images = context.images(context.environment)
    if where is None:
        value = f"{registry(context.environment)}: not ECR, not looked at"
        yield warned(
            "registry",
            value,
            fix=f"look there for {listed((f'{image.repository}:{image.tag}' for image in images), most=50)}",
        )
        return
    for image in images:
        yield from _one(context, where, image)


CHECK: Final = Check(
    name="images",
    asks="Does the delivery registry hold the images that the clusters pull?",
    calls=(IMAGES,),
    run=_run,
)
