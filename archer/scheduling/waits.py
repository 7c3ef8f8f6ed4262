"""Why one job waits: what was said of it alone, as far as that is more than that it waits."""

from typing import Final

from archer.model import Job

WAITS_FOR_ITS_TURN: Final = "waits for a slot"
"""What the store writes of a new job."""


def own_reason(job: Job) -> str:
    """What the job alone waits for; empty when that is its turn."""
    return "" if job.reason in {None, WAITS_FOR_ITS_TURN} else job.reason or ""
