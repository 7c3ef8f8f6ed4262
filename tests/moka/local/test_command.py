"""`moka local` from outside: exit codes, what is said, and that no process stays, however it ends."""

from __future__ import annotations

import json
import re
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[3]


def started(local: Any, name: str) -> Callable[[], bool]:
    mark: Path = local.folder / f"{name}.started"
    return mark.exists


def api(local: Any) -> str:
    url: str = json.loads((local.data / "archer" / "server.json").read_text())["url"]
    return url


def test_once_exits_with_0_when_every_job_succeeded(local: Any) -> None:
    code, out, err = local.run(
        "--once", "--submit", local.submission("first", "ok"), "--submit", local.submission("second", "ok")
    )

    assert code == 0, err
    assert re.search(r"^first SUCCEEDED in ", out, re.MULTILINE)
    assert re.search(r"^second SUCCEEDED in ", out, re.MULTILINE)
    assert re.search(r"^Archer +http://127\.0\.0\.1:\d+$", out, re.MULTILINE)
    assert re.search(r"^moka: +\d+\.\d s  first: SUCCEEDED", err, re.MULTILINE)
    # the addresses above are dead by the time they are read
    assert "moka: Archer and the History Server end with this run; without --once they stay up\n" in err
    local.assert_nothing_left()


def test_once_exits_with_1_and_the_diagnosis_when_a_job_failed(local: Any) -> None:
    code, out, err = local.run(
        "--once", "--submit", local.submission("good", "ok"), "--submit", local.submission("bad", "fail")
    )

    assert code == 1, err
    assert re.search(r"^bad FAILED: .+", out, re.MULTILINE)
    assert "  ValueError: the input has no column carrier\n" in out
    assert "  what to do: " in out
    (log,) = re.findall(r"^  log: (.+)$", out, re.MULTILINE)
    assert "ValueError: the input has no column carrier" in Path(log).read_text()
    assert re.search(r"^good SUCCEEDED in ", out, re.MULTILINE)
    local.assert_nothing_left()


@pytest.mark.parametrize(("number", "expected"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signal_while_jobs_run_leaves_no_process(local: Any, number: signal.Signals, expected: int) -> None:
    process = local.start("--submit", local.submission("one", "sleep"), "--submit", local.submission("two", "sleep"))
    local.until(started(local, "one"), "the first job")
    local.until(started(local, "two"), "the second job")

    process.send_signal(number)

    assert process.wait(timeout=90) == expected
    local.assert_nothing_left()
    assert "one: CANCELLED" in local.said("stderr")
    assert local.said("stdout") == ""


def test_second_ctrl_c_does_not_wait_for_a_job_that_will_not_end(local: Any) -> None:
    process = local.start(
        "--submit", local.submission("one", "stubborn"), variables={"ARCHER_CANCEL_GRACE_SECONDS": "600"}
    )
    local.until(started(local, "one"), "the job")
    process.send_signal(signal.SIGINT)
    local.until(lambda: "one: CANCELLING" in local.said("stderr"), "the kill")

    process.send_signal(signal.SIGINT)

    assert process.wait(timeout=60) == 130
    local.assert_nothing_left()


def test_kill_9_leaves_no_process(local: Any) -> None:
    process = local.start("--submit", local.submission("one", "sleep"))
    local.until(started(local, "one"), "the job")

    process.kill()
    process.wait()

    local.assert_nothing_left()


def test_ctrl_c_during_the_synth_leaves_no_process(local: Any) -> None:
    process = local.start("--once", "--submit", local.submission("one", "sleep"), synth=True)
    local.until(lambda: "synth: running" in local.said("stderr"), "the synth")
    family = psutil.Process(process.pid).children(recursive=True)

    process.send_signal(signal.SIGINT)

    assert process.wait(timeout=90) == 130
    assert len(family) >= 2
    assert [child for child in family if child.is_running() and child.status() != psutil.STATUS_ZOMBIE] == []
    local.assert_nothing_left()


def test_stays_up_after_the_results_until_ctrl_c(local: Any) -> None:
    process = local.start("--submit", local.submission("one", "ok"))
    local.until(lambda: "Ctrl-C stops everything" in local.said("stderr"), "the results")
    assert "one SUCCEEDED in " in local.said("stdout")
    assert httpx.get(f"{api(local)}/healthz", trust_env=False).status_code == 200

    process.send_signal(signal.SIGINT)

    assert process.wait(timeout=60) == 0
    local.assert_nothing_left()


def test_server_that_dies_ends_it_with_1_and_the_reason(local: Any) -> None:
    process = local.start("--submit", local.submission("one", "sleep"))
    local.until(started(local, "one"), "the job")

    psutil.Process(json.loads((local.data / "archer" / "server.json").read_text())["pid"]).kill()

    assert process.wait(timeout=90) == 1
    assert "moka: archer ended with -9" in local.said("stderr")
    local.assert_nothing_left()


IMPATIENT = (
    "import moka.local.session as s, moka.local.shutdown as d; "
    "s._ANSWER_SECONDS = s._PATIENCE_SECONDS = 0.5; s._SILENCE_SECONDS = {silence}; "
    # a server that is asked to stop, and stays silent, is waited for twice: for its jobs, and for its own end
    "d._JOBS_SECONDS = d._SERVER_SECONDS = {end}; from moka.cli import main; main()"
)


def test_server_that_is_silent_for_a_while_is_asked_again(local: Any) -> None:
    patient = IMPATIENT.format(silence=60, end=20)
    process = local.start("--submit", local.submission("one", "sleep"), program=[sys.executable, "-c", patient])
    local.until(started(local, "one"), "the job")
    server = psutil.Process(json.loads((local.data / "archer" / "server.json").read_text())["pid"])

    server.suspend()
    local.until(lambda: "moka: archer does not answer just now; asking again\n" in local.said("stderr"), "the silence")
    server.resume()
    process.send_signal(signal.SIGINT)

    assert process.wait(timeout=90) == 130
    assert "one: CANCELLED" in local.said("stderr")
    assert "Traceback" not in local.said("stderr")
    local.assert_nothing_left()


def test_server_that_stays_silent_ends_it_with_1_and_the_reason(local: Any) -> None:
    process = local.start(
        "--submit",
        local.submission("one", "sleep"),
        program=[sys.executable, "-c", IMPATIENT.format(silence=0.1, end=1)],
    )
    local.until(started(local, "one"), "the job")

    psutil.Process(json.loads((local.data / "archer" / "server.json").read_text())["pid"]).suspend()

    assert process.wait(timeout=180) == 1
    said = local.said("stderr")
    assert re.search(
        r"^moka: archer at http://127\.0\.0\.1:\d+ did not answer in time; the end of ", said, re.MULTILINE
    )
    assert "Traceback" not in said
    local.assert_nothing_left()


def test_port_that_is_taken_is_said_and_the_next_free_one_used(local: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]

        code, out, err = local.run("--once", "--port", str(taken), "--submit", local.submission("one", "ok"))

    assert code == 0, err
    (port,) = re.findall(r"^Archer +http://127\.0\.0\.1:(\d+)$", out, re.MULTILINE)
    assert int(port) != taken
    assert f"moka: port {taken} is taken; Archer listens on http://127.0.0.1:{port}\n" in err


def test_jobs_wait_in_the_queues_of_the_environment_test(local: Any) -> None:
    queues = yaml.safe_load((ROOT / "environments" / "test.yaml").read_text())["queues"]
    named = local.submission("named", "ok")
    named.write_text(named.read_text() + "queue: root.platform.canary.tier1\nteam: platform\n")
    process = local.start("--submit", local.submission("unnamed", "ok"), "--submit", named)
    local.until(lambda: "Ctrl-C stops everything" in local.said("stderr"), "the results")

    jobs = httpx.get(f"{api(local)}/api/v1/jobs", trust_env=False).json()["jobs"]
    # a queue may break after its dots
    page = httpx.get(f"{api(local)}/", trust_env=False).text.replace("<wbr>", "")

    assert {job["name"]: (job["queue"], job["team"], job["state"]) for job in jobs} == {
        "unnamed": (queues["default"], None, "SUCCEEDED"),
        "named": ("root.platform.canary.tier1", "platform", "SUCCEEDED"),
    }
    assert queues["default"] in page
    assert "root.platform.canary.tier1" in page
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 0


def test_queue_that_the_environment_does_not_have_is_bad_input_with_those_it_has(local: Any) -> None:
    file = local.submission("one", "ok")
    file.write_text(file.read_text() + "queue: root.default\n")

    code, out, err = local.run("--once", "--submit", file)

    assert (code, out) == (2, "")
    assert (
        "`queue` must be a leaf of environment test's queue tree: root.platform.canary.tier1, "
        'root.platform.canary.tier2, root.shared.adhoc.tier3, got "root.default"; '
    ) in err
    local.assert_nothing_left()


def test_submission_that_archer_refuses_is_bad_input_with_every_problem(local: Any) -> None:
    file = local.submission("one", "ok")
    file.write_text(file.read_text() + "memmory: 1g\ndriver: {cores: 0}\n")

    code, out, err = local.run("--once", "--submit", file)

    assert (code, out) == (2, "")
    assert "moka: archer refused one: " in err
    assert "`memmory`" in err
    assert "`driver.cores`" in err
    local.assert_nothing_left()


def test_submission_that_cannot_be_read_starts_nothing(local: Any) -> None:
    code, out, err = local.run("--once", "--submit", local.folder / "nowhere.yaml")

    assert (code, out) == (2, "")
    assert err.startswith("moka: `--submit` must be a readable file, got ")
    assert not local.data.exists()


def test_two_on_one_folder_are_refused(local: Any) -> None:
    process = local.start("--submit", local.submission("one", "sleep"))
    local.until(started(local, "one"), "the job")
    first = local.said("stderr")

    code, _, err = local.run("--once", "--submit", local.submission("two", "ok"))

    local.process = process
    assert code == 2
    assert f"`--data` must be a folder that no other moka local uses, got {local.data} (process {process.pid})" in err
    assert "one: " in first
    assert not (local.folder / "two.started").exists()


def test_jobs_left_by_a_run_that_could_not_clean_up_are_killed(local: Any) -> None:
    process = local.start("--submit", local.submission("old", "sleep"))
    local.until(started(local, "old"), "the job")
    server = psutil.Process(json.loads((local.data / "archer" / "server.json").read_text())["pid"])
    process.send_signal(signal.SIGSTOP)  # so that it cannot clean up after its server
    server.kill()
    process.kill()
    process.wait()
    assert local.leftovers()

    code, _, err = local.run("--once", "--submit", local.submission("new", "ok"))

    assert code == 0, err
    assert re.search(r"^moka: killed old \(j-\w+\), left \w+ by an earlier run$", err, re.MULTILINE)
    local.assert_nothing_left()


def test_data_folder_that_cannot_be_made_is_bad_input(local: Any) -> None:
    local.data = local.folder / "job.py" / "data"

    code, out, err = local.run("--once", "--submit", local.submission("one", "ok"))

    assert (code, out) == (2, "")
    assert err == f"moka: `--data` must be a folder that can be written to, got {local.data} (Not a directory)\n"


def test_settings_that_archer_refuses_are_bad_input(local: Any) -> None:
    process = local.start(
        "--once", "--submit", local.submission("one", "ok"), variables={"ARCHER_LEASE_SECONDS": "never"}
    )

    assert process.wait(timeout=60) == 2
    assert "moka: archer ended with 2; the end of " in local.said("stderr")
    assert "lease_seconds" in local.said("stderr")
    local.assert_nothing_left()
