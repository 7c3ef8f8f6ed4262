"""`python -m archer.spark_application CRD.json` writes `crd_schema.json` again, from `k8s_manifests/imports/sparkapplications.json`."""

import json
import sys
from pathlib import Path

from archer.spark_application.crd import FILE, trimmed


def main(source: Path) -> None:
    FILE.write_text(schema_text(source), encoding="utf-8")


def schema_text(source: Path) -> str:
    """The schema as it is committed."""
    schema = trimmed(json.loads(source.read_bytes()))
    return json.dumps(schema, separators=(",", ":"), sort_keys=True) + "\n"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
