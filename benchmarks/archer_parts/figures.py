"""What all parts print: percentiles, CPU seconds of a process, and whether a goal was met."""

import os
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

import psutil


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent of the values don't exceed."""
    ordered = sorted(values)
    return ordered[max(0, min(len(ordered) - 1, -(-int(len(ordered) * percent) // 100) - 1))]


def milliseconds(values: Sequence[float]) -> str:
    """Median and p99, of seconds."""
    return f"p50 {percentile(values, 50) * 1000:7.1f} ms   p99 {percentile(values, 99) * 1000:7.1f} ms"


def cpu_seconds(*pids: int) -> float:
    """User and system time of these processes, and of the children that they have."""
    total = 0.0
    for pid in pids:
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            times = each.cpu_times()
            total += times.user + times.system
    return total


def resident_mib(pid: int) -> float:
    """Memory of a process that is in use, what it shares with others included."""
    return float(psutil.Process(pid).memory_info().rss) / 2**20


def load() -> str:
    """How busy the machine is; said beside each figure that depends on it."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def spread(values: Sequence[float]) -> str:
    """A median with its range."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


@dataclass
class Goals:
    """What was promised, and what came of it."""

    missed: list[str] = field(default_factory=list)

    def at_most(self, what: str, value: float, limit: float, unit: str = "") -> None:
        """Print it and remember a miss."""
        self._told(what, value, limit, unit, met=value <= limit, word="at most")

    def at_least(self, what: str, value: float, limit: float, unit: str = "") -> None:
        """Print it and remember a miss."""
        self._told(what, value, limit, unit, met=value >= limit, word="at least")

    def _told(self, what: str, value: float, limit: float, unit: str, *, met: bool, word: str) -> None:
        line = f"{what}: {value:.2f}{unit}, {word} {limit:g}{unit}"
        print(f"  goal {'met   ' if met else 'MISSED'} {line}", flush=True)
        if not met:
            self.missed.append(line)
