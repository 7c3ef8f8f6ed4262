"""`python -m policy`: the three tools over all environments, compared with the suppressions. 0 clean, 1 findings, 2 bad file."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from environments import EnvironmentFileError, environment_names, load_all
from moka.assembly import read_assembly
from policy import suppressions, tools
from policy.findings import Finding

WIDTH = 12


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print a table on stdout and what is wrong on stderr."""
    parser = argparse.ArgumentParser(prog="python -m policy", description="Policy checks over every template.")
    parser.add_argument("env", nargs="*", help="environments (default: all; then unused suppressions fail too)")
    parser.add_argument(
        "--suppressions", type=Path, default=suppressions.FILE, help="what is accepted (default: %(default)s)"
    )
    given = parser.parse_args(arguments)
    wanted = given.env
    try:
        accepted = suppressions.load(given.suppressions)
        load_all(wanted or environment_names())
        with tempfile.TemporaryDirectory(prefix="moka-policy-") as folder:
            found, templates = look(Path(folder), wanted or environment_names())
    except (suppressions.SuppressionError, tools.ToolError, EnvironmentFileError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    text, problems = report(found, accepted, templates, whole=not wanted)
    print(text)
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def look(assembly: Path, environments: Sequence[str]) -> tuple[list[Finding], int]:
    """Return what the tools find in a new synth in the folder `assembly`, sorted, and the number of templates."""
    tools.synthesise(assembly, environments)
    regions: dict[str, dict[Path, str]] = {}
    for stack in read_assembly(assembly):
        assert stack.template_file is not None
        regions.setdefault(stack.region, {})[stack.template_file] = f"{stack.environment}/{stack.name}"
    templates = {file: name for files in regions.values() for file, name in files.items()}
    with ThreadPoolExecutor(max_workers=2) as pool:
        from_checkov = pool.submit(tools.checkov, assembly, templates)
        from_lint = [pool.submit(tools.cfn_lint, files, region) for region, files in regions.items()]
        found = [*tools.cdk_nag(assembly), *from_checkov.result(), *(f for each in from_lint for f in each.result())]
    return sorted(found), len(templates)


def report(
    found: Sequence[Finding], accepted: Sequence[suppressions.Suppression], templates: int, *, whole: bool
) -> tuple[str, list[str]]:
    """Return the table, and a line for each finding or suppression that must not be there."""
    unaccepted, covered, unused = suppressions.split(found, accepted)
    lines = [f"{'tool':<{WIDTH}}{'templates':>{WIDTH}}{'findings':>{WIDTH}}{'suppressed':>{WIDTH}}{'open':>{WIDTH}}"]
    for tool in ("cdk-nag", "cfn-lint", "checkov"):
        counts = [sum(each.tool == tool for each in group) for group in (found, covered, unaccepted)]
        numbers = "".join(f"{number:>{WIDTH}}" for number in (templates, *counts))
        lines.append(f"{tool:<{WIDTH}}{numbers}")
    problems = [
        f"{each.tool} {each.id} {each.path}: {each.text}; mend it, or add it to policy/suppressions.yaml with a reason"
        for each in unaccepted
    ]
    if whole:
        problems += [
            f"suppression {each.tool} {each.id} {each.path} accepts nothing any more; remove it" for each in unused
        ]
    return "\n".join(lines), problems


if __name__ == "__main__":
    sys.exit(main())
