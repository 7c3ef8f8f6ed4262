"""Archer, its endpoint and database, delivery, identity and the catalog: what they name exists and fits together."""

import re
from ipaddress import IPv4Network
from typing import Final

from environments.checks.queues import walk
from environments.model import Environment
from environments.names import WORKLOADS
from environments.network import NewNetwork
from environments.problems import MISSING, Finding, Findings, Path, Words, choose, listed


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


def authentication(environment: Environment) -> Findings:
    """Headers are believed from named proxies alone, and queues and teams of roles exist."""
    given = environment.archer.authentication
    path: Path = ("archer", "authentication", "trusted_proxies")
    if ("proxy" in given.modes) != bool(given.trusted_proxies):
        allowed = "networks of proxies with mode proxy, nothing without it"
        fix = "name the proxies' networks" if "proxy" in given.modes else "remove it, or add proxy to modes"
        yield Finding(path=path, value=list(given.trusted_proxies), allowed=allowed, fix=fix)
    for index, cidr in enumerate(given.trusted_proxies):
        if IPv4Network(cidr).prefixlen < 8:
            allowed = "a range of /8 or smaller: whoever is in it can call himself what he likes"
            yield Finding(path=(*path, index), value=cidr, allowed=allowed, fix="write the proxies' own networks")
    known = [f"submitter:{name}" for name in ("root", *(queue for queue, _, _ in walk(environment.queues)))]
    known += [f"team:{team.name}" for team in environment.teams]
    for index, entry in enumerate(given.group_roles):
        if ":" in entry.role and entry.role not in known:
            yield Finding(
                path=("archer", "authentication", "group_roles", index, "role"),
                value=entry.role,
                allowed="submitter:<queue> with a queue of `queues`, team:<name> with a team of `teams`",
                fix=choose(entry.role, known, "write a path of the tree from root, or a team's name"),
            )


def pod_security_groups(environment: Environment) -> Findings:
    """Archer's pods carry groups that nothing else carries, each once."""
    network = environment.network
    of_nodes = () if isinstance(network, NewNetwork) else network.node_security_group_ids
    given = environment.archer.pod_security_group_ids
    for index, group in enumerate(given):
        path: Path = ("archer", "pod_security_group_ids", index)
        if group in of_nodes:
            allowed = "a group that nodes do not carry: every pod of the nodes would reach the database"
            fix = "make a group for Archer's pods, or remove it here or from network.node_security_group_ids"
            yield Finding(path=path, value=group, allowed=allowed, fix=fix)
        elif group in given[:index]:
            yield Finding(path=path, value=group, allowed="each group once", fix="remove it")


MOST_RULES: Final = 60
"""Rules of a security group (quota L-0EA8095F); a prefix list counts as many as it may hold, which no file says."""
LISTENERS: Final = 2
"""Ports of the load balancer: HTTPS and Livy's."""


def endpoint_rules(environment: Environment) -> Findings:
    """Every network that may call is a rule per port."""
    given = environment.archer.endpoint.allowed_cidrs
    network = environment.network
    lists = () if isinstance(network, NewNetwork) else network.prefix_list_ids
    most = MOST_RULES // LISTENERS - len(lists)
    if len(given) > most:
        allowed = f"at most {most} networks: a security group holds {MOST_RULES} rules, one per network and port"
        yield Finding(
            path=("archer", "endpoint", "allowed_cidrs"),
            value=Words(f"{len(given)} networks"),
            allowed=allowed,
            fix="join neighbouring ranges, or name a prefix list under network.prefix_list_ids",
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


def pausing(environment: Environment) -> Findings:
    """Aurora PostgreSQL 16 learned to pause in 16.3."""
    given = environment.archer.database
    if given.min_acu == 0 and tuple(map(int, given.engine_version.split("."))) < (16, 3):
        yield Finding(
            path=("archer", "database", "min_acu"),
            value=given.min_acu,
            allowed=f"at least 0.5 with engine_version {given.engine_version}, which cannot pause",
            fix='set min_acu: 0.5, or engine_version: "16.3" or later',
        )


CACHE_SECRETS: Final = ("docker-hub", "github", "gitlab")
"""Upstreams that let nobody in without a name: https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache.html"""


def caches(environment: Environment) -> Findings:
    """Caches need a way out and a registry of the account; each upstream once, with a secret where it wants one."""
    network, given = environment.network, environment.delivery.pull_through_caches
    path: Path = ("delivery", "pull_through_caches")
    upstreams = [each.upstream for each in given]
    if given and not (network.nat != "none" if isinstance(network, NewNetwork) else network.internet_egress):
        allowed = "empty in a network without a way to the internet: the first pull of an image needs one"
        yield Finding(path=path, value=upstreams, allowed=allowed, fix="remove it; images come by moka images push")
    if given and environment.delivery.registry == "existing":
        allowed = "empty with registry: existing, whose owner decides what it caches"
        yield Finding(path=path, value=upstreams, allowed=allowed, fix="remove it, or set registry: account")
    for index, cache in enumerate(given):
        wants = cache.upstream in CACHE_SECRETS
        if cache.upstream in upstreams[:index]:
            yield Finding(
                path=(*path, index, "upstream"), value=cache.upstream, allowed="each upstream once", fix="remove it"
            )
        if wants and cache.credential_arn is None:
            yield Finding(
                path=(*path, index, "credential_arn"),
                value=MISSING,
                allowed=f"given for {cache.upstream}, which lets nobody in without a name",
                fix=f"store user name and accessToken in a secret ecr-pullthroughcache/{cache.upstream} and write its ARN",
            )
        if not wants and cache.credential_arn is not None:
            yield Finding(
                path=(*path, index, "credential_arn"),
                value=cache.credential_arn,
                allowed=f"absent for {cache.upstream}, which needs no login",
                fix="remove it",
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


_TAG_TEXT: Final = re.compile(r"[\w .:/=+@-]*")
"""What all services take (IAM is the strictest): letters and digits of any language, spaces and these signs.
https://docs.aws.amazon.com/IAM/latest/APIReference/API_Tag.html"""


def tags(environment: Environment) -> Findings:
    """Keys and values that every service takes; IAM does not tell owner from Owner."""
    first: dict[str, str] = {}
    for key, value in environment.tags.items():
        path: Path = ("tags", key)
        if key.lower().startswith("aws:"):
            yield Finding(path=path, value=key, allowed="a key that does not start with aws:", fix="rename the tag")
        if key == "Name":
            allowed = "a key other than Name: every resource has a name of its own"
            yield Finding(path=path, value=key, allowed=allowed, fix="rename the tag, for example to project")
        if key.lower() in first:
            allowed = f"a key that differs from {first[key.lower()]} by more than capitals: IAM takes them for one"
            yield Finding(path=path, value=key, allowed=allowed, fix="remove one of the two")
        first.setdefault(key.lower(), key)
        for text in (key, value):
            if not _TAG_TEXT.fullmatch(text):
                allowed = "letters, digits, spaces and . : / = + - @ _"
                wrong = "".join(dict.fromkeys(_TAG_TEXT.sub("", text)))
                yield Finding(path=path, value=text, allowed=allowed, fix=f"leave out {wrong}")
