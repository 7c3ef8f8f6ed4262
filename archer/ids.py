"""Names of jobs and attempts.

One ULID gives all of them, so each can be computed from the other and none needs a lookup. Refuses to read a clock
that it wasn't given.
"""

import re
from datetime import datetime

from ulid import ULID

STAND_IN = "j-" + "0" * 26
"""For the id of a job that there is not, or not yet: as long as any."""

_JOB_ID = re.compile(r"j-([0-9a-hjkmnp-tv-z]{26})")
_EMR_ID = re.compile(r"[0-9a-hjkmnp-tv-z]{26}")


def new_job_id(now: datetime) -> str:
    """`j-` and a lower-case ULID: sorts by time, unique without asking the database."""
    return f"j-{str(ULID.from_datetime(now)).lower()}"


def emr_id(job_id: str) -> str:
    """The same id as EMR on EKS wants it, `[0-9a-z]+` of at most 64 characters."""
    return job_id.removeprefix("j-")


def attempt_name(job_id: str, number: int) -> str:
    """Name of the attempt's object in the cluster: the same each time, so "already exists" means "done" (D13)."""
    return f"{job_id}-{number}"


def job_id_of(key: str) -> str | None:
    """The job id behind a `j-…` id or an EMR id, None when `key` is neither (a number, perhaps)."""
    if _JOB_ID.fullmatch(key):
        return key
    if _EMR_ID.fullmatch(key):
        return f"j-{key}"
    return None
