"""`moka draw`: the command line around the picture of an architecture."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from moka.architecture.environment import make_architecture
from moka.architecture.picture import architecture_picture
from moka.environment_stacks import stacks_of
from moka.errors import BadInputError


def draw_command(
    environment: Annotated[str, typer.Argument(metavar="ENV", help="Name of an environment.")],
    output: Annotated[
        Path, typer.Option("--output", "--out", "-o", metavar="DIR", help="Folder to write below.")
    ] = Path("dist"),
    assembly: Annotated[
        Path | None,
        typer.Option("--assembly", metavar="DIR", help="A cloud assembly (cdk.out) to read instead of a new synth."),
    ] = None,
) -> None:
    """Draw an environment's architecture as it would be deployed: DIR/ENV/architecture.svg, for any browser.

    Reads the synthesized templates, nothing else: no account, no network. Prints the path of the file.
    """
    picture = architecture_picture(make_architecture(stacks_of(environment, assembly, what_for="draw")))
    file = output / environment / "architecture.svg"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(picture, encoding="utf-8")
    except OSError as error:
        raise BadInputError(
            f"`--output` must be a folder that can be written to, got {output}: {file}: {error.strerror}; give another"
        ) from error
    sys.stdout.write(f"{file}\n")
