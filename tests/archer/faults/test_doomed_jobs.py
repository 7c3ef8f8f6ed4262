"""Jobs that were fine at the door and can't be run any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.archer.faults.conftest import Archers


def test_a_file_that_vanishes_while_its_job_waits_is_a_submit_error(archers: Archers) -> None:
    server = archers.serve("--slots", "1")
    first = server.submit(archers.counting_application(), "first")
    late_app = archers.application("print(1)", "late.py")
    late = server.submit(late_app)
    late_app.unlink()
    archers.let_go()

    ended = server.wait(late)

    assert server.wait(first)["state"] == "SUCCEEDED"
    assert (ended["state"], ended["diagnosis"]["category"]) == ("FAILED", "submit-error")
    assert str(late_app) in ended["diagnosis"]["summary"]
    assert ended["diagnosis"]["resolution"] == "put it back, then submit again"


def test_a_machine_without_a_fitting_java_fails_the_job_and_names_the_setting(archers: Archers, tmp_path: Path) -> None:
    server = archers.serve(real_spark=True, ARCHER_JAVA_HOME=str(tmp_path))

    ended = server.wait(server.submit(archers.application("print(1)")))

    assert (ended["state"], ended["diagnosis"]["category"]) == ("FAILED", "submit-error")
    assert ended["diagnosis"]["summary"] == "this machine has no Java for Spark"
    assert "ARCHER_JAVA_HOME" in ended["diagnosis"]["resolution"]
    assert "does not run" in ended["diagnosis"]["detail"]


def test_a_submit_command_that_there_is_not_fails_the_job_and_names_the_setting(archers: Archers) -> None:
    server = archers.serve(ARCHER_SPARK_SUBMIT_COMMAND="/no/such/spark-submit")

    ended = server.wait(server.submit(archers.application("print(1)")))

    assert (ended["state"], ended["diagnosis"]["category"]) == ("FAILED", "submit-error")
    assert "/no/such/spark-submit" in ended["diagnosis"]["summary"]
    assert "spark_submit_command" in ended["diagnosis"]["resolution"]
