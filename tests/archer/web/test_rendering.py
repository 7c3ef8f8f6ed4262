"""Templates escape, refuse unknown names, and read times and lengths the same everywhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from jinja2 import UndefinedError

from archer.durations import format_duration
from archer.model import JobState
from archer.web.rendering import HEADERS, asset_answer, page, prose, remark, rfc3339, runtime, utc

if TYPE_CHECKING:
    from tests.archer.conftest import HandDriven

NOON = datetime(2026, 11, 23, 13, 0, 5, 123000, tzinfo=timezone(timedelta(hours=1)))


def test_times_are_utc_for_people_and_for_programs() -> None:
    assert utc(NOON) == "2026-11-23 12:00:05"
    assert rfc3339(NOON) == "2026-11-23T12:00:05.123Z"


def test_a_page_escapes_and_carries_the_headers() -> None:
    answer = page("error.html", status=404, code="404", title="<i>", message="<b>", problems=["<u>"])

    assert answer.status_code == 404
    assert b"&lt;i&gt;" in answer.body
    assert b"&lt;u&gt;" in answer.body
    assert {name: answer.headers[name] for name in HEADERS} == dict(HEADERS)


def test_a_name_that_a_template_misses_is_an_error_and_no_blank() -> None:
    with pytest.raises(UndefinedError):
        page("error.html")


@pytest.mark.parametrize("name", ["", "..", "../pages.py", "archer.css.map", "templates/base.html"])
def test_only_known_files_are_served(name: str) -> None:
    assert asset_answer(name) is None


def test_length_of_a_run_counts_until_now_and_stops_with_the_job(by_hand: HandDriven) -> None:
    job = by_hand.submit()
    assert runtime(job, datetime.now(UTC)) == "\N{EN DASH}"
    by_hand.run(job)
    running = by_hand.service.job(job.id)
    assert running.started_at is not None

    assert runtime(running, running.started_at + timedelta(seconds=83)) == "1m 23s"
    by_hand.change(job, JobState.SUCCEEDED)
    ended = by_hand.service.job(job.id)
    assert ended.finished_at is not None
    ran = format_duration((ended.finished_at - running.started_at).total_seconds())
    assert runtime(ended, running.started_at + timedelta(days=9)) == ran


def test_a_row_remarks_on_what_matters_now(by_hand: HandDriven) -> None:
    job = by_hand.submit(retry={"max_attempts": 2})
    waiting = remark(by_hand.service.job(job.id))
    by_hand.start(job)
    by_hand.change(job, JobState.RUNNING, substate="stage 1 of 2")
    running = remark(by_hand.service.job(job.id))
    by_hand.change(job, JobState.SUCCEEDED)

    assert waiting.startswith("waits for a slot")
    assert running == "stage 1 of 2"
    assert remark(by_hand.service.job(job.id)) == ""


def test_what_stands_between_backticks_is_code_and_nothing_in_it_is_html() -> None:
    said = prose("raise `driver.memory` or <b>`a<script>`</b>; password=hunter2; a lone ` stays")

    assert said == (
        "raise <code>driver.memory</code> or &lt;b&gt;<code>a&lt;script&gt;</code>&lt;/b&gt;; password=********; "
        "a lone ` stays"
    )
