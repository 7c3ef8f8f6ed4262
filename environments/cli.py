"""`python -m environments`: checks environment files, and writes the files that are generated from the model.

Exit codes: 0 nothing wrong (warnings are printed), 2 a file that cannot be used or a wrong command line.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from environments.loading import EnvironmentFileError, environment_names, examine_all, load_all
from environments.model import Environment
from environments.problems import render_json, render_text

BAD_INPUT = 2


def load_or_exit(names: Sequence[str]) -> tuple[Environment, ...]:
    """Return the environments; a file that cannot be used is told on stderr, all of it, and ends the process with 2."""
    try:
        return load_all(names)
    except EnvironmentFileError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(BAD_INPUT) from None


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit."""
    parsed = _parser().parse_args(arguments)
    sys.exit(parsed.run(parsed))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m environments", description="Environment files of Moka.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    check = commands.add_parser("check", help="say everything that is wrong with environment files")
    check.add_argument(
        "files", nargs="*", metavar="NAME|FILE", help=f"one of {', '.join(environment_names())}, or a path"
    )
    check.add_argument("--all", action="store_true", help="check every shipped environment, also against each other")
    check.add_argument("--output", choices=["text", "json"], default="text", help="how problems are printed")
    check.set_defaults(run=_check)
    schema = commands.add_parser("schema", help="write environments/schema.json")
    schema.set_defaults(run=_schema)
    reference = commands.add_parser("reference", help="write docs/reference/environment.md")
    reference.set_defaults(run=_reference)
    return parser


def _check(parsed: argparse.Namespace) -> int:
    names = [*parsed.files, *(environment_names() if parsed.all else ())]
    if not names:
        sys.stderr.write(f"name an environment ({', '.join(environment_names())}), a file, or --all\n")
        return BAD_INPUT
    reports = examine_all(list(dict.fromkeys(names)))
    problems = [problem for report in reports for problem in report.problems]
    failed = any(report.errors for report in reports)
    if parsed.output == "json":
        sys.stdout.write(f"{render_json(problems)}\n")
        return BAD_INPUT if failed else 0
    if problems:
        (sys.stderr if failed else sys.stdout).write(f"{render_text(problems)}\n")
    if not failed:
        sys.stdout.write("".join(f"{report.file}: ok\n" for report in reports))
    return BAD_INPUT if failed else 0


def _schema(_: argparse.Namespace) -> int:
    from environments.schema import FILE, text  # noqa: PLC0415  # only this command needs it

    FILE.write_text(text(), encoding="utf-8")
    return 0


def _reference(_: argparse.Namespace) -> int:
    from environments.reference import FILE, text  # noqa: PLC0415  # only this command needs it

    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(text(), encoding="utf-8")
    return 0
