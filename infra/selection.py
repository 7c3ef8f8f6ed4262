"""Which environments a command is about: the value of `-c env=…`, one name or several with commas between."""

from collections.abc import Sequence


class SelectionError(ValueError):
    """A name of an environment that there is no file for."""


def selected_names(wanted: str | None, known: Sequence[str]) -> tuple[str, ...]:
    """Return the names that `wanted` lists, without repeats, or all of `known` when it is None.

    Raises SelectionError for an empty list and for a name that is not in `known`.
    """
    if wanted is None:
        return tuple(known)
    names = tuple(dict.fromkeys(name.strip() for name in wanted.split(",") if name.strip()))
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        got = ", ".join(unknown) or repr(wanted)
        raise SelectionError(
            f"`env` must be one of {', '.join(known)}, got {got}; write -c env={known[0]}, or several with commas"
        )
    return names
