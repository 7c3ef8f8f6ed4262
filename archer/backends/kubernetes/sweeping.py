"""Finds what a crash left in a namespace: drivers held, executors kept and applications running for attempts that are over.

Level-triggered: it compares what is there with what the database says, and touches nothing that is young, because between a
create and its commit, and between a verdict and its release, there is always a moment.
"""

from collections.abc import Sequence
from typing import Final

import structlog

from archer.backends.kubernetes import names
from archer.backends.kubernetes.finalizer import FINAL, Finalizers
from archer.backends.kubernetes.following import Following
from archer.backends.kubernetes.looking import KnownAttempts
from archer.hands import Hands
from archer.model import Attempt

YOUNG_SECONDS: Final = 300
"""What is younger, or ended less long ago, is somebody's business still."""
PER_SWEEP: Final = 500

_log = structlog.get_logger()


def sweep(
    following: Following,
    finalizers: Finalizers,
    known: KnownAttempts,
    *,
    installation: str,
    now: int,
    young_seconds: int = YOUNG_SECONDS,
    hands: Hands | None = None,
) -> int:
    """Release attempts that are over, about PER_SWEEP of them or as many as there is time for; how many there were.

    What carries another installation's label and is unknown here is that one's, and left alone.
    """
    hands = hands or Hands()
    before = now - young_seconds
    suspects, done = _suspects(following, before), 0
    # most suspects only run for long: whatever is newer than PER_SWEEP of these must have its turn too
    for start in range(0, len(suspects), PER_SWEEP):
        if done >= PER_SWEEP:
            break
        some = suspects[start : start + PER_SWEEP]
        done += _sweep(following, finalizers, known, some, installation=installation, before=before, hands=hands)
    return done


def _sweep(
    following: Following,
    finalizers: Finalizers,
    known: KnownAttempts,
    suspects: Sequence[str],
    *,
    installation: str,
    before: int,
    hands: Hands,
) -> int:
    written = known(suspects)
    over = [attempt for attempt in suspects if attempt in written and _is_over(written[attempt], before)]
    unknown = [attempt for attempt in suspects if attempt not in written and _is_left(following, attempt, installation)]

    def release(attempt: str) -> None:
        if attempt in written:
            finalizers.release(
                following.namespace,
                attempt,
                application=following.application(attempt),
                executors=following.executor_pods(attempt),
                saved=False,
                runs_on=_runs(following, attempt),
            )
        else:
            # from before a restore of the database, perhaps: it may be freed, and nothing of it ended by us
            finalizers.release(following.namespace, attempt, application=None, executors=(), saved=False)

    left = hands.each([*over, *unknown], release)
    if over or unknown:
        _log.info("swept", namespace=following.namespace, over=len(over), unknown=len(unknown), left=len(left))
    return len(over) + len(unknown) - len(left)


def _runs(following: Following, attempt: str) -> bool:
    driver = following.driver(attempt)
    return driver is not None and not driver.ended


def _is_left(following: Following, attempt: str, installation: str) -> bool:
    driver = following.driver(attempt)
    return driver is not None and driver.held and driver.ended and driver.installation in {None, installation}


def _suspects(following: Following, before: int) -> list[str]:
    """Attempts with something that a release would have taken away, the oldest first."""
    born: dict[str, int] = {}
    for driver in following.drivers():
        if driver.held:
            born[names.attempt_of_driver(driver.name)] = driver.created
    for application in following.applications():
        if application.state not in FINAL and not application.deleting:
            born.setdefault(application.name, application.created)
    for attempt in following.attempts_with_executors():
        application_of = following.application(attempt)
        born.setdefault(attempt, application_of.created if application_of else 0)
    old = [attempt for attempt, created in born.items() if created <= before]
    return sorted(old, key=lambda attempt: born[attempt])


def _is_over(found: Attempt, before: int) -> bool:
    """Its end is committed, and its release has had its time."""
    if not found.state.final:
        return False
    return found.finished_at is None or int(found.finished_at.timestamp()) <= before
