"""JSON of the store's columns. Reads fast, as thousands of specifications are read at a start."""

import json
from typing import Any

import orjson


def to_json(value: Any) -> str:
    """Text that both databases take, whatever a caller put into a string."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        # halves of characters and numbers beyond 64 bits
        return json.dumps(value)


def from_json(text: str | bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        # what `json` alone writes
        return json.loads(text)
