"""What `moka local` does, in one loop: everything that can start at once is started, then looked at ten times a second.

Synth, server and data sets start together; a job is submitted when the server is ready and its data is there; the inventory is
printed when the synth has ended. No step blocks for long, so a signal is heard within moments. Stopping is `shutdown.py`'s.
"""

from __future__ import annotations

import contextlib
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from archer.client import ArcherClient
from archer.client_errors import ClientError, Json, RequestRefusedError, ServerUnavailableError
from archer.model import FINAL_STATES, JobState
from environments import load
from moka.archer_file import ARCHER_FILE, archer_file
from moka.errors import BadInputError, MokaError
from moka.inventory import take_inventory
from moka.inventory_table import inventory_tables
from moka.local.server import ArcherServer
from moka.output import write
from moka.processes import Child, venv_environment
from moka.synth import BIN, ROOT, inventory_command

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from moka.local.screen import Screen
    from moka.local.signals import StopSignals
    from moka.local.work import Work

ENVIRONMENT = "test"
"""Whose queues, teams and profiles Archer on this machine knows."""
_TICK_SECONDS = 0.1
_LOOK_SECONDS = 0.5
"""Pause between two looks at a job."""
_ANSWER_SECONDS = 5.0
"""How long one answer may take."""
_PATIENCE_SECONDS = 3.0
"""How long a request to a busy server is repeated before it counts as failed; a signal waits as long at most."""
_SILENCE_SECONDS = 60.0
"""How long a server that lives may not answer: on a machine that is busy enough, everything takes its time."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line asked for."""

    data: Path
    """Folder for everything that is written: data sets, results, logs, Archer's database."""
    skip_synth: bool
    port: int
    history_port: int


@dataclass(kw_only=True)
class Step:
    """One job on its way."""

    work: Work
    maker: Child | None = None
    """Makes its data; None when that is done or not needed."""
    job: Json | None = None
    """As last seen; None before it is submitted."""
    looked_at: float = 0.0

    @property
    def final(self) -> bool:
        return self.job is not None and self.job["state"] in FINAL_STATES


class Session:
    """One run. `run` takes it to the end of the last job; whoever calls it must stop it afterwards."""

    def __init__(self, options: Options, works: Sequence[Work], screen: Screen, stop: StopSignals) -> None:
        self.options = options
        self.steps = [Step(work=work) for work in works]
        self.server: ArcherServer | None = None
        self.client: ArcherClient | None = None
        self.synth: Child | None = None
        self._screen, self._stop = screen, stop
        self._run = uuid4().hex[:12]
        self._slots = max(2, len(works))
        self._silent_since: float | None = None

    def children(self) -> list[Child]:
        """Everything that was started and not yet closed."""
        makers = [step.maker for step in self.steps]
        server = self.server.child if self.server else None
        return [child for child in (self.synth, *makers, server) if child is not None]

    def run(self) -> None:
        """Until every job is final.

        Raises StoppedError, MokaError (synth, server or data failed), BadInputError, EnvironmentFileError.
        """
        self._start()
        while not (self.synth is None and all(step.final for step in self.steps)):
            self._stop.check()
            self._check_synth()
            self._check_server()
            for step in self.steps:
                self._check_data(step)
                self._unless_silent(step)
            time.sleep(_TICK_SECONDS)

    def stay(self) -> None:
        """Until somebody asks for the end (StoppedError) or the server ends by itself (MokaError)."""
        while True:
            self._stop.check()
            self._check_server()
            time.sleep(_TICK_SECONDS)

    def _start(self) -> None:
        data, options = self.options.data, self.options
        # not from the synth, which ends long after the server has started: this takes a moment
        config = _archer_config(data)
        ports = {"port": options.port, "history_port": options.history_port}
        self.server = ArcherServer(data / "archer", config=config, slots=self._slots, **ports)
        self._screen.show("archer", "starting")
        if not options.skip_synth:
            self.synth = self._child("synth", inventory_command(data / "cdk.out", data / "dist"))
            self._screen.show("synth", "running", "all environments")
        for step in self.steps:
            if step.work.dataset is not None:
                step.maker = self._child(f"data-{step.work.name}", step.work.dataset)
                self._screen.show(step.work.name, "making data")

    def _child(self, name: str, command: Sequence[str]) -> Child:
        log = self.options.data / "logs" / f"{name}.log"
        return Child(name, command, log=log, cwd=ROOT, env=venv_environment(BIN))

    def _check_synth(self) -> None:
        if self.synth is None or not _ended_well(self.synth, "the synth failed"):
            return
        self.synth.close()
        self.synth = None
        inventory = take_inventory(self.options.data / "cdk.out", self.options.data / "dist")
        self._screen.show("synth", "done", f"{len(inventory)} environments")
        with self._screen.paused():
            write(inventory_tables(inventory), sys.stdout)

    def _check_server(self) -> None:
        assert self.server is not None
        address = self.server.check()
        if address is None or self.client is not None:
            return
        self.client = ArcherClient(url=address.url, timeout_seconds=_ANSWER_SECONDS, patience_seconds=_PATIENCE_SECONDS)
        self._screen.show("archer", "done", address.url)
        for notice in self.server.notices():
            self._screen.say(notice)
        # a server that is ready has just answered: its silence now would be an error
        self._end_leftovers(self.client)

    def _end_leftovers(self, client: ArcherClient) -> None:
        """Kills what a run left that could not clean up (a power cut, a kill -9 of all): this folder's jobs are ours."""
        for job in client.jobs(state=[state for state in JobState if not state.final]):
            with contextlib.suppress(ClientError):  # it has ended meanwhile
                client.kill(job["id"])
                self._screen.say(f"killed {job['name']} ({job['id']}), left {job['state']} by an earlier run")

    def _check_data(self, step: Step) -> None:
        if step.maker is not None and _ended_well(step.maker, f"the data for {step.work.name} could not be made"):
            step.maker.close()
            step.maker = None
            self._screen.show(step.work.name, "data ready")

    def _unless_silent(self, step: Step) -> None:
        """One look at a job; raises MokaError when the server has not answered any for too long."""
        try:
            self._check_job(step)
        except ServerUnavailableError as error:
            assert self.server is not None
            now = time.monotonic()
            if self._silent_since is None:
                self._silent_since = now
                self._screen.say("archer does not answer just now; asking again")
            elif now - self._silent_since > _SILENCE_SECONDS:
                tail = self.server.child.log_tail()
                raise MokaError(f"{error}; the end of {self.server.child.log}:\n{tail}") from error

    def _check_job(self, step: Step) -> None:
        if self.client is None or step.maker is not None or step.final:
            return
        now = time.monotonic()
        if now - step.looked_at < _LOOK_SECONDS:
            return
        step.looked_at = now
        if step.job is None:
            step.job = self._submit(self.client, step.work)
        else:
            step.job = self.client.job(step.job["id"])
        self._silent_since = None
        self._screen.show(step.work.name, step.job["state"], self._note(self.client, step.job))

    def _submit(self, client: ArcherClient, work: Work) -> Json:
        labels = {**work.submission.get("labels", {}), "moka.dev/run": self._run}
        key = f"moka-local-{self._run}-{work.name}"
        try:
            return client.submit({**work.submission, "labels": labels}, idempotency_key=key).job
        except RequestRefusedError as error:
            problems = "".join(
                f"\n  `{problem['path']}` must be {problem['allowed']}, got {problem['value']}; {problem['fix']}"
                for problem in error.problems
            )
            raise BadInputError(f"archer refused {work.name}: {error.message}{problems}") from error

    def _note(self, client: ArcherClient, job: Json) -> str:
        """Why it waits, or the last line it printed."""
        if job["state"] != "RUNNING":
            return str(job["substate"] or job["reason"] or job["id"])
        try:
            lines = client.logs(job["id"], stream="stdout", tail=1)["text"].split("\n")
        except ClientError:
            return ""  # a detail for the eye: not worth failing for
        return next((line for line in reversed(lines) if line.strip()), "")


def _archer_config(data: Path) -> Path:
    """The file with the queues, teams and profiles of the environment that this machine stands in for.

    Raises EnvironmentFileError, MokaError when the environment cannot be used, BadInputError when it cannot be written.
    """
    file = data / ARCHER_FILE
    text = archer_file(load(ENVIRONMENT))
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInputError(f"{file} must be a file that can be written to ({error.strerror})") from error
    return file


def _ended_well(child: Child, failure: str) -> bool:
    """False while it runs. Raises MokaError, or BadInputError for exit code 2, with the end of its log."""
    code = child.exit_code()
    if code is None:
        return False
    if code == 0:
        return True
    kind = BadInputError if code == BadInputError.exit_code else MokaError
    raise kind(f"{failure} (exit code {code}):\n{child.log_tail()}")
