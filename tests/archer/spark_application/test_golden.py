"""Golden files: the whole manifest of each kind of job. `python -m testbed.spark_application_samples` writes them again."""

import pytest
import yaml

from archer.spark_application import build, check, crd
from testbed import spark_application_samples as samples
from testbed.archer_builders import make_job

NAMES = sorted(samples.JOBS)


@pytest.mark.parametrize("name", NAMES)
def test_a_manifest_is_what_was_committed(name: str) -> None:
    committed = (samples.GOLDEN / f"{name}.yaml").read_text()

    assert samples.text(name) == committed, "run python -m testbed.spark_application_samples and read the difference"


def test_no_golden_file_is_left_of_a_job_that_is_gone() -> None:
    assert sorted(path.stem for path in samples.GOLDEN.iterdir()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_manifest_holds_what_the_crd_and_kubernetes_take(name: str) -> None:
    assert crd.problems_of(yaml.safe_load((samples.GOLDEN / f"{name}.yaml").read_text())) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_job_that_has_a_manifest_passes_the_door(name: str) -> None:
    submission, config, _lent = samples.admitted(name)

    assert check(submission, config=config, cluster=config.clusters[0]) == []


@pytest.mark.parametrize("name", NAMES)
def test_the_same_job_gives_the_same_manifest(name: str) -> None:
    submission, config, _lent = samples.admitted(name)
    # the store may give the keys of a job's JSON in another order
    turned = dict(reversed(submission.model_dump(mode="json").items()))
    job = make_job(queue=submission.queue, team=submission.team)
    fields = {"config": config, "cluster": config.clusters[0], "attempt": 1, "memory_rung": samples.JOBS[name][2]}

    manifests = [
        yaml.safe_dump(build(make_job(queue=job.queue, submission=kept), **fields))  # type: ignore[arg-type]  # as stored
        for kept in (submission,)
    ]
    again = build(
        type(job)(**{**vars(job), "submission": turned}),
        **fields,  # type: ignore[arg-type]  # the four are of the right types
    )

    assert yaml.safe_dump(again) == manifests[0]
