"""The queue tree of an environment as YuniKorn reads it: `queues.yaml` in the ConfigMap `yunikorn-configs`.

YuniKorn takes the whole text or none of it: an unknown field, a broken rule, and the old tree stays in force. The rules
that join queues are checked in the environment file (`environments/checks/queues.py`); this module only translates. Every
cluster gets the whole tree, so that a team may be given another cluster without a change of queues.

Fields and properties: https://yunikorn.apache.org/docs/user_guide/queue_config. Read in 1.9.0 by
https://github.com/apache/yunikorn-core/blob/v1.9.0-0/pkg/common/configs/config.go, unknown fields refused.
"""

from typing import Any, Final

from environments.tenancy import Queue, Queues, Resources, UserLimit
from k8s_manifests.text import to_yaml

PARTITION: Final = "default"
"""The only one that the Kubernetes shim knows."""


def queues_yaml(queues: Queues) -> str:
    """Return the text of `queues.yaml`."""
    return to_yaml(queues_document(queues))


def queues_document(queues: Queues) -> dict[str, Any]:
    """Return what `queues.yaml` says."""
    partition: dict[str, Any] = {
        "name": PARTITION,
        # fill nodes up, so that the autoscaler finds empty ones
        "nodesortpolicy": {"type": "binpacking"},
        # a lowered `max` is only enforced on what runs already with the second switch, which is off by default
        "preemption": {"enabled": True, "quotapreemptionenabled": True},
        "placementrules": [
            # the queue that the pod's label names; a name that the tree lacks never makes a queue
            {"name": "provided", "create": False},
            {"name": "fixed", "value": queues.default},
        ],
    }
    if queues.user_limit is not None:
        partition["limits"] = [_limit(queues.user_limit)]
    partition["queues"] = [
        {
            "name": "root",
            # no ACL anywhere would deny everybody; who may use which queue is decided by Archer at its door
            "submitacl": "*",
            "queues": [_queue(queue) for queue in queues.tree],
        }
    ]
    return {"partitions": [partition]}


def _limit(limit: UserLimit) -> dict[str, Any]:
    return {
        "limit": "every user for himself",
        "users": ["*"],
        "maxapplications": limit.max_applications,
        "maxresources": _amount(limit.max),
    }


def _queue(queue: Queue) -> dict[str, Any]:
    found: dict[str, Any] = {"name": queue.name}
    if queue.max_applications is not None:
        found["maxapplications"] = queue.max_applications
    properties = _properties(queue)
    if properties:
        found["properties"] = properties
    resources = {
        name: _amount(amount) for name, amount in (("guaranteed", queue.guaranteed), ("max", queue.max)) if amount
    }
    if resources:
        found["resources"] = resources
    if queue.queues:
        found["queues"] = [_queue(child) for child in queue.queues]
    return found


def _properties(queue: Queue) -> dict[str, str]:
    """Return the queue's properties: all texts, and none that says what is the default anyway.

    A misspelt property passes in silence, so the names stand here once.
    """
    found: dict[str, str] = {}
    if not queue.queues:
        # YuniKorn's own default is fifo
        found["application.sort.policy"] = queue.sort
    if queue.preemption != "default":
        found["preemption.policy"] = queue.preemption
    if queue.preemption_delay_seconds is not None:
        found["preemption.delay"] = f"{queue.preemption_delay_seconds}s"
    if queue.quota_preemption_delay_seconds is not None:
        found["quota.preemption.delay"] = f"{queue.quota_preemption_delay_seconds}s"
    if queue.priority_offset:
        found["priority.offset"] = str(queue.priority_offset)
    return found


def _amount(resources: Resources) -> dict[str, str]:
    """Return vCPU and memory in YuniKorn's units: whole cores, GiB."""
    return {"vcore": str(resources.vcores), "memory": f"{resources.memory_gib}Gi"}
