"""Leaves no process behind: jobs are killed through the API, the server is asked to stop, and what then still lives is killed.

A second signal skips the waiting. Orphans come to us instead of init (Linux's child subreaper), so that the process table below
us is the whole truth about what we started, even when the server was killed before its jobs.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import time
from typing import TYPE_CHECKING

import psutil

from archer.client_errors import ClientError
from moka.processes import kill_all, still_living

if TYPE_CHECKING:
    from collections.abc import Callable

    from moka.local.screen import Screen
    from moka.local.session import Session
    from moka.local.signals import StopSignals

_PR_SET_CHILD_SUBREAPER = 36
_JOBS_SECONDS = 20.0
"""Archer gives a killed job ten seconds after SIGTERM."""
_SERVER_SECONDS = 25.0
_TICK_SECONDS = 0.05


def adopt_orphans() -> None:
    """Makes this process the parent of its descendants' orphans. Elsewhere than on Linux there is no such thing."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def shut_down(session: Session, screen: Screen, stop: StopSignals) -> None:
    """Stops everything that the session started; returns when it is gone. Never raises for what is gone already."""
    before = _descendants()
    for child in session.children():
        if session.server is None or child is not session.server.child:
            kill_all(child.family())
            child.close()
    if not stop.forced:
        _kill_jobs(session, screen, stop)
        _stop_server(session, stop)
    left = still_living([*before, *_descendants()])
    if left and not stop.forced:
        screen.say(f"killing what did not stop by itself: {', '.join(sorted({_name(process) for process in left}))}")
    for process in kill_all(left):
        screen.say(f"process {process.pid} does not end")
    if session.server is not None:
        session.server.child.close()
    if session.client is not None:
        session.client.close()


def _kill_jobs(session: Session, screen: Screen, stop: StopSignals) -> None:
    client = session.client
    if client is None:
        return
    unfinished = [step for step in session.steps if step.job is not None and not step.final]
    with contextlib.suppress(
        ClientError
    ):  # a job that has ended meanwhile, a server that is gone: both are dealt with below
        for step in unfinished:
            assert step.job is not None
            with contextlib.suppress(ClientError):
                step.job = client.kill(step.job["id"])
                screen.show(step.work.name, step.job["state"])
        deadline = time.monotonic() + _JOBS_SECONDS
        while not stop.forced and time.monotonic() < deadline and not all(step.final for step in unfinished):
            time.sleep(_TICK_SECONDS * 4)
            for step in unfinished:
                assert step.job is not None
                step.job = client.job(step.job["id"])
                screen.show(step.work.name, step.job["state"])


def _stop_server(session: Session, stop: StopSignals) -> None:
    if session.server is None:
        return
    session.server.child.ask_to_stop()
    _wait(lambda: session.server is None or session.server.child.exit_code() is not None, _SERVER_SECONDS, stop)


def _wait(done: Callable[[], bool], seconds: float, stop: StopSignals) -> None:
    deadline = time.monotonic() + seconds
    while not done() and not stop.forced and time.monotonic() < deadline:
        time.sleep(_TICK_SECONDS)


def _descendants() -> list[psutil.Process]:
    return psutil.Process(os.getpid()).children(recursive=True)


def _name(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.NoSuchProcess:
        return "one that has just ended"
