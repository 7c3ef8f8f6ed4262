"""The container images that charts use: upstream address, version, and where they are found in an environment.

Clusters pull from one registry, the environment's (`environments.names.registry`), under the repository name given
here; nothing pulls from the internet. A tag is a full version, never `latest`. Digests are not written down yet: none
can be verified without reaching the upstream registry; the mirror step resolves the tag once and pins what it copied.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Image:
    """One image."""

    repository: str
    """Name below the environment's registry prefix; one ECR repository each."""
    upstream: str
    """Where it is copied from, with registry, without tag."""
    version: str
    """Tag, upstream's and ours."""
    source: str
    """Where the version was looked up."""

    def in_registry(self, registry: str) -> str:
        """Return the reference that a pod uses: <registry>/<repository>:<version>."""
        return f"{registry}/{self.repository}:{self.version}"


SPARK_OPERATOR: Final = Image(
    repository="spark-operator",
    upstream="ghcr.io/kubeflow/spark-operator/controller",
    version="2.5.2",
    source="https://github.com/kubeflow/spark-operator/releases/tag/v2.5.2",
)
"""Controller and webhook are one image, for amd64 and arm64; spark-submit inside is Spark 4.0.4; it runs as 185:185."""

IMAGES: Final = (SPARK_OPERATOR,)
"""All images, in the order in which they are mirrored."""
