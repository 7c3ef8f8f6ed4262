"""Names, labels and annotations of an application and its pods, within the limits of Kubernetes.

The labels find things again (`archer.moka.dev/…`), the annotations tell schedulers and autoscalers what they may do. What a
label cannot hold is cut, with a hash, and stands whole in an annotation of the same name.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Final

PREFIX: Final = "archer.moka.dev/"
JOB_ID: Final = f"{PREFIX}job-id"
ATTEMPT: Final = f"{PREFIX}attempt"
QUEUE: Final = f"{PREFIX}queue"
TEAM: Final = f"{PREFIX}team"
INSTALLATION: Final = f"{PREFIX}installation"
"""The environment of the Archer whose it is: several may share a namespace, each with a database of its own."""
JOB_NAME: Final = f"{PREFIX}job-name"
USER: Final = f"{PREFIX}user"
MEMORY_RUNG: Final = f"{PREFIX}memory-rung"
FINALIZER: Final = f"{PREFIX}outcome"
"""Keeps a driver's pod until the attempt's end is committed (D14)."""

YUNIKORN_APP: Final = "yunikorn.apache.org/app-id"
YUNIKORN_QUEUE: Final = "yunikorn.apache.org/queue"
"""Label; YuniKorn reads the annotation of the same name when a pod has no such label."""
YUNIKORN_USER: Final = "yunikorn.apache.org/user.info"
ALLOW_PREEMPTION: Final = "yunikorn.apache.org/allow-preemption"
SAFE_TO_EVICT: Final = "cluster-autoscaler.kubernetes.io/safe-to-evict"

SCHEDULER: Final = "yunikorn"
DRIVER_CONTAINER: Final = "spark-kubernetes-driver"
EXECUTOR_CONTAINER: Final = "spark-kubernetes-executor"

MAX_LABEL: Final = 63
MAX_NAME: Final = 47
"""Spark appends `-exec-<number>` to it, and a pod's host name ends at 63 characters."""

RESERVED_LABELS: Final[Mapping[str, str]] = {
    PREFIX: "Archer's own labels begin so",
    "moka.dev/": "the platform's own labels begin so",
    "yunikorn.apache.org/": "YuniKorn acts on these; use the field `queue`",
    "sparkoperator.k8s.io/": "the Spark operator's own labels begin so",
    "kubernetes.io/": "Kubernetes keeps these for itself",
    "k8s.io/": "Kubernetes keeps these for itself",
    "spark-": "Spark's own labels begin so",
    "applicationId": "YuniKorn acts on it",
    "queue": "YuniKorn acts on it; use the field `queue`",
}
"""Starts of keys, or whole keys, that a job's own labels may not have: whose they are."""

_LABEL_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
_LABEL_PREFIX = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?")
_DNS_LABEL = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
# a user's name as YuniKorn takes it in its limits
_NOT_IN_A_USER = re.compile(r"[^A-Za-z0-9:#/_.@-]")


def label_value(text: str) -> str:
    """`text` where a label can hold it; else its start and a hash of the whole, 63 characters."""
    if _LABEL_VALUE.fullmatch(text):
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    start = re.sub(r"[^A-Za-z0-9_.-]", "-", text)[: MAX_LABEL - 9].strip("-_.")
    return f"{start}-{digest}" if start else digest


def is_label_key(key: str) -> bool:
    """Whether Kubernetes takes it: `name` or `dns.prefix/name`."""
    prefix, separator, name = key.rpartition("/")
    if separator and not (len(prefix) <= 253 and _LABEL_PREFIX.fullmatch(prefix)):
        return False
    return _LABEL_NAME.fullmatch(name) is not None


def is_label_value(value: str) -> bool:
    """Whether Kubernetes takes it."""
    return _LABEL_VALUE.fullmatch(value) is not None


def is_application_name(name: str) -> bool:
    """Whether the operator and Spark take it: DNS-1035, short enough for what Spark appends."""
    return _DNS_LABEL.fullmatch(name) is not None and len(name) <= MAX_NAME


def owner_of_label(key: str) -> str | None:
    """Who has kept a label's key for himself, None when a job may have it."""
    for start, why in RESERVED_LABELS.items():
        prefixed = key.partition("/")[0]
        below = start.endswith("/") and "/" in key and prefixed.endswith(f".{start[:-1]}")
        if key == start or (start[-1] in "/-" and key.startswith(start)) or below:
            return why
    return None


def user_info(user: str | None, team: str) -> str:
    """Whose driver it is, as YuniKorn reads it: https://yunikorn.apache.org/docs/user_guide/usergroup_resolution."""
    name = _NOT_IN_A_USER.sub("_", user or f"team-{team}")
    # its names begin with a letter or an underscore
    if not re.match(r"[A-Za-z_]", name):
        name = f"_{name}"
    return json.dumps({"user": name, "groups": [team]}, separators=(",", ":"))
