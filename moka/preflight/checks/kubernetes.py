"""Whether each cluster's Kubernetes version is supported, and for how long. Asks no API: the calendar is in a dated table."""

from collections.abc import Iterator
from datetime import date
from typing import Final

from environments.clusters import Cluster
from moka.preflight.check import Check, Context
from moka.preflight.kubernetes_support import SUPPORT, Support
from moka.preflight.rows import Verdict, failed, passed, warned

SOON_DAYS: Final = 90
"""Days before the end of standard support from which an upgrade should be planned: a quarter."""


def judge(cluster: Cluster, file: str, support: Support | None, today: date) -> Verdict:
    """Return whether the cluster's version is supported on `today`."""
    subject = f"clusters[{cluster.name}].kubernetes_version"
    version = cluster.kubernetes_version
    newer = [name for name, other in SUPPORT.items() if (other.standard - today).days > SOON_DAYS]
    upgrade = (
        f'write `kubernetes_version: "{newer[0]}"` in {file}'
        if newer
        else "take a release of Moka with a newer version"
    )
    if support is None:
        return warned(
            subject, f"{version}: not in the support table", fix="look it up: aws eks describe-cluster-versions"
        )
    if today > support.extended:
        return failed(
            subject, f"{version}: support ended {support.extended}", needed="a supported version", fix=upgrade
        )
    if today > support.standard:
        value = f"{version}: extended support until {support.extended}, at a higher price"
        return warned(subject, value, needed="standard support", fix=upgrade)
    value = f"{version}: standard support until {support.standard}"
    if (support.standard - today).days <= SOON_DAYS:
        return warned(subject, value, needed=f"more than {SOON_DAYS} days", fix=upgrade)
    return passed(subject, value)


def _run(context: Context) -> Iterator[Verdict]:
    for cluster in context.environment.clusters:
        yield judge(cluster, context.file, SUPPORT.get(cluster.kubernetes_version), context.today)


CHECK: Final = Check(
    name="kubernetes",
    asks="How long does EKS support the clusters' Kubernetes versions?",
    calls=(),
    run=_run,
)
