"""What a push would do, and doing it: look at everything first, tell every problem at once, then change.

A tag that is there with what belongs there is left alone, so a second push does nothing and an interrupted one goes on.
A tag that holds something else is never overwritten: ECR's tags are immutable, and somebody runs what is there.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from moka.errors import MokaError
from moka.images.catalog import Entry
from moka.images.recipes import recipe_of
from moka.images.tools import Manifest, NoRepositoryError, Tool, ToolError


@dataclass(frozen=True, kw_only=True)
class Step:
    """What is to be done about one image."""

    entry: Entry
    action: Literal["there", "copy", "build"]
    digest: str | None
    """What the tag holds, or will hold once copied; None for a build."""
    note: str = ""

    def line(self) -> str:
        """Return what is told about it."""
        parts = [self.action, self.entry.target, *([self.digest] if self.digest else [])]
        return " ".join(parts) + (f" ({self.note})" if self.note else "")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All steps, or all problems."""

    steps: tuple[Step, ...]
    problems: tuple[str, ...]


def plan(entries: Iterable[Entry], tool: Tool, platforms: Sequence[str], *, fix_repository: str) -> Plan:
    """Return what a push would do; it reads registries and changes nothing."""
    steps, problems = [], []
    for entry in entries:
        try:
            steps.append(_step(entry, tool, platforms))
        except NoRepositoryError:
            problems.append(f"{entry.target}: the registry has no such repository; {fix_repository}")
        except MokaError as error:
            problems.append(str(error))
    if any(step.action == "build" for step in steps) and (told := tool.cannot_build(platforms)) is not None:
        problems.append(told)
    return Plan(steps=tuple(steps), problems=tuple(problems))


def carry_out(
    steps: Iterable[Step], tool: Tool, platforms: tuple[str, ...], base: str | None = None
) -> tuple[str, ...]:
    """Do the steps, print a line for each that is done, and return what failed; one failure does not stop the others."""
    problems = []
    for step in steps:
        entry = step.entry
        try:
            if step.action == "copy":
                tool.copy(f"{entry.source.rsplit(':', 1)[0]}@{step.digest}", entry.target)
                done = _copied(step, tool)
            elif step.action == "build":
                assert entry.own is not None
                tool.build_and_push(recipe_of(entry.own, platforms, base), entry.target)
                done = f"built {entry.target} {_there(entry, tool, platforms).digest}"
            else:
                done = step.line()
        except MokaError as error:
            problems.append(f"{entry.target}: {error}")
        else:
            sys.stdout.write(f"{done}\n")
            sys.stdout.flush()
    return tuple(problems)


def _step(entry: Entry, tool: Tool, platforms: Sequence[str]) -> Step:
    there = _asked(lambda: tool.manifest(entry.target), entry.target)
    if entry.kind == "built":
        if there is None:
            return Step(entry=entry, action="build", digest=None)
        # a tag of ours names what it was made from
        _wants_platforms(entry.target, there, platforms, "remove the tag, then push again")
        return Step(entry=entry, action="there", digest=there.digest)
    if there is not None and there.digest == entry.digest:
        return Step(entry=entry, action="there", digest=there.digest)
    try:
        wanted = _upstream(entry, tool, platforms)
    except ToolError as error:
        if there is None or entry.digest is not None:
            raise
        note = f"upstream did not answer, so nobody compared: {error}"
        return Step(entry=entry, action="there", digest=there.digest, note=note[:200])
    if there is not None and there.digest != wanted:
        raise MokaError(
            f"{entry.target} holds {there.digest}, {entry.source} is {wanted}; tags are not overwritten: find out who "
            f"pushed it and what runs it, then remove the tag and push again"
        )
    return Step(entry=entry, action="copy" if there is None else "there", digest=wanted)


def _upstream(entry: Entry, tool: Tool, platforms: Sequence[str]) -> str:
    """Return the digest behind upstream's tag. Raises MokaError when it is not the pinned one, or lacks a platform."""
    found = _asked(lambda: tool.manifest(entry.source), entry.source)
    if found is None:
        raise ToolError(
            f"{entry.source} is not there; look at {entry.version_source}, and change k8s_manifests/images.py"
        )
    if entry.digest is not None and found.digest != entry.digest:
        raise MokaError(
            f"{entry.source} is {found.digest}, k8s_manifests/images.py pins {entry.digest}; upstream moved the tag: find "
            f"out why before you change the pin"
        )
    _wants_platforms(entry.source, found, platforms, "name the ones to do with --platform")
    return found.digest


def _wants_platforms(reference: str, manifest: Manifest, platforms: Sequence[str], fix: str) -> None:
    missing = sorted(set(platforms) - manifest.platforms) if manifest.platforms is not None else []
    if missing:
        raise MokaError(f"{reference} has no image for {' and '.join(missing)}; {fix}")


def _copied(step: Step, tool: Tool) -> str:
    found = tool.manifest(step.entry.target)
    if found is None or found.digest != step.digest:
        raise MokaError(f"copied, but the tag holds {'nothing' if found is None else found.digest}, not {step.digest}")
    return f"copied {step.entry.target} {step.digest}"


def _there(entry: Entry, tool: Tool, platforms: Sequence[str]) -> Manifest:
    found = tool.manifest(entry.target)
    if found is None:
        raise MokaError("built and pushed, but the registry does not have it")
    _wants_platforms(entry.target, found, platforms, "look at what the build said")
    return found


def _asked(ask: Callable[[], Manifest | None], reference: str) -> Manifest | None:
    try:
        return ask()
    except NoRepositoryError:
        raise
    except ToolError as error:
        raise ToolError(f"{reference} cannot be asked: {error}") from error
