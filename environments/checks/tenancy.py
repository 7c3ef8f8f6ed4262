"""Teams: the clusters and queues that they name exist, somebody may submit, and their data is somebody's."""

from environments.checks.clusters import twice
from environments.checks.queues import walk
from environments.model import Environment
from environments.problems import Finding, Findings, Path, Words, choose, listed
from environments.tenancy import Team

PLATFORM_BUCKETS = ("event-logs", "container-logs", "artifacts", "staging", "access-logs")


def unique_teams(environment: Environment) -> Findings:
    """Team names given twice."""
    yield from twice(("teams",), (team.name for team in environment.teams), "team")


def team_clusters(environment: Environment, at: Path, team: Team) -> Findings:
    """The team's clusters exist."""
    if team.clusters is None:
        return
    known = [cluster.name for cluster in environment.clusters]
    if not team.clusters:
        yield Finding(
            path=(*at, "clusters"), value=[], allowed="at least one cluster", fix="remove clusters to use all of them"
        )
    for index, name in enumerate(team.clusters):
        if name not in known:
            fix = choose(name, known, f"write one of them, or add a cluster {name}")
            yield Finding(path=(*at, "clusters", index), value=name, allowed=f"one of {listed(known)}", fix=fix)
        elif name in team.clusters[:index]:
            yield Finding(path=(*at, "clusters", index), value=name, allowed="each cluster once", fix="remove it")


def team_queues(environment: Environment, at: Path, team: Team) -> Findings:
    """The team's queues are queues of the tree."""
    known = [path for path, _, _ in walk(environment.queues)]
    for index, name in enumerate(team.queues):
        path = (*at, "queues", index)
        if name not in known:
            options = known if len(known) <= 12 else [each for each in known if each.count(".") == 1]
            fix = choose(name, known, "write a queue of queues.tree, full path from root")
            yield Finding(path=path, value=name, allowed=f"a queue of queues.tree: {listed(options)}", fix=fix)
        elif name in team.queues[:index]:
            yield Finding(path=path, value=name, allowed="each queue once", fix="remove it")


def submitters(_: Environment, at: Path, team: Team) -> Findings:
    """A team without submitters is a namespace that nobody can use."""
    if not team.submitters:
        fix = f"add a group of the identity provider, for example submitters: [{team.name}-engineers]"
        yield Finding(path=(*at, "submitters"), value=[], allowed="at least one group", fix=fix)


def team_data(environment: Environment, at: Path, team: Team) -> Findings:
    """Data grants are the company's buckets, each told once; Glue databases need the Glue catalog."""
    seen: set[tuple[str, str]] = set()
    for index, grant in enumerate(team.data):
        path = (*at, "data", index)
        if any(grant.bucket.startswith(f"moka-{environment.name}-{use}-") for use in PLATFORM_BUCKETS):
            allowed = "a bucket of the company's data: the platform's own are reached by the team's prefixes already"
            yield Finding(path=(*path, "bucket"), value=grant.bucket, allowed=allowed, fix="remove the grant")
        if (grant.bucket, grant.prefix) in seen:
            allowed = "each bucket and prefix once (write includes read)"
            yield Finding(
                path=(*path, "bucket"),
                value=f"{grant.bucket}/{grant.prefix}",
                allowed=allowed,
                fix="remove one of the two grants",
            )
        seen.add((grant.bucket, grant.prefix))
    if team.glue_databases and environment.catalog.kind != "glue":
        given = list(team.glue_databases)
        allowed = f"empty while catalog.kind is {environment.catalog.kind}"
        yield Finding(
            path=(*at, "glue_databases"),
            value=given,
            allowed=allowed,
            fix="remove glue_databases, or set catalog: {kind: glue}",
        )


def quota_against_queues(environment: Environment, at: Path, team: Team) -> Findings:
    """A namespace quota below what the team's queues guarantee makes the guarantee a lie."""
    tree = {path: queue for path, queue, _ in walk(environment.queues)}
    for name in team.queues:
        queue = tree.get(name)
        if queue is None or queue.guaranteed is None:
            continue
        if team.quota.vcores < queue.guaranteed.vcores or team.quota.memory_gib < queue.guaranteed.memory_gib:
            have, want = team.quota, queue.guaranteed
            yield Finding(
                path=(*at, "quota"),
                value=Words(f"{have.vcores} vcores, {have.memory_gib} GiB"),
                allowed=f"at least the {want.vcores} vcores and {want.memory_gib} GiB that {name} guarantees",
                fix="raise the quota, or lower the queue's guarantee",
                level="warning",
            )
