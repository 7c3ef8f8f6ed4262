"""Query parameters of each call. Unknown ones are refused: `?sate=RUNNING` must not list everything."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from archer.logs import DEFAULT_LIMIT_BYTES
from archer.model import JobState
from archer.store.interface import JobFilter

_HIGHEST = 2**63 - 1


def _check_label(text: str) -> str:
    key, separator, _value = text.partition("=")
    if not separator or not key:
        raise PydanticCustomError("label", "a label as `key=value`", {"fix": "write label=key=value"})
    return text


class _Query(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class _Nothing(_Query):
    """Of a call that takes none."""


class JobsQuery(_Query):
    """Which jobs to list."""

    state: tuple[JobState, ...] = ()
    """May be given several times."""
    name: str | None = Field(default=None, max_length=128)
    queue: str | None = Field(default=None, max_length=256)
    user: str | None = Field(default=None, max_length=128)
    team: str | None = Field(default=None, max_length=128)
    label: tuple[Annotated[str, AfterValidator(_check_label)], ...] = Field(default=(), max_length=20)
    """`key=value`; may be given several times, all must match."""
    limit: int = Field(default=50, ge=1, le=500)
    cursor: str | None = Field(default=None, max_length=256)
    """`next_cursor` of the page before."""

    def as_filter(self) -> JobFilter:
        pairs = (text.partition("=") for text in self.label)
        return JobFilter(
            states=self.state,
            name=self.name,
            queue=self.queue,
            user=self.user,
            team=self.team,
            labels={key: value for key, _, value in pairs},
        )


class JobQuery(_Query):
    """Whether to wait for news of a job."""

    wait_seconds: float = Field(default=0, ge=0, le=60)
    """Answer only when there is news, or after this time."""
    version: int | None = Field(default=None, ge=0, le=_HIGHEST)
    """News means: a version above this one; absent: above the present one."""


class EventsQuery(_Query):
    """Which events to read."""

    after: int = Field(default=0, ge=0, le=_HIGHEST)
    """Id of the last event already known."""
    limit: int = Field(default=500, ge=1, le=1000)


class LogsQuery(_Query):
    """Which piece of which log."""

    attempt: int | None = Field(default=None, ge=1, le=1000)
    """Absent: the latest."""
    stream: Literal["driver", "stdout"] = "driver"
    """`driver`: Spark's own lines (stderr). `stdout`: what the program printed; PySpark sends Python's stderr there too."""
    offset: int | None = Field(default=None, ge=0, le=_HIGHEST)
    """Byte to start at. Absent: the beginning, or `tail`."""
    tail: int | None = Field(default=None, ge=0, le=100_000)
    """Number of last lines, instead of `offset`."""
    limit_bytes: int = Field(default=DEFAULT_LIMIT_BYTES, ge=16, le=4 * 1024 * 1024)
    """Length of the piece."""


_OF_CALL: Mapping[str, type[BaseModel]] = {
    "list_jobs": JobsQuery,
    "get_job": JobQuery,
    "get_events": EventsQuery,
    "get_logs": LogsQuery,
}


def of_call(name: str | None) -> type[BaseModel]:
    """The parameters of the route of this name, for the wording of a refusal."""
    return _OF_CALL.get(name or "", _Nothing)
