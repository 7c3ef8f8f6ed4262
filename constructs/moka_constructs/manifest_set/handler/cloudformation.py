"""A request of CloudFormation, from its properties to its answer, which comes within 12 minutes whatever happens.

The work runs in a thread; when its time is over the request is answered with what it was waiting for, and it may send
nothing more. An identity that ends in `NOTHING_MADE` tells a later Delete, which CloudFormation sends after a failed Create, that
there is nothing of this stack in the cluster.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

from . import answer
from .deadline import Deadline
from .errors import OutOfTimeError, SetError, UnreachableError
from .run import Delivery, Result

LOG = logging.getLogger("moka.manifest_set")

ANSWER_SECONDS: Final = 12 * 60
"""From the request to the answer."""
RESERVE_SECONDS: Final = 20
"""Of the time that the function has left: for the answer itself."""
LAST_WORDS_SECONDS: Final = 5
"""For the work to say, at its end, what it was waiting for."""
THREAD: Final = "moka-delivery"
NOTHING_MADE: Final = "/nothing-made"

Deliver = Callable[[Mapping[str, Any], Deadline, Callable[[str], None]], Delivery]
"""Makes the delivery from the properties of a request."""
Read = Callable[[Mapping[str, Any]], Any]
"""Returns the files of a set that the properties name."""


def respond(event: Mapping[str, Any], seconds_left: float, deliver: Deliver, read: Read) -> None:
    """Do what CloudFormation asks for and answer it."""
    seconds = min(ANSWER_SECONDS, seconds_left) - RESERVE_SECONDS
    deadline = Deadline(max(1.0, seconds - LAST_WORDS_SECONDS))
    work = _Work(event, deadline, deliver, read)
    thread = threading.Thread(target=work.run, name=THREAD, daemon=True)
    thread.start()
    thread.join(max(1.0, seconds))
    if thread.is_alive():
        # the sandbox is frozen after the answer and may be thawed for another request: this one must not go on in it
        deadline.call_off()
        work.failure = f"not finished within {deadline.seconds:.0f} s; the last step was: {work.last}"
    status = "FAILED" if work.failure else "SUCCESS"
    LOG.info("answering %s %s", status, work.failure)
    answer.send(event, work.identity, status, work.failure, {} if work.failure else work.data)


class _Work:
    """One request. What it learns can be read while it runs."""

    def __init__(self, event: Mapping[str, Any], deadline: Deadline, deliver: Deliver, read: Read) -> None:
        self.event = event
        self.deadline = deadline
        self.last = "starting"
        self.failure = ""
        self.data: dict[str, str] = {}
        self._deliver = deliver
        self._read = read
        self._delivery: Delivery | None = None
        properties = event["ResourceProperties"]
        self._name = f"{properties.get('ClusterName')}/{properties.get('Set')}"

    @property
    def identity(self) -> str:
        """What CloudFormation knows the set by."""
        given = self.event.get("PhysicalResourceId")
        if self.event["RequestType"] != "Create":
            return str(given or self._name)
        made = self._delivery is not None and self._delivery.touched and not self._delivery.known_before
        return self._name if made or not self.failure else f"{self._name}{NOTHING_MADE}"

    def run(self) -> None:
        try:
            self._run()
        except (SetError, UnreachableError) as error:
            LOG.exception("failed")
            self.failure = str(error)
        except OutOfTimeError as error:
            LOG.exception("out of time")
            self.failure = f"{error}; the last step was: {self.last}"
        except BaseException as error:
            LOG.exception("failed unexpectedly at: %s", self.last)
            self.failure = f"{self.last}: {error!r}"

    def _run(self) -> None:
        properties, kind = self.event["ResourceProperties"], self.event["RequestType"]
        if kind == "Delete" and str(self.event.get("PhysicalResourceId", "")).endswith(NOTHING_MADE):
            self._say("nothing was made, nothing is deleted")
            return
        if kind == "Delete" and properties.get("Remove") == "nothing":
            self._say("the set stays, as its properties say")
            return
        self._delivery = delivery = self._deliver(properties, self.deadline, self._say)
        if kind == "Delete":
            self._delete(delivery)
            return
        self._say("reading the bundle")
        self._told(delivery.apply(self._read(properties)))

    def _delete(self, delivery: Delivery) -> None:
        try:
            removal = delivery.delete()
        except UnreachableError as error:
            # EKS takes the name of a private endpoint away with the cluster: there is nothing to delete from
            if not error.unknown:
                raise
            self._say(f"{error}: the cluster is gone")
            return
        for reference, why in removal.kept.items():
            self._say(f"{reference} stays: {why}")

    def _told(self, result: Result) -> None:
        self.data = {name: str(count) for name, count in result.counts().items()}
        for reference, outcome in result.outcomes.items():
            LOG.info("%s %s", reference, outcome)

    def _say(self, text: str) -> None:
        if text != self.last:
            LOG.info("%s", text)
        self.last = text
