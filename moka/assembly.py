"""Reads a synthesized cloud assembly (`cdk.out`) as CloudFormation would see it: stages, stacks, templates.

Only the files count, never the Python objects that wrote them, so what is shown is what would be deployed. Format:
https://github.com/aws/aws-cdk-cli/tree/main/packages/%40aws-cdk/cloud-assembly-schema. It refuses a folder that is no assembly
and a stack outside of a stage, because every environment of ours is a stage.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moka.errors import MokaError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_STACK = "aws:cloudformation:stack"
_ASSEMBLY = "cdk:cloud-assembly"


class AssemblyError(MokaError):
    """The folder is not a cloud assembly that this program can read."""


@dataclass(frozen=True, kw_only=True)
class SynthesizedStack:
    """One stack of an assembly."""

    environment: str
    """Name of the outermost stage."""
    name: str
    """Path below the stage: `network`, `cluster-batch`."""
    account: str
    region: str
    template: dict[str, Any]
    """The CloudFormation template."""
    template_file: Path | None = None
    """Where the template was read from; none for one that was never in a file."""
    depends_on: tuple[str, ...] = ()
    """Names of the stacks of the same environment that are deployed before it, as the manifest has them."""

    @property
    def resources(self) -> dict[str, dict[str, Any]]:
        """Logical id -> resource."""
        found: dict[str, dict[str, Any]] = self.template.get("Resources", {})
        return found


def read_assembly(folder: Path) -> list[SynthesizedStack]:
    """All stacks of the assembly, in its manifests' order. Raises AssemblyError."""
    return list(_stacks(folder, stage=None))


def _stacks(folder: Path, stage: str | None) -> Iterator[SynthesizedStack]:
    artifacts: dict[str, dict[str, Any]] = _read_json(folder / "manifest.json").get("artifacts", {})
    names = {
        key: artifact.get("displayName", key).removeprefix(f"{stage}/")
        for key, artifact in artifacts.items()
        if artifact.get("type") == _STACK
    }
    for key, artifact in artifacts.items():
        properties: dict[str, Any] = artifact.get("properties", {})
        if artifact.get("type") == _ASSEMBLY:
            # a stage within a stage keeps the outer name: that is the environment
            yield from _stacks(folder / properties["directoryName"], stage or properties.get("displayName", key))
        elif artifact.get("type") == _STACK:
            if stage is None:
                raise AssemblyError(
                    f"stack {key!r} in {folder} is outside of a stage; every environment is a cdk.Stage"
                )
            account, region = _target(artifact.get("environment", ""))
            yield SynthesizedStack(
                environment=stage,
                name=names[key],
                account=account,
                region=region,
                template=_read_json(folder / properties["templateFile"]),
                template_file=folder / properties["templateFile"],
                # what else it names are the assets, which are published before anything is deployed
                depends_on=tuple(names[each] for each in artifact.get("dependencies", ()) if each in names),
            )


def _target(environment: str) -> tuple[str, str]:
    """`aws://111111111111/us-east-1` -> account and region."""
    account, _, region = environment.removeprefix("aws://").partition("/")
    return account, region


def _read_json(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise AssemblyError(f"{file} cannot be read ({error.strerror}); synthesise first: ./cdk synth") from error
    except ValueError as error:
        raise AssemblyError(f"{file} is not JSON ({error}); synthesise again: ./cdk synth") from error
    if not isinstance(content, dict):
        raise AssemblyError(f"{file} holds no JSON object; synthesise again: ./cdk synth")
    return content
