"""Progress is a line per change where nobody watches, and a word beside every mark where somebody does."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

from moka.local.screen import LiveScreen, PlainScreen, open_screen


def test_plain_screen_writes_a_line_for_each_change_of_state_only() -> None:
    seconds: Iterator[float] = iter([0.0, 1.0, 2.5, 12.25])
    out = io.StringIO()
    screen = PlainScreen(out, clock=lambda: next(seconds))

    screen.show("tpch", "making data")
    screen.show("tpch", "RUNNING", "Q1 Pricing summary report")
    screen.show("tpch", "RUNNING", "Q2 Minimum cost supplier")
    screen.show("tpch", "SUCCEEDED", "j-1")
    screen.say("port 8080 is taken")
    with screen.paused():
        pass
    screen.close()

    assert out.getvalue().splitlines() == [
        "moka:   1.0 s  tpch: making data",
        "moka:   2.5 s  tpch: RUNNING (Q1 Pricing summary report)",
        "moka:  12.2 s  tpch: SUCCEEDED (j-1)",
        "moka: port 8080 is taken",
    ]


def test_a_stream_that_is_no_terminal_gets_plain_lines() -> None:
    assert isinstance(open_screen(io.StringIO()), PlainScreen)


def test_live_screen_leaves_the_last_word_on_every_step() -> None:
    out = io.StringIO()
    screen = LiveScreen(out, clock=lambda: 0.0)

    screen.show("archer", "starting")
    screen.show("archer", "done", "http://127.0.0.1:8080")
    screen.show("tpch", "RUNNING", "Q1")
    screen.show("tpch", "FAILED", "j-1")
    with screen.paused():
        out.write("<table>\n")
    screen.close()

    words = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.getvalue())
    assert "<table>" in words
    last = [line.split() for line in words.splitlines()[-2:]]
    assert last[0][1:3] == ["archer", "done"]
    assert last[0][-1] == "http://127.0.0.1:8080"
    assert last[1][:3] == ["✗", "tpch", "FAILED"]


def test_what_a_job_prints_cannot_steer_the_terminal() -> None:
    out = io.StringIO()
    screen = PlainScreen(out, clock=lambda: 0.0)

    screen.show("job", "RUNNING", "\x1b[2J\x07hello\nmoka: job: SUCCEEDED")

    assert out.getvalue() == "moka:   0.0 s  job: RUNNING ( [2J hello moka: job: SUCCEEDED)\n"
