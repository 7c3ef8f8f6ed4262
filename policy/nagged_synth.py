"""`python -m policy.nagged_synth FOLDER ENV...`: a synth with cdk-nag in it, which writes FOLDER/validation-report.json."""

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path

import infra  # noqa: F401 - names the Node before aws_cdk is imported

import aws_cdk as cdk  # isort: skip
from cdk_nag import AwsSolutionsChecks

from environments import load_all
from infra.app import build_app


def main(folder: Path, environments: Sequence[str]) -> None:
    """Write the assembly and the report, which is there whether or not anything was found."""
    app = build_app(load_all(environments), outdir=str(folder), validate=False)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    # the CDK raises when there are findings, after it has written the report
    with contextlib.suppress(RuntimeError):
        app.synth()
    (folder / "validation-report.json").stat()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
