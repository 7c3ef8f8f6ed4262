"""Spark on the platform: properties of all jobs, and images of further versions."""

from typing import Annotated, Literal

from pydantic import Field

from environments.base import Section, shaped

SparkVersion = Annotated[
    str,
    shaped(
        "spark-version",
        r"\d+\.\d+\.\d+",
        allowed="a Spark version of three numbers",
        fix="write it whole, for example 4.0.5",
    ),
]
ConfKey = Annotated[
    str,
    shaped(
        "spark-conf-key",
        r"spark\.[A-Za-z0-9_.$/-]+",
        allowed="a Spark configuration key that starts with spark.",
        fix="write the whole key, for example spark.sql.shuffle.partitions",
    ),
]


class SparkImage(Section):
    """An image that the company builds itself, for a version that the platform's own image is not."""

    version: SparkVersion
    """Spark version inside."""
    image: Annotated[
        str,
        shaped(
            "image",
            r"[a-z0-9][A-Za-z0-9._:/-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|@sha256:[0-9a-f]{64})",
            allowed="an image with its registry, and a tag or digest",
            fix="write it whole, for example registry.example.com/spark:3.5.6",
        ),
    ]
    """Registry, repository, and tag or digest."""
    architectures: Annotated[tuple[Literal["amd64", "arm64"], ...], Field(min_length=1)] = ("amd64", "arm64")
    """What the image is built for."""


class Spark(Section):
    """Spark for all jobs."""

    images: tuple[SparkImage, ...] = ()
    """Images of versions beside the platform's own."""
    conf: dict[ConfKey, str] = Field(default_factory=dict)
    """Spark properties of all jobs, above Archer's own; teams, profiles and jobs may override them."""
