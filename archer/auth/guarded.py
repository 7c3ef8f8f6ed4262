"""The use cases of `archer.service` for one identity: each asks first whether that identity may.

Every door (API, page, later dialects) goes through this, so a call can't forget to ask. What is refused has changed
nothing: the question comes before the deed.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime
from typing import Any

from archer.auth.access import Access
from archer.auth.desk import TokenDesk
from archer.auth.identity import Identity, Proof
from archer.auth.roles import SERVER, Target, Verb, may, require
from archer.errors import NotAllowedError
from archer.forgetting import Forgotten
from archer.logs import LogText
from archer.model import Attempt, Event, Job, JobState
from archer.scheduling.routing import Route
from archer.service import JobList, Service
from archer.steering import ClusterState, QueueState
from archer.store.interface import JobFilter, Mode, SubmitResult
from archer.submission import Submission

_LOOKS = 40
"""Pages of the store that one page for somebody who may see a part of the jobs is picked from. A page may be short."""


class Guarded:
    """What one identity can do."""

    def __init__(self, service: Service, identity: Identity, access: Access) -> None:
        self.identity = identity
        self._service = service
        self._access = access
        self._seen: dict[str, Target] = {}

    def submit(self, submission: Submission, *, header_key: str | None = None) -> Future[SubmitResult]:
        """As `Service.submit`, in the identity's own name, or, for those who may, in the one that the submission gives."""
        subject = self.identity.subject
        if subject is None:
            return self._service.submit(
                submission, header_key=header_key, actor=f"api:{submission.user or 'anonymous'}"
            )
        owner = submission.user or subject
        target = Target(queue=submission.queue or self._access.default_queue, team=submission.team)
        require(self.identity, Verb.SUBMIT, target)
        if submission.team is not None and self._access.is_shared(str(target.queue)):
            require(self.identity, Verb.SUBMIT_FOR, target)
        if owner != subject and not may(self.identity, Verb.SUBMIT_AS, target):
            raise NotAllowedError(
                f"{subject} may not submit in the name of {owner}; leave `user` out, or ask somebody with role operator or admin"
            )
        named = submission.model_copy(update={"user": owner})
        return self._service.submit(named, header_key=header_key, actor=self.identity.actor, keys_of=subject)

    def job(self, key: str, verb: Verb = Verb.READ) -> Job:
        job = self._service.job(key)
        target = Target.of(job)
        # whose it is and where never changes: the same request need not look again
        self._seen |= {key: target, job.id: target}
        require(self.identity, verb, target)
        return job

    def attempts(self, key: str) -> Sequence[Attempt]:
        return self._service.attempts(self._checked(key, Verb.READ))

    def events(self, key: str, *, after: int = 0, limit: int = 500) -> Sequence[Event]:
        return self._service.events(self._checked(key, Verb.READ), after=after, limit=limit)

    def logs(self, key: str, **piece: Any) -> LogText:
        return self._service.logs(self._checked(key, Verb.LOGS), **piece)

    def kill(self, key: str) -> Job:
        return self._service.kill(self._checked(key, Verb.KILL), actor=self.identity.actor)

    def may_kill(self, job: Job) -> bool:
        """Whether a page should offer it."""
        return not job.state.final and may(self.identity, Verb.KILL, Target.of(job))

    def jobs(self, wanted: JobFilter, *, limit: int, cursor: str | None = None) -> JobList:
        """Newest first, those that the identity may see."""
        if may(self.identity, Verb.READ, SERVER):
            return self._service.jobs(wanted, limit=limit, cursor=cursor)
        subject = self.identity.subject
        if not self.identity.queues and not self.identity.teams:
            if wanted.user not in {None, subject}:
                return JobList(jobs=(), next_cursor=None)
            return self._service.jobs(replace(wanted, user=subject), limit=limit, cursor=cursor)
        found: list[Job] = []
        for _ in range(_LOOKS):
            # never more than there is room for, so that the store's cursor is ours too
            page = self._service.jobs(wanted, limit=limit - len(found), cursor=cursor)
            found += [job for job in page.jobs if may(self.identity, Verb.READ, Target.of(job))]
            cursor = page.next_cursor
            if cursor is None or len(found) == limit:
                break
        return JobList(jobs=found, next_cursor=cursor)

    def counters(self) -> Mapping[tuple[str, JobState], int]:
        """Jobs per (queue, state), of the queues that the identity may see whole."""
        everything = self._service.counters()
        return {
            key: number for key, number in everything.items() if may(self.identity, Verb.READ, Target(queue=key[0]))
        }

    def desk(self) -> TokenDesk:
        """Where tokens are made. Raises NotAllowedError for all but admins."""
        if self._access.desk is None or self.identity.proof is Proof.NONE:
            raise NotAllowedError(
                "this server asks nobody who they are, so tokens are made beside it: `archer token create --direct`"
            )
        require(self.identity, Verb.TOKENS)
        return self._access.desk

    def clusters(self) -> Sequence[ClusterState]:
        """All of them: whoever waits may know what for."""
        return self._service.steering.clusters()

    def set_cluster(self, name: str, mode: Mode, message: str) -> ClusterState:
        require(self.identity, Verb.STEER)
        return self._service.steering.set_cluster(name, mode, message, actor=self.identity.actor)

    def forget_cluster(self, name: str) -> Forgotten:
        require(self.identity, Verb.STEER)
        return self._service.steering.forget_cluster(name, actor=self.identity.actor)

    def queues(self) -> Sequence[QueueState]:
        """Those that the identity may see whole."""
        found = self._service.steering.queues()
        return [state for state in found if may(self.identity, Verb.READ, Target(queue=state.queue.path))]

    def set_queue(self, path: str, mode: Mode, message: str) -> QueueState:
        require(self.identity, Verb.STEER)
        return self._service.steering.set_queue(path, mode, message, actor=self.identity.actor)

    def route(self, submission: Submission) -> Route:
        """For whoever may submit it."""
        target = Target(queue=submission.queue or self._access.default_queue, team=submission.team)
        require(self.identity, Verb.SUBMIT, target)
        return self._service.steering.route(submission)

    def now(self) -> datetime:
        return self._service.now()

    @property
    def in_pods(self) -> bool:
        """As `Service.in_pods`."""
        return self._service.in_pods

    @property
    def history_server_url(self) -> str | None:
        return self._service.history_server_url

    def history_url(self, job: Job) -> str | None:
        return self._service.history_url(job)

    def _checked(self, key: str, verb: Verb) -> str:
        if self.identity.proof is Proof.NONE:
            return key
        if key in self._seen:
            require(self.identity, verb, self._seen[key])
        else:
            self.job(key, verb)
        return key
