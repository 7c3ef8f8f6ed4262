"""The container images that charts use: upstream address, tag, and where they are found in an environment.

Clusters pull from one registry, the environment's (`environments.names.registry`), under the repository name given
here; nothing pulls from the internet. A tag is a full version, never `latest`; all images are for amd64 and arm64. A digest
stands here where public sources state that of the index behind the tag: a mirror that finds another one must stop.
Those without one are pinned by the mirror, which resolves the tag once and copies what it found.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from environments import Environment
from environments.clusters import KubernetesVersion


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
    digest: str | None = None
    """Digest of the index of all architectures behind the tag; None where no public source that could be read states it."""

    def in_registry(self, registry: str) -> str:
        """Return the reference that a pod uses: <registry>/<repository>:<version>."""
        return f"{registry}/{self.repository}:{self.version}"


SPARK_OPERATOR: Final = Image(
    repository="spark-operator",
    upstream="ghcr.io/kubeflow/spark-operator/controller",
    version="2.5.2",
    source="https://github.com/kubeflow/spark-operator/releases/tag/v2.5.2",
)
"""Controller and webhook are one image; spark-submit inside is Spark 4.0.4; it runs as 185:185."""

YUNIKORN_VERSION: Final = "1.9.0"
YUNIKORN_SCHEDULER: Final = Image(
    repository="yunikorn-scheduler",
    upstream="docker.io/apache/yunikorn",
    version=f"scheduler-{YUNIKORN_VERSION}",
    source="https://yunikorn.apache.org/release-announce/1.9.0",
)
"""From scratch, the one binary; it runs as 4444:4444, like the admission controller's."""
YUNIKORN_ADMISSION: Final = Image(
    repository="yunikorn-admission",
    upstream="docker.io/apache/yunikorn",
    version=f"admission-{YUNIKORN_VERSION}",
    source="https://yunikorn.apache.org/release-announce/1.9.0",
)
PAUSE: Final = Image(
    repository="pause",
    upstream="registry.k8s.io/pause",
    version="3.10",
    source="https://github.com/kubernetes/kubernetes/blob/master/build/pause/CHANGELOG.md",
    # stated as the manifest list's by kind's node images and by many that pin it
    digest="sha256:ee6521f290b2168b6e0935a181d4cff9be1ac3f505666ef0e3c98fae8199917a",
)
"""What YuniKorn's placeholders run; the version is free of Kubernetes'."""


def _cluster_autoscaler(version: str, digest: str | None = None) -> Image:
    return Image(
        repository="cluster-autoscaler",
        upstream="registry.k8s.io/autoscaling/cluster-autoscaler",
        version=f"v{version}",
        source=f"https://github.com/kubernetes/autoscaler/releases/tag/cluster-autoscaler-{version}",
        digest=digest,
    )


CLUSTER_AUTOSCALER: Final[Mapping[KubernetesVersion, Image]] = {
    "1.34": _cluster_autoscaler("1.34.5"),
    # stated as the index's by several projects that pin it
    "1.35": _cluster_autoscaler("1.35.2", "sha256:aac369dc283927a623deb1af54696efcc722ae79255aa07788422e495bab887d"),
    "1.36": _cluster_autoscaler("1.36.1"),
}
"""The autoscaler simulates the scheduler of its own minor, so it is the cluster's."""

LOAD_BALANCER_CONTROLLER: Final = Image(
    repository="aws-load-balancer-controller",
    upstream="public.ecr.aws/eks/aws-load-balancer-controller",
    version="v3.5.0",
    source="https://github.com/kubernetes-sigs/aws-load-balancer-controller/releases/tag/v3.5.0",
)
WEBHOOK_CERTIFICATES: Final = Image(
    repository="kube-webhook-certgen",
    upstream="ghcr.io/jkroepke/kube-webhook-certgen",
    version="1.7.3",
    source="https://github.com/jkroepke/kube-webhook-certgen/releases/tag/v1.7.3",
)
"""Makes the load balancer controller's certificate inside the cluster; the one that kube-prometheus-stack uses, too."""

FLUENT_BIT: Final = Image(
    repository="fluent-bit",
    upstream="docker.io/fluent/fluent-bit",
    version="5.0.9",
    # the version that AWS builds its own image on since July 2026
    source="https://github.com/fluent/fluent-bit/releases/tag/v5.0.9",
)
"""Distroless, the one binary."""

CELEBORN: Final = Image(
    repository="celeborn",
    upstream="docker.io/apache/celeborn",
    version="0.7.0",
    source="https://github.com/apache/celeborn/releases/tag/v0.7.0",
)
"""Masters and workers; it runs as 10006:10006."""

_FOR_EVERY_CLUSTER: Final = (
    SPARK_OPERATOR,
    YUNIKORN_SCHEDULER,
    YUNIKORN_ADMISSION,
    PAUSE,
    LOAD_BALANCER_CONTROLLER,
    WEBHOOK_CERTIFICATES,
    FLUENT_BIT,
)
IMAGES: Final = (*_FOR_EVERY_CLUSTER, CELEBORN, *CLUSTER_AUTOSCALER.values())
"""All images, in the order in which they are mirrored."""


def images_of(environment: Environment) -> tuple[Image, ...]:
    """Return the images that the clusters of `environment` pull: of each Kubernetes minor only those that it has, and Celeborn if it has that."""
    minors = dict.fromkeys(cluster.kubernetes_version for cluster in environment.clusters)
    celeborn = () if environment.celeborn is None else (CELEBORN,)
    return (*_FOR_EVERY_CLUSTER, *celeborn, *(CLUSTER_AUTOSCALER[minor] for minor in minors))
