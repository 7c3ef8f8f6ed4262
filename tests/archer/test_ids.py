"""Names of jobs and attempts."""

import re
from datetime import UTC, datetime

import pytest

from archer import ids

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


def test_a_job_id_is_a_lower_case_ulid_that_sorts_by_time() -> None:
    earlier, later = ids.new_job_id(NOW), ids.new_job_id(NOW.replace(hour=11))

    assert re.fullmatch(r"j-[0-9a-z]{26}", earlier)
    assert earlier < later


def test_the_emr_id_has_the_letters_that_emr_allows_and_leads_back_to_the_job() -> None:
    job_id = ids.new_job_id(NOW)

    assert re.fullmatch(r"[0-9a-z]{1,64}", ids.emr_id(job_id))
    assert ids.job_id_of(ids.emr_id(job_id)) == job_id
    assert ids.job_id_of(job_id) == job_id


@pytest.mark.parametrize(
    "key", ["", "17", "j-", "j-17", "J-01M859FWFDDSTQP1H5F85FKKJM", "../../etc/passwd", "j-" + "u" * 26]
)
def test_other_words_are_no_job_ids(key: str) -> None:
    assert ids.job_id_of(key) is None


def test_an_attempts_name_is_computed_and_fits_a_kubernetes_name() -> None:
    name = ids.attempt_name(ids.new_job_id(NOW), 10)

    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", name)
    assert name.endswith("-10")
