"""The chart of the CRDs, and what a CRD says around its schema. Rendering reads the committed files alone."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from constructs import Construct

from k8s_manifests import labels
from k8s_manifests.base import Manifest, MokaChart
from k8s_manifests.images import SPARK_OPERATOR
from k8s_manifests.kinds import Kind

FOLDER: Final = Path(__file__).parent.parent / "imports"
GROUP: Final = "sparkoperator.k8s.io"
API_APPROVAL: Final = "https://github.com/kubeflow/spark-operator/pull/1298"
"""Groups under k8s.io need an approval; the API server refuses the CRD without the annotation."""


@dataclass(frozen=True, kw_only=True)
class Definition:
    """One CRD but for its schema."""

    kind: str
    version: str
    short_name: str
    columns: tuple[tuple[str, str, str], ...]
    """What `kubectl get` prints: (name, type, JSON path)."""

    @property
    def plural(self) -> str:
        return f"{self.kind.lower()}s"

    @property
    def path(self) -> Path:
        return FOLDER / f"{self.plural}.json"


_AGE: Final = ("Age", "date", ".metadata.creationTimestamp")

DEFINITIONS: Final = (
    Definition(
        kind="SparkApplication",
        version="v1beta2",
        short_name="sparkapp",
        columns=(
            ("Suspend", "boolean", ".spec.suspend"),
            ("Status", "string", ".status.applicationState.state"),
            ("Attempts", "string", ".status.executionAttempts"),
            ("Start", "string", ".status.lastSubmissionAttemptTime"),
            ("Finish", "string", ".status.terminationTime"),
            _AGE,
        ),
    ),
    Definition(
        kind="ScheduledSparkApplication",
        version="v1beta2",
        short_name="scheduledsparkapp",
        columns=(
            ("Schedule", "string", ".spec.schedule"),
            ("TimeZone", "string", ".spec.timeZone"),
            ("Suspend", "string", ".spec.suspend"),
            ("Last Run", "date", ".status.lastRun"),
            ("Last Run Name", "string", ".status.lastRunName"),
            _AGE,
        ),
    ),
    Definition(
        kind="SparkConnect",
        version="v1alpha1",
        short_name="sparkconn",
        columns=(_AGE, ("Status", "string", ".status.state"), ("PodName", "string", ".status.server.podName")),
    ),
)
"""The CRDs, in the order in which they are applied."""


class CrdsChart(MokaChart):
    """The CRDs as committed, with the platform's labels."""

    def __init__(self, scope: Construct, construct_id: str, *, environment: str) -> None:
        common = labels.common(name="spark-operator-crds", environment=environment, version=SPARK_OPERATOR.version)
        super().__init__(scope, construct_id, labels=common)
        for definition in DEFINITIONS:
            name, annotations = f"{definition.plural}.{GROUP}", {"api-approved.kubernetes.io": API_APPROVAL}
            self.add(Kind.CUSTOM_RESOURCE_DEFINITION, name, annotations=annotations)

    def manifests(self) -> tuple[Manifest, ...]:
        """Return the CRDs; their schemas do not pass through cdk8s, which would take most of a render's time."""
        return tuple(
            {**rendered, "spec": json.loads(definition.path.read_bytes())["spec"]}
            for rendered, definition in zip(super().manifests(), DEFINITIONS, strict=True)
        )


def manifest(definition: Definition, schema: dict[str, Any]) -> Manifest:
    """Return the whole CRD: `schema` as its only version, with status subresource and printer columns."""
    return {
        "apiVersion": Kind.CUSTOM_RESOURCE_DEFINITION.api_version,
        "kind": Kind.CUSTOM_RESOURCE_DEFINITION.kind,
        "metadata": {
            "name": f"{definition.plural}.{GROUP}",
            "annotations": {"api-approved.kubernetes.io": API_APPROVAL},
        },
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": definition.kind,
                "listKind": f"{definition.kind}List",
                "plural": definition.plural,
                "singular": definition.kind.lower(),
                "shortNames": [definition.short_name],
            },
            "versions": [
                {
                    "name": definition.version,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": [
                        {"name": name, "type": kind, "jsonPath": path} for name, kind, path in definition.columns
                    ],
                    "schema": {"openAPIV3Schema": schema},
                }
            ],
        },
    }
