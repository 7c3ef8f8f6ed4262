"""Every state can be said: a word, a shape, a tone and a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archer.model import JobState
from archer.web.words import LOOKS, sentence

if TYPE_CHECKING:
    from tests.archer.conftest import HandDriven

S = JobState


def test_every_state_has_a_word_of_its_own() -> None:
    assert set(LOOKS) == set(S)
    assert len({look.word for look in LOOKS.values()}) == len(S)


def test_states_of_one_tone_differ_in_word_so_that_colour_never_decides() -> None:
    for tone in {look.tone for look in LOOKS.values()}:
        words = [look.word for look in LOOKS.values() if look.tone == tone]
        assert len(set(words)) == len(words)


def test_a_job_with_several_attempts_says_which_one(by_hand: HandDriven) -> None:
    job = by_hand.submit(retry={"max_attempts": 3})
    by_hand.run(job)
    running = sentence(by_hand.service.job(job.id))
    by_hand.change(job, S.RETRY_WAIT, attempt_state=S.FAILED)
    waiting = sentence(by_hand.service.job(job.id))
    by_hand.fail(job, number=2)
    failed = sentence(by_hand.service.job(job.id))

    assert running == "Spark is running attempt 1 of 3."
    assert waiting == "Attempt 1 of 3 failed in a way worth repeating; the next one starts soon."
    assert failed == "It failed after 2 attempts and is not tried again."
