"""Puts schemas and definitions together into the text of the committed files."""

import json
from pathlib import Path

from k8s_manifests.crds.chart import DEFINITIONS, manifest
from k8s_manifests.crds.schema import scheduled_spark_application, spark_application, spark_connect

SCHEMAS = {
    "SparkApplication": spark_application,
    "ScheduledSparkApplication": scheduled_spark_application,
    "SparkConnect": spark_connect,
}
"""How each kind's schema is made."""


def generate() -> dict[Path, str]:
    """Return the text of every committed file by its path: compact JSON, one line."""
    return {
        definition.path: json.dumps(manifest(definition, SCHEMAS[definition.kind]()), separators=(",", ":")) + "\n"
        for definition in DEFINITIONS
    }
