"""The tables beside this file: SparkApplications as changes of the smallest one, each with the answer that is expected.

Written from the fields, types and bounds of operator 2.5.2. A change is a JSON merge patch: null takes a field away.
"""

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from testbed.kubernetes import Manifest
from testbed.spark_applications import API, KIND

FOLDER: Final = Path(__file__).parent
NAMESPACE: Final = "spark-documents"
BASE: Final[Manifest] = {
    "apiVersion": API,
    "kind": KIND,
    "metadata": {"name": "document", "namespace": NAMESPACE},
    "spec": {
        "type": "Python",
        "sparkVersion": "4.0.0",
        "mainApplicationFile": "local:///opt/job.py",
        "driver": {},
        "executor": {},
    },
}
"""Every required field and no other."""


@dataclass(frozen=True, kw_only=True)
class Document:
    """One line of a table."""

    title: str
    manifest: Manifest
    says: str
    """What the refusal's message holds; empty for a document that is taken."""

    def __str__(self) -> str:
        return self.title


def table(name: str) -> list[Document]:
    """Return the documents of `name`.yaml."""
    rows: list[dict[str, Any]] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    return [
        Document(title=row["title"], manifest=merged(BASE, row["change"]), says=row.get("says", "")) for row in rows
    ]


def merged(base: Any, change: Any) -> Any:
    """Return `base` with a merge patch (RFC 7396) applied; `base` stays as it is."""
    if not isinstance(change, dict):
        return copy.deepcopy(change)
    result = copy.deepcopy(base) if isinstance(base, dict) else {}
    for key, value in change.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


VALID: Final = table("valid")
INVALID: Final = table("invalid")
WEBHOOK: Final = table("webhook")
