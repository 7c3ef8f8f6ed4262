"""`archer logs` prints what was written, all of it, and follows a job to its end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from archer.model import JobState

if TYPE_CHECKING:
    from tests.archer.cli.conftest import Run
    from tests.archer.conftest import HandDriven

S = JobState


def test_the_whole_log_is_printed_however_long(archer: Run, by_hand: HandDriven) -> None:
    # three pieces, with characters of several bytes across their borders
    text = "zeile €𝄞\n" * 50_000
    job = by_hand.submit()
    by_hand.run(job, driver=text)

    ran = archer("logs", job.id)

    assert (ran.code, ran.err) == (0, "")
    assert ran.out == text


def test_tail_and_stream_and_attempt_choose(archer: Run, by_hand: HandDriven) -> None:
    job = by_hand.submit(retry={"max_attempts": 2})
    by_hand.run(job, driver="1\n2\n3\n", stdout="one\ntwo\n")
    by_hand.change(job, S.RETRY_WAIT, attempt_state=S.FAILED)
    by_hand.run(job, number=2, driver="second\n")

    assert archer("logs", job.id).out == "second\n"
    assert archer("logs", job.id, "--attempt", "1", "--tail", "2").out == "2\n3\n"
    assert archer("logs", job.id, "--attempt", "1", "--stream", "stdout", "-n", "1").out == "two\n"
    assert archer("logs", job.id, "--attempt", "1", "--tail", "0").out == ""
    assert archer("logs", job.id, "--attempt", "3").code == 3


def test_a_job_without_log_says_so(archer: Run, by_hand: HandDriven) -> None:
    job = by_hand.submit()

    ran = archer("logs", job.id)

    assert (ran.code, ran.out, ran.talk) == (0, "", ["archer: the driver log is empty"])


def test_json_gives_each_piece_with_its_place(archer: Run, by_hand: HandDriven) -> None:
    job = by_hand.submit()
    by_hand.run(job, stdout="é\n")

    ran = archer("logs", job.id, "--stream", "stdout", "--output", "json")

    assert json.loads(ran.out) == {"text": "é\n", "offset": 0, "next_offset": 3, "complete": False}


def test_following_goes_on_through_a_retry_to_the_end(
    archer: Run, by_hand: HandDriven, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = by_hand.submit(retry={"max_attempts": 2})
    by_hand.run(job, driver="first begins\n")
    log = by_hand.settings.attempts_folder / f"{job.id}-1" / "driver.log"

    def go_on(_seconds: float) -> None:
        # between two looks of the follower
        with log.open("a") as file:
            file.write("first ends\n")
        by_hand.change(job, S.RETRY_WAIT, attempt_state=S.FAILED)
        by_hand.run(job, number=2, driver="second\n")
        by_hand.change(job, S.SUCCEEDED)

    monkeypatch.setattr("archer.cli.logs.sleep", go_on)
    ran = archer("logs", job.id, "--follow")

    assert (ran.code, ran.out) == (0, "first begins\nfirst ends\nsecond\n")


def test_following_one_attempt_ends_with_it(archer: Run, by_hand: HandDriven) -> None:
    job = by_hand.submit(retry={"max_attempts": 2})
    by_hand.run(job, driver="first\n")
    by_hand.change(job, S.RETRY_WAIT, attempt_state=S.FAILED)

    ran = archer("logs", job.id, "--follow", "--attempt", "1")

    assert (ran.code, ran.out) == (0, "first\n")
