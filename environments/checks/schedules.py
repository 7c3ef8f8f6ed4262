"""Schedules: the pool that they change exists, the time is one, and the platform never sleeps."""

import functools
import re
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from environments.checks.clusters import twice
from environments.model import Environment
from environments.problems import Finding, Findings, Path, choose, listed
from environments.service import Schedule

MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
FIELDS: Final[tuple[tuple[str, int, int, tuple[str, ...]], ...]] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of month", 1, 31, ()),
    ("month", 1, 12, MONTHS),
    ("day of week", 1, 7, DAYS),
    ("year", 1970, 2199, ()),
)
"""Name, lowest and highest value and words of each field, as EventBridge Scheduler takes them."""

NEVER_EMPTY: Final = ("system", "celeborn")
"""System pools run the platform; Celeborn's nodes hold shuffle data that running jobs still read."""


def unique_schedules(environment: Environment) -> Findings:
    """Schedule names given twice."""
    yield from twice(("schedules",), (schedule.name for schedule in environment.schedules), "schedule")


def target(environment: Environment, at: Path, schedule: Schedule) -> Findings:
    """The cluster and its pool exist, and a pool that must not be empty is not emptied."""
    clusters = {cluster.name: cluster for cluster in environment.clusters}
    cluster = clusters.get(schedule.cluster)
    if cluster is None:
        fix = choose(schedule.cluster, list(clusters), "write one of them")
        yield Finding(path=(*at, "cluster"), value=schedule.cluster, allowed=f"one of {listed(clusters)}", fix=fix)
        return
    pools = {pool.name: pool for pool in cluster.pools}
    pool = pools.get(schedule.pool)
    if pool is None:
        allowed = f"a pool of cluster {cluster.name}: {listed(pools)}"
        yield Finding(
            path=(*at, "pool"),
            value=schedule.pool,
            allowed=allowed,
            fix=choose(schedule.pool, list(pools), "write one of them"),
        )
    elif pool.role in NEVER_EMPTY and schedule.min_nodes_per_zone < 1:
        path, allowed = (*at, "min_nodes_per_zone"), f"at least 1 for a {pool.role} pool"
        yield Finding(
            path=path,
            value=schedule.min_nodes_per_zone,
            allowed=allowed,
            fix="set min_nodes_per_zone: 1, or schedule an executor pool",
        )


def bounds(_: Environment, at: Path, schedule: Schedule) -> Findings:
    """Minimum and maximum."""
    low, high = schedule.min_nodes_per_zone, schedule.max_nodes_per_zone
    if low > high:
        fix = f"raise max_nodes_per_zone to {low} or lower min_nodes_per_zone"
        yield Finding(
            path=(*at, "min_nodes_per_zone"), value=low, allowed=f"at most max_nodes_per_zone ({high})", fix=fix
        )


def time_zone(_: Environment, at: Path, schedule: Schedule) -> Findings:
    """An IANA name, as far as this machine has the database."""
    if not _is_time_zone(schedule.timezone):
        allowed = "an IANA time zone"
        fix = "write area and city, for example America/Los_Angeles, or UTC"
        yield Finding(path=(*at, "timezone"), value=schedule.timezone, allowed=allowed, fix=fix)


@functools.cache
def _is_time_zone(name: str) -> bool:
    """Whether the name is a time zone; without the database any well-formed name is."""
    if not re.fullmatch(r"UTC|[A-Z][A-Za-z_]+(/[A-Z][A-Za-z0-9_+-]+){1,2}", name):
        return False
    try:
        ZoneInfo("America/Los_Angeles")
    except ZoneInfoNotFoundError:
        return True
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def cron(_: Environment, at: Path, schedule: Schedule) -> Findings:
    """Each field in its range, and exactly one of the two days open (?)."""
    path, words = (*at, "cron"), schedule.cron.split(" ")
    for (name, low, high, names), word in zip(FIELDS, words, strict=True):
        wrong = [number for number in _numbers(word, names) if not low <= number <= high]
        unknown = [each for each in re.findall(r"[A-Z]{2,}", word) if each not in names and each != "LW"]
        if wrong or unknown:
            allowed = f"with {name} from {names[0] if names else low} to {names[-1] if names else high}"
            yield Finding(path=path, value=schedule.cron, allowed=allowed, fix=f"correct the {name}, {word}")
    if (words[2] == "?") == (words[4] == "?"):
        allowed = "with ? as exactly one of day of month and day of week"
        yield Finding(
            path=path,
            value=schedule.cron,
            allowed=allowed,
            fix=f"write {' '.join([*words[:2], '?', words[3], '*' if words[4] == '?' else words[4], words[5]])}",
        )


def _numbers(word: str, names: tuple[str, ...]) -> list[int]:
    """Return the values of a field, its step (/15) and its occurrence in the month (#2) left out."""
    plain = re.sub(r"[/#][0-9]+", "", word)
    numbers = [int(number) for number in re.findall(r"[0-9]+", plain)]
    return numbers if not names else [number for number in numbers if number >= 0]


def together(environment: Environment) -> Findings:
    """Two schedules that change one pool at the same moment leave its size to chance."""
    seen: dict[tuple[str, str, str, str], str] = {}
    for index, schedule in enumerate(environment.schedules):
        moment = (schedule.cluster, schedule.pool, schedule.cron, schedule.timezone)
        if moment in seen:
            allowed = f"at another time than schedule {seen[moment]}, which changes the same pool"
            yield Finding(
                path=("schedules", index, "cron"),
                value=schedule.cron,
                allowed=allowed,
                fix="change one of the two times",
            )
        seen.setdefault(moment, schedule.name)
