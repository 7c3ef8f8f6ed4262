"""What every test shares: the order in which test files start, that Ctrl-C is heard, and where no garbage is looked for.

Two workers end together only when the long files start first: those that run Spark and those that start servers.
`make test` keeps this order by `--no-loadscope-reorder`; xdist's own order puts files of many tests first, however short.
"""

import gc
import signal
from pathlib import Path

import pytest

ROOT = Path(__file__).parent
LONG_FIRST = (
    "archer/faults/test_real_spark.py",
    "examples/test_tpch.py",
    "examples/test_wrong_input.py",
    "moka/local/test_command.py",
    "examples",
    "archer/faults",
    "infra",
)
"""Files and folders, the longest first; a new slow file is named here."""

# Loading six thousand tests, with the CDK and cdk8s, makes a million objects and no garbage: looking for it is a fifth of the work.
gc.disable()


def pytest_configure() -> None:
    """Hear Ctrl-C: a shell without job control starts its background jobs deaf to it, and so would be every program that a test starts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start the long files first; the others keep their order."""
    items.sort(key=lambda item: _place(item.path))


def pytest_collection_finish() -> None:
    """From here on there is garbage, but none among what was loaded."""
    gc.freeze()
    gc.enable()


def _place(path: Path) -> int:
    name = path.relative_to(ROOT).as_posix()
    for place, start in enumerate(LONG_FIRST):
        if name.startswith(start):
            return place
    return len(LONG_FIRST)
