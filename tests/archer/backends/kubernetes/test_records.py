"""What is kept of applications and pods, and how little."""

import sys
import tracemalloc

import pytest

from archer.backends.kubernetes import records
from archer.backends.kubernetes.records import PENDING, RUNNING, WELL, ExecutorRecord
from testbed import spark_manifests as made

MEGABYTE = 1024 * 1024


def test_a_manifest_without_a_status_is_a_record_without_news() -> None:
    new = records.application({"metadata": {"name": "a", "uid": "u"}})
    born = records.driver({"metadata": {"name": "a-driver", "uid": "u"}})

    assert (new.state, new.error, new.app_id) == ("", "", None)
    assert (born.phase, born.end, born.started, born.ended, born.held) == ("", None, False, False, False)


def test_an_application_tells_its_state_id_and_birth() -> None:
    found = records.application(made.application("FAILED", "why"))

    assert (found.name, found.uid, found.state, found.error) == (made.NAME, "app-uid", "FAILED", "why")
    assert (found.app_id, found.created) == ("spark-1", made.BORN_SECONDS)
    assert not found.deleting


def test_executors_that_the_operator_counts_make_no_other_record() -> None:
    counted = made.application("RUNNING", executorState={"e-1": "RUNNING", "e-2": "FAILED"})

    assert records.application(counted) == records.application(made.application("RUNNING"))


def test_sparks_own_container_tells_how_a_driver_ended_and_no_sidecar() -> None:
    found = records.driver(made.driver("Failed", exit_code=137, reason="OOMKilled"))

    assert found.end is not None
    assert (found.end.exit_code, found.end.reason, found.end.finished) == (137, "OOMKilled", made.BORN_SECONDS + 300)
    assert found.held


def test_an_exit_code_that_the_kubelet_made_up_is_none() -> None:
    found = records.driver(made.driver("Failed", exit_code=137, reason="ContainerStatusUnknown"))

    assert found.end is not None
    assert found.end.exit_code is None


def test_the_moment_of_a_deletion_is_when_it_was_asked_for() -> None:
    manifest = made.driver(deleted=made.LATER)
    manifest["metadata"]["deletionGracePeriodSeconds"] = 30

    assert records.driver(manifest).deleted == made.BORN_SECONDS + 270


def test_a_driver_tells_why_it_waits() -> None:
    pending = records.driver(made.driver("Pending", node=None, conditions=[made.unschedulable("0/3 nodes")]))
    pulling = records.driver(made.driver("Pending", waiting={"reason": "ErrImagePull", "message": "manifest unknown"}))

    assert (pending.pending, pending.node, pending.started) == ("0/3 nodes", None, False)
    assert (pulling.waiting, pulling.waiting_message, pulling.image) == (
        "ErrImagePull",
        "manifest unknown",
        made.IMAGE,
    )


def test_the_pool_is_the_one_whose_selector_the_pod_has() -> None:
    pools: records.Pools = (("driver", {"pool": "driver"}), ("spot", {"pool": "executor", "zone": "a"}), ("none", {}))

    found = records.driver(made.driver(pool={"pool": "executor", "zone": "a", "arch": "arm64"}), pools)

    assert found.pool == "spot"
    assert records.driver(made.driver(pool={"pool": "executor"}), pools).pool is None


@pytest.mark.parametrize(
    ("pod", "kept"),
    [
        (made.executor(phase="Running"), RUNNING),
        (made.executor(phase="Pending", node=None), PENDING),
        (made.executor(phase="Succeeded", exit_code=0), WELL),
    ],
)
def test_of_an_executor_that_is_well_only_a_shared_word_is_kept(pod: made.Manifest, kept: object) -> None:
    assert records.executor(pod) is kept


@pytest.mark.parametrize(
    "pod",
    [
        made.executor(phase="Failed", exit_code=137, reason="OOMKilled"),
        # row 3 of the real node's table: a worker was killed, and the JVM left cleanly
        made.executor(phase="Succeeded", exit_code=0, reason="OOMKilled"),
        made.executor(phase="Failed", conditions=[made.disrupted("DeletionByPodGC")]),
        made.executor(phase="Pending", node=None, conditions=[made.unschedulable()]),
    ],
)
def test_an_executor_that_failed_or_finds_no_node_is_kept_whole(pod: made.Manifest) -> None:
    assert isinstance(records.executor(pod), ExecutorRecord)


def test_a_long_message_is_cut() -> None:
    found = records.application(made.application("FAILED", "x" * 100_000))

    assert len(found.error) <= records.MAX_TEXT


def test_ten_thousand_running_applications_take_far_less_than_a_hundred_megabytes() -> None:
    tracemalloc.start()
    try:
        kept = []
        for number in range(1000):
            app, pod = made.application("RUNNING"), made.driver()
            for manifest in (app, pod):
                manifest["metadata"] |= {"name": f"{made.NAME}-{number}", "uid": f"{number:036}"}
            kept.append((records.application(app), records.driver(pod)))
            kept[-1] += tuple(records.executor(made.executor(each)) for each in range(4))  # type: ignore[assignment]  # as many as it has
            del app, pod
        of_a_thousand, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(kept) == 1000
    assert of_a_thousand * 10 < 30 * MEGABYTE, f"{of_a_thousand * 10 / MEGABYTE:.0f} MB"
    assert sys.getsizeof(kept[0][0]) < 400
