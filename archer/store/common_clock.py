"""One time for all servers: the database's, where it is a server of its own.

Limits in time are written by one process and judged by another: with clocks that differ by minutes a job would be stopped
minutes too early, and a lease would end before its time. So the database is asked now and then, and in between the
processor's own counter goes on; a clock of this machine that is set meanwhile changes nothing.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import text

from archer.clock import Clock, SystemClock, from_ms, whole_milliseconds
from archer.errors import StoreUnavailableError
from archer.store.connection import Database

AGAIN_SECONDS: Final = 30.0
_TOLD_SECONDS: Final = 2.0
"""A difference from this machine's clock that its administrator should know of."""

_log = structlog.get_logger()


class CommonClock:
    """The database's time as it was read last. Safe to use from many threads; `look` is for one."""

    def __init__(
        self, database: Database, *, own: Clock | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Until the first look, and with a database that is a file of this machine, the time is `own`'s."""
        self._database = database
        self._own = own or SystemClock()
        self._monotonic = monotonic
        self._known: tuple[datetime, float] | None = None
        """A moment of the database, and the counter's state at that moment."""
        self._told = False

    def now(self) -> datetime:
        known = self._known
        if known is None:
            return self._own.now()
        moment, at = known
        return whole_milliseconds(moment + timedelta(seconds=self._monotonic() - at))

    def look(self) -> None:
        """Ask the database, when that is due. One that doesn't answer leaves the time as it was."""
        if self._database.is_sqlite:
            return
        if self._known is not None and self._monotonic() - self._known[1] < AGAIN_SECONDS:
            return
        try:
            with self._database.read() as connection:
                # the connection is there: now it costs one way there and one back
                connection.execute(text("SELECT 1"))
                begun = self._monotonic()
                query = text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)")
                moment = from_ms(int(connection.execute(query).scalar_one()))
                ended = self._monotonic()
        except StoreUnavailableError as error:
            _log.warning("the database's time is not known", error=str(error))
            return
        self._known = moment, (begun + ended) / 2
        difference = (self._own.now() - self.now()).total_seconds()
        if abs(difference) >= _TOLD_SECONDS and not self._told:
            self._told = True
            _log.warning("this machine's clock differs from the database's, which counts", seconds=round(difference, 1))
