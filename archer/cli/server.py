"""`archer serve` and `archer migrate`: the only commands that load the server, and only when they run."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archer.cli.output import say

if TYPE_CHECKING:
    from archer.settings import ServeSettings

Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="Folder of the database, logs and event logs; .archer by default."),
]


def serve(
    *,
    backend: Annotated[
        str | None,
        typer.Option(
            "--backend",
            metavar="local|kubernetes",
            help="Where jobs run: Spark on this machine (the default), or the clusters of --config.",
        ),
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(
            "--host",
            metavar="ADDRESS",
            help="Address to listen on, 127.0.0.1 by default; beyond loopback with ARCHER_AUTHENTICATION.",
        ),
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", help="8080 by default; the next free one when it is taken, 0 for any.")
    ] = None,
    strict_port: Annotated[
        bool | None,
        typer.Option(
            "--strict-port/--no-strict-port", help="Refuse to start when the port is taken.", show_default=False
        ),
    ] = None,
    data: Data = None,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="The environment's archer.yaml, from `moka render`: its clusters, queues, teams and profiles.",
        ),
    ] = None,
    roles: Annotated[
        str | None,
        typer.Option("--roles", metavar="ROLE,...", help="Of api, dispatcher, tracker, janitor; all by default."),
    ] = None,
    history: Annotated[
        bool | None,
        typer.Option(
            "--history/--no-history", help="Start Spark's History Server too; on by default.", show_default=False
        ),
    ] = None,
    history_port: Annotated[
        int | None, typer.Option("--history-port", help="18080 by default; the next free one when it is taken.")
    ] = None,
    slots: Annotated[
        int | None,
        typer.Option("--slots", metavar="N", help="Jobs that run at the same time; by default one per two CPUs."),
    ] = None,
    stop_on_stdin_eof: Annotated[
        bool | None, typer.Option("--stop-on-stdin-eof", help="Stop when standard input closes.", show_default=False)
    ] = None,
    stop_jobs_on_exit: Annotated[
        bool | None,
        typer.Option(
            "--stop-jobs-on-exit",
            help="Kill running jobs at the end, instead of leaving them to the next start.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Run Archer: the API, the page, and the parts that start and watch jobs.

    With --backend kubernetes each process answers /healthz, /readyz and /metrics on its port, whatever its roles. Every
    setting is also an environment variable, ARCHER_PORT for --port; a flag wins. Ctrl-C or SIGTERM ends the server;
    running jobs go on and are found again at the next start. More settings: docs/reference/archer-settings.md.
    """
    from archer.settings import load_settings  # noqa: PLC0415 - no other command needs it

    settings = load_settings(
        backend=backend,
        host=host,
        port=port,
        strict_port=strict_port,
        data=data,
        config=config,
        roles=roles,
        history=history,
        history_port=history_port,
        slots=slots,
        stop_on_stdin_eof=stop_on_stdin_eof,
        stop_jobs_on_exit=stop_jobs_on_exit,
    )
    _run(settings)


def _run(settings: ServeSettings) -> None:
    # what is loaded stays: to look for garbage among it costs a tenth of the start, and later of every look
    gc.disable()
    # brings the web framework and the database library with it, which no other command needs, nor a refused setting
    from archer.server import run  # noqa: PLC0415

    gc.freeze()
    gc.enable()
    run(settings)


def migrate(data: Data = None) -> None:
    """Bring the database to this version's tables; `archer serve` does so itself on one machine.

    On PostgreSQL (ARCHER_BACKEND=kubernetes and libpq's PGHOST, PGUSER, PGDATABASE) it makes the user first, when
    ARCHER_DATABASE_MASTER_SECRET names the master's secret. Any number may run at once, and again.
    """
    # as above
    from archer.settings import load_settings  # noqa: PLC0415
    from archer.store.migrate import migrate as run_migrations  # noqa: PLC0415

    settings = load_settings(data=data)
    run_migrations(settings.database)
    say(f"the database {settings.database.place or f'of {settings.data.absolute()}'} is up to date")
