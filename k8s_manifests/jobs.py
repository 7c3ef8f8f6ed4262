"""Jobs: what runs once to its end. A Job cannot be changed, so its name carries a hash of what it does.

The same manifest keeps its name, and an apply finds the finished Job and does nothing; anything else is a new Job beside
the old one, which the next apply prunes.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from k8s_manifests import labels
from k8s_manifests.base import MokaChart
from k8s_manifests.kinds import Kind
from k8s_manifests.placement import Placement, as_pod_fields
from k8s_manifests.pods import Step, pod_security, volumes_of


@dataclass(frozen=True, kw_only=True)
class JobProps:
    """One Job of the platform."""

    name: str
    """Name in front of the hash."""
    namespace: str
    selector: Mapping[str, str]
    """Labels of its pods; see `labels.selector`."""
    steps: tuple[Step, ...]
    """What it does, one after the other; it is done when the last one is."""
    service_account: str
    api_token: bool = True
    """Whether the steps get a token for the API server."""
    user_id: int
    """Numeric uid, gid and fsGroup that the steps run as."""
    placement: Placement
    priority_class: str
    deadline_seconds: int = 300
    """After this long it has failed, tries included."""
    tries: int = 6


def add_job(chart: MokaChart, props: JobProps) -> str:
    """Add the Job and return its name."""
    *first, last = props.steps
    spec: dict[str, Any] = {
        "backoffLimit": props.tries - 1,
        "activeDeadlineSeconds": props.deadline_seconds,
        "template": {
            "metadata": {"labels": {**chart.labels, **props.selector}},
            "spec": {
                "restartPolicy": "Never",
                "serviceAccountName": props.service_account,
                "automountServiceAccountToken": props.api_token,
                "enableServiceLinks": False,
                "priorityClassName": props.priority_class,
                "securityContext": pod_security(props.user_id),
                **as_pod_fields(props.placement),
                **({"initContainers": [step.manifest() for step in first]} if first else {}),
                "containers": [last.manifest()],
                "volumes": volumes_of(*props.steps),
            },
        },
    }
    digest = hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()
    name = f"{props.name}-{digest[:8]}"
    own_labels = {labels.COMPONENT: props.selector[labels.COMPONENT]}
    chart.add(Kind.JOB, name, {"spec": spec}, namespace=props.namespace, labels=own_labels)
    return name
