"""Knows which fields the model has at a key path: for "did you mean", for partial reading, for the field reference.

It reads pydantic's own field tables, so that there is one description of the file's shape: the model.
"""

import types
from typing import Annotated, Any, Union, get_args, get_origin

from environments.base import Section
from environments.model import Environment
from environments.problems import Path


def section_at(path: Path, data: Any) -> type[Section] | None:
    """Return the section class whose mapping is at `path` of `data`, None when the model has no section there."""
    found = alternatives(Environment)
    for part in path:
        section = choose_section(found, data)
        if isinstance(part, int):
            found = [inner for option in found for inner in item_of(option)]
        elif section is not None and part in section.model_fields:
            found = alternatives(section.model_fields[part].annotation)
        else:
            return None
        data = _step(data, part)
    return choose_section(found, data)


def _step(data: Any, part: str | int) -> Any:
    if isinstance(part, int):
        return data[part] if isinstance(data, list) and part < len(data) else None
    return data.get(part) if isinstance(data, dict) else None


def alternatives(annotation: Any) -> list[Any]:
    """Return the types that an annotation allows, None and constraints taken off."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return alternatives(get_args(annotation)[0])
    if origin in {Union, types.UnionType}:
        return [inner for option in get_args(annotation) for inner in alternatives(option)]
    return [] if annotation is type(None) else [annotation]


def item_of(option: Any) -> list[Any]:
    """Return the types of a tuple's items; nothing for other types."""
    return alternatives(get_args(option)[0]) if get_origin(option) is tuple else []


def choose_section(options: list[Any], data: Any) -> type[Section] | None:
    """Return the section among `options` that `data` is meant to be: the one whose discriminator fits, or the only one."""
    sections = [option for option in options if isinstance(option, type) and issubclass(option, Section)]
    if len(sections) == 1:
        return sections[0]
    for section in sections:
        tag, values = discriminator(section)
        if isinstance(data, dict) and data.get(tag) in values:
            return section
    return None


def discriminator(section: type[Section]) -> tuple[str, tuple[Any, ...]]:
    """Return the field that tells a section from its alternatives, with its values: ("mode", ("new",))."""
    name = next(name for name in ("mode", "kind", *section.model_fields) if name in section.model_fields)
    return name, get_args(section.model_fields[name].annotation)


def sections() -> list[type[Section]]:
    """Return every section class of the model, the environment itself first."""
    found: list[type[Section]] = [Environment]
    for section in found:
        for field in section.model_fields.values():
            options = alternatives(field.annotation)
            for kind in (*options, *(inner for option in options for inner in item_of(option))):
                if isinstance(kind, type) and issubclass(kind, Section) and kind not in found:
                    found.append(kind)
    return found
