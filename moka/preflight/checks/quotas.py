"""Whether the account's quotas leave room for what the environment can grow to, beside what others use already."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from environments import Environment
from moka.preflight import growth
from moka.preflight.calls import Call
from moka.preflight.check import Check, Context, ask
from moka.preflight.failures import NotFoundError
from moka.preflight.quotas import QUOTAS, USAGE_CALLS, Quota
from moka.preflight.rows import Verdict, failed, passed, warned

LIMIT: Final = Call("service-quotas", "GetServiceQuota")
DEFAULT_LIMIT: Final = Call("service-quotas", "GetAWSDefaultServiceQuota")
SUMMARY: Final = Call("iam", "GetAccountSummary")

TIGHT: Final = 0.9
"""Above this part of a quota there is no room for a node group that is replaced by a new one."""


@dataclass(frozen=True, kw_only=True)
class Room:
    """A quota and what counts against it."""

    limit: float
    used: float | None
    """None when it is not known, because the quota is per thing that the environment makes."""
    needed: float
    source: str = ""
    """Where the limit comes from when it is not the account's own value."""


def judge(quota: Quota, region: str, room: Room) -> Iterator[Verdict]:
    """Yield whether the room is enough."""
    value = f"{_amount(room.limit, quota.unit)} allowed{room.source}"
    if room.used is not None:
        value += f", {_number(room.used)} in use by others"
    total = room.needed + (room.used or 0)
    needed = f"{_amount(room.needed, quota.unit)} at the pools' maxima" if quota.unit else _number(room.needed)
    if total > room.limit:
        fix = f"{_request(quota.service, quota.code, region, total)}; or lower the file's maxima"
        yield failed(quota.name, value, needed=needed, fix=fix)
    elif total > TIGHT * room.limit:
        fix = f"nearly full: {_request(quota.service, quota.code, region, total / TIGHT)}"
        yield warned(quota.name, value, needed=needed, fix=fix)
    else:
        yield passed(quota.name, value, needed)


def _request(service: str, code: str, region: str, value: float) -> str:
    """Return the command that asks AWS for at least `value`."""
    return (
        f"aws service-quotas request-service-quota-increase --region {region} --service-code {service} "
        f"--quota-code {code} --desired-value {math.ceil(value)}"
    )


def judge_roles(environment: Environment, summary: dict[str, int]) -> Iterator[Verdict]:
    """Yield whether IAM has room for the environment's roles."""
    limit, used, needed = summary["RolesQuota"], summary["Roles"], growth.roles(environment)
    value = f"{limit} roles allowed, {used} there"
    # IAM's quotas are kept in one region
    fix = f"{_request('iam', 'L-FE177D64', 'us-east-1', used + needed)}; or delete roles that nobody uses"
    if used + needed > limit:
        yield failed("IAM roles", value, needed=f"about {needed}", fix=fix)
    else:
        yield passed("IAM roles", value, f"about {needed}")


def _amount(value: float, unit: str) -> str:
    return f"{_number(value)} {unit}".strip()


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) else f"{value:,.1f}"


def _limit(context: Context, quota: Quota) -> tuple[float, str]:
    """Return the account's value; AWS' default, then the documented one, where Service Quotas has none."""
    for call, source in ((LIMIT, ""), (DEFAULT_LIMIT, " (AWS' default)")):
        try:
            answer: dict[str, Any] = context.aws.get(call, ServiceCode=quota.service, QuotaCode=quota.code)
        except NotFoundError:
            continue
        return float(answer["Quota"]["Value"]), source
    return quota.default, " (documented default)"


def _room(context: Context, quota: Quota) -> Room:
    environment = context.environment
    limit, source = _limit(context, quota)
    used = None if quota.used is None else quota.used(environment, context.aws)
    return Room(limit=limit, used=used, needed=quota.needed(environment), source=source)


def _one(context: Context, quota: Quota) -> Iterator[Verdict]:
    return ask(quota.name, lambda: _room(context, quota), lambda room: judge(quota, context.environment.region, room))


def _run(context: Context) -> Iterator[Verdict]:
    for quota in QUOTAS:
        if quota.needed(context.environment):
            yield from _one(context, quota)
    yield from ask(
        "IAM roles",
        lambda: context.aws.get(SUMMARY)["SummaryMap"],
        lambda summary: judge_roles(context.environment, summary),
    )


CHECK: Final = Check(
    name="quotas",
    asks="Do the quotas leave room for the pools' maxima beside what is used already?",
    calls=(LIMIT, DEFAULT_LIMIT, SUMMARY, *USAGE_CALLS),
    run=_run,
)
