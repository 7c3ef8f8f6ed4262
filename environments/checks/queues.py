"""The queue tree: its form, and every rule by which YuniKorn 1.9 would refuse the whole configuration.

YuniKorn reads all queues or none; a file that breaks one of its rules would leave the old tree in force in silence. The
rules are those of `configs.ParseAndValidateConfig` (apache/yunikorn-core, pkg/common/configs/configvalidator.go), with
a queue's effective guarantee and maximum computed as there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from environments.checks.clusters import twice
from environments.model import Environment
from environments.problems import MISSING, Finding, Findings, Path, Words, choose, listed
from environments.tenancy import Queue, Queues, Resources

LEVELS: Final = ("organisation", "project", "tier")
TIERS: Final = ("tier1", "tier2", "tier3")
LABEL_VALUE: Final = 63
"""The queue's full path is a label of every pod."""

Amount = tuple[int, int]
"""vcores and GiB."""


def walk(queues: Queues) -> Iterator[tuple[str, Queue, Path]]:
    """Yield every queue below root with its full path and its place in the file, parents first."""

    def below(parent: str, at: Path, children: tuple[Queue, ...]) -> Iterator[tuple[str, Queue, Path]]:
        for index, queue in enumerate(children):
            path, place = f"{parent}.{queue.name}", (*at, index)
            yield path, queue, place
            yield from below(path, (*place, "queues"), queue.queues)

    yield from below("root", ("queues", "tree"), queues.tree)


def leaves(queues: Queues) -> list[str]:
    """Return the full paths of the queues that take jobs."""
    return [path for path, queue, _ in walk(queues) if not queue.queues]


def unique_queues(environment: Environment) -> Findings:
    """Names given twice among one queue's children."""
    yield from twice(("queues", "tree"), (queue.name for queue in environment.queues.tree), "organisation")
    for path, queue, at in walk(environment.queues):
        yield from twice((*at, "queues"), (child.name for child in queue.queues), f"child of {path}")


def form(environment: Environment) -> Findings:
    """Exactly root.<organisation>.<project>.<tier>, and tiers by their three names."""
    for path, queue, at in walk(environment.queues):
        depth = path.count(".")
        if depth < len(LEVELS) and not queue.queues:
            allowed = f"a parent of {LEVELS[depth]}s: the tree is root.<organisation>.<project>.<tier>"
            yield Finding(path=(*at, "queues"), value=path, allowed=allowed, fix=f"add a {LEVELS[depth]} below {path}")
        if depth == len(LEVELS) and queue.queues:
            yield Finding(
                path=(*at, "queues"),
                value=[child.name for child in queue.queues],
                allowed="absent: a tier is a leaf",
                fix="move the queues up",
            )
        if depth == len(LEVELS) and queue.name not in TIERS:
            allowed = f"one of {listed(TIERS)}, which carry the pods' priority"
            yield Finding(
                path=(*at, "name"), value=queue.name, allowed=allowed, fix=choose(queue.name, TIERS, "write tier2")
            )
        if depth == len(LEVELS) and len(path) > LABEL_VALUE:
            allowed = f"at most {LABEL_VALUE} characters with its parents, because the path is a label of every pod"
            yield Finding(
                path=(*at, "name"), value=path, allowed=allowed, fix=f"shorten the names by {len(path) - LABEL_VALUE}"
            )


def default_queue(environment: Environment) -> Findings:
    """The queue of jobs that name none exists and takes jobs."""
    given, known = environment.queues.default, leaves(environment.queues)
    if given not in known:
        fix = choose(given, known, f"write one of them, for example {known[-1]}" if known else "add a leaf")
        yield Finding(
            path=("queues", "default"), value=given, allowed=f"a leaf of queues.tree: {listed(known)}", fix=fix
        )


def leaf_settings(environment: Environment) -> Findings:
    """Settings that YuniKorn reads on leaves only, or that mean nothing without another."""
    for path, queue, at in walk(environment.queues):
        is_leaf = path.count(".") == len(LEVELS)
        if not is_leaf and queue.preemption_delay_seconds is not None:
            value = queue.preemption_delay_seconds
            yield Finding(
                path=(*at, "preemption_delay_seconds"),
                value=value,
                allowed="on a tier only",
                fix=f"move it to the tiers of {path}",
            )
        if not is_leaf and queue.sort == "fifo":
            yield Finding(
                path=(*at, "sort"),
                value=queue.sort,
                allowed="fair on a queue with children",
                fix=f"set sort: fifo on the tiers of {path}",
            )
        if queue.quota_preemption_delay_seconds is not None and queue.max is None:
            allowed = "on a queue with a max, which it enforces"
            yield Finding(
                path=(*at, "quota_preemption_delay_seconds"),
                value=queue.quota_preemption_delay_seconds,
                allowed=allowed,
                fix="add max, or remove it",
            )
        if is_leaf and queue.name == "tier1" and queue.guaranteed is None:
            allowed = "with guaranteed: a queue without it never preempts, so tier 1 would wait like any other"
            yield Finding(
                path=(*at, "guaranteed"),
                value=MISSING,
                allowed=allowed,
                fix="add guaranteed: {vcores: 100, memory_gib: 800} or what the jobs need",
            )


def applications(environment: Environment) -> Findings:
    """A parent with max_applications needs it on every child, and not a larger one."""
    for path, queue, at in walk(environment.queues):
        if queue.max_applications is None:
            continue
        for index, child in enumerate(queue.queues):
            place = (*at, "queues", index, "max_applications")
            if child.max_applications is None:
                allowed = f"given, because {path} has max_applications: {queue.max_applications}"
                yield Finding(
                    path=place,
                    value=MISSING,
                    allowed=allowed,
                    fix=f"add max_applications: {queue.max_applications} or less",
                )
            elif child.max_applications > queue.max_applications:
                allowed = f"at most {queue.max_applications}, the max_applications of {path}"
                yield Finding(
                    path=place,
                    value=child.max_applications,
                    allowed=allowed,
                    fix=f"write {queue.max_applications}, or raise that of {path}",
                )


@dataclass(frozen=True)
class _Ancestor:
    """The nearest queue above that sets a maximum."""

    path: str
    maximum: Amount


def resources(environment: Environment) -> Findings:
    """Maximum within the parents', guarantee within the maximum, children's guarantees within the parent's."""
    for index, queue in enumerate(environment.queues.tree):
        findings, _ = _resources(f"root.{queue.name}", ("queues", "tree", index), queue, None)
        yield from findings


def _resources(path: str, at: Path, queue: Queue, above: _Ancestor | None) -> tuple[list[Finding], Amount]:
    """Return what is wrong from `queue` down, and its effective guarantee: its own, or the sum of its children's."""
    found: list[Finding] = []
    if queue.max is not None and above is not None and _exceeds(_amount(queue.max), above.maximum):
        allowed = f"at most {_words(above.maximum)}, the max of {above.path}"
        found.append(
            Finding(
                path=(*at, "max"),
                value=_words(_amount(queue.max)),
                allowed=allowed,
                fix=f"lower it, or raise that of {above.path}",
            )
        )
    nearest = above if queue.max is None else _Ancestor(path, _lower(_amount(queue.max), above))
    total: Amount = (0, 0)
    for index, child in enumerate(queue.queues):
        inner, amount = _resources(f"{path}.{child.name}", (*at, "queues", index), child, nearest)
        found += inner
        total = total[0] + amount[0], total[1] + amount[1]
    own = None if queue.guaranteed is None else _amount(queue.guaranteed)
    if own is not None and _exceeds(total, own):
        allowed = f"at least {_words(total)}, the sum of its children's guarantees"
        found.append(
            Finding(path=(*at, "guaranteed"), value=_words(own), allowed=allowed, fix="raise it, or lower a child's")
        )
    effective = total if own is None else own
    if nearest is not None and _exceeds(effective, nearest.maximum):
        whose = "its own max" if nearest.path == path else f"the max of {nearest.path}"
        allowed = f"at most {_words(nearest.maximum)}, {whose}"
        value = Words(_words(effective) + ("" if own is not None else " (the sum of its children's)"))
        found.append(
            Finding(
                path=(*at, "guaranteed"), value=value, allowed=allowed, fix=f"lower the guarantee, or raise {whose}"
            )
        )
        effective = min(effective[0], nearest.maximum[0]), min(effective[1], nearest.maximum[1])
    return found, effective


def _amount(resources: Resources) -> Amount:
    return resources.vcores, resources.memory_gib


def _exceeds(first: Amount, second: Amount) -> bool:
    """Whether any part of the first amount is above the second's."""
    return first[0] > second[0] or first[1] > second[1]


def _lower(amount: Amount, above: _Ancestor | None) -> Amount:
    """Return the smaller of an amount and the ancestor's, part by part: what really holds below."""
    return amount if above is None else (min(amount[0], above.maximum[0]), min(amount[1], above.maximum[1]))


def _words(amount: Amount) -> Words:
    return Words(f"{amount[0]} vcores, {amount[1]} GiB")


def unused_leaves(environment: Environment) -> Findings:
    """A leaf that no team may submit to holds back guarantees for nobody."""
    granted = [name for team in environment.teams for name in team.queues]
    for path, queue, at in walk(environment.queues):
        if queue.queues or any(path == name or path.startswith(f"{name}.") for name in granted):
            continue
        yield Finding(
            path=(*at, "name"),
            value=path,
            allowed="a queue of some team",
            fix="add it to a team's queues, or remove it",
            level="warning",
        )
