"""One cluster's dispatcher: admission and launching in one step, for a server with one place where jobs run.

A claim is committed before anything is started, and an attempt's name is computed, so after a crash at any point the
next dispatcher finds the job in SUBMITTING and launches the same name again, which does nothing when it exists (D13).
"""

from dataclasses import dataclass, field

from archer.admission import Admission, AdmissionSettings
from archer.backends.interface import Backend
from archer.clock import Clock
from archer.cluster_config import ClusterConfig
from archer.launching import Launcher, LaunchSettings
from archer.scheduling.breaker import Breaker
from archer.store.interface import Fence, Store

_NEVER = 2**31
"""Failures in a row until the circuit opens: this machine is not somebody else's that should be spared."""


@dataclass(kw_only=True)
class Dispatcher:
    """One cluster's dispatcher."""

    store: Store
    backend: Backend
    clock: Clock
    owner: str
    config: ClusterConfig | None = None
    claim_seconds: float = 10.0
    """How long a crashed server's work waits for another server."""

    admission: Admission = field(init=False)
    launcher: Launcher = field(init=False)

    def __post_init__(self) -> None:
        self.launcher = Launcher(
            store=self.store,
            backend=self.backend,
            clock=self.clock,
            owner=self.owner,
            settings=LaunchSettings(
                # one after the other: each start keeps this machine busy for a while
                threads=1,
                claim_seconds=self.claim_seconds,
                # this backend takes a name for itself: whoever comes first, and no matter when
                request_timeout_seconds=0,
                retry_seconds=0,
                look_seconds=0,
                reroute_seconds=None,
            ),
            breaker=Breaker(failures=_NEVER),
        )
        self.admission = Admission(
            store=self.store,
            backends={self.backend.cluster: self.backend},
            config=self.config,
            clock=self.clock,
            owner=self.owner,
            settings=AdmissionSettings(claim_seconds=self.claim_seconds),
            hand_over=self.launcher.take,
        )

    def step(self, fence: Fence) -> bool:
        """One round; True when slots and jobs are left. Raises what store and backend raise."""
        more = self.admission.step(fence)
        self.launcher.finish()
        return more
