"""Leader election by a Lease: one of several operators works, the others wait. It is not given back at the end.

Like the real one: whoever comes after a crash or a restart waits until the lease has run out.
"""

import logging
import os
import socket
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from testbed.spark_operator.kube import LEASES, ApiError, Client, Object

_LOG = logging.getLogger("leaderelection")


@dataclass
class Lease:
    """One candidate for one lease."""

    client: Client
    namespace: str
    name: str
    duration: float
    """Seconds."""
    retry_period: float
    """Seconds."""
    holder: str = field(default_factory=lambda: f"{socket.gethostname()}_{os.getpid()}_{uuid.uuid4()}")
    _seen: str = ""
    _seen_at: float = 0.0

    def acquire(self) -> None:
        """Return when this candidate leads."""
        _LOG.info("attempting to acquire leader lease %s/%s", self.namespace, self.name)
        while not self._try():
            time.sleep(self.retry_period)
        _LOG.info("successfully acquired lease %s/%s", self.namespace, self.name)

    def keep(self) -> None:
        """Renew the lease for ever; returns when it is lost, and whoever works for it must end then."""
        renewed = time.monotonic()
        while time.monotonic() - renewed < self.duration:
            time.sleep(self.retry_period)
            if self._try():
                renewed = time.monotonic()
        _LOG.error("leader election lost")

    def _try(self) -> bool:
        try:
            return self._take()
        except ApiError as error:
            if error.reason not in ("Conflict", "AlreadyExists"):
                _LOG.error("error retrieving resource lock: %s", error)
        except OSError as error:
            _LOG.error("error retrieving resource lock: %s", error)
        return False

    def _take(self) -> bool:
        path = LEASES.path(self.namespace, self.name)
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        try:
            lease = self.client.get(path)
        except ApiError as error:
            if error.reason != "NotFound":
                raise
            self.client.create(LEASES.path(self.namespace), self._body(now, now, 0))
            return True
        spec = lease["spec"]
        if spec.get("holderIdentity") not in (None, "", self.holder) and not self._ran_out(lease):
            return False
        ours = spec.get("holderIdentity") == self.holder
        transitions = spec.get("leaseTransitions", 0) + (0 if ours else 1)
        acquired = spec["acquireTime"] if ours else now
        body = self._body(acquired, now, transitions)
        body["metadata"] = lease["metadata"]
        self.client.replace(path, body)
        return True

    def _ran_out(self, lease: Object) -> bool:
        """Return whether the holder was silent for the whole duration, by our own clock."""
        version, now = lease["metadata"]["resourceVersion"], time.monotonic()
        if version != self._seen:
            self._seen, self._seen_at = version, now
        return now - self._seen_at > self.duration

    def _body(self, acquired: str, renewed: str, transitions: int) -> dict[str, Any]:
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": self.name, "namespace": self.namespace},
            "spec": {
                "holderIdentity": self.holder,
                "leaseDurationSeconds": max(1, round(self.duration)),
                "acquireTime": acquired,
                "renewTime": renewed,
                "leaseTransitions": transitions,
            },
        }
