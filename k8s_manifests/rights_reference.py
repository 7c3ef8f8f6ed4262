"""Writes `docs/reference/rights.md`, the golden table of rights: `python -m k8s_manifests.rights_reference`.

Made from the rendered manifests of every cluster of every environment, with `spark-TEAM` for each team's namespace. An account
whose rights are not the same wherever it is, or a team that is not as all others, is refused: one table could not say it.
`make e2e` reads the page back and asks a real API server whether it is true.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from environments import environment_names, load
from environments.names import namespace
from k8s_manifests import build_charts
from k8s_manifests.errors import ChartError
from k8s_manifests.rights import Right, accounts_of, rights_of

PAGE: Final = Path(__file__).parent.parent / "docs" / "reference" / "rights.md"
TEAM: Final = "spark-TEAM"
"""Stands for each team's namespace."""
CLUSTER: Final = "the cluster"
EVERYBODY: Final = "everybody"
"""Any account at all: what Kubernetes grants to whoever it knows."""

_BY_KUBERNETES: Final = frozenset(
    Right(EVERYBODY, "", resource, "", "create")
    for resource in (
        "selfsubjectaccessreviews.authorization.k8s.io",
        "selfsubjectreviews.authentication.k8s.io",
        "selfsubjectrulesreviews.authorization.k8s.io",
    )
)
"""Of Kubernetes' own role system:basic-user: questions about oneself."""
_INTRODUCTION: Final = """# Rights

<!-- made by `python -m k8s_manifests.rights_reference`; change the charts in k8s_manifests/, not this page -->

What every account of our charts may do in a cluster, and so, by what is not here, what it may not. `make e2e` asks a real API server as
each account ([how](../concepts/manifests.md#rights)). `spark-TEAM` stands for each team's namespace; `[name]` limits a right to that one object.
"""
_ROW: Final = re.compile(
    r"^\| `(?P<account>[^`]+)` \| (?P<where>[^|]+) \| `(?P<resource>[^`\[]+)(?:\[(?P<name>.+)\])?` \| (?P<verbs>[a-z ]+) \|$"
)


@dataclass(frozen=True, kw_only=True)
class ClusterRights:
    """The rights on one cluster."""

    name: str
    """environment/cluster."""
    teams: frozenset[str]
    """The teams' namespaces."""
    accounts: frozenset[str]
    rights: frozenset[Right]

    def of_one_team(self) -> frozenset[Right]:
        """Return the rights with TEAM for a team's namespace. Raises ChartError when teams differ."""
        shortened = frozenset(
            replace(each, account=_short(each.account, self.teams), where=_short(each.where, self.teams))
            for each in self.rights
        )
        differing = expanded(shortened, self.teams) ^ self.rights
        if differing:
            raise ChartError(f"rights on {self.name}", f"differ between teams: {_listed(differing)}; give all the same")
        return shortened


def every_cluster() -> list[ClusterRights]:
    """Return the rights on every cluster of every shipped environment."""
    found = []
    for environment in map(load, environment_names()):
        for cluster in environment.clusters:
            manifests = [each for component in build_charts(environment, cluster) for each in component.manifests]
            found.append(
                ClusterRights(
                    name=f"{environment.name}/{cluster.name}",
                    teams=frozenset(map(namespace, environment.teams_on(cluster))),
                    accounts=accounts_of(manifests),
                    rights=rights_of(manifests),
                )
            )
    return found


def expanded(rights: Iterable[Right], teams: Iterable[str]) -> frozenset[Right]:
    """Return the rights with each team's namespace in place of TEAM; an account of a team has them in its own alone."""
    known = tuple(teams)
    return frozenset(
        replace(each, account=each.account.replace(TEAM, team), where=each.where.replace(TEAM, team))
        for each in rights
        for team in known
    )


def page(clusters: Iterable[ClusterRights]) -> str:
    """Return the whole page as Markdown. Raises ChartError when an account has not the same rights wherever it is."""
    known = list(clusters)
    together = frozenset[Right]().union(*(each.of_one_team() for each in known))
    where: dict[str, list[str]] = defaultdict(list)
    for cluster in known:
        accounts = {_short(account, cluster.teams) for account in cluster.accounts}
        missing = {each for each in together if each.account in accounts} - cluster.of_one_team()
        if missing:
            raise ChartError(f"rights on {cluster.name}", f"lack what other clusters have: {_listed(missing)}")
        for account in accounts:
            where[account].append(cluster.name)
    lines = [_INTRODUCTION, "## Accounts", "", "| account | on | rights |", "| --- | --- | --- |"]
    for account, names in sorted(where.items()):
        number = sum(each.account == account for each in together)
        lines.append(f"| `{account}` | {_on(names, known)} | {number or 'none'} |")
    lines += ["", "## What each may", "", "| account | where | resource | verbs |", "| --- | --- | --- | --- |"]
    return "\n".join([*lines, *_rows(together | _BY_KUBERNETES)]) + "\n"


def read(text: str) -> frozenset[Right]:
    """Return the rights of a page, those of everybody among them."""
    found = set()
    for row in filter(None, map(_ROW.match, text.splitlines())):
        where = "" if row["where"] == CLUSTER else row["where"].strip("`")
        found |= {
            Right(row["account"], where, row["resource"], row["name"] or "", verb) for verb in row["verbs"].split()
        }
    return frozenset(found)


def _rows(rights: Iterable[Right]) -> Iterable[str]:
    verbs: dict[tuple[str, str, str, str], list[str]] = defaultdict(list)
    for each in sorted(rights):
        verbs[each.account, each.where, each.resource, each.name].append(each.verb)
    for (account, where, resource, name), allowed in verbs.items():
        place, only = f"`{where}`" if where else CLUSTER, f"[{name}]" if name else ""
        yield f"| `{account}` | {place} | `{resource}{only}` | {' '.join(allowed)} |"


def _short(text: str, teams: frozenset[str]) -> str:
    """Return a namespace or an account with TEAM for a team's namespace."""
    head, slash, name = text.partition("/")
    return f"{TEAM}{slash}{name}" if head in teams else text


def _on(names: list[str], clusters: list[ClusterRights]) -> str:
    return "every cluster" if len(names) == len(clusters) else ", ".join(sorted(names))


def _listed(rights: Iterable[Right]) -> str:
    return "; ".join(sorted(_rows(rights)))


def main() -> None:
    """Write the page."""
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(every_cluster()), encoding="utf-8")


if __name__ == "__main__":
    main()
