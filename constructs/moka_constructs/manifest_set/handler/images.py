"""Whether the account's registry has the images that a set names, asked before anything is applied.

A rollout that waits for an image that nobody pushed costs the whole time of a deploy and ends with a timeout; this costs a
second and names all of them. Images of other registries are not asked for.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .errors import Problem, SetError
from .references import Manifest, Reference, images
from .workers import each_of

ECR: Final = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?"
    r"/(?P<repository>[^:@]+)(?::(?P<tag>[^@]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
TIMEOUTS: Final = {"connect_timeout": 3, "read_timeout": 5, "retries": {"mode": "standard", "max_attempts": 3}}


@dataclass(frozen=True, order=True)
class EcrImage:
    """One image of a registry in ECR."""

    region: str
    repository: str
    identity: str
    """Its digest when the reference has one, else its tag."""


def in_account(reference: str, account: str) -> EcrImage | None:
    """Return the image when it is in the account's registry."""
    match = ECR.fullmatch(reference)
    if match is None or match["account"] != account:
        return None
    return EcrImage(match["region"], match["repository"], match["digest"] or match["tag"] or "latest")


def check(session: Any, account: str, manifests: Iterable[Manifest]) -> None:
    """Return when every image of the account is there. Raises SetError with all that are not."""
    users: dict[str, list[str]] = {}
    for manifest in manifests:
        for reference in images(manifest):
            users.setdefault(reference, []).append(str(Reference.of(manifest)))
    wanted = {reference: found for reference in users if (found := in_account(reference, account))}
    missing = _missing(session, sorted(set(wanted.values())))
    problems = [
        Problem(reference, f"{missing[image]}; needed by {' and '.join(dict.fromkeys(users[reference]))}")
        for reference, image in wanted.items()
        if image in missing
    ]
    if problems:
        raise SetError("images are missing (`moka images push ENV` copies them)", sorted(problems))


def _missing(session: Any, wanted: Sequence[EcrImage]) -> Mapping[EcrImage, str]:
    """Return {image: why it cannot be had}."""
    from botocore.config import Config  # type: ignore[import-untyped]  # noqa: PLC0415  # only where AWS is called
    from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]  # noqa: PLC0415

    clients = {
        region: session.client("ecr", region_name=region, config=Config(**TIMEOUTS))
        for region in {i.region for i in wanted}
    }
    found: dict[EcrImage, str] = {}

    def look(image: EcrImage) -> None:
        identity = {"imageDigest" if image.identity.startswith("sha256:") else "imageTag": image.identity}
        try:
            clients[image.region].describe_images(repositoryName=image.repository, imageIds=[identity])
        except ClientError as error:
            code = error.response["Error"]["Code"]
            found[image] = {
                "ImageNotFoundException": "the repository has no such image",
                "RepositoryNotFoundException": "there is no such repository",
            }.get(code, f"ECR cannot be asked: {error}")
        except BotoCoreError as error:
            found[image] = f"ECR cannot be asked: {error}"

    each_of(look, wanted)
    return found
