"""The stacks of one environment for a command that shows them: from a new synth, or from an assembly that exists already."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from environments import environment_names
from moka.assembly import AssemblyError, read_assembly
from moka.errors import BadInputError
from moka.synth import assembly_command, run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from moka.assembly import SynthesizedStack


def stacks_of(environment: str, assembly: Path | None, *, what_for: str) -> list[SynthesizedStack]:
    """The stacks of the environment, from the given assembly or from a new synth. Raises BadInputError and MokaError.

    `what_for` is the word that ends "nothing to …" when the synth refuses the environment file.
    """
    if assembly is not None:
        try:
            stacks = read_assembly(assembly)
        except AssemblyError as error:
            raise BadInputError(f"`--assembly` must be a cloud assembly: {error}") from error
        _check_known(environment, list(dict.fromkeys(stack.environment for stack in stacks)))
    else:
        _check_known(environment, environment_names())
        with TemporaryDirectory(prefix="moka-synth-") as folder:
            run(assembly_command(Path(folder), environment), what_for=what_for)
            stacks = read_assembly(Path(folder))
    return [stack for stack in stacks if stack.environment == environment]


def _check_known(name: str, known: Sequence[str]) -> None:
    if name not in known:
        raise BadInputError(f"`ENV` must be one of {', '.join(known)}, got {name!r}")
