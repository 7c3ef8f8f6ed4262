"""Writes `docs/reference/preflight.md` from the checks themselves: `python -m moka.preflight.reference`.

A test fails when the page is stale.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from moka.preflight.checks import CHECKS
from moka.preflight.kubernetes_support import READ_ON, SUPPORT
from moka.preflight.policy import actions_of
from moka.preflight.quotas import QUOTAS

PAGE: Final = Path(__file__).parents[2] / "docs" / "reference" / "preflight.md"

_INTRODUCTION: Final = """# Preflight

<!-- made by `python -m moka.preflight.reference`; change the checks in moka/preflight/, not this page -->

What `moka preflight ENV` asks, and what it may call. How to use it: [before the first deploy](../guides/preflight.md).

States: `pass`; `warn`, a deploy works and someone should look; `fail`, a deploy or the growth that the file allows breaks
here; `unknown`, AWS did not answer. Exit codes: 0 when every row passes or warns, 1 when one fails or is unknown, 2 for a
bad file, bad options or no credentials.

With `--output json`:

```text
{"environment": "dev", "account": "…", "region": "…", "exit_code": 1,
 "summary": {"pass": 0, "warn": 0, "fail": 1, "unknown": 0},
 "rows": [{"check": "…", "subject": "…", "state": "fail", "value": "…", "needed": "…", "fix": "…"}],
 "not_made": ["…"]}
```
"""

_QUOTAS: Final = """Needed is what the environment takes when every pool is at its maximum, schedules included; used is what
others in the account and region use already, without this environment's own nodes and network. A default is used only
where Service Quotas has no value. Sources: [EKS best practices](https://docs.aws.amazon.com/eks/latest/best-practices/known_limits_and_service_quotas.html),
[EKS quotas](https://docs.aws.amazon.com/eks/latest/userguide/service-quotas.html),
[EC2 quotas](https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html). IAM's quota of roles
(L-FE177D64) is read from `iam:GetAccountSummary`, together with its usage.
"""

_SUPPORT: Final = """The [release calendar of EKS](https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html), as of {day}.
"""

_POLICY: Final = """`moka preflight ENV --policy` prints the least policy for one environment, limited to the resources that its file names. This
one serves all environments. Every action reads; a test compares the list with the calls that botocore makes.
"""


def page() -> str:
    """Return the whole page as Markdown."""
    parts = [
        _INTRODUCTION,
        _section("Checks", ("`--only`", "asks", "calls"), _checks()),
        _section("Quotas", ("quota", "service", "code", "default", "usage counted"), _quotas()),
        _QUOTAS,
        _section("Kubernetes versions", ("version", "standard support until", "extended support until"), _support()),
        _SUPPORT.format(day=READ_ON),
        _section("Calls", ("action", "on"), _calls()),
        "## Policy\n",
        _POLICY,
        f"```json\n{json.dumps(_policy(), indent=2)}\n```\n",
    ]
    return "\n".join(parts)


def _section(title: str, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"## {title}", "", f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def _checks() -> Iterable[tuple[str, ...]]:
    for check in CHECKS:
        yield f"`{check.name}`", check.asks, ", ".join(f"`{action}`" for action in actions_of([check])) or "none"


def _quotas() -> Iterable[tuple[str, ...]]:
    for quota in QUOTAS:
        counted = "no" if quota.used is None else "yes"
        yield quota.name, quota.service, quota.code, f"{quota.default:,.0f} {quota.unit}".strip(), counted


def _support() -> Iterable[tuple[str, ...]]:
    for version, support in SUPPORT.items():
        yield version, str(support.standard), str(support.extended)


def _calls() -> Iterable[tuple[str, ...]]:
    scopes: dict[str, list[str]] = {}
    for call in (call for check in CHECKS for call in check.calls):
        words = scopes.setdefault(call.action, [])
        if call.scope.words not in words:
            words.append(call.scope.words)
    for action, words in sorted(scopes.items()):
        yield f"`{action}`", ", ".join(words)


def _policy() -> dict[str, object]:
    statement = {"Effect": "Allow", "Action": list(actions_of(CHECKS)), "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def main() -> None:
    """Write the page."""
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
