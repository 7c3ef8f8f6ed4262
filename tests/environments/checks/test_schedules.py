"""Schedules by themselves. Refusals in full are in `cases/schedules.yaml`."""

from collections.abc import Callable

import pytest

from environments.checks import schedules
from environments.model import Environment

Make = Callable[..., Environment]
AT = ("schedules", 0)


@pytest.mark.parametrize(
    "cron",
    [
        "0 20 ? * MON-FRI *",
        "*/15 0-6 * * ? 2027",
        "59 23 L 12 ? 2199",
        "0 8 ? JAN,JUL 2#1 *",
        "0 8 1W * ? *",
        "0 8 ? * 6L *",
        "0 0 LW * ? *",
    ],
)
def test_what_the_scheduler_takes_is_allowed(cron: str, environment: Make) -> None:
    made = environment("dev", {"schedules.0.cron": cron})

    assert list(schedules.cron(made, AT, made.schedules[0])) == []


@pytest.mark.parametrize(
    ("cron", "part"),
    [
        ("60 20 ? * MON *", "minute"),
        ("0 24 ? * MON *", "hour"),
        ("0 20 32 * ? *", "day of month"),
        ("0 20 0 * ? *", "day of month"),
        ("0 20 ? 13 MON *", "month"),
        ("0 20 ? JANUARY MON *", "month"),
        ("0 20 ? * 8 *", "day of week"),
        ("0 20 ? * 0 *", "day of week"),
        ("0 20 ? * MON 1969", "year"),
    ],
)
def test_a_field_out_of_its_range_is_named(cron: str, part: str, environment: Make) -> None:
    made = environment("dev", {"schedules.0.cron": cron})

    (finding,) = schedules.cron(made, AT, made.schedules[0])

    assert finding.allowed.startswith(f"with {part} from ")


@pytest.mark.parametrize(
    "name",
    ["UTC", "America/Los_Angeles", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Asia/Kolkata", "Etc/GMT+5"],
)
def test_an_iana_time_zone_is_allowed(name: str, environment: Make) -> None:
    made = environment("dev", {"schedules.0.timezone": name})

    assert list(schedules.time_zone(made, AT, made.schedules[0])) == []


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "America", "/etc/localtime", "", "America/New York", "Mars/Olympus"]
)
def test_another_word_is_no_time_zone(name: str, environment: Make) -> None:
    made = environment("dev", {"schedules.0.timezone": name})

    assert len(list(schedules.time_zone(made, AT, made.schedules[0]))) == 1


def test_celeborn_is_never_scheduled_away(environment: Make) -> None:
    made = environment("prod", {"schedules.0.pool": "celeborn", "schedules.0.min_nodes_per_zone": 0})

    (finding,) = schedules.target(made, AT, made.schedules[0])

    assert finding.allowed == "at least 1 for a celeborn pool"


def test_two_pools_at_one_moment_are_allowed(environment: Make) -> None:
    made = environment("dev", {"schedules.1.cron": "0 20 ? * MON-FRI *", "schedules.1.pool": "driver"})

    assert list(schedules.together(made)) == []
