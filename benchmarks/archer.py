"""What Archer costs and how fast it is, on this machine in one run: ratios, CPU seconds, and the goals it is held to.

    python -m benchmarks.archer                                        # everything, some 15 minutes
    python -m benchmarks.archer --only accepts,creates                 # some parts
    python -m benchmarks.archer --short                                # a look at everything, in small

Everything is real but the operator, which is played: `archer serve` processes by role, an API server with etcd, PostgreSQL and
SQLite with each commit on disk. Wall times depend on what else the machine does, so the load is printed beside them, and
CPU seconds, which hardly do. Exits 1 when a goal was missed. Not `python benchmarks/archer.py`: that would hide the package.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.archer_parts import accepts, creates, following
from benchmarks.archer_parts.figures import Goals

PARTS = ("accepts", "creates", "staleness", "resync", "memory", "growth")
FOLLOWING = frozenset(PARTS[2:])
"""Parts that share one population of applications."""


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.archer", description="What Archer costs.")
    parser.add_argument(
        "--only", default=",".join(PARTS), help=f"parts, separated by commas (default: {','.join(PARTS)})"
    )
    parser.add_argument("--short", action="store_true", help="a tenth or less of everything; its goals mean little")
    parser.add_argument("--clients", default="1,8,32", help="clients that submit at once (default: 1,8,32)")
    parser.add_argument(
        "--requests", type=int, default=2000, help="submissions for each number of clients (default: 2000)"
    )
    parser.add_argument("--creates", type=int, default=1000, help="creates of a block (default: 1000)")
    parser.add_argument("--rounds", type=int, default=3, help="blocks of each, in turns (default: 3)")
    parser.add_argument("--sizes", default="1000,10000", help="live applications (default: 1000,10000)")
    parser.add_argument("--changes", type=int, default=3000, help="status changes that are timed (default: 3000)")
    parser.add_argument("--per-second", type=int, default=100, help="of them each second (default: 100)")
    given = parser.parse_args()
    given.parts = frozenset(given.only.split(","))
    unknown = given.parts - set(PARTS)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    if given.short:
        given.requests, given.creates, given.rounds, given.sizes, given.changes = 200, 100, 2, "50,200", 100
    return given


def main() -> int:
    """Measure and print."""
    given = options()
    goals = Goals()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if "accepts" in given.parts:
            clients = [int(word) for word in given.clients.split(",")]
            accepts.run(folder, goals, clients=clients, requests=given.requests)
        if "creates" in given.parts:
            creates.run(folder, goals, creates=given.creates, rounds=given.rounds)
        if given.parts & FOLLOWING:
            sizes = [int(word) for word in given.sizes.split(",")]
            following.run(
                folder, goals, parts=given.parts, sizes=sizes, changes=given.changes, per_second=given.per_second
            )
    print("all goals met" if not goals.missed else "\n".join(["missed:", *(f"  {line}" for line in goals.missed)]))
    return 1 if goals.missed else 0


if __name__ == "__main__":
    sys.exit(main())
