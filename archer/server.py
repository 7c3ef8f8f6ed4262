"""`archer serve`: the roles of one process, from its first line on stderr to its last.

Stops on SIGTERM, SIGINT or, when asked to, on the end of stdin. Running jobs go on without it and are found again at the
next start; a second SIGINT ends it on the spot.
"""

import json
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from threading import Event, Thread
from types import FrameType

import structlog

from archer.api.app import create_app
from archer.api.door import check_reach
from archer.api.health_app import create_health_app
from archer.api.schemas import rfc3339
from archer.auth.access import make_access
from archer.backends.local import files
from archer.backends.local.history import HistoryServer
from archer.cluster_config import ClusterConfig, load_cluster_config
from archer.composition import Reach, figures, find_clusters, make_fleet
from archer.errors import ArcherError, CannotServeError
from archer.http_server import MOST_CONNECTIONS, HttpServer, allow_many_files
from archer.logging import configure_logging
from archer.metrics import Metrics
from archer.model import TRACKED_STATES, JobState
from archer.ports import listen
from archer.service import Service
from archer.settings import ServeSettings
from archer.store.common_clock import AGAIN_SECONDS, CommonClock
from archer.store.migrate import open_database
from archer.store.sql import SqlStore
from archer.worker_metrics import WorkerMetrics
from archer.workers import Workers

ANNOUNCEMENT = "server.json"
"""File in the data folder that says where the API listens."""

_ANNOUNCE_SECONDS = 2.0
"""How soon the announcement is there again when another server of this folder took it away with its own."""

_TURN_SECONDS = 0.0005
"""How long a thread of Python may hold up another that is ready. With Python's own 5 ms, a commit of six statements, each of
which lets the thread that serves all connections run on, takes 30 ms of waiting for its turn alone."""

_log = structlog.get_logger()


def run(settings: ServeSettings) -> None:
    """Serve until told to stop.

    Raises CannotServeError, InvalidSettingsError, InvalidClusterConfigError, StoreNotOpenedError when it can't start.
    """
    check_reach(settings)
    sys.setswitchinterval(_TURN_SECONDS)
    config = None if settings.config is None else load_cluster_config(settings.config)
    clusters = find_clusters(settings, config)
    configure_logging(settings.log_level)
    stop = Event()
    _install_signals(stop)
    server = _Server(settings, config, clusters, stop)
    try:
        server.start()
        if settings.stop_on_stdin_eof:
            Thread(target=_wait_for_eof, args=(stop,), name="stdin", daemon=True).start()
        while not stop.wait(_ANNOUNCE_SECONDS):
            server.keep_announced()
        if settings.stop_jobs_on_exit:
            server.stop_jobs()
    finally:
        server.stop()


def _install_signals(stop: Event) -> None:
    def on_signal(number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGINT and stop.is_set():
            os._exit(130)
        stop.set()

    signal.signal(signal.SIGINT, on_signal)
    signal.signal(signal.SIGTERM, on_signal)


def _wait_for_eof(stop: Event) -> None:
    while sys.stdin.buffer.read(4096):
        pass
    stop.set()


class _Server:
    """Everything that runs in this process, in the order in which it is started."""

    def __init__(
        self, settings: ServeSettings, config: ClusterConfig | None, clusters: Sequence[Reach], stop: Event
    ) -> None:
        self._settings = settings
        self._stop = stop
        self._url: str | None = None
        # random, not an address: two servers may share everything else
        owner = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._metrics = WorkerMetrics(listeners=lambda: figures(self._fleet))
        with ExitStack() as undo:
            self._socket = self._listen()
            if self._socket is not None:
                undo.callback(self._socket.close)
            database = open_database(settings.database)
            self._clock = CommonClock(database)
            self._store = SqlStore(database, self._clock)
            undo.callback(self._store.close)
            self._fleet = make_fleet(settings, clusters, self._store)
            undo.pop_all()
        self._workers = Workers(
            settings, self._store, self._fleet, self._clock, owner, config=config, metrics=self._metrics
        )
        self._history: HistoryServer | None = None
        self._http: HttpServer | None = None
        self._access = make_access(settings, self._store, self._clock, config)
        self._service = Service(
            self._store,
            self._fleet,
            self._clock,
            news=self._workers.wake,
            history_server=self._history_url,
            config=config,
        )

    def _listen(self) -> socket.socket | None:
        settings = self._settings
        return listen(settings.host, settings.port, strict=settings.strict_port) if self._has_door else None

    @property
    def _has_api(self) -> bool:
        return "api" in self._settings.roles

    @property
    def _has_door(self) -> bool:
        """In a cluster every process is asked whether it is well; on one machine only the API listens."""
        return self._has_api or self._settings.backend == "kubernetes"

    def _history_url(self) -> str | None:
        """Of our own one, or of the one that reads the clusters' event logs."""
        if self._settings.backend == "kubernetes":
            return None if self._settings.history_url is None else self._settings.history_url.rstrip("/")
        return self._history.url if self._history else None

    def start(self) -> None:
        self._clock.look()
        self._started_at = self._clock.now()
        Thread(target=self._keep_time, name="time", daemon=True).start()
        self._workers.start()
        if self._socket is None:
            _say(f"archer: {', '.join(self._settings.roles)} at work (data {self._settings.data})")
            return
        port = self._socket.getsockname()[1]
        host = f"[{self._settings.host}]" if ":" in self._settings.host else self._settings.host
        self._url = f"http://{host}:{port}"
        if self._settings.history and self._settings.backend == "local":
            self._history = HistoryServer(self._settings, os.environ, on_change=self._announce)
            self._history.start()
        metrics = Metrics(self._service.counters, self._metrics.registry, queue_ages=self._service.queue_ages)
        if self._has_api:
            app = create_app(self._service, stopping=self._stop, access=self._access, metrics=metrics)
        else:
            app = create_health_app(self._service, metrics)
        self._http = HttpServer(
            app,
            self._socket,
            shutdown_seconds=self._settings.shutdown_seconds,
            most_connections=min(MOST_CONNECTIONS, allow_many_files() // 2),
        )
        if not self._http.start():
            raise CannotServeError("the API did not start within its time; see the log above")
        if port != self._settings.port and self._settings.port:
            _say(f"archer: port {self._settings.port} is taken, using {port}")
        self._announce()
        _say(f"archer: listening on {self._url} (data {self._settings.data})")

    def _keep_time(self) -> None:
        while not self._stop.wait(AGAIN_SECONDS):
            try:
                self._clock.look()
            except Exception:  # noqa: BLE001  # a defect must not end it
                _log.exception("the time was not looked at")

    def _announce(self) -> None:
        """Where we listen, for programs that started us on any free port."""
        if self._url is None:
            return
        content = {
            "url": self._url,
            "history_url": self._history.url if self._history else None,
            "pid": os.getpid(),
            "started_at": rfc3339(self._started_at),
        }
        folder = self._settings.data.absolute()
        try:
            # with a database elsewhere nothing else is kept there
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            files.write(folder / ANNOUNCEMENT, content)
        except OSError as error:
            _log.warning("server.json not written", error=str(error))

    def keep_announced(self) -> None:
        if not (self._settings.data.absolute() / ANNOUNCEMENT).exists():
            self._announce()

    def stop_jobs(self) -> None:
        """Kill what runs and wait for the confirmation, as long as a killed job may take."""
        self._workers.stop_starting(self._settings.shutdown_seconds)
        deadline = time.monotonic() + self._settings.cancel_grace_seconds + self._settings.shutdown_seconds
        states = {JobState.SUBMITTING, *TRACKED_STATES}
        while time.monotonic() < deadline:
            live = [found for cluster in self._fleet for found in self._store.in_states(cluster, states)]
            if not live:
                return
            for job, _ in live:
                try:
                    self._service.kill(job.id, actor="server: shutdown")
                except ArcherError as error:
                    _log.info("not killed", job=job.id, why=str(error))
            time.sleep(self._settings.track_interval_seconds)
        _log.error("jobs still run", jobs=[job.id for job, _ in live])

    def stop(self) -> None:
        """Door first, then the loops, which hand their leases over, then what they used."""
        if self._http is not None:
            self._http.stop(self._settings.shutdown_seconds)
        elif self._socket is not None:
            self._socket.close()
        self._workers.stop(self._settings.shutdown_seconds)
        if self._history is not None:
            self._history.stop()
        self._withdraw()
        self._fleet.close()
        self._store.close()

    def _withdraw(self) -> None:
        announcement = self._settings.data.absolute() / ANNOUNCEMENT
        try:
            found = json.loads(announcement.read_text(encoding="utf-8"))
            if found["pid"] == os.getpid():
                announcement.unlink()
        except (OSError, ValueError, KeyError):
            # another server's, or none: not ours to remove
            return


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201  # the announcement is for people; the log is JSON
