"""`moka images list|push|build`: the command line around the list of images."""

import json
import sys
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, Final

import typer
from rich.table import Table

from environments import Environment, load
from environments.model import PLACEHOLDER_ACCOUNT
from environments.names import registry
from k8s_manifests.own_images import OWN_IMAGES
from moka.errors import BadInputError, MokaError
from moka.images.catalog import PLATFORMS, Entry, catalog, warnings
from moka.images.recipes import recipe_of
from moka.images.tools import find_tool
from moka.output import write

_HELP_ENV: Final = "Name of an environment, or the path of its file."
_HELP_PLATFORM: Final = f"Only this; may be repeated. All by default: {', '.join(PLATFORMS)}."


class OutputFormat(StrEnum):
    """What goes to stdout."""

    TABLE = "table"
    JSON = "json"


def list_command(
    environment: Annotated[str, typer.Argument(metavar="ENV", help=_HELP_ENV)],
    output: Annotated[
        OutputFormat, typer.Option("--output", help="A table for people or JSON for programs.")
    ] = OutputFormat.TABLE,
) -> None:
    """List all images that an environment needs: ours and those of others, where each comes from and where it goes.

    Asks no registry: the list follows from the environment file and this tree.
    """
    loaded = load(environment)
    entries = catalog(loaded)
    _warn(loaded)
    if output is OutputFormat.JSON:
        sys.stdout.write(json.dumps([entry.as_json() for entry in entries], indent=2) + "\n")
        return
    write(_table(loaded, entries), sys.stdout)


def push_command(
    environment: Annotated[str, typer.Argument(metavar="ENV", help=_HELP_ENV)],
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Look, and say what a push would do; change nothing.")
    ] = False,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="REPOSITORY", help="Only this image; may be repeated.")
    ] = None,
    platform: Annotated[list[str] | None, typer.Option("--platform", metavar="OS/ARCH", help=_HELP_PLATFORM)] = None,
    base: Annotated[
        str | None,
        typer.Option(
            "--base", metavar="IMAGE", help="Build ours on this image, such as your registry's copy of the pinned one."
        ),
    ] = None,
    tool: Annotated[
        str | None,
        typer.Option("--tool", metavar="NAME", help="docker or skopeo (with buildah); by default what is there."),
    ] = None,
    profile: Annotated[
        str | None, typer.Option("--profile", metavar="NAME", help="Profile of the AWS configuration.")
    ] = None,
) -> None:
    """Fill an environment's registry: build our images, copy the others whole and by digest.

    Goes between the data stack, which makes the repositories, and the platform stacks, whose pods pull. What is there already
    is left alone, so it can be repeated. All problems are told before anything is changed.
    """
    # boto3 is for a push alone
    from moka.images.login import ecr_login  # noqa: PLC0415
    from moka.images.push import carry_out, plan  # noqa: PLC0415

    loaded = load(environment)
    entries = _only(catalog(loaded), only)
    platforms = _platforms(platform)
    _warn(loaded)
    where = registry(loaded)
    if PLACEHOLDER_ACCOUNT in where:
        if not dry_run:
            raise BadInputError(
                f"{where} is the placeholder account {PLACEHOLDER_ACCOUNT}: write your own into the environment file "
                f"(account, or delivery.registry_uri), or look with --dry-run"
            )
        sys.stderr.write(f"moka: {where} is the placeholder account's: its registry is not asked, nor is any other\n")
        for entry in entries:
            sys.stdout.write(f"{'build' if entry.kind == 'built' else 'copy'} {entry.target}\n")
        return
    programs = find_tool(tool, builds=any(entry.kind == "built" for entry in entries))
    login = ecr_login(loaded, profile)
    if login is not None:
        programs.log_in(login.host, login.user, login.password)
    planned = plan(entries, programs, platforms, fix_repository=_fix_repository(loaded))
    if planned.problems:
        raise MokaError(_told("nothing was pushed", planned.problems))
    if dry_run:
        for step in planned.steps:
            sys.stdout.write(f"{step.line()}\n")
        return
    problems = carry_out(planned.steps, programs, platforms, base)
    if problems:
        raise MokaError(_told("not everything was pushed", problems))


def build_command(
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="IMAGE", help="Only this image: archer or spark.")
    ] = None,
    platform: Annotated[
        list[str] | None,
        typer.Option("--platform", metavar="OS/ARCH", help="By default this machine's."),
    ] = None,
    base: Annotated[
        str | None, typer.Option("--base", metavar="IMAGE", help="Build on this image instead of the pinned one.")
    ] = None,
    tool: Annotated[
        str | None,
        typer.Option("--tool", metavar="NAME", help="docker or skopeo (with buildah); by default what is there."),
    ] = None,
) -> None:
    """Build our images for this machine: localhost/archer and localhost/spark, each with its tag. Pushes nothing."""
    images = [image for image in OWN_IMAGES if only is None or image.repository in only]
    unknown = sorted(set(only or ()) - {image.repository for image in OWN_IMAGES})
    if unknown:
        known = ", ".join(image.repository for image in OWN_IMAGES)
        raise BadInputError(f"`--only` must be one of {known}, got {', '.join(unknown)}")
    programs = find_tool(tool, builds=True)
    platforms = tuple(_platforms(platform)) if platform else (_this_machine(),)
    for image in images:
        name = image.in_registry("localhost")
        programs.build(recipe_of(image, platforms, base), name)
        sys.stdout.write(f"built {name}\n")


COMMANDS: Final[Mapping[str, Callable[..., None]]] = {
    "list": list_command,
    "push": push_command,
    "build": build_command,
}
"""What follows `moka images`."""


def _this_machine() -> str:
    import platform  # noqa: PLC0415  # an option's name elsewhere

    return "linux/arm64" if platform.machine() in {"aarch64", "arm64"} else "linux/amd64"


def _platforms(given: list[str] | None) -> tuple[str, ...]:
    unknown = sorted(set(given or ()) - set(PLATFORMS))
    if unknown:
        raise BadInputError(f"`--platform` must be one of {', '.join(PLATFORMS)}, got {', '.join(unknown)}")
    return tuple(each for each in PLATFORMS if not given or each in given)


def _only(entries: tuple[Entry, ...], names: list[str] | None) -> tuple[Entry, ...]:
    known = [entry.repository for entry in entries]
    unknown = sorted(set(names or ()) - set(known))
    if unknown:
        raise BadInputError(f"`--only` must be one of {', '.join(known)}, got {', '.join(unknown)}")
    return tuple(entry for entry in entries if not names or entry.repository in names)


def _fix_repository(environment: Environment) -> str:
    if environment.delivery.registry == "account":
        return f"make it first: ./cdk deploy '{environment.name}/data'"
    return "make it, or ask those who own the registry"


def _told(what: str, problems: tuple[str, ...]) -> str:
    return "\n".join(
        [
            f"{what}, {len(problems)} problem{'s' if len(problems) > 1 else ''}:",
            *(f"  {problem}" for problem in problems),
        ]
    )


def _warn(environment: Environment) -> None:
    for warning in warnings(environment):
        sys.stderr.write(f"moka: warning: {warning}\n")


def _table(environment: Environment, entries: tuple[Entry, ...]) -> Table:
    table = Table(title=f"Images of {environment.name}, in {registry(environment)}", title_justify="left", box=None)
    for column in ("image", "from", "digest"):
        table.add_column(column, overflow="fold")
    for entry in entries:
        digest = "built here" if entry.kind == "built" else entry.digest or "as resolved at the first push"
        table.add_row(f"{entry.repository}:{entry.tag}", entry.source, digest)
    return table
