"""All places where jobs can run, as one: what the doors need to know of them, without choosing one for a job."""

from collections.abc import Iterator, Mapping, Sequence

from archer.backends.interface import Backend, LogPiece
from archer.errors import Problem
from archer.problems import shown
from archer.submission import Submission


class Fleet(Mapping[str, Backend]):
    """Backends by the name of their cluster, in the order of the configuration."""

    def __init__(self, backends: Sequence[Backend]) -> None:
        self._backends = {backend.cluster: backend for backend in backends}

    def __getitem__(self, cluster: str) -> Backend:
        return self._backends[cluster]

    def __iter__(self) -> Iterator[str]:
        return iter(self._backends)

    def __len__(self) -> int:
        return len(self._backends)

    @property
    def only(self) -> Backend | None:
        """The one backend there is; None where Archer has to choose."""
        return next(iter(self._backends.values())) if len(self._backends) == 1 else None

    def check(self, submission: Submission) -> Sequence[Problem]:
        """Why no backend can honour the submission: what is wrong in the place where least is; empty when one can."""
        if self.only is not None:
            problems = self.only.check(submission)
            stranger = submission.cluster is not None and submission.cluster not in self._backends
            if not stranger or any(problem.path == "cluster" for problem in problems):
                return problems
            return [self._unknown(submission.cluster or ""), *problems]
        candidates = list(self._backends.values())
        if submission.cluster is not None:
            named = self._backends.get(submission.cluster)
            if named is None:
                return [self._unknown(submission.cluster)]
            candidates = [named]
        found = []
        for backend in candidates:
            problems = backend.check(submission)
            if not problems:
                return ()
            found.append(problems)
        return min(found, key=len)

    def _unknown(self, cluster: str) -> Problem:
        known = ", ".join(self._backends)
        return Problem(
            path="cluster",
            value=shown(cluster),
            allowed=f"a cluster of this environment: {known}",
            fix="use one of them, or leave it out: Archer chooses",
        )

    def notes(self, submission: Submission) -> Sequence[str]:
        """What the owner should know, where it is the same wherever the job goes."""
        sets = [tuple(backend.notes(submission)) for backend in self._backends.values()]
        return [note for note in sets[0] if all(note in others for others in sets)] if sets else ()

    def read_log(self, cluster: str | None, name: str, stream: str, *, offset: int, limit: int) -> LogPiece:
        """A piece of an attempt's log from where it ran; empty when that cluster isn't ours any more."""
        backend = self.only if cluster is None else self._backends.get(cluster)
        if backend is None:
            return LogPiece(data=b"", offset=offset, size=0)
        return backend.read_log(name, stream, offset=offset, limit=limit)

    def close(self) -> None:
        for backend in self._backends.values():
            backend.close()
