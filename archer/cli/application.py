"""The program `archer`: its commands, and the one place where an error becomes a message and an exit code."""

import inspect
import io
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import typer
from typer.core import TyperCommand

from archer.cli import explain, finalizers, jobs, logs, route, server, steering, submit, tokens, waiting
from archer.cli.credentials import with_token
from archer.cli.exit_codes import MEANINGS, ExitCode, exit_code_of
from archer.cli.output import say, say_problems
from archer.client_errors import ClientError
from archer.errors import ArcherError, InvalidInputError

_HELP = "Submit Spark jobs to Archer and see what becomes of them."
EPILOG = "\n".join(["Exit codes:", *(f"{code.value:>3}  {meaning}" for code, meaning in MEANINGS.items())])

_JOBS, _SERVER = "Jobs", "Server"
_COMMANDS: Sequence[tuple[str, str, Callable[..., None]]] = (
    # in the order in which somebody meets them
    ("submit", _JOBS, submit.submit),
    ("explain", _JOBS, explain.explain),
    ("route", _JOBS, route.route),
    ("wait", _JOBS, waiting.wait),
    ("list", _JOBS, jobs.list_jobs),
    ("status", _JOBS, jobs.status),
    ("logs", _JOBS, logs.logs),
    ("events", _JOBS, jobs.events),
    ("attempts", _JOBS, jobs.attempts),
    ("kill", _JOBS, jobs.kill),
    ("serve", _SERVER, server.serve),
    ("migrate", _SERVER, server.migrate),
)
_GROUPS: Sequence[tuple[str, str, str, Sequence[tuple[str, Callable[..., None]]]]] = (
    ("cluster", _SERVER, steering.CLUSTER_HELP, steering.CLUSTER_COMMANDS),
    ("queue", _SERVER, steering.QUEUE_HELP, steering.QUEUE_COMMANDS),
    ("token", _SERVER, tokens.HELP, tokens.COMMANDS),
    ("finalizers", _SERVER, finalizers.HELP, finalizers.COMMANDS),
)


def application() -> typer.Typer:
    """The program with all its commands; a command's docstring is its help."""
    app = typer.Typer(name="archer", help=_HELP, epilog=EPILOG, no_args_is_help=True, pretty_exceptions_enable=False)
    for name, panel, function in _COMMANDS:
        kind = submit.SubmitCommand if name in {"submit", "explain", "route"} else TyperCommand
        app.command(name, cls=kind, help=_prose(function), epilog=EPILOG, rich_help_panel=panel)(with_token(function))
    for name, panel, meaning, members in _GROUPS:
        group = typer.Typer(help=meaning, epilog=EPILOG, no_args_is_help=True)
        for member, function in members:
            group.command(member, help=_prose(function), epilog=EPILOG)(with_token(function))
        app.add_typer(group, name=name, rich_help_panel=panel)
    return app


def _prose(function: Callable[..., None]) -> str:
    # a docstring's line breaks are the source's, not the terminal's; its paragraphs stay
    paragraphs = inspect.cleandoc(function.__doc__ or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and exit with its code; a user's mistake never ends in a stack trace."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # a terminal that cannot show a character gets its code, not a stack trace
            stream.reconfigure(errors="backslashreplace")
    try:
        application()(args=None if arguments is None else list(arguments), prog_name="archer")
    except ArcherError as error:
        _report(error)
        sys.exit(exit_code_of(error))
    sys.exit(ExitCode.SUCCESS)


def _report(error: ArcherError) -> None:
    problems: Sequence[Any] = ()
    file = None
    if isinstance(error, ClientError):
        problems = error.problems
    elif isinstance(error, InvalidInputError):
        problems = [vars(problem) for problem in error.problems]
        file = error.file
    if not problems:
        say(str(error))
        return
    # the message of such an error only counts them and repeats the first
    where = "" if file is None else f" in {file}"
    say(f"refused, {len(problems)} problem{'' if len(problems) == 1 else 's'}{where}:")
    say_problems(problems)
