"""`python -m policy.docs` writes docs/reference/policy.md from the suppressions."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from policy import suppressions

PAGE: Final = Path(__file__).parents[1] / "docs" / "reference" / "policy.md"

_INTRODUCTION: Final = """\
# Policy

<!-- made by `python -m policy.docs`; change policy/suppressions.yaml, not this page -->

`make policy` synthesises every environment and runs three tools over every template:

| tool | rules | what for |
| --- | --- | --- |
| cdk-nag | AwsSolutions | access, encryption, logging |
| cfn-lint | all errors and warnings, in each stack's region | what CloudFormation would refuse |
| checkov | `cloudformation` | what auditors ask for; in `.venv-checkov`, as it pins an old boto3 |

It exits with 0 when everything found is accepted below, and 1 with a line for every finding that is not, and for every entry that
accepts nothing any more: so a rule that was mended loses its excuse, and a tool that finds nothing because it is broken is noticed.
`python -m policy dev` looks at one environment only, and leaves unused entries alone. 2 says that the file of suppressions, an
environment file or a tool cannot be used.

An entry has four fields: `tool`, `id` (`*` stands for any text), `path` (`<environment>/<stack>/<construct path or logical id>`) and `reason`, of
at least 30 characters. Write the smallest `path` that is true; mend the template instead when that is possible.

## What is accepted

"""


def page(accepted: Sequence[suppressions.Suppression]) -> str:
    """Return the page as Markdown."""
    rows = [f"| {each.tool} | {_code(each.id)} | {_code(each.path)} | {each.reason} |" for each in accepted]
    return _INTRODUCTION + "\n".join(["| tool | rule | where | why |", "| --- | --- | --- | --- |", *rows, ""])


def _code(text: str) -> str:
    return f"`{text}`"


if __name__ == "__main__":
    PAGE.write_text(page(suppressions.load()), encoding="utf-8")
