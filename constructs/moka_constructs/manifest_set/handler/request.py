"""A set applied or compared at somebody's request, with a result that travels as JSON: the same from here and from the function."""

from collections.abc import Sequence
from typing import Any, Literal

from .errors import OutOfTimeError, SetError, UnreachableError
from .order import ManifestFile
from .run import Delivery

Action = Literal["apply", "diff"]


def carry_out(delivery: Delivery, action: Action, files: Sequence[ManifestFile]) -> dict[str, Any]:
    """Return what was done or found; what went wrong is in the result as `failed` and `problems`, and not raised."""
    steps: list[str] = []
    say = delivery.say

    def remember(text: str) -> None:
        steps[:] = [text]
        say(text)

    delivery.say = remember
    try:
        if action == "diff":
            found, left_over = delivery.diff(files)
            return {
                "differences": [each.to_json() for each in found],
                "left over": [str(each) for each in left_over],
            }
        return delivery.apply(files).to_json()
    except SetError as error:
        return {"failed": error.step, "problems": [[each.subject, each.reason] for each in error.problems]}
    except UnreachableError as error:
        return {"failed": str(error), "problems": []}
    except OutOfTimeError as error:
        return {"failed": f"{error}; the last step was: {' '.join(steps)}", "problems": []}
