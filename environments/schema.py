"""The JSON schema of environment files, for editors and for whoever reads the files without Python.

It is generated from the model (`python -m environments schema`); a test fails when the committed file is stale. It knows
shapes and bounds; what joins two sections only `python -m environments check` knows.
"""

import json
from pathlib import Path
from typing import Any, Final

from environments.base import Section
from environments.descriptions import description
from environments.model import Environment
from environments.shape import sections

FILE: Final = Path(__file__).with_name("schema.json")


def text() -> str:
    """Return the schema as it is committed."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Environment.model_json_schema()}
    _describe(schema, Environment)
    for section in sections():
        if section.__name__ in schema["$defs"]:
            _describe(schema["$defs"][section.__name__], section)
    schema["title"] = "Moka environment"
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _describe(schema: dict[str, Any], section: type[Section]) -> None:
    """Write the fields' docstrings into a section's schema."""
    for name, field in schema["properties"].items():
        words = description(section, name)
        if words:
            field["description"] = words
