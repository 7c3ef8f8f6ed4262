"""`archer-settings.md`: every setting of `archer serve`."""

from typing import Any

from annotated_types import Ge, Le
from pydantic.fields import FieldInfo

from archer.reference.markdown import GENERATED, table
from archer.settings import ServeSettings


def settings_page() -> str:
    rows = [
        (f"`ARCHER_{name.upper()}`", _type_of(field), _default_of(field), field.description or "")
        for name, field in ServeSettings.model_fields.items()
    ]
    return f"""# Settings of `archer serve`

{GENERATED}

A flag of `archer serve` wins over its variable, a variable over the default. Lists are words separated by commas (roles)
or spaces (commands). All problems are reported at once, with exit code 2.

{table(("variable", "value", "default", "meaning"), rows)}
"""


def _type_of(field: FieldInfo) -> str:
    annotation: Any = field.annotation
    name = getattr(annotation, "__name__", str(annotation)) if isinstance(annotation, type) else str(annotation)
    words = {"int": "whole number", "float": "number", "bool": "true, false", "Path": "path", "str": "text"}
    literal = name.replace("typing.", "")
    if literal.startswith("Literal["):
        return literal.removeprefix("Literal[").removesuffix("]").replace("'", "")
    if literal.startswith("tuple["):
        return "list"
    kind = words.get(name, "path" if "Path" in name else name)
    low = [rule.ge for rule in field.metadata if isinstance(rule, Ge)]
    high = [rule.le for rule in field.metadata if isinstance(rule, Le)]
    return f"{kind}, {low[0]} to {high[0]}" if low and high else kind


def _default_of(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "computed"
    if field.default is None:
        return "none"
    if isinstance(field.default, tuple):
        return f"`{','.join(field.default)}`" if field.default else "empty"
    return f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"
