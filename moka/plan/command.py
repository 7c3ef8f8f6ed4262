"""`moka plan`: the command line around the plan."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moka.environment_stacks import stacks_of
from moka.errors import BadInputError
from moka.output import write
from moka.plan.as_json import plan_as_json
from moka.plan.environment import make_plan
from moka.plan.picture import plan_picture
from moka.plan.text import plan_text

if TYPE_CHECKING:
    from moka.plan.environment import EnvironmentPlan


class OutputFormat(StrEnum):
    """What goes to stdout."""

    TEXT = "text"
    JSON = "json"


def plan_command(
    environment: Annotated[str, typer.Argument(metavar="ENV", help="Name of an environment.")],
    assembly: Annotated[
        Path | None,
        typer.Option("--assembly", metavar="DIR", help="A cloud assembly (cdk.out) to read instead of a new synth."),
    ] = None,
    concurrency: Annotated[
        int | None,
        typer.Option(
            "--concurrency",
            metavar="N",
            help="Stacks at a time, as for `./cdk deploy --concurrency`; without it, as many as can.",
        ),
    ] = None,
    draw: Annotated[
        bool, typer.Option("--draw", help="Also draw it: writes dist/ENV/plan.svg below the folder you are in.")
    ] = False,
    output: Annotated[
        OutputFormat, typer.Option("--output", help="Text for people or JSON for programs.")
    ] = OutputFormat.TEXT,
) -> None:
    """Show what a first deploy of an environment does in which order, what runs side by side, and what takes longest.

    Reads the synthesized templates, nothing else: no account, no network. Minutes are typical ones from a dated table.
    """
    if concurrency is not None and concurrency < 1:
        raise BadInputError(f"`--concurrency` must be at least 1, got {concurrency}; leave it out for as many as can")
    plan = make_plan(stacks_of(environment, assembly, what_for="plan"))
    if draw:
        _draw(plan, concurrency)
    if output is OutputFormat.JSON:
        sys.stdout.write(json.dumps(plan_as_json(plan, concurrency), indent=2) + "\n")
    else:
        write(plan_text(plan, concurrency), sys.stdout)


def _draw(plan: EnvironmentPlan, concurrency: int | None) -> None:
    file = Path("dist") / plan.name / "plan.svg"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(plan_picture(plan, concurrency), encoding="utf-8")
    except OSError as error:
        raise BadInputError(
            f"`--draw` cannot write {file}: {error.strerror}; go to a folder that you may write to"
        ) from error
    sys.stderr.write(f"drawn: {file}\n")
