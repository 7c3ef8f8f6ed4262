"""Waiting for jobs, with progress on stderr: one live line per job on a terminal, a line per change otherwise.

A server that is away for a while (a restart, a kill -9) does not end the waiting: the jobs go on without it, and it is
asked again for a minute.
"""

import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Annotated, Protocol, Self

import typer
from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from archer.cli.credentials import given_token
from archer.cli.exit_codes import ExitCode
from archer.cli.options import DEFAULT_URL, Output, Url, duration
from archer.cli.output import OutputFormat, clean, say, state_text, write_json
from archer.cli.views import elapsed_seconds, write_jobs
from archer.client import ArcherClient
from archer.client_errors import Json, WaitTimeoutError
from archer.durations import format_duration
from archer.model import FINAL_STATES

_PATIENCE_SECONDS = 8.0
# of a short command: enough for one retry after the 5 s that a server with a busy database asks for
_WAITING_PATIENCE_SECONDS = 60.0
# of a command that waits anyway: a server that comes back within it is waited for


def wait(
    jobs: Annotated[list[str], typer.Argument(metavar="JOB...", help="Ids or numbers of jobs.")],
    timeout: Annotated[
        float | None,
        typer.Option("--timeout", parser=duration, metavar="DURATION", help="Exit 5 after this long; the jobs go on."),
    ] = None,
    output: Output = OutputFormat.TABLE,
    url: Url = DEFAULT_URL,
) -> None:
    """Wait until jobs have ended; exit 0 only if every one of them SUCCEEDED."""
    try:
        ended = wait_with_progress(url, jobs, timeout)
    except WaitTimeoutError as late:
        _write(late.jobs, output)
        raise
    _write(ended, output)
    conclude(ended)


def connect(url: str, *, patience_seconds: float | None = None) -> ArcherClient:
    """A client that says on stderr when it has to ask again."""
    patience = _PATIENCE_SECONDS if patience_seconds is None else patience_seconds
    return ArcherClient(url=url, token=given_token(), patience_seconds=patience, on_retry=_SaidOnce())


def wait_with_progress(url: str, job_ids: Sequence[str], timeout_seconds: float | None) -> list[Json]:
    """The jobs, all of them final. Raises WaitTimeoutError, JobNotFoundError, ServerUnavailableError."""
    progress: Progress = _LiveProgress() if sys.stderr.isatty() else _PlainProgress()
    try:
        with connect(url, patience_seconds=_WAITING_PATIENCE_SECONDS) as client, progress:
            return client.wait(job_ids, timeout_seconds=timeout_seconds, on_change=progress.show)
    except KeyboardInterrupt:
        say(f"no longer waiting; the jobs go on: archer wait {' '.join(job_ids)}")
        raise


def conclude(jobs: Sequence[Json]) -> None:
    """Say why jobs failed and end the command with 1 if any did."""
    bad = [job for job in jobs if job["state"] != "SUCCEEDED"]
    for job in bad:
        diagnosis = job["diagnosis"]
        say(f"{job['name']} ({job['id']}) ended {job['state']}" + (f": {diagnosis['summary']}" if diagnosis else ""))
        if diagnosis and diagnosis["resolution"]:
            say(f"  what to do: {diagnosis['resolution']}")
        say(f"  more: archer status {job['id']}, archer logs {job['id']}")
    if bad:
        raise typer.Exit(ExitCode.JOB_FAILED)


class Progress(Protocol):
    """Shows where jobs stand until it is left."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def show(self, job: Json) -> None:
        """Take note of a job's new version."""


class _PlainProgress:
    """A line for each change of state or substate."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[str, str | None]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def show(self, job: Json) -> None:
        seen = (job["state"], job["substate"] or job["reason"])
        if self._last.get(job["id"]) == seen:
            return
        self._last[job["id"]] = seen
        note = f" ({seen[1]})" if seen[1] and job["state"] not in FINAL_STATES else ""
        say(f"{job['name']} {job['id']} {job['state']} after {format_duration(elapsed_seconds(job))}{note}")


class _LiveProgress:
    """One line per job with a running clock, redrawn in place; what is left at the end is the last word on each."""

    def __init__(self) -> None:
        self._jobs: dict[str, tuple[Json, float]] = {}
        self._spinner = Spinner("dots")
        self._live = Live(get_renderable=self._rows, console=Console(stderr=True), refresh_per_second=4)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, job: Json) -> None:
        self._jobs[job["id"]] = (job, time.monotonic())

    def _rows(self) -> Table:
        table = Table(box=None, pad_edge=False, show_header=False)
        for job, seen_at in self._jobs.values():
            live = job["state"] not in FINAL_STATES
            elapsed = (elapsed_seconds(job) or 0) + (time.monotonic() - seen_at if live else 0)
            note = clean(job["substate"] or job["reason"] or "") if live else ""
            table.add_row(
                self._spinner if live else Text("✓" if job["state"] == "SUCCEEDED" else "✗"),
                Text(clean(job["name"])),
                state_text(job["state"]),
                Text(format_duration(elapsed)),
                Text(note, style="dim"),
            )
        return table


class _SaidOnce:
    """Says a repeated message once, until another comes."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, message: str) -> None:
        if message != self._last:
            say(message)
        self._last = message


def _write(jobs: Sequence[Json], output: OutputFormat) -> None:
    if output is OutputFormat.JSON:
        write_json(list(jobs))
    else:
        write_jobs(jobs)
