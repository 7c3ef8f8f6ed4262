"""Writes what the documentation shows of plans: `python -m moka.plan.docs`.

Makes `docs/reference/creation-times.md` from the table of times, and `docs/images/prod-plan.svg` from prod's templates. Tests fail
when they are stale.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from moka.assembly import read_assembly
from moka.plan.environment import make_plan
from moka.plan.picture import plan_picture
from moka.plan.times import CREATION_TIMES, READ_ON, UNKNOWN, Basis, CreationTime
from moka.synth import assembly_command, run

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS: Final = Path(__file__).parents[2] / "docs"
TIMES_PAGE: Final = DOCS / "reference" / "creation-times.md"
PICTURE: Final = DOCS / "images" / "prod-plan.svg"
PICTURED: Final = "prod"
COMMAND: Final = "python -m moka.plan.docs"

_INTRODUCTION: Final = """# Creation times

<!-- made by `{command}`; change the table in moka/plan/times.py, not this page -->

How long CloudFormation typically takes to make one resource, as `moka plan ENV` counts. Sources as of {day}. `stated`: AWS says
so, or the maintainers of a tool that waits for the same thing. `measured`: read from the log of a real deploy; Terraform polls the
same APIs as CloudFormation, but not at the same moments. `estimate`: no source was found; `moka plan` marks these. Of two rows of
one type the first one that fits counts; a type that is in no row counts as the last one.

| type | seconds | figure | how it was obtained |
| --- | ---: | --- | --- |
"""

_FAST: Final = """
## Made by one API call

These have no source either: {seconds} s each, `estimate`.

{kinds}
"""


def times_page() -> str:
    """Return the reference of creation times as Markdown."""
    fast = _fast()
    rows = [_row(time) for time in CREATION_TIMES if time not in fast]
    kinds = ", ".join(f"`{time.kind}`" for time in fast)
    introduction = _INTRODUCTION.format(command=COMMAND, day=READ_ON)
    return introduction + "\n".join([*rows, _row(UNKNOWN)]) + "\n" + _FAST.format(seconds=fast[0].seconds, kinds=kinds)


def _fast() -> list[CreationTime]:
    """The longest run of entries that say the same: they need no row each."""
    runs: Iterator[list[CreationTime]] = (
        list(run) for _, run in groupby(CREATION_TIMES, key=lambda time: (time.seconds, time.how, time.source))
    )
    return max(runs, key=len)


def _row(time: CreationTime) -> str:
    kind = f"`{time.kind}`" if time is not UNKNOWN else UNKNOWN.kind
    only = f", {time.only}" if time.only else ""
    how = f"{time.how} ([source]({time.source}))" if time.source else time.how
    return f"| {kind}{only} | {time.seconds} | {Basis(time.basis).value} | {how} |"


def main() -> None:
    """Write the page and the picture."""
    with TemporaryDirectory(prefix="moka-plan-") as folder:
        run(assembly_command(Path(folder), PICTURED), what_for="draw")
        PICTURE.parent.mkdir(exist_ok=True)
        PICTURE.write_text(plan_picture(make_plan(read_assembly(Path(folder)))), encoding="utf-8")
    TIMES_PAGE.write_text(times_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
