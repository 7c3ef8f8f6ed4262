"""Why one job waits: what was said of it alone, as far as that is more than that it waits."""

from archer.model import Job
from archer.store.interface import WAITS_FOR_ITS_TURN


def own_reason(job: Job) -> str:
    """What the job alone waits for; empty when that is its turn."""
    return "" if job.reason in {None, WAITS_FOR_ITS_TURN} else job.reason or ""
