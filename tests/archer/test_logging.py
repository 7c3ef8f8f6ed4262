"""The server's own log."""

import io
import json
import subprocess
import sys

import pytest

from archer.logging import _Forgiving

PROGRAM = """
import structlog
from archer.logging import configure_logging
configure_logging("info")
log = structlog.get_logger()
log.debug("not this")
try:
    raise ValueError("inside")
except ValueError:
    log.exception("step failed", loop="tracker")
"""


def test_every_line_is_json_with_level_time_and_traceback() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)

    (line,) = done.stderr.splitlines()
    found = json.loads(line)
    assert (found["event"], found["level"], found["loop"]) == ("step failed", "error", "tracker")
    assert found["timestamp"].endswith("Z")
    assert "ValueError: inside" in found["exception"]
    assert done.stdout == ""


OF_AN_ATTEMPT = """
import structlog
from archer.logging import configure_logging
configure_logging("info")
log = structlog.get_logger()
log.warning("stop failed", attempt="j-01m859fwfddstqp1h5f85fkkjm-12")
log.warning("left aside", job="j-01m859fwfddstqp1h5f85fkkjm", attempt="j-01m859fwfddstqp1h5f85fkkjm-2")
log.warning("listing again", reflector="east/spark-ads/pods")
"""


def test_a_line_about_an_attempt_names_its_job() -> None:
    done = subprocess.run([sys.executable, "-c", OF_AN_ATTEMPT], capture_output=True, text=True, check=True)

    found = [json.loads(line) for line in done.stderr.splitlines()]
    job = "j-01m859fwfddstqp1h5f85fkkjm"
    assert [(line.get("job"), line.get("attempt")) for line in found] == [
        (job, f"{job}-12"),
        (job, f"{job}-2"),
        (None, None),
    ]


FOREIGN = """
import logging
from archer.logging import configure_logging
configure_logging("info")
log = logging.getLogger("some.library")
log.info("not this")
try:
    raise OSError("too many files")
except OSError:
    log.exception('it said "no"\\nand more')
"""


def test_a_librarys_complaint_is_one_line_of_json_too() -> None:
    done = subprocess.run([sys.executable, "-c", FOREIGN], capture_output=True, text=True, check=True)

    (line,) = done.stderr.splitlines()
    found = json.loads(line)
    assert (found["event"], found["level"], found["logger"]) == ('it said "no"\nand more', "error", "some.library")
    assert found["timestamp"].endswith("Z")
    assert "OSError: too many files" in found["exception"]


@pytest.mark.parametrize("error", [OSError("no space left"), ValueError("closed")])
def test_a_log_that_can_not_be_written_stops_nothing(error: Exception) -> None:
    class Broken(io.StringIO):
        def write(self, _text: str) -> int:
            raise error

        def flush(self) -> None:
            raise error

    stream = _Forgiving(Broken())

    assert stream.write("x") == 0
    stream.flush()
