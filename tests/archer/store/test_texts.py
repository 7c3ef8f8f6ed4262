"""Long texts of attempts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archer.model import JobState
from archer.store.interface import MAX_TEXT_CHARACTERS

if TYPE_CHECKING:
    from tests.archer.store.conftest import StoreKit

S = JobState


def test_a_text_is_kept_for_its_attempt_and_kind_and_the_latest_one_wins(kit: StoreKit) -> None:
    job = kit.move(kit.submit(), S.SUBMITTING, S.SUBMITTED, S.RUNNING, texts={"driver-log": "so far", "spec": "{}"})
    job = kit.move(job, S.RETRY_WAIT, texts={"driver-log": "Ünï\0 \ud83d: at the end"})
    job = kit.move(job, S.SUBMITTING, S.SUBMITTED, texts={"driver-log": "second"})

    assert kit.store.text(job.id, 1, "driver-log") == "Ünï\0 ?: at the end"
    assert kit.store.text(job.id, 1, "spec") == "{}"
    assert kit.store.text(job.id, 2, "driver-log") == "second"
    assert kit.store.text(job.id, 2, "spec") is None


def test_of_a_text_that_is_too_long_the_end_is_kept(kit: StoreKit) -> None:
    text = "begin" + "x" * MAX_TEXT_CHARACTERS + "end"
    job = kit.move(kit.submit(), S.SUBMITTING, S.SUBMITTED, texts={"driver-log": text})

    assert kit.store.text(job.id, 1, "driver-log") == text[-MAX_TEXT_CHARACTERS:]
