"""The JSON schema of environment files, for editors and for whoever reads the files without Python.

It is generated from the model (`python -m environments schema`); a test fails when the committed file is stale. It knows
shapes and bounds; what joins two sections only `python -m environments check` knows.
"""

import json
from pathlib import Path
from typing import Final

from environments.model import Environment

FILE: Final = Path(__file__).with_name("schema.json")


def text() -> str:
    """Return the schema as it is committed."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Environment.model_json_schema()}
    schema["title"] = "Moka environment"
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
