"""`moka show`: what an environment would deploy, from a fresh synth or from files that exist already."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from environments import environment_names
from moka.errors import BadInputError
from moka.inventory import EnvironmentInventory, check_known, only, take_inventory
from moka.inventory_table import inventory_tables
from moka.output import write
from moka.synth import inventory_command, run


class OutputFormat(StrEnum):
    """What goes to stdout."""

    TABLE = "table"
    JSON = "json"


def show_command(
    environment: Annotated[str | None, typer.Argument(metavar="ENV", help="Name of an environment.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every environment.")] = False,
    assembly: Annotated[
        Path | None,
        typer.Option("--assembly", metavar="DIR", help="A cloud assembly (cdk.out) to read instead of a new synth."),
    ] = None,
    rendered: Annotated[
        Path,
        typer.Option("--rendered", metavar="DIR", help="With --assembly: where `moka render` wrote its manifests."),
    ] = Path("dist"),
    output: Annotated[
        OutputFormat, typer.Option("--output", help="A table for people or JSON for programs.")
    ] = OutputFormat.TABLE,
) -> None:
    """Show what environments would deploy: stacks, resources by kind, node groups, manifests by kind.

    Reads the synthesized templates and the rendered manifests, nothing else: no account, no network.
    """
    if everything == (environment is not None):
        raise BadInputError("give one environment, or --all: `moka show dev`, `moka show --all`")
    if assembly is not None:
        inventories = take_inventory(assembly, rendered)
    else:
        check_known(environment, environment_names())
        inventories = _synthesised(environment)
    chosen = only(inventories, environment)
    if output is OutputFormat.JSON:
        sys.stdout.write(json.dumps([inventory.as_json() for inventory in chosen], indent=2) + "\n")
    else:
        write(inventory_tables(chosen), sys.stdout)


def _synthesised(environment: str | None) -> list[EnvironmentInventory]:
    with TemporaryDirectory(prefix="moka-show-") as folder:
        assembly, rendered = Path(folder) / "cdk.out", Path(folder) / "dist"
        run(inventory_command(assembly, rendered, environment), what_for="show")
        return take_inventory(assembly, rendered)
