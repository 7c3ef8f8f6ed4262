"""Which environments a command is about: the value of `-c env=…`, one name or several with commas between."""

from collections.abc import Sequence


def selected_names(wanted: object, known: Sequence[str]) -> tuple[str, ...]:
    """Return the names in `wanted`, without repeats, or all of `known` when nothing is wanted.

    Whether there is such an environment is the loader's question; a path of a file is a name to it.
    """
    names = (name.strip() for name in str(wanted or "").split(","))
    return tuple(dict.fromkeys(name for name in names if name)) or tuple(known)
