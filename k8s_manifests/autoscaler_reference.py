"""Writes `docs/reference/cluster-autoscaler.md` from the settings of prod: `python -m k8s_manifests.autoscaler_reference`."""

from pathlib import Path
from typing import Final

from environments import load
from k8s_manifests.autoscaler_settings import PRIORITY_CONFIG_MAP, autoscaler_flags, expander_priorities

PAGE: Final = Path(__file__).parent.parent / "docs" / "reference" / "cluster-autoscaler.md"
ENVIRONMENT: Final = "prod"

_INTRODUCTION: Final = """# Cluster Autoscaler

<!-- made by `python -m k8s_manifests.autoscaler_reference`; change k8s_manifests/autoscaler_settings.py, not this page -->

How the autoscaler of cluster `{cluster}` of prod is set up. What it knows of a group that has no node yet (labels, taints, disk), and how
long a node of a pool must be idle (`scale_down_unneeded_seconds`), are tags of the Auto Scaling groups: see [stacks](stacks.md).
Its image is of the cluster's Kubernetes minor. It runs twice, on the system pool, in `moka-system`; one replica works.

## Flags
"""


def page() -> str:
    """Return the whole page as Markdown."""
    environment = load(ENVIRONMENT)
    cluster = environment.clusters[0]
    flags = [f"| `{each.argument}` | {each.reason} |" for each in autoscaler_flags(environment, cluster)]
    priorities = [
        f"| {priority} | {'<br>'.join(f'`{pattern}`' for pattern in patterns)} |"
        for priority, patterns in expander_priorities(environment, cluster).items()
    ]
    parts = [
        _INTRODUCTION.format(cluster=cluster.name),
        "\n".join(["| flag | reason |", "| --- | --- |", *flags, ""]),
        f"## Priorities\n\nThe ConfigMap `{PRIORITY_CONFIG_MAP}`: the highest number wins, a group belongs to exactly one.\n",
        "\n".join(["| priority | Auto Scaling groups |", "| --- | --- |", *priorities, ""]),
    ]
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
