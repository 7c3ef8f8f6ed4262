"""`archer cluster` and `archer queue`: what they hold, and whether jobs go there."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final

import typer

from archer.cli.options import DEFAULT_URL, Output, Url
from archer.cli.output import OutputFormat, say, write_columns, write_json
from archer.cli.waiting import connect

CLUSTER_HELP: Final = "List clusters, and say whether jobs go to them."
QUEUE_HELP: Final = "List queues, and say whether jobs leave them."

Cluster = Annotated[str, typer.Argument(metavar="NAME", help="The cluster's name.")]
Queue = Annotated[str, typer.Argument(metavar="PATH", help="The queue's full path; those below it follow.")]
Message = Annotated[str, typer.Option("--message", metavar="TEXT", help="Why: those whose jobs wait for it read this.")]

_NONE: Final = "-"


def list_clusters(*, output: Output = OutputFormat.TABLE, url: Url = DEFAULT_URL) -> None:
    """List clusters: what they hold, whether they take jobs, how they answer."""
    with connect(url) as client:
        found = client.clusters()
    if output is OutputFormat.JSON:
        write_json(found)
        return
    write_columns(
        ["NAME", "MODE", "JOBS", "NOT UP YET", "VCORES", "GIB", "CREATE", "MESSAGE"], [_cluster(each) for each in found]
    )


def drain(name: Cluster, *, message: Message, url: Url = DEFAULT_URL) -> None:
    """Send no new job to a cluster; what runs there goes on, what waits goes elsewhere where it may."""
    _set_cluster(url, name, "draining", message)


def pause_cluster(name: Cluster, *, message: Message, url: Url = DEFAULT_URL) -> None:
    """Send no new job to a cluster for a while; what runs there goes on."""
    _set_cluster(url, name, "paused", message)


def resume_cluster(name: Cluster, *, url: Url = DEFAULT_URL) -> None:
    """Send jobs to a cluster again."""
    _set_cluster(url, name, "open", "")


def forget_cluster(name: Cluster, *, url: Url = DEFAULT_URL) -> None:
    """Write off what ran in a cluster that is gone for good.

    Refused while the configuration of the server has the cluster, or a process tracks it. Its active attempts end as lost:
    their jobs are repeated elsewhere where an attempt is left, else they fail. What still runs there runs on, beside its
    repetition, so be sure that nothing does. Jobs that wait for it are told that they can never start.
    """
    with connect(url) as client:
        done = client.forget_cluster(name)
    active = f"of its active jobs {done['repeated']} are repeated and {done['ended']} have ended"
    say(f"cluster {name} is forgotten; {active}, waiting jobs that name it: {done['waiting']}")


def list_queues(*, output: Output = OutputFormat.TABLE, url: Url = DEFAULT_URL) -> None:
    """List queues: what waits, what runs, within which limits."""
    with connect(url) as client:
        found = client.queues()
    if output is OutputFormat.JSON:
        write_json(found)
        return
    write_columns(
        ["PATH", "MODE", "WAITING", "JOBS", "VCORES", "GIB", "WEIGHT", "MESSAGE"], [_queue(each) for each in found]
    )


def pause_queue(path: Queue, *, message: Message, url: Url = DEFAULT_URL) -> None:
    """Let no job leave a queue; what runs goes on, and jobs may still be submitted to it."""
    _set_queue(url, path, "paused", message)


def resume_queue(path: Queue, *, url: Url = DEFAULT_URL) -> None:
    """Let jobs leave a queue again."""
    _set_queue(url, path, "open", "")


CLUSTER_COMMANDS: Sequence[tuple[str, Callable[..., None]]] = (
    ("list", list_clusters),
    ("drain", drain),
    ("pause", pause_cluster),
    ("resume", resume_cluster),
    ("forget", forget_cluster),
)
QUEUE_COMMANDS: Sequence[tuple[str, Callable[..., None]]] = (
    ("list", list_queues),
    ("pause", pause_queue),
    ("resume", resume_queue),
)


def _set_cluster(url: str, name: str, mode: str, message: str) -> None:
    with connect(url) as client:
        state = client.set_cluster(name, mode=mode, message=message)
    say(f"cluster {name} is {state['mode']}; active jobs there: {state['jobs']}")


def _set_queue(url: str, path: str, mode: str, message: str) -> None:
    with connect(url) as client:
        state = client.set_queue(path, mode=mode, message=message)
    say(f"queue {path} is {state['mode']}; active jobs: {state['jobs']}, waiting: {state['waiting']}")


def _cluster(state: dict[str, Any]) -> list[str]:
    seconds = state["create_seconds"]
    return [
        state["name"],
        state["mode"] if state["breaker"] in {None, "closed"} else f"{state['mode']}, circuit {state['breaker']}",
        _of(state["jobs"], state["slots"]),
        str(state["unacknowledged"]),
        str(state["vcores"]),
        _gib(state["memory_mib"]),
        _NONE if seconds is None else f"{seconds:.2f} s",
        _why(state) or state["health_message"] or _NONE,
    ]


def _queue(state: dict[str, Any]) -> list[str]:
    most = state["max_memory_mib"]
    return [
        state["path"],
        state["mode"],
        str(state["waiting"]),
        _of(state["jobs"], state["max_applications"]),
        _of(state["vcores"], state["max_vcores"]),
        _gib(state["memory_mib"]) if most is None else f"{_gib(state['memory_mib'])}/{_gib(most)}",
        f"{state['weight']:g}",
        _why(state) or state["reason"] or _NONE,
    ]


def _why(state: dict[str, Any]) -> str:
    switch = state["switch"]
    return "" if switch is None else ": ".join(filter(None, (switch["actor"].removeprefix("api:"), switch["message"])))


def _of(number: int, most: int | None) -> str:
    return str(number) if most is None else f"{number}/{most}"


def _gib(mib: int) -> str:
    return f"{mib / 1024:.1f}".removesuffix(".0")
