"""How each image of ours is built: what the Dockerfile's arguments are for this tree."""

import os

from k8s_manifests.own_images import OwnImage, spark_features
from moka.images.tools import Recipe


def recipe_of(image: OwnImage, platforms: tuple[str, ...], base: str | None = None) -> Recipe:
    """Return the recipe; `base` replaces the Dockerfile's pinned base image.

    WITH_RDS_AUTHORITIES=0 in the environment, as for Docker's bake, builds Archer where AWS cannot be reached.
    """
    arguments: dict[str, str] = {}
    if base is not None:
        arguments["BASE"] = base
    if image.repository == "archer":
        arguments["WITH_RDS_AUTHORITIES"] = "0" if os.environ.get("WITH_RDS_AUTHORITIES") == "0" else "1"
    if image.repository == "spark":
        features = spark_features(image.root)
        arguments |= {f"WITH_{feature.name.upper()}": "1" if feature.built else "0" for feature in features}
        arguments["FEATURES"] = ",".join(feature.name for feature in features if feature.built)
    return Recipe(
        context=image.root,
        dockerfile=image.dockerfile,
        arguments=arguments,
        labels={"moka.dev/inputs": image.inputs},
        platforms=platforms,
    )
