"""Settings of `archer serve`, read once at the edge: flags first, then `ARCHER_…` variables, then these defaults.

Nothing else in Archer reads the environment. Every number has bounds, every name carries its unit.
"""

import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from archer.auth.identity import ROLE_WORDS, is_role
from archer.errors import InvalidSettingsError
from archer.problems import problems_of
from archer.store.address import DatabaseAddress, missing_for_iam, postgresql_address, sqlite_address

Role = Literal["api", "dispatcher", "tracker", "janitor"]
ALL_ROLES: tuple[Role, ...] = ("api", "dispatcher", "tracker", "janitor")

AuthenticationMode = Literal["none", "token", "proxy"]

Port = Annotated[int, Field(ge=0, le=65535)]

_HEADER = r"^[A-Za-z][A-Za-z0-9-]{0,63}$"


def _default_slots() -> int:
    return max(1, (os.cpu_count() or 2) // 2)


class ServeSettings(BaseSettings):
    """What `archer serve` runs, where, and how patiently."""

    model_config = SettingsConfigDict(
        env_prefix="ARCHER_", frozen=True, extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True
    )

    backend: Literal["local", "kubernetes"] = "local"
    """Where jobs run: `local` is Spark on this machine, `kubernetes` the clusters of `config`."""
    kubeconfig: Path | None = None
    """With `kubernetes`: a kubeconfig that has a context for each cluster. Absent: each is asked of EKS by its name, with
    the AWS identity of this process."""
    kube_contexts: Annotated[tuple[str, ...], NoDecode] = ()
    """With `kubeconfig`: contexts of clusters as `CLUSTER=CONTEXT`, separated by commas; absent: the cluster's own name."""
    only_clusters: Annotated[tuple[str, ...], NoDecode] = ()
    """With `kubernetes`: the clusters whose jobs this process tracks, separated by commas; absent: all of `config`, as the
    roles `api` and `dispatcher` need."""
    host: str = "127.0.0.1"
    """Address to listen on. Beyond loopback only with `authentication`."""
    port: Port = 8080
    """Port to listen on; when another program has it, the next free one is taken and named on stderr. 0: any."""
    strict_port: bool = False
    """Refuse to start when the port is taken, instead of taking the next free one."""
    authentication: Annotated[tuple[AuthenticationMode, ...], NoDecode] = ("none",)
    """How callers prove who they are: `token` (made by `archer token create`), `proxy` (a proxy in front has asked, and
    says it in headers), both separated by a comma, or `none` (nobody is asked; on loopback only)."""
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ()
    """With `proxy`: addresses or networks (CIDR), separated by commas, whose headers are believed; all others' are not."""
    user_header: Annotated[str, Field(pattern=_HEADER)] = "X-Forwarded-User"
    """With `proxy`: the header that names the user."""
    groups_header: Annotated[str, Field(pattern=_HEADER)] = "X-Forwarded-Groups"
    """With `proxy`: the header that names the user's groups, separated by commas."""
    group_roles: Annotated[tuple[str, ...], NoDecode] = ()
    """With `proxy`: roles of groups as `GROUP=ROLE`, separated by commas: `oncall=operator,etl=submitter:root.etl`."""
    data: Path = Path(".archer")
    """Folder of the database, the attempts' logs and Spark's event logs. Several servers may share it."""
    database_iam: bool = False
    """With `kubernetes` and PGHOST: log in to PostgreSQL with a token of AWS IAM, signed for each new connection in
    AWS_REGION. Off: as libpq's own variables say (PGPASSWORD, PGPASSFILE)."""
    database_master_secret: (
        Annotated[str, Field(pattern=r"^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:.+$")] | None
    ) = None
    """For `archer migrate`: ARN of the secret with the master user's `username` and `password` (JSON). The migration logs
    in as the master once, to make the user that PGUSER names."""
    config: Path | None = None
    """The environment as Archer sees it, an `archer.yaml` from `moka render`: queues, teams and profiles that jobs may
    name. Read once, at the start. Absent: the queue `root.default`, any team, no profiles."""
    roles: Annotated[tuple[Role, ...], NoDecode] = ALL_ROLES
    """Which parts run in this process, separated by commas; any number of servers may run each."""
    history: bool = True
    """Start Spark's own History Server beside the API, to read the event logs of finished jobs."""
    history_url: Annotated[str, Field(pattern=r"^https?://[^\s/]+[^\s]*$")] | None = None
    """With `kubernetes`: address of a History Server that reads the clusters' event logs; the page links to it."""
    history_port: Port = 18080
    """Port of the History Server; the next free one when taken. 0: any."""
    history_memory: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,5}[mg]$")] = "512m"
    """Heap of the History Server."""
    slots: Annotated[int, Field(ge=1, le=1024)] = Field(default_factory=_default_slots)
    """Jobs that run at the same time; default: one per two CPUs, as a Spark job keeps at least two busy."""
    stop_on_stdin_eof: bool = False
    """Stop when stdin closes: for a parent that must not leave a server behind, however it ends."""
    stop_jobs_on_exit: bool = False
    """Kill this machine's running jobs at the end. Off: they run on and are found again at the next start."""

    lease_seconds: Annotated[float, Field(ge=1, le=300)] = 10.0
    """Life of a lease without renewal: how long a crashed server's work waits for another server."""
    dispatch_interval_seconds: Annotated[float, Field(ge=0.01, le=60)] = 0.5
    """Longest pause between two looks at the queue; a submission on the same server ends the pause at once."""
    track_interval_seconds: Annotated[float, Field(ge=0.01, le=60)] = 0.25
    """Longest pause between two looks at the running attempts."""
    janitor_interval_seconds: Annotated[float, Field(ge=0.1, le=86400)] = 60.0
    """Pause between two clean-ups."""
    cancel_grace_seconds: Annotated[float, Field(ge=0, le=600)] = 10.0
    """Time between SIGTERM and SIGKILL for a killed job."""
    launch_timeout_seconds: Annotated[float, Field(ge=1, le=600)] = 30.0
    """Longest time that starting an attempt's runner may take before it is tried again."""
    retry_pause_seconds: Annotated[float, Field(ge=0, le=3600)] = 5.0
    """Pause before a second attempt; doubles with each further one, up to five minutes."""
    idempotency_days: Annotated[int, Field(ge=7, le=365)] = 30
    """How long an idempotency key is remembered."""
    shutdown_seconds: Annotated[float, Field(ge=1, le=300)] = 10.0
    """Longest time that open requests and loops may take to end after SIGTERM."""

    spark_submit_command: Annotated[tuple[str, ...], NoDecode] = ()
    """Program to start instead of Spark's own SparkSubmit, as words separated by spaces; it is given SparkSubmit's
    arguments. For a wrapper such as `numactl`-pinned or vendor builds of Spark. Empty: the installed PySpark."""
    java_home: Path | None = None
    """Java for Spark. Absent: JAVA_HOME, then `java` on PATH, then the one from PyPI; the first of version 17 or 21."""
    creates_per_minute: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """With `kubernetes`: attempts that are created in each cluster per minute, instead of what `config` says."""
    most_unacknowledged: Annotated[int, Field(ge=1, le=100_000)] = 200
    """With `kubernetes`: attempts of a cluster that may exist without Spark having shown up, before no more are created."""
    most_applications: Annotated[int, Field(ge=1, le=100_000)] = 2000
    """With `kubernetes`: live applications of one namespace."""
    track_all_seconds: Annotated[float, Field(ge=0.1, le=600)] = 15.0
    """With `kubernetes`: how soon each attempt is looked at again when nothing is heard of it; limits in time are as exact."""
    stuck_image_seconds: Annotated[int, Field(ge=1, le=86400)] = 600
    """With `kubernetes`: how long an image that can't be pulled, or a container that can't be made (a config map that isn't
    there), is waited for before the attempt is stopped."""
    stuck_pending_seconds: Annotated[int, Field(ge=1, le=604800)] = 3600
    """With `kubernetes`: how long a driver without a node, and an operator that doesn't take the attempt up, are waited
    for before the attempt is stopped."""
    sweep_seconds: Annotated[float, Field(ge=0.1, le=3600)] = 60.0
    """With `kubernetes`: pause between two sweeps for finalizers of ended attempts."""
    sweep_after_seconds: Annotated[int, Field(ge=1, le=86400)] = 300
    """With `kubernetes`: how long an attempt must have been over before a sweep frees what was left of it."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severe line of the server's own log, JSON on stderr."""

    @field_validator(
        *("roles", "authentication", "trusted_proxies", "group_roles", "kube_contexts", "only_clusters"), mode="before"
    )
    @classmethod
    def _split_words(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(dict.fromkeys(word.strip() for word in value.split(",") if word.strip()))
        return value

    @field_validator("roles")
    @classmethod
    def _some_role(cls, value: tuple[Role, ...]) -> tuple[Role, ...]:
        if not value:
            raise PydanticCustomError("roles", "one or more of {roles}", {"roles": ", ".join(ALL_ROLES)})
        return value

    @field_validator("authentication")
    @classmethod
    def _some_mode(cls, value: tuple[AuthenticationMode, ...]) -> tuple[AuthenticationMode, ...]:
        if not value or ("none" in value and len(value) > 1):
            fix = "with another mode nobody may come in unasked: leave none out"
            raise PydanticCustomError("authentication", "token, proxy, both, or none alone", {"fix": fix})
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            try:
                whole = ipaddress.ip_network(text).prefixlen == 0
            except ValueError:
                whole = True
            if whole:
                fix = "write 10.0.3.7 or 10.0.0.0/16, never the whole internet"
                raise PydanticCustomError("network", "addresses or networks of proxies", {"value": text, "fix": fix})
        return value

    @field_validator("group_roles")
    @classmethod
    def _known_roles(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            group, _, role = text.rpartition("=")
            if not group or not is_role(role):
                allowed = "a list of GROUP=ROLE, with a role of {roles}"
                raise PydanticCustomError("grant", allowed, {"roles": ROLE_WORDS, "value": text})
        return value

    @field_validator("kube_contexts")
    @classmethod
    def _pairs(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            cluster, _, context = text.partition("=")
            if not cluster or not context:
                raise PydanticCustomError("contexts", "CLUSTER=CONTEXT", {"value": text})
        return value

    @field_validator("spark_submit_command", mode="before")
    @classmethod
    def _split_command(cls, value: object) -> object:
        return tuple(value.split()) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        if self.history and self.port and self.port == self.history_port:
            raise PydanticCustomError(
                "ports", "another port than `port`", {"path": "history_port", "value": self.history_port}
            )
        return self

    @model_validator(mode="after")
    def _proxies_are_named(self) -> Self:
        if "proxy" in self.authentication and not self.trusted_proxies:
            allowed = "one or more addresses or networks when `authentication` has proxy"
            fix = "name the proxy's: anybody else's headers must not be believed"
            raise PydanticCustomError("proxies", allowed, {"path": "trusted_proxies", "value": "", "fix": fix})
        return self

    @model_validator(mode="after")
    def _tokens_can_be_signed(self) -> Self:
        absent = missing_for_iam(os.environ) if self.database_iam and self.backend == "kubernetes" else []
        if absent:
            raise PydanticCustomError(
                "iam",
                "false while {names} are absent",
                {"names": ", ".join(absent), "path": "database_iam", "value": True},
            )
        return self

    @property
    def database(self) -> DatabaseAddress:
        """PostgreSQL where jobs run on Kubernetes and libpq's variables name a server, else a file in the data folder."""
        if self.backend == "kubernetes" and os.environ.get("PGHOST"):
            return postgresql_address(os.environ, iam=self.database_iam, secret_arn=self.database_master_secret)
        return sqlite_address(self.data)

    @property
    def attempts_folder(self) -> Path:
        return self.data.absolute() / "attempts"

    @property
    def events_folder(self) -> Path:
        """Spark's event logs, all jobs in one folder, as the History Server wants them."""
        return self.data.absolute() / "spark-events"


def load_settings(**given: Any) -> ServeSettings:
    """Settings from `given` (a flag that is None wasn't given) and the environment.

    Raises InvalidSettingsError with all problems at once.
    """
    flags: Mapping[str, Any] = {key: value for key, value in given.items() if value is not None}
    try:
        return ServeSettings(**flags)
    except ValidationError as error:
        raise InvalidSettingsError(problems_of(error, ServeSettings)) from None
