"""The one list of an environment's images: what preflight looks for, what is pushed, what the reference shows."""

from dataclasses import dataclass
from typing import Final, Literal

from environments import Environment
from environments.names import registry
from k8s_manifests.images import Image, images_of
from k8s_manifests.own_images import OWN_IMAGES, OwnImage, spark_features

PLATFORMS: Final = ("linux/amd64", "linux/arm64")
"""What node pools can be, so what every image is for."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One image that an environment needs."""

    kind: Literal["built", "mirrored"]
    repository: str
    """Name below the registry's prefix."""
    tag: str
    source: str
    """Where it comes from: upstream's address with tag, or the Dockerfile."""
    digest: str | None
    """What upstream's index must have; None when it is built, or when no public source states it."""
    version_source: str | None
    """Page where the version was looked up; None for our own."""
    target: str
    """Full reference in the environment's registry: what pods pull."""
    own: OwnImage | None = None
    """How to build it."""

    def as_json(self) -> dict[str, str | None]:
        return {
            "repository": self.repository,
            "tag": self.tag,
            "kind": self.kind,
            "source": self.source,
            "digest": self.digest,
            "version_source": self.version_source,
            "target": self.target,
        }


def catalog(environment: Environment, own_images: tuple[OwnImage, ...] = OWN_IMAGES) -> tuple[Entry, ...]:
    """Return all images of the environment: our own first, then those that are mirrored, in the order of a push."""
    where = registry(environment)
    return (
        *(_built(image, where) for image in own_images),
        *(_mirrored(image, where) for image in images_of(environment)),
    )


def warnings(environment: Environment) -> tuple[str, ...]:
    """Return what the images of this tree cannot do although the environment has it."""
    return tuple(
        f"environment {environment.name} has celeborn, and the Spark image is built without its client: Archer refuses jobs "
        f"that ask for it. Why, and what to do: images/spark/jars.lock, [features.celeborn]"
        for feature in spark_features()
        if feature.name == "celeborn" and not feature.built and environment.celeborn is not None
    )


def _built(image: OwnImage, where: str) -> Entry:
    return Entry(
        kind="built",
        repository=image.repository,
        tag=image.tag,
        source=image.dockerfile,
        digest=None,
        version_source=None,
        target=image.in_registry(where),
        own=image,
    )


def _mirrored(image: Image, where: str) -> Entry:
    return Entry(
        kind="mirrored",
        repository=image.repository,
        tag=image.version,
        source=f"{image.upstream}:{image.version}",
        digest=image.digest,
        version_source=image.source,
        target=image.in_registry(where),
    )
