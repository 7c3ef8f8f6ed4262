"""The program `moka`: which commands there are, and the one place where an error becomes a message and an exit code.

A command's module is imported when the command is named, never for the list of commands.
"""

from __future__ import annotations

import inspect
import sys
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from moka.errors import MokaError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_HELP = "Show, render and run what the environment files of Moka describe."
_EXIT_CODES = {
    0: "done",
    1: "it was tried and failed",
    2: "bad input: options, or an environment file",
    130: "stopped by Ctrl-C (143: by SIGTERM) before the end",
}


@dataclass(frozen=True, kw_only=True)
class _Command:
    module: str
    function: str
    help: str
    """What the list of commands says; the command's own help is its docstring."""
    codes: Mapping[int, str] = field(default_factory=dict)
    """Exit codes that it has beside the common ones, or a closer word for one of them."""


COMMANDS: dict[str, _Command] = {
    "local": _Command(
        module="moka.local.command",
        function="local_command",
        help="Run it all on this machine: synthesise, start Archer, submit real Spark jobs, show the results.",
        codes={1: "it was tried and failed; with --once: a job did not succeed"},
    ),
    "show": _Command(
        module="moka.show",
        function="show_command",
        help="Show what an environment would deploy: stacks, resources, node groups, manifests.",
    ),
    "render": _Command(
        module="moka.render",
        function="render_command",
        help="Write an environment's Kubernetes manifests.",
        codes={3: "with --check: the files on disk differ"},
    ),
    "apply": _Command(
        module="moka.delivery.command",
        function="apply_command",
        help="Apply an environment's manifests to its clusters, as a deploy does.",
        codes={1: "it was tried and failed: each object is named with its reason"},
    ),
    "diff": _Command(
        module="moka.delivery.command",
        function="diff_command",
        help="Show what an apply would change in the clusters.",
        codes={3: "something differs"},
    ),
    "plan": _Command(
        module="moka.plan.command",
        function="plan_command",
        help="Show what a first deploy does in which order, what runs side by side, and how long it takes.",
    ),
    "draw": _Command(
        module="moka.architecture.command",
        function="draw_command",
        help="Draw an environment's architecture: network, clusters, node groups, services, who calls whom.",
    ),
    "images": _Command(
        module="moka.images.command",
        function="COMMANDS",
        help="List, build and push the container images that an environment needs.",
    ),
    "preflight": _Command(
        module="moka.preflight.command",
        function="preflight_command",
        help="Check an AWS account against an environment before anything is deployed.",
        codes={
            1: "a check fails, or AWS did not answer it",
            2: "bad input: options, an environment file, no credentials",
        },
    ),
}


def application(wanted: str | None) -> typer.Typer:
    """The program; of its commands only `wanted` is real, the others are names with a line of help."""
    common = epilog({3: "it looked, and what is there differs: `render --check`, `diff`"})
    app = typer.Typer(name="moka", help=_HELP, epilog=common, no_args_is_help=True, pretty_exceptions_enable=False)
    # without a callback, a program whose only real command is one would lose the command's name
    app.callback()(lambda: None)
    for name, command in COMMANDS.items():
        if name == wanted:
            found = getattr(import_module(command.module), command.function)
            if callable(found):
                app.command(name, help=_prose(found), epilog=epilog(command.codes))(found)
            else:
                app.add_typer(_group(found, command), name=name, help=command.help, epilog=epilog(command.codes))
        else:
            app.command(name, help=command.help)(_placeholder())
    return app


def _group(functions: Mapping[str, Callable[..., None]], command: _Command) -> typer.Typer:
    """A command that is several, by the word after it."""
    group = typer.Typer(no_args_is_help=True)
    for name, function in functions.items():
        group.command(name, help=_prose(function), epilog=epilog(command.codes))(function)
    return group


def epilog(own: Mapping[int, str]) -> str:
    """The exit codes below a help text: the common ones, with a command's own among them."""
    codes = sorted({**_EXIT_CODES, **own}.items())
    return "\n".join(["Exit codes:", *(f"{code:>3}  {meaning}" for code, meaning in codes)])


def _prose(function: Callable[..., None]) -> str:
    """The docstring with its paragraphs, without its line breaks: those are the source's, not the terminal's."""
    paragraphs = inspect.cleandoc(function.__doc__ or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _placeholder() -> Callable[[], None]:
    def never_called() -> None:
        """Stands in the list of commands for one that was not named."""

    return never_called


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and exit with its code; a user's mistake never ends in a stack trace."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    wanted = next((word for word in words if not word.startswith("-")), None)
    try:
        result: Any = application(wanted)(args=words, prog_name="moka", standalone_mode=True)
    except MokaError as error:
        sys.stderr.write(f"moka: {error}\n")
        sys.exit(error.exit_code)
    except Exception as error:
        # environments is loaded by the commands that read a file; the list of commands must not pay for pydantic
        module = sys.modules.get("environments.loading")
        if module is None or not isinstance(error, module.EnvironmentFileError):
            raise
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    sys.exit(result if isinstance(result, int) else 0)


if __name__ == "__main__":
    main()
