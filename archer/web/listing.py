"""The list's address: what its query asks for, and the addresses of the pages beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from archer.errors import InvalidQueryError, Problem
from archer.model import JobState
from archer.problems import shown
from archer.store.interface import JobFilter

PAGE_SIZE = 50
"""Jobs on one page: about two screens."""


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What the reader asked to see. Empty texts, which an unused form field sends, ask for nothing."""

    states: Sequence[str] = ()
    name: str = ""
    queue: str = ""
    user: str = ""
    cursor: str = ""

    @property
    def filtered(self) -> bool:
        return any((self.states, self.name, self.queue, self.user))

    def as_filter(self) -> JobFilter:
        """Raises InvalidQueryError for a state that there is not."""
        known = [state.value for state in JobState]
        problems = [
            Problem(
                path="state", value=shown(state), allowed=f"one of {', '.join(known)}", fix="choose one in the form"
            )
            for state in self.states
            if state not in known
        ]
        if problems:
            raise InvalidQueryError(problems)
        return JobFilter(
            states=[JobState(state) for state in self.states],
            name=self.name or None,
            queue=self.queue or None,
            user=self.user or None,
        )

    def url(self, cursor: str | None = None) -> str:
        """This list from `cursor` on; its newest page without."""
        query: Mapping[str, object] = {
            "state": list(self.states),
            "name": self.name,
            "queue": self.queue,
            "user": self.user,
            "cursor": cursor,
        }
        text = urlencode({key: value for key, value in query.items() if value}, doseq=True)
        return f"/?{text}" if text else "/"
