"""A kubelet's answer about a log, made up."""

from testbed.log_text import answer

LOG = b"".join(b"%d\n" % number for number in range(25)) + b"rest"


def test_the_parameters_leave_what_a_kubelet_would_leave() -> None:
    assert answer(LOG, {}) == LOG
    assert answer(LOG, {"tailLines": "2"}) == b"24\nrest"
    assert answer(LOG, {"tailLines": 0}) == b""
    assert answer(LOG, {"limitBytes": "3"}) == b"0\n1"
    assert answer(LOG, {"sinceTime": "2026-11-23T12:00:02Z"}) == b"20\n21\n22\n23\n24\nrest"


def test_each_line_has_its_time_before_it() -> None:
    given = answer(LOG, {"timestamps": "true", "tailLines": 1, "sinceTime": "2026-11-23T12:00:00Z"})

    assert given == b"2026-11-23T12:00:02.500000000Z rest"
    assert answer(LOG, {"timestamps": True, "tailLines": 1, "limitBytes": 12}) == b"2026-11-23T1"
