"""Builds as much of an environment as its file allows, so that the checks still run on the rest of a broken file.

The result is made without validation: a field that was refused is simply absent, and reading it raises AttributeError,
which `checks.run` takes as "this check cannot be made". It never leaves `loading.py`.
"""

import functools
import json
from typing import Annotated, Any, Final

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from environments.base import Section
from environments.model import Environment
from environments.shape import alternatives, choose_section, item_of

_ABSENT: Final = object()


def salvage(data: dict[str, Any]) -> Environment:
    """Return an environment with the fields of `data` that are valid, and without the others."""
    made = _section(Environment, data)
    assert isinstance(made, Environment)
    return made


def _section(section: type[Section], data: Any) -> Section:
    """Return a section made of its valid fields; one that the file leaves out has its default."""
    given = data if isinstance(data, dict) else {}
    values: dict[str, Any] = {}
    for name, field in section.model_fields.items():
        value = _value(section, name, field, given[name]) if name in given else _default(field)
        if value is not _ABSENT:
            values[name] = value
    made = section.model_construct(**values)
    for name in set(section.model_fields) - set(values):
        made.__dict__.pop(name, None)  # model_construct fills in the default of a refused field
    return made


def _default(field: FieldInfo) -> Any:
    return _ABSENT if field.is_required() else field.get_default(call_default_factory=True, validated_data={})


def _value(section: type[Section], name: str, field: FieldInfo, data: Any) -> Any:
    """Return the field's value, in part when it is a section or a list of sections; _ABSENT when it is refused."""
    try:
        return _adapter(section, name).validate_json(json.dumps(data), strict=True)
    except ValidationError:
        pass
    options = alternatives(field.annotation)
    inner = choose_section(options, data)
    if inner is not None and isinstance(data, dict):
        return _section(inner, data)
    items = [item for option in options for item in item_of(option)]
    if isinstance(data, list) and data and choose_section(items, data[0]) is not None:
        return tuple(_section(choose_section(items, item) or items[0], item) for item in data)
    return _ABSENT


@functools.cache
def _adapter(section: type[Section], name: str) -> TypeAdapter[Any]:
    """Return the validator of one field, its constraints included."""
    field = section.model_fields[name]
    annotated: Any = Annotated[field.annotation, field]
    return TypeAdapter(annotated)
