"""Archer: takes Spark jobs over HTTP, keeps them in a database, runs them, and says what became of them.

Layers, each importing only what stands to its right:
`cli`, `web`, `api` → `server` → `service`, `dispatcher`, `tracker`, `janitor` → `store`, `backends` → `model`, `errors`.
Nothing here imports CDK, cdk8s or another package of this repository. Public names are loaded on first use, so that
`import archer` costs a command line, or the small runner beside each Spark process, nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archer.errors import ArcherError
    from archer.model import Attempt, Category, Diagnosis, Event, Job, JobState
    from archer.settings import ServeSettings
    from archer.submission import Submission

_HOMES = {
    "ArcherError": "archer.errors",
    "Attempt": "archer.model",
    "Category": "archer.model",
    "Diagnosis": "archer.model",
    "Event": "archer.model",
    "Job": "archer.model",
    "JobState": "archer.model",
    "ServeSettings": "archer.settings",
    "Submission": "archer.submission",
}

__all__ = [
    "ArcherError",
    "Attempt",
    "Category",
    "Diagnosis",
    "Event",
    "Job",
    "JobState",
    "ServeSettings",
    "Submission",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'archer' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
