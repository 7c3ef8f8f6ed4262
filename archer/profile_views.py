"""The shape of profiles in `archer.yaml`: named sizes and Spark properties, with parameters that a job may give.

A value may hold `${name}` where `name` is a declared parameter; a size may be nothing but one. Spark's own
substitutions (`${env:HOME}`, `${spark.app.id}`) have a colon or a dot and are left alone.
"""

import re
from collections.abc import Iterator
from typing import Annotated, Final, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic import model_validator as validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from archer.memory import parse_mib
from archer.submission import ConfKey, Heap, Text

PLACEHOLDER: Final = re.compile(r"\$\{([a-z][a-z0-9_]*)\}")

Name = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", max_length=63)]
ParameterName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


class Part(BaseModel):
    """A part of the file: frozen, and nothing in it that nobody knows."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


def _or_placeholder(value: object, handler: ValidatorFunctionWrapHandler) -> object:
    if isinstance(value, str) and PLACEHOLDER.fullmatch(value):
        return value
    return handler(value)


_AS_IT_IS: Final = PlainSerializer(lambda value: value)
"""A placeholder is no number, and pydantic would warn."""
_PLACEHOLDER_SCHEMA: Final = {"type": "string", "pattern": r"^\$\{[a-z][a-z0-9_]*\}$"}


class _InSchema:
    """Marks a type that may be a placeholder, in the file's schema."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [handler(schema), _PLACEHOLDER_SCHEMA]}


_IN_SCHEMA: Final = _InSchema()

Cores = Annotated[int, Field(ge=1, le=192), WrapValidator(_or_placeholder), _AS_IT_IS, _IN_SCHEMA]
Instances = Annotated[int, Field(ge=1, le=5000), WrapValidator(_or_placeholder), _AS_IT_IS, _IN_SCHEMA]
Memory = Annotated[Heap, WrapValidator(_or_placeholder), _IN_SCHEMA]


class ProfileResources(Part):
    """Size of a driver or of each executor."""

    cores: Cores
    memory: Memory
    """JVM heap as Spark writes it: 8g."""
    instances: Instances | None = None
    """Executors; not for drivers."""


class ParameterView(Part):
    """What a job may fill in."""

    name: ParameterName
    type: Literal["text", "integer", "number", "boolean", "memory"] = "text"
    """memory is a size as Spark writes it: 8g."""
    description: str = ""
    default: Text | None = None
    """Used when the job gives none; absent: the job must give one."""
    allowed: Annotated[tuple[Text, ...], Field(max_length=100)] = ()
    """The only values that are taken; absent: any of the type."""
    minimum: float | None = None
    """Of an integer or number."""
    maximum: float | None = None
    """Of an integer or number."""

    def refusal(self, value: str) -> str | None:
        """What `value` would have to be, None when it is that."""
        if self.allowed:
            return None if value in self.allowed else f"one of {', '.join(self.allowed)}"
        if not _is_of(self.type, value):
            return _WORDS[self.type]
        if self.type in {"integer", "number"} and not self._in_bounds(float(value)):
            low = "" if self.minimum is None else f" of at least {self.minimum:g}"
            high = "" if self.maximum is None else f"{' and' if low else ' of'} at most {self.maximum:g}"
            return f"{_WORDS[self.type]}{low}{high}"
        return None

    def _in_bounds(self, number: float) -> bool:
        return (self.minimum is None or number >= self.minimum) and (self.maximum is None or number <= self.maximum)

    @validator(mode="after")
    def _default_is_taken(self) -> Self:
        wanted = None if self.default is None else self.refusal(self.default)
        if wanted is not None:
            context = {"path": "default", "value": self.default, "wanted": wanted, "fix": "change it, or the parameter"}
            raise PydanticCustomError("default", "{wanted}, as any value of the parameter", context)
        return self


_WORDS: Final = {
    "text": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "memory": "a size as Spark writes it, for example 8g",
}


def _is_of(kind: str, value: str) -> bool:
    if kind == "integer":
        return re.fullmatch(r"-?[0-9]{1,15}", value) is not None
    if kind == "number":
        return re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,15})?", value) is not None
    if kind == "boolean":
        return value in {"true", "false"}
    if kind == "memory":
        try:
            return parse_mib(value) > 0
        except ValueError:
            return False
    return True


class ProfileView(Part):
    """Named defaults that a job may ask for."""

    name: Name
    description: str = ""
    spark_version: str | None = None
    driver: ProfileResources | None = None
    executor: ProfileResources | None = None
    conf: dict[ConfKey, Text] = Field(default_factory=dict)
    """Spark properties, by the rules of submissions."""
    parameters: Annotated[tuple[ParameterView, ...], Field(max_length=50)] = ()
    """What `${name}` in the values above stands for."""

    def placeholders(self) -> Iterator[tuple[str, str]]:
        """Yield (path of the value, name in it)."""
        for part in ("driver", "executor"):
            sizes = getattr(self, part)
            for key, value in ({} if sizes is None else dict(sizes)).items():
                yield from ((f"{part}.{key}", name) for name in PLACEHOLDER.findall(str(value)))
        for key, value in self.conf.items():
            yield from ((f"conf.{key}", name) for name in PLACEHOLDER.findall(value))
