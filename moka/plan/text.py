"""The plan for people: whole sentences first, then tables that fit into 80 columns and make sense when read aloud."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from moka.plan.as_json import critical_resources
from moka.plan.deploy_order import deploy_order
from moka.plan.graph import direct
from moka.plan.schedule import least_concurrency, scheduled, total, waves
from moka.plan.times import READ_ON, Basis

if TYPE_CHECKING:
    from rich.console import RenderableType

    from moka.plan.environment import EnvironmentPlan

_HASH = re.compile(r"(?<=.)[0-9A-F]{8}$")
SOURCES = "docs/reference/creation-times.md"


def plan_text(plan: EnvironmentPlan, concurrency: int | None = None) -> RenderableType:
    """The whole report."""
    return Group(
        *_summary(plan, concurrency),
        Text(),
        _stacks(plan, concurrency),
        Text(),
        _critical_path(plan),
        Text(),
        *_order(plan, concurrency),
        Text(),
        *_sources(plan),
    )


def minutes(seconds: int) -> str:
    """`14.6`"""
    return f"{seconds / 60:.1f}"


def readable_id(logical_id: str) -> str:
    """A logical id without the eight characters that CDK adds to tell two apart."""
    return _HASH.sub("", logical_id)


def readable_kind(kind: str) -> str:
    """`EKS::Cluster`"""
    return kind.removeprefix("AWS::")


def _summary(plan: EnvironmentPlan, concurrency: int | None) -> list[Text]:
    resources = sum(len(stack.resources) for stack in plan.stacks.values())
    least = least_concurrency(plan.needs, plan.seconds)
    lines = [
        Text(f"Plan of {plan.name} ({plan.account}, {plan.region})", style="bold"),
        Text(f"{len(plan.stacks)} stacks, {resources} resources. A first deploy typically takes:"),
        Text(f"{minutes(plan.total_seconds):>6} minutes with {_at_a_time(least)}; more at a time is no faster"),
        Text(f"{minutes(sum(plan.seconds.values())):>6} minutes with one stack after another"),
    ]
    if concurrency is not None:
        asked = total(scheduled(plan.needs, plan.seconds, concurrency))
        lines.append(Text(f"{minutes(asked):>6} minutes with {_at_a_time(concurrency)}, as asked for and shown below"))
    return lines


def _at_a_time(stacks: int) -> str:
    return "1 stack at a time" if stacks == 1 else f"{stacks} stacks at a time"


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, header_style="dim")
    for column in columns:
        numeric = column in {"wave", "resources", "starts", "takes", "done"}
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    return table


def _stacks(plan: EnvironmentPlan, concurrency: int | None) -> Table:
    table = _table(
        "Stacks (minutes; those of one wave can be deployed side by side)",
        *("wave", "stack", "resources", "starts", "takes", "done", "waits for"),
    )
    slots = {slot.stack: slot for slot in scheduled(plan.needs, plan.seconds, concurrency)}
    needs = direct(plan.needs)
    for number, wave in enumerate(waves(plan.needs), start=1):
        for name in wave:
            slot = slots[name]
            table.add_row(
                str(number),
                name,
                str(len(plan.stacks[name].resources)),
                minutes(slot.start),
                minutes(slot.finish - slot.start),
                minutes(slot.finish),
                ", ".join(needs[name]) or "nothing",
            )
    return table


def _critical_path(plan: EnvironmentPlan) -> Table:
    title = f"Critical path, {minutes(plan.total_seconds)} minutes (a shorter deploy needs a shorter one of these)"
    table = _table(title, "takes", "done", "resource", "figure")
    stack = ""
    for link in critical_resources(plan):
        if link["stack"] != stack:
            stack = link["stack"]
            table.add_row("", "", Text(stack, style="bold"), "")
        table.add_row(
            minutes(link["seconds"]),
            minutes(link["done_at"]),
            Text(f"  {readable_id(link['logical_id'])} ({readable_kind(link['type'])})"),
            link["basis"],
        )
    return table


def _order(plan: EnvironmentPlan, concurrency: int | None) -> list[Text]:
    lines = [Text("Deploy in this order", style="bold")]
    for number, step in enumerate(deploy_order(plan, concurrency), start=1):
        takes = "time not known" if step.seconds is None else f"{minutes(step.seconds)} minutes"
        lines.append(Text(f"{number}. {step.what}: {takes}"))
        # a command is there to be copied: never wrapped
        lines.append(Text(f"   {step.command}", no_wrap=True, overflow="ignore"))
    return lines


def _sources(plan: EnvironmentPlan) -> list[Text]:
    critical = critical_resources(plan)
    guessed = [link for link in critical if link["basis"] == Basis.ESTIMATE]
    seconds = sum(link["seconds"] for link in guessed)
    return [
        Text(
            f"{len(guessed)} of the {len(critical)} figures on the critical path are estimates ({minutes(seconds)} min)."
        ),
        Text(f"Figures as of {READ_ON}, with sources: {SOURCES}"),
        Text("Not counted: change sets, uploads of assets and images, waiting for approval."),
    ]
