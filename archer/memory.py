"""Memory as Spark writes it (`1g`, `512m`), and what Spark on Kubernetes adds for everything outside the heap.

Sources: `JavaUtils.byteStringAs` for the suffixes; `spark.kubernetes.memoryOverheadFactor` and
https://spark.apache.org/docs/4.0.0/running-on-kubernetes.html for the overhead.
"""

import re

MEMORY_PATTERN = r"^[0-9]{1,9}[kmgtKMGT][bB]?$"

_MIB_PER_UNIT = {"k": 1 / 1024, "m": 1.0, "g": 1024.0, "t": 1024.0 * 1024}

MIN_OVERHEAD_MIB = 384
"""`ResourceProfile.MEMORY_OVERHEAD_MIN_MIB`."""

OVERHEAD_FACTOR_JVM = 0.1
OVERHEAD_FACTOR_PYTHON = 0.4
"""Python, R and other workers outside the JVM live in the overhead."""


def parse_mib(text: str) -> int:
    """`1g` -> 1024. Raises ValueError for anything that Spark wouldn't read, and for less than 1 MiB."""
    if not re.fullmatch(MEMORY_PATTERN, text):
        raise ValueError(f"not a memory size: {text!r}")
    digits, unit = re.match(r"([0-9]+)([a-z])", text.lower()).groups()  # type: ignore[union-attr]  # matched above
    mib = int(int(digits) * _MIB_PER_UNIT[unit])
    if mib < 1:
        raise ValueError(f"less than one mebibyte: {text!r}")
    return mib


def with_overhead_mib(memory: str, overhead: str | None, *, python: bool) -> int:
    """What a pod of this heap may use in all, in MiB: `overhead` as given, else as Spark on Kubernetes computes it."""
    heap = parse_mib(memory)
    if overhead is not None:
        return heap + parse_mib(overhead)
    factor = OVERHEAD_FACTOR_PYTHON if python else OVERHEAD_FACTOR_JVM
    return heap + max(MIN_OVERHEAD_MIB, int(heap * factor))
