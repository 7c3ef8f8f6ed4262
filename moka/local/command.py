"""`moka local`: its options and its exit code; what it does is in `session.py`, how it ends in `shutdown.py`."""

from __future__ import annotations

import fcntl
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archer.client_errors import ClientError
from moka.errors import BadInputError, MokaError
from moka.local.results import report
from moka.local.screen import open_screen
from moka.local.session import Options, Session
from moka.local.shutdown import adopt_orphans, shut_down
from moka.local.signals import StoppedError, StopSignals
from moka.local.work import examples, from_files
from moka.output import write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from moka.local.screen import Screen
    from moka.local.work import Work


def local_command(
    *,
    once: Annotated[
        bool, typer.Option("--once", help="Exit after the results: 0 only if every job succeeded.")
    ] = False,
    data: Annotated[
        Path, typer.Option("--data", metavar="DIR", help="Folder for data sets, results, logs and Archer's database.")
    ] = Path(".moka/local"),
    submit: Annotated[
        list[Path] | None,
        typer.Option(
            "--submit", metavar="FILE", help="A submission (JSON or YAML) to run instead of the examples; repeat."
        ),
    ] = None,
    skip_synth: Annotated[bool, typer.Option("--skip-synth", help="Do not synthesise the environments.")] = False,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="For Archer; the next free one when it is taken.")
    ] = 8080,
    history_port: Annotated[
        int, typer.Option("--history-port", min=0, max=65535, help="For the History Server, likewise.")
    ] = 18080,
) -> None:
    """Run all of Moka on this machine.

    Synthesises every environment and shows what each would deploy, starts Archer with its page and Spark's History Server on
    loopback, submits two real Spark jobs, and shows their results. Stays up until Ctrl-C, then leaves no process behind; a second
    Ctrl-C kills without waiting. Results go to stdout, progress to stderr.
    """
    folder = data.absolute()
    works = from_files(submit) if submit else examples(folder)
    options = Options(data=folder, skip_synth=skip_synth, port=port, history_port=history_port)
    adopt_orphans()
    with _owned(folder), StopSignals() as stop:
        code = _run(options, works, stop, once=once)
    raise typer.Exit(code)


def _run(options: Options, works: list[Work], stop: StopSignals, *, once: bool) -> int:
    screen = open_screen()
    session = Session(options, works, screen, stop)
    code: int | None = None
    try:
        session.run()
        code = _show_results(session, screen)
        if once:
            screen.say("Archer and the History Server end with this run; without --once they stay up")
        else:
            screen.say("Ctrl-C stops everything")
            session.stay()
    except StoppedError as stopped:
        # after the results, Ctrl-C is the ordinary way out: the jobs decide
        code = stopped.exit_code if code is None else code
        screen.say("stopping")
    except ClientError as error:
        raise MokaError(str(error)) from error
    finally:
        shut_down(session, screen, stop)
        screen.close()
    return code


def _show_results(session: Session, screen: Screen) -> int:
    """Writes the report; 0 only if every job succeeded."""
    screen.close()
    assert session.server is not None
    assert session.server.address is not None
    attempts = session.server.data / "attempts"
    write(report(session.steps, session.server.address, attempts), sys.stdout)
    return 0 if all(step.job is not None and step.job["state"] == "SUCCEEDED" for step in session.steps) else 1


@contextmanager
def _owned(data: Path) -> Iterator[None]:
    """One `moka local` per folder: each stops the jobs of its folder when it ends. The kernel frees the lock with its holder."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        lock = (data / "moka-local.lock").open("a+")
    except OSError as error:
        raise BadInputError(
            f"`--data` must be a folder that can be written to, got {data} ({error.strerror})"
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            raise BadInputError(
                f"`--data` must be a folder that no other moka local uses, got {data} (process {holder}); "
                "stop that one or name another folder"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
