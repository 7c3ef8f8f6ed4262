"""What a user may ask for: the body of `POST /api/v1/jobs`.

Rules that need nothing but the body live here; rules that depend on the place where the job runs (is the file there,
can the image be honoured) are the backend's. Unknown keys are refused: a misspelt `executor` must not become a job
with default memory.
"""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from archer import memory
from archer.reserved import RESERVED_CONF, RESERVED_ENVIRONMENT

SCHEMES = ("file", "s3a", "https", "local", "hdfs")
"""Where an application or a dependency may live; a path without scheme is a local one and must be absolute."""

DEFAULT_QUEUE = "root.default"
"""Where a job waits that names no queue, on a server that knows no environment; elsewhere the environment says."""

MIN_HEAP_MIB = 512
"""Spark stops below 450 MiB of usable heap (`UnifiedMemoryManager`), which some collectors only give from 512."""
MAX_MEMORY_MIB = 4 * 1024 * 1024

MAX_TEXT_BYTES = 65536
"""Linux takes at most 128 KiB for one argument or variable (`MAX_ARG_STRLEN`)."""


def _check_location(value: str) -> str:
    scheme, separator, rest = value.partition("://")
    if not separator:
        if not value.startswith("/"):
            raise PydanticCustomError(
                "location",
                "an absolute path or a URI",
                {"fix": "write the path from / (the server has another folder)"},
            )
        return value
    if scheme not in SCHEMES or not rest.strip("/"):
        fix = "write s3a:// (Spark's name for it)" if scheme in {"s3", "s3n"} else "use one of these"
        raise PydanticCustomError(
            "location", "an absolute path or a {schemes} URI", {"schemes": ", ".join(SCHEMES), "fix": fix}
        )
    return value


def _check_conf_key(key: str) -> str:
    reason = RESERVED_CONF.reason(key)
    if reason is not None:
        raise PydanticCustomError("reserved", "a key that Archer doesn't set itself", {"fix": reason})
    return key


def _check_variable(key: str) -> str:
    reason = RESERVED_ENVIRONMENT.reason(key)
    if reason is not None:
        raise PydanticCustomError("reserved", "a variable that Archer doesn't set itself", {"fix": reason})
    return key


def _check_memory(lowest_mib: int, value: str) -> str:
    if not lowest_mib <= memory.parse_mib(value) <= MAX_MEMORY_MIB:
        raise PydanticCustomError(
            "memory",
            "between {lowest}m and {highest}m",
            {"lowest": lowest_mib, "highest": MAX_MEMORY_MIB, "fix": "ask for an amount in that range"},
        )
    return value


def _check_heap(value: str) -> str:
    return _check_memory(MIN_HEAP_MIB, value)


def _check_overhead(value: str) -> str:
    return _check_memory(1, value)


def _check_bytes(value: str) -> str:
    if len(value.encode()) > MAX_TEXT_BYTES:
        fix = "put large inputs into files and name them"
        raise PydanticCustomError("bytes", "at most {most} bytes as UTF-8", {"most": MAX_TEXT_BYTES, "fix": fix})
    return value


def _check_dependency(value: str) -> str:
    if "," in value:
        fix = "rename the file: Spark takes a comma for the end of a name"
        raise PydanticCustomError("comma", "a location without commas", {"fix": fix})
    return value


# no NUL: neither a process argument nor an environment variable can carry one
Text = Annotated[str, StringConstraints(max_length=MAX_TEXT_BYTES, pattern=r"^[^\x00]*$"), AfterValidator(_check_bytes)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]
Location = Annotated[
    str,
    StringConstraints(min_length=1, max_length=4096, pattern=r"^[^\x00-\x1f\x7f]+$"),
    AfterValidator(_check_location),
]
Dependency = Annotated[Location, AfterValidator(_check_dependency)]
_MEMORY = StringConstraints(pattern=r"^0*[1-9][0-9]{0,8}[kmgtKMGT][bB]?$")
Heap = Annotated[str, _MEMORY, AfterValidator(_check_heap)]
Overhead = Annotated[str, _MEMORY, AfterValidator(_check_overhead)]
ConfKey = Annotated[
    str, StringConstraints(max_length=256, pattern=r"^spark\.[A-Za-z0-9_.$/-]+$"), AfterValidator(_check_conf_key)
]
Variable = Annotated[
    str, StringConstraints(max_length=256, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$"), AfterValidator(_check_variable)
]
# the rules of Kubernetes labels, which these become
LabelKey = Annotated[str, StringConstraints(max_length=63, pattern=r"^[A-Za-z0-9]([A-Za-z0-9_./-]*[A-Za-z0-9])?$")]
LabelValue = Annotated[str, StringConstraints(max_length=63, pattern=r"^([A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?)?$")]
Team = Annotated[str, StringConstraints(max_length=40, pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")]
QueueName = Annotated[str, StringConstraints(max_length=256, pattern=r"^root(\.[A-Za-z0-9_-]{1,64}){1,8}$")]
JobName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
IdempotencyKey = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Application(_Part):
    """What to run."""

    file: Location
    """The application: a .py file, or a .jar with `main_class`. Absolute path, file://, s3a://, https://, hdfs://, or
    local:// (in the image)."""
    main_class: Annotated[str, StringConstraints(max_length=512, pattern=r"^[A-Za-z_$][\w$.]*$")] | None = None
    """Class whose `main` starts; required for a .jar, refused for a .py."""
    arguments: tuple[Text, ...] = Field(default=(), max_length=1000)
    """Handed to the application word by word, never through a shell."""
    py_files: tuple[Dependency, ...] = Field(default=(), max_length=200)
    jars: tuple[Dependency, ...] = Field(default=(), max_length=200)
    files: tuple[Dependency, ...] = Field(default=(), max_length=200)
    archives: tuple[Dependency, ...] = Field(default=(), max_length=200)

    @property
    def type(self) -> Literal["python", "java"]:
        """The language, from the file's suffix."""
        return "python" if self.file.endswith(".py") else "java"

    def locations(self) -> Iterator[tuple[str, str]]:
        """Yield (path in the submission, value) of each file that the job is made of."""
        yield "application.file", self.file
        for name in ("py_files", "jars", "files", "archives"):
            for number, value in enumerate(getattr(self, name)):
                yield f"application.{name}.{number}", value

    @model_validator(mode="after")
    def _class_fits_file(self) -> Self:
        suffix = PurePosixPath(self.file).suffix
        if suffix not in {".py", ".jar"}:
            raise PydanticCustomError(
                "suffix", "a .py or .jar file", {"path": "file", "value": self.file, "fix": "name the application file"}
            )
        if suffix == ".jar" and self.main_class is None:
            raise PydanticCustomError(
                "main_class",
                "the class to start, for a .jar",
                {"path": "main_class", "value": None, "fix": "name the class whose `main` starts the job"},
            )
        if suffix == ".py" and self.main_class is not None:
            raise PydanticCustomError(
                "main_class",
                "absent for a .py file",
                {"path": "main_class", "value": self.main_class, "fix": "leave it out, or name a .jar"},
            )
        return self


Cores = Annotated[int, Field(strict=True, ge=1, le=256)]
Seconds = Annotated[int, Field(strict=True, ge=1, le=30 * 24 * 3600)]


class Driver(_Part):
    """Size of the driver."""

    cores: Cores = 1
    """vCPU."""
    memory: Heap = "1g"
    """Heap, `spark.driver.memory`."""
    memory_overhead: Overhead | None = None
    """What else it may use; absent: Spark's rule, the larger of 384 MiB and 10 % (Python: 40 %)."""


class Executor(_Part):
    """Number and size of the executors."""

    instances: Annotated[int, Field(strict=True, ge=1, le=5000)] = 1
    cores: Cores = 1
    """vCPU of each."""
    memory: Heap = "1g"
    """Heap of each, `spark.executor.memory`."""
    memory_overhead: Overhead | None = None
    """As for the driver."""
    min_instances: Annotated[int, Field(strict=True, ge=0, le=5000)] | None = None
    """With `max_instances`: executors that dynamic allocation keeps at least; absent: none."""
    max_instances: Annotated[int, Field(strict=True, ge=1, le=5000)] | None = None
    """Executors at most: turns dynamic allocation on, which starts with `instances`, within
    the bounds. Absent: always `instances`."""
    capacity: Literal["on_demand", "spot"] | None = None
    """Kind of nodes; absent: the first pool of the cluster that fits."""

    @model_validator(mode="after")
    def _bounds_are_in_order(self) -> Self:
        least, most = self.min_instances, self.max_instances
        if least is not None and most is None:
            raise PydanticCustomError(
                "executors",
                "absent without `max_instances`",
                {"path": "min_instances", "value": least, "fix": "add max_instances, or use instances alone"},
            )
        if most is not None and (least or 0) > most:
            raise PydanticCustomError(
                "executors",
                "at most `max_instances`, {most}",
                {"path": "min_instances", "value": least, "most": most, "fix": "lower it, or raise max_instances"},
            )
        return self


class Timeouts(_Part):
    """Limits in time; absent: none."""

    queue_seconds: Seconds | None = None
    """Longest wait for a slot; then the job fails."""
    start_seconds: Seconds | None = None
    """Longest time between hand-over to the cluster and Spark's application being up."""
    run_seconds: Seconds | None = None
    """Longest run of one attempt, from its hand-over on; then it is stopped and the job fails."""


class Retry(_Part):
    """How often to try."""

    max_attempts: Annotated[int, Field(strict=True, ge=1, le=10)] = 1
    """Tries in all. Attempts lost by the infrastructure are repeated at most twice beyond this number."""


class Submission(_Part):
    """A Spark job as its owner describes it."""

    name: JobName
    """Not unique: runs of the same job carry the same name."""
    application: Application
    team: Team | None = None
    """A team of the environment that may use the queue."""
    queue: QueueName | None = None
    """A leaf of the environment's queue tree; absent: its default queue, `root.default` on a server that knows none."""
    user: Word | None = None
    """Who asks; the command line sends the login name."""
    spark_version: Annotated[str, StringConstraints(pattern=r"^\d+\.\d+(\.\d+)?$")] | None = None
    """As `4.0` or `4.0.1`; absent: what the cluster has."""
    image: Word | None = None
    architecture: Literal["amd64", "arm64"] | None = None
    """What the image and the job's native libraries are made for; absent: the first that the cluster has room for."""
    priority: Annotated[int, Field(strict=True, ge=-100, le=100)] = 0
    """Among the waiting jobs of its queue: higher starts first."""
    shuffle: Literal["disk", "celeborn"] = "disk"
    """Where shuffle data goes: the executors' own disks, or the cluster's Celeborn."""
    profile: Word | None = None
    """Named defaults of the environment for driver, executor and conf; what the job says itself wins."""
    parameters: dict[Word, Text] = Field(default={}, max_length=200)
    """Values for the profile's placeholders."""
    cluster: Word | None = None
    """Absent: Archer chooses."""
    driver: Driver = Driver()
    executor: Executor = Executor()
    conf: dict[ConfKey, Text] = Field(default={}, max_length=500)
    """Spark properties, except those that Archer sets itself."""
    environment: dict[Variable, Text] = Field(default={}, max_length=200)
    """Variables of driver and executors."""
    timeouts: Timeouts = Timeouts()
    retry: Retry = Retry()
    labels: dict[LabelKey, LabelValue] = Field(default={}, max_length=50)
    """For finding jobs again; kept as Kubernetes labels."""
    idempotency_key: IdempotencyKey | None = None
    """Sent again with the same body, it answers with the job that exists instead of starting a second one."""
