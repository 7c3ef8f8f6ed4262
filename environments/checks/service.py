"""Archer, its endpoint and database, delivery, identity and the catalog: what they name exists and fits together."""

from ipaddress import IPv4Network

from environments.model import Environment
from environments.names import WORKLOADS
from environments.problems import MISSING, Finding, Findings, Path, choose, listed


def archer_cluster(environment: Environment) -> Findings:
    """The cluster that hosts Archer exists."""
    known = [cluster.name for cluster in environment.clusters]
    given = environment.archer.cluster
    if given not in known:
        fix = choose(given, known, f"write {known[0]}")
        yield Finding(path=("archer", "cluster"), value=given, allowed=f"one of {listed(known)}", fix=fix)


def endpoint(environment: Environment) -> Findings:
    """Who may reach the load balancer: networks, never everybody."""
    for index, cidr in enumerate(environment.archer.endpoint.allowed_cidrs):
        if IPv4Network(cidr).prefixlen < 8:
            path: Path = ("archer", "endpoint", "allowed_cidrs", index)
            allowed = "a range of /8 or smaller: the page shows logs of every team"
            yield Finding(
                path=path, value=cidr, allowed=allowed, fix="write the company's networks, for example 10.0.0.0/8"
            )


def database(environment: Environment) -> Findings:
    """Capacity bounds of Aurora."""
    given = environment.archer.database
    if given.min_acu > given.max_acu:
        fix = f"raise max_acu to {given.min_acu:g} or lower min_acu"
        yield Finding(
            path=("archer", "database", "min_acu"),
            value=given.min_acu,
            allowed=f"at most max_acu ({given.max_acu:g})",
            fix=fix,
        )


def delivery(environment: Environment) -> Findings:
    """registry_uri goes with registry: existing, and only with it."""
    given, path = environment.delivery, ("delivery", "registry_uri")
    if given.registry == "existing" and given.registry_uri is None:
        allowed = "given with registry: existing"
        yield Finding(
            path=path,
            value=MISSING,
            allowed=allowed,
            fix="add registry_uri: <host>/<prefix> of the registry that holds the images, or set registry: account",
        )
    if given.registry == "account" and given.registry_uri is not None:
        allowed = "absent with registry: account, whose address follows from account and region"
        yield Finding(
            path=path, value=given.registry_uri, allowed=allowed, fix="remove registry_uri, or set registry: existing"
        )


def identity(environment: Environment) -> Findings:
    """Overrides name workloads that have a role."""
    known = [*WORKLOADS, *(f"team-{team.name}" for team in environment.teams)]
    for name in environment.identity.overrides:
        if name not in known:
            fix = choose(name, known, "remove it")
            yield Finding(
                path=("identity", "overrides", name), value=name, allowed=f"one of {listed(known, most=20)}", fix=fix
            )


def catalog(environment: Environment) -> Findings:
    """Drivers may reach only the networks that a file names, a Hive metastore's among them."""
    given = environment.catalog
    if given.kind == "hive" and not given.cidrs:
        allowed = "at least one network: the teams' network policy lets drivers reach no other"
        yield Finding(
            path=("catalog", "cidrs"),
            value=[],
            allowed=allowed,
            fix="add the metastores' ranges, for example 10.10.4.0/24",
        )


def tags(environment: Environment) -> Findings:
    """AWS keeps aws: for itself."""
    for key in environment.tags:
        if key.lower().startswith("aws:"):
            yield Finding(
                path=("tags", key), value=key, allowed="a key that does not start with aws:", fix="rename the tag"
            )
