"""Findings that are accepted, each with a reason: reads the file, and splits findings by it."""

import fnmatch
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from policy.findings import Finding

FILE: Final = Path(__file__).with_name("suppressions.yaml")


class SuppressionError(Exception):
    """The file is not what it must be; the message says where."""


class Suppression(BaseModel):
    """A rule that may be broken at some places, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    tool: Literal["cdk-nag", "cfn-lint", "checkov"]
    """Whose finding."""
    id: Annotated[str, Field(min_length=3)]
    """Rule as the tool prints it; * stands for any text."""
    path: Annotated[str, Field(min_length=3)]
    """<environment>/<stack>/<place>; * stands for any text."""
    reason: Annotated[str, Field(min_length=30)]
    """Why this is right, in a sentence that an auditor accepts."""

    def covers(self, finding: Finding) -> bool:
        """Whether this accepts `finding`."""
        return finding.tool == self.tool and _matches(finding.id, self.id) and _matches(finding.path, self.path)


def _matches(text: str, pattern: str) -> bool:
    # brackets are part of cdk-nag's ids and not a set of letters
    return fnmatch.fnmatchcase(text, pattern.replace("[", "[[]"))


def load(file: Path = FILE) -> tuple[Suppression, ...]:
    """Return the suppressions of `file`. Raises SuppressionError with all problems."""
    try:
        return TypeAdapter(tuple[Suppression, ...]).validate_python(yaml.safe_load(file.read_text(encoding="utf-8")))
    except ValidationError as error:
        lines = [
            f"{file.name}: entry {'.'.join(map(str, each['loc'])) or 0}: {each['msg'].lower()}, got {each['input']!r}"
            for each in error.errors()
        ]
        raise SuppressionError("\n".join(lines)) from error
    except (OSError, yaml.YAMLError) as error:
        raise SuppressionError(f"{file}: {error}") from error


def split(
    findings: Iterable[Finding], suppressions: Sequence[Suppression]
) -> tuple[list[Finding], list[Finding], list[Suppression]]:
    """Return findings that nothing accepts, findings that something accepts, and suppressions that accept nothing."""
    open_findings: list[Finding] = []
    accepted: list[Finding] = []
    used: set[int] = set()
    for finding in findings:
        covering = [number for number, each in enumerate(suppressions) if each.covers(finding)]
        used.update(covering)
        (accepted if covering else open_findings).append(finding)
    return open_findings, accepted, [each for number, each in enumerate(suppressions) if number not in used]
