"""`archer-states.md`: states, moves between them, and why attempts fail."""

from archer.model import FINAL_STATES, LEGAL_MOVES, Category, JobState
from archer.reference.markdown import GENERATED, member_docs, table
from archer.retries import FREE, MAX_FREE, MAX_QUOTA, MEMORY, PLACE, TOP_RUNG


def states_page() -> str:
    meanings = member_docs(JobState)
    states = table(
        ("state", "meaning", "may become"),
        [
            (
                f"`{state}`" + (" (final)" if state in FINAL_STATES else ""),
                meanings[state.name].removeprefix("Final: "),
                ", ".join(f"`{after}`" for after in JobState if after in LEGAL_MOVES[state]) or "nothing",
            )
            for state in JobState
        ],
    )
    why = member_docs(Category)
    categories = table(
        ("category", "meaning", "what follows"),
        [(f"`{category}`", why[category.name], _what_follows(category)) for category in Category],
    )
    return f"""# States of a job, and why attempts fail

{GENERATED}

What the cluster says beyond these states is the `substate`, a short free text. Every change is one entry of the job's
history, written in the transaction that made the change; a move that this table doesn't list is refused.

{states}

## Categories of failure

A failed attempt carries a diagnosis: `category`, `summary` (one line), `detail` (the evidence), `resolution` (what to do)
and `exit_code` (128 + N when signal N ended the driver). The category decides whether the attempt is repeated;
`retry.max_attempts` of the submission says how often at most.

{categories}
"""


def _what_follows(category: Category) -> str:
    if category is Category.QUOTA:
        return f"repeated as there may be room again; the first {MAX_QUOTA} such attempts are not counted"
    if category in FREE:
        return f"repeated; the first {MAX_FREE} such attempts are not counted"
    if category in MEMORY:
        return f"repeated with one more time the memory, up to {TOP_RUNG:g} times"
    if category in PLACE:
        return "repeated after a pause"
    return "not repeated: it would fail again"
