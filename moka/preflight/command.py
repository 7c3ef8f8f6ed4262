"""`moka preflight ENV`: the command line around the checks."""

import json
import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from environments import Environment, environment_names, load
from moka.output import write
from moka.preflight.aws import Aws, open_session
from moka.preflight.check import WantedImage
from moka.preflight.checks import CHECKS
from moka.preflight.policy import least_policy
from moka.preflight.rows import Report
from moka.preflight.run import chosen, preflight
from moka.preflight.table import report_table

_NAMES = ", ".join(check.name for check in CHECKS)


class OutputFormat(StrEnum):
    """What goes to stdout."""

    TABLE = "table"
    JSON = "json"


def wanted_images(environment: Environment) -> tuple[WantedImage, ...]:
    """Return the images that an environment needs: the list that `moka images push` fills the registry from."""
    # our own images' tags are read from the tree; --policy, --help and a wrong account have no use for them
    from moka.images.catalog import catalog  # noqa: PLC0415

    return tuple(WantedImage(repository=entry.repository, tag=entry.tag) for entry in catalog(environment))


def preflight_command(
    environment: Annotated[str, typer.Argument(metavar="ENV", help="Name of an environment, or the path of its file.")],
    output: Annotated[
        OutputFormat, typer.Option("--output", help="A table for people or JSON for programs.")
    ] = OutputFormat.TABLE,
    policy: Annotated[
        bool, typer.Option("--policy", help="Print the least IAM policy that the checks need, and ask AWS nothing.")
    ] = False,
    profile: Annotated[
        str | None, typer.Option("--profile", metavar="NAME", help="Profile of the AWS configuration.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="CHECK", help=f"Only this check; may be repeated: {_NAMES}.")
    ] = None,
) -> None:
    """Ask an AWS account whether an environment fits: quotas, zones, network, keys, roles, images. Changes nothing.

    Prints a row per question with its state (pass, warn, fail, or unknown where AWS did not answer) and the fix.
    """
    loaded = load(environment)
    checks = chosen(only or ())
    if policy:
        sys.stdout.write(json.dumps(least_policy(loaded, (*chosen(["account"]), *checks)), indent=2) + "\n")
        return
    report = preflight(
        loaded,
        Aws(open_session(profile, loaded.region), loaded.region),
        file=file_name(environment),
        today=datetime.now(UTC).date(),
        images=wanted_images,
        only=only or (),
    )
    _show(report, output)
    raise typer.Exit(report.exit_code)


def file_name(environment: str) -> str:
    """Return the file as messages name it."""
    return f"environments/{environment}.yaml" if environment in environment_names() else str(Path(environment))


def _show(report: Report, output: OutputFormat) -> None:
    if output is OutputFormat.JSON:
        sys.stdout.write(json.dumps(report.as_json(), indent=2) + "\n")
    else:
        write(report_table(report), sys.stdout)
