"""What a job needs of the platform's Spark image beyond Spark itself, and whether the image has it.

The image lists its features in the label `moka.dev/features`; `archer.yaml` carries the same list. A job that asks for
what the image lacks would fail minutes later with a class that nobody finds, so it is refused at the door. Only what a
submission says itself, or its profile, is looked at: an image of the job's own is the owner's business.
"""

from collections.abc import Collection, Iterator
from typing import Final

from archer.errors import Problem
from archer.problems import shown
from archer.submission import Submission

_BY_KEY: Final = {"spark.celeborn.": "celeborn", "spark.hadoop.fs.s3a.": "s3a"}
"""{start of a Spark property's name: feature that alone reads it}."""
_BY_VALUE: Final = {
    "org.apache.spark.shuffle.celeborn.": "celeborn",
    "org.apache.spark.internal.io.cloud.": "committers",
    "s3a://": "s3a",
}
"""{start of a property's value, or of an address: feature that alone understands it}."""


def missing(submission: Submission, features: Collection[str] | None) -> Iterator[Problem]:
    """Yield what the submission needs of the image that it lacks, once for each feature.

    `features` is None where nobody has said what the image has: then nothing is refused.
    """
    if features is None or submission.image is not None:
        return
    told = set(features)
    for path, value, feature in _needs(submission):
        if feature not in told:
            told.add(feature)
            yield from lacking(path, value, feature, features)


def lacking(path: str, value: str, feature: str, features: Collection[str] | None) -> Iterator[Problem]:
    """Yield the problem when the platform's image is known not to have the feature that a value needs."""
    if features is None or feature in features:
        return
    yield Problem(
        path=path,
        value=shown(value),
        allowed=f"something that the Spark image can do: it has {', '.join(sorted(features)) or 'no features'}, "
        f"not {feature}",
        fix=f"leave it out, name an image of your own that has {feature}, or ask for an image with it",
    )


def _needs(submission: Submission) -> Iterator[tuple[str, str, str]]:
    """Yield (path, value, feature)."""
    for path, value in submission.application.locations():
        yield from ((path, value, feature) for start, feature in _BY_VALUE.items() if value.startswith(start))
    for key, value in submission.conf.items():
        path = f"conf.{key}"
        yield from ((path, value, feature) for start, feature in _BY_KEY.items() if key.startswith(start))
        yield from ((path, value, feature) for start, feature in _BY_VALUE.items() if value.startswith(start))
