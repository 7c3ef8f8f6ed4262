"""The label set that every object of the platform carries, and the limits that Kubernetes puts on labels.

Source of the keys: https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/; of the limits:
https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set. The version is never
part of a selector, because a Deployment's selector cannot change.
"""

import re
from typing import Final

NAME: Final = "app.kubernetes.io/name"
COMPONENT: Final = "app.kubernetes.io/component"
VERSION: Final = "app.kubernetes.io/version"
PART_OF: Final = "app.kubernetes.io/part-of"
MANAGED_BY: Final = "app.kubernetes.io/managed-by"
ENVIRONMENT: Final = "moka.dev/environment"
TEAM: Final = "moka.dev/team"
METRICS: Final = "moka.dev/metrics"
"""Set to "true" on Services whose port `metrics` is to be scraped."""
METRICS_PATH: Final = "prometheus.io/path"
"""Annotation of those whose metrics are not at /metrics."""

NOT_RESTRICTED: Final = "moka.dev/not-restricted"
"""Annotation of pods that do not keep to the restricted Pod Security profile: why."""
SAFE_TO_EVICT: Final = "cluster-autoscaler.kubernetes.io/safe-to-evict"
"""Annotation of pods, value "false": their node stays as long as they do."""

NODE_POOL: Final = "moka.dev/pool"
NODE_ROLE: Final = "moka.dev/role"
NODE_CAPACITY: Final = "moka.dev/capacity"
"""Labels of the nodes; the role is also the key of the taint of every pool that is not a system pool."""

_VALUE = re.compile(r"(|[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)")
_KEY = re.compile(r"([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")


def common(*, name: str, environment: str, version: str | None = None) -> dict[str, str]:
    """Return the labels of every object of a component: name, part-of, managed-by, environment and, if any, version."""
    labels = {NAME: name, PART_OF: "moka", MANAGED_BY: "moka", ENVIRONMENT: environment}
    return labels if version is None else {**labels, VERSION: version}


def selector(*, name: str, component: str) -> dict[str, str]:
    """Return the labels that select one workload's pods; they never change for the life of a Deployment."""
    return {NAME: name, COMPONENT: component}


def problems(labels: dict[str, str]) -> list[str]:
    """Return what Kubernetes would refuse of `labels`, one sentence each; empty when it would refuse nothing."""
    found = [
        f"label key {key!r} must be an optional DNS prefix, a slash and at most 63 letters, digits, _ . -"
        for key in labels
        if not _KEY.fullmatch(key)
    ]
    found += [
        f"label `{key}` must be at most 63 letters, digits, _ . - with a letter or digit at both ends, got {value!r}"
        for key, value in labels.items()
        if not _VALUE.fullmatch(value)
    ]
    return found
