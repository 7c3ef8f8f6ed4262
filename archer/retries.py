"""Whether a failed attempt is worth repeating, with how much memory, and after which pause.

The category decides (D16): what the infrastructure did is repeated for free, a lack of memory is repeated with more,
a program's own mistake is not repeated at all, as it would fail again. Pinterest's Auto Memory Retries climb the same
ladder per task inside a Spark of their own; here the whole attempt is repeated, which costs more.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from archer.model import Attempt, Category

FREE = frozenset({Category.LOST, Category.SPOT_LOSS, Category.NODE_LOSS, Category.QUOTA})
"""Not the job's doing: these attempts aren't counted, up to MAX_FREE of them, of those that a quota refused up to MAX_QUOTA."""

MAX_FREE = 2

MAX_QUOTA = 24
"""A quota that is used up is the team's other jobs, or two pods that were made in the same moment: the API server answers
both with a conflict. Nothing ran, and the room comes back when other jobs end: with the pauses, an hour and a half."""

MEMORY = frozenset({Category.OOM_HEAP, Category.OOM_CONTAINER, Category.OOM_PYTHON})
TOP_RUNG = 4.0
"""The memory ladder: 1, 2, 3, 4 times what was asked for."""

PLACE = frozenset({Category.IMAGE_PULL, Category.UNSCHEDULABLE})
"""The place refused; it may accept later."""

MAX_PAUSE_SECONDS = 300.0


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What becomes of the job."""

    retry: bool
    why: str
    """For the job's history."""
    memory_rung: float
    pause_seconds: float = 0.0


def failures_before(attempts: Sequence[Attempt], number: int) -> list[Category]:
    """Why the attempts before that one failed. One that a cluster didn't take, and that went elsewhere, was no try."""
    return [
        attempt.diagnosis.category
        for attempt in attempts
        if attempt.number < number and attempt.diagnosis is not None and not _was_given_back(attempt)
    ]


def _was_given_back(attempt: Attempt) -> bool:
    lost = attempt.diagnosis is not None and attempt.diagnosis.category is Category.LOST
    return lost and attempt.started_at is None


def decide(
    failures: Sequence[Category],
    *,
    max_attempts: int,
    memory_rung: float,
    first_pause_seconds: float,
    top_rung: float = TOP_RUNG,
) -> Decision:
    """`failures` holds the category of every attempt so far, the latest last; `top_rung`: what the place can give."""
    latest = failures[-1]
    refused = failures.count(Category.QUOTA)
    free = min(sum(category in FREE for category in failures) - refused, MAX_FREE) + min(refused, MAX_QUOTA)
    if latest not in FREE | MEMORY | PLACE:
        return Decision(retry=False, why=f"a {latest} is not repeated: it would fail again", memory_rung=memory_rung)
    if len(failures) >= max_attempts + free:
        spent = f"{len(failures)} of {max_attempts} attempts made"
        extra = f", and {free} beyond for those that are not its doing" if free else ""
        return Decision(retry=False, why=f"no attempt is left ({spent}{extra})", memory_rung=memory_rung)
    rung = memory_rung
    if latest in MEMORY:
        if memory_rung >= TOP_RUNG:
            return Decision(retry=False, why=f"{TOP_RUNG:g} times the memory was not enough", memory_rung=memory_rung)
        if memory_rung + 1 > top_rung:
            why = f"{memory_rung:g} times the memory was not enough, and more fits neither the queue nor a node"
            return Decision(retry=False, why=why, memory_rung=memory_rung)
        rung = memory_rung + 1
    pause = min(first_pause_seconds * 2 ** (len(failures) - 1), MAX_PAUSE_SECONDS)
    again = f"attempt {len(failures) + 1} follows in {pause:g} s"
    with_more = f" with {rung:g} times the memory" if rung > memory_rung else ""
    return Decision(retry=True, why=again + with_more, memory_rung=rung, pause_seconds=pause)
