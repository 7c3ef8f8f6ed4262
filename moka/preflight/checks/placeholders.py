"""Whether the file still holds the placeholder account somewhere: a role or certificate that nobody has."""

from collections.abc import Iterator
from typing import Any, Final

from environments import Environment
from environments.model import PLACEHOLDER_ACCOUNT
from moka.preflight.check import Check, Context
from moka.preflight.rows import Verdict, failed, listed, passed


def placeholder_paths(environment: Environment) -> tuple[str, ...]:
    """Return the key paths of values with the placeholder account, list items by their names where they have one."""
    return tuple(_paths(environment.model_dump(mode="json"), ""))


def _paths(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _paths(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            name = inner.get("name", index) if isinstance(inner, dict) else index
            yield from _paths(inner, f"{path}[{name}]")
    elif isinstance(value, str) and PLACEHOLDER_ACCOUNT in value:
        yield path


def judge(paths: tuple[str, ...], file: str) -> Verdict:
    """Return whether any are left."""
    if not paths:
        return passed("placeholders", "none")
    fix = f"write the real values in {file}"
    return failed(
        "placeholders", f"{PLACEHOLDER_ACCOUNT} in {listed(paths, most=100)}", needed="values of your account", fix=fix
    )


def _run(context: Context) -> Iterator[Verdict]:
    yield judge(placeholder_paths(context.environment), context.file)


CHECK: Final = Check(
    name="placeholders",
    asks="Does the file still hold the placeholder account 111111111111 anywhere?",
    calls=(),
    run=_run,
)
