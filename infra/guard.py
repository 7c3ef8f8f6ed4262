"""`python -m infra.guard deploy 'dev/**' …`: refuses a CDK command that would change an account nobody chose.

The shipped files carry a placeholder account, so that a synth works on any machine. `./cdk` asks here before a command
that writes to an account; the arguments are the command line's. Exit codes: 0 go on, 2 refused.
"""

import fnmatch
import sys
from collections.abc import Iterator, Sequence
from typing import Final

from environments import Environment, environment_names, load_or_exit
from environments.model import PLACEHOLDER_ACCOUNT
from infra.selection import selected_names

CHANGING_COMMANDS: Final = frozenset({"deploy", "destroy", "import", "publish-assets", "refactor", "rollback", "watch"})
"""Commands that write to an account. `bootstrap` names its account itself."""

_OPTIONS_WITH_VALUE: Final = frozenset(
    [
        "-a",
        "--app",
        "-c",
        "--context",
        "-p",
        "--plugin",
        "--profile",
        "-r",
        "--role-arn",
        "--toolkit-stack-name",
        "-o",
        "--output",
        "-O",
        "--outputs-file",
        "--require-approval",
        "--change-set-name",
        "--parameters",
        "--method",
        "-m",
        "--progress",
        "--concurrency",
        "-t",
        "--tags",
        "-E",
        "--build-exclude",
        "--notification-arns",
        "--resource-mapping",
        "-i",
        "--proxy",
        "--ca-bundle-path",
    ]
)


def main(arguments: Sequence[str]) -> int:
    """Return 0 when the command may go on, else say what to edit and return 2."""
    words = list(_words(arguments))
    if not words or words[0] not in CHANGING_COMMANDS or {"-h", "--help"} & set(arguments):
        return 0
    environments = load_or_exit(selected_names(_context(arguments, "env"), environment_names()))
    refused = [environment for environment in _touched(environments, words[1:]) if _placeholders(environment)]
    for environment in refused:
        sys.stderr.write(f"{_message(words[0], environment)}\n")
    return 2 if refused else 0


def _words(arguments: Sequence[str]) -> Iterator[str]:
    """Yield the command and the stack patterns: what is neither an option nor an option's value."""
    value_next = False
    for argument in arguments:
        if not value_next and not argument.startswith("-"):
            yield argument
        value_next = not value_next and argument in _OPTIONS_WITH_VALUE


def _context(arguments: Sequence[str], key: str) -> str | None:
    """Return the last `-c key=value` of a command line."""
    found = None
    for position, argument in enumerate(arguments):
        option, _, rest = argument.partition("=")
        if option not in {"-c", "--context"}:
            continue
        pair = rest or (arguments[position + 1] if position + 1 < len(arguments) else "")
        name, _, value = pair.partition("=")
        found = value if name == key else found
    return found


def _touched(environments: Sequence[Environment], patterns: Sequence[str]) -> tuple[Environment, ...]:
    """Return the environments that patterns like dev/**, */network or ** can match; all when in doubt."""
    firsts = [pattern.split("/", 1)[0] for pattern in patterns]
    if any("{" in first for first in firsts):
        return tuple(environments)
    matched = tuple(each for each in environments if any(fnmatch.fnmatchcase(each.name, first) for first in firsts))
    return matched or tuple(environments)


def _placeholders(environment: Environment) -> tuple[str, ...]:
    """Return the key paths whose value names the placeholder account."""
    return tuple(_paths(environment.model_dump(mode="json"), ""))


def _paths(value: object, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _paths(child, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for position, child in enumerate(value):
            yield from _paths(child, f"{path}[{position}]")
    elif isinstance(value, str) and PLACEHOLDER_ACCOUNT in value:
        yield path


def _message(command: str, environment: Environment) -> str:
    paths = _placeholders(environment)
    return (
        f"moka: cdk {command} of {environment.name} is refused: its file names the placeholder account {PLACEHOLDER_ACCOUNT}\n"
        f"  edit  environments/{environment.name}.yaml: write your own account into {', '.join(paths)}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
