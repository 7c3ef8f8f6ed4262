"""`archer logs`: what a job wrote, as it wrote it, once or as it comes."""

import json
from enum import StrEnum
from time import sleep
from typing import Annotated

import typer

from archer.cli.options import DEFAULT_URL, JobId, Output, Url
from archer.cli.output import OutputFormat, say, write
from archer.cli.waiting import connect
from archer.client import ArcherClient
from archer.client_errors import Json
from archer.model import FINAL_STATES

_LOOK_EVERY_SECONDS = 1.0


class Stream(StrEnum):
    """Which of a job's two logs."""

    DRIVER = "driver"
    STDOUT = "stdout"


def logs(
    *,
    job: JobId,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the job has ended.")] = False,
    tail: Annotated[
        int | None,
        typer.Option("--tail", "-n", min=0, max=100_000, metavar="LINES", help="Begin with the last lines."),
    ] = None,
    stream: Annotated[
        Stream, typer.Option("--stream", help="driver: Spark's own log (stderr); stdout: what the application prints.")
    ] = Stream.DRIVER,
    attempt: Annotated[
        int | None,
        typer.Option("--attempt", min=1, metavar="N", help="An earlier attempt's log; the latest by default."),
    ] = None,
    output: Output = OutputFormat.TABLE,
    url: Url = DEFAULT_URL,
) -> None:
    """Print a job's log.

    With --output json each piece is one line of JSON with its place in the log, in bytes.
    """
    with connect(url) as client:
        reader = _Reader(client, job, stream, attempt, output)
        reader.read(tail)
        if follow:
            reader.follow()
        if not reader.wrote and output is OutputFormat.TABLE:
            say(f"the {stream} log is empty")


class _Reader:
    """Reads one job's log forward, and goes over to the next attempt when it follows and no attempt was named."""

    def __init__(
        self, client: ArcherClient, job_id: str, stream: Stream, attempt: int | None, output: OutputFormat
    ) -> None:
        self._client = client
        self._job_id = job_id
        self._stream = stream
        self._fixed = attempt is not None
        self._attempt = attempt or int(client.job(job_id)["attempt"]) or None
        self._output = output
        self._offset = 0
        self._complete = False
        self.wrote = False

    def read(self, tail: int | None = None) -> None:
        """Everything there is by now, from where the last read ended, or the last `tail` lines."""
        while self._attempt is not None:
            piece = self._piece(offset=self._offset if tail is None else None, tail=tail)
            tail = None
            self._complete = bool(piece["complete"])
            self._offset = piece["next_offset"]
            if piece["text"]:
                self.wrote = True
                write(piece["text"] if self._output is OutputFormat.TABLE else json.dumps(piece) + "\n")
            if self._complete or not piece["text"]:
                return

    def follow(self) -> None:
        """On and on, until the attempt, or without --attempt the job, has ended and its log is complete."""
        while True:
            # asked before the log is read: what was written before a job ended is then read after it
            job = self._client.job(self._job_id)
            self.read()
            ended = job["state"] in FINAL_STATES
            if self._fixed and (self._complete or ended):
                return
            if not self._fixed and job["attempt"] > (self._attempt or 0):
                self._attempt, self._offset, self._complete = job["attempt"], 0, False
                continue
            if ended:
                return
            sleep(_LOOK_EVERY_SECONDS)

    def _piece(self, *, offset: int | None = None, tail: int | None = None) -> Json:
        return self._client.logs(self._job_id, stream=self._stream, attempt=self._attempt, offset=offset, tail=tail)
