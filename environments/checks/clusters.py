"""Clusters: who may use them, who may reach them, and how many node groups they have."""

from collections.abc import Iterable
from ipaddress import IPv4Network
from typing import Final

from environments.clusters import Cluster
from environments.model import Environment
from environments.problems import Finding, Findings, Path, Words, listed

MOST_PUBLIC_RANGES: Final = 40
"""Ranges that a public endpoint takes: https://docs.aws.amazon.com/eks/latest/userguide/service-quotas.html"""
NOT_PUBLIC: Final = tuple(
    IPv4Network(cidr)
    for cidr in (
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "224.0.0.0/3",
    )
)
"""Reserved ranges: EKS refuses them for a public endpoint, and nobody comes from there.
https://docs.aws.amazon.com/eks/latest/userguide/cluster-endpoint.html"""
MOST_NODE_GROUPS: Final = 30
"""EKS' quota of managed node groups per cluster; every pool is one per zone."""


def unique_names(environment: Environment) -> Findings:
    """Cluster names given twice."""
    yield from twice(("clusters",), (cluster.name for cluster in environment.clusters), "cluster")


def twice(at: Path, names: Iterable[str], thing: str) -> Findings:
    """Names in a list at `at` that were given before."""
    first: dict[str, int] = {}
    for index, name in enumerate(names):
        if name in first:
            fix = f"rename one; item {first[name]} has the name"
            yield Finding(path=(*at, index, "name"), value=name, allowed=f"a name that no other {thing} has", fix=fix)
        first.setdefault(name, index)


def an_admin(_: Environment, at: Path, cluster: Cluster) -> Findings:
    """Somebody must be able to administer the cluster: its creator gets no rights."""
    entries = cluster.access
    if not any(entry.policy == "cluster-admin" and not entry.namespaces for entry in entries):
        allowed = "with one entry of policy cluster-admin and no namespaces, because the creator gets no rights"
        fix = "add an entry with the role of your administrators, policy: cluster-admin and no namespaces"
        yield Finding(path=(*at, "access"), value=[entry.policy for entry in entries], allowed=allowed, fix=fix)


def access_entries(_: Environment, at: Path, cluster: Cluster) -> Findings:
    """EKS makes one entry per role, and cluster-admin has no meaning inside a namespace."""
    seen: set[str] = set()
    for index, entry in enumerate(cluster.access):
        path = (*at, "access", index)
        if entry.role_arn in seen:
            yield Finding(
                path=(*path, "role_arn"), value=entry.role_arn, allowed="each role once", fix="merge the two entries"
            )
        seen.add(entry.role_arn)
        if entry.policy == "cluster-admin" and entry.namespaces:
            allowed = "admin, edit, view or admin-view when namespaces are given"
            yield Finding(
                path=(*path, "policy"), value=entry.policy, allowed=allowed, fix="write admin, or remove namespaces"
            )


def api_endpoint(_: Environment, at: Path, cluster: Cluster) -> Findings:
    """A public endpoint names who may reach it; a private one has nobody to name."""
    endpoint, path = cluster.endpoint, (*at, "endpoint", "allowed_cidrs")
    given = list(endpoint.allowed_cidrs)
    if endpoint.access == "private" and given:
        allowed = "empty with access: private"
        yield Finding(
            path=path, value=given, allowed=allowed, fix="remove allowed_cidrs, or set access: public_and_private"
        )
    if endpoint.access == "public_and_private" and not given:
        allowed = "at least one range with access: public_and_private"
        yield Finding(
            path=path, value=given, allowed=allowed, fix="add the company's public ranges, or set access: private"
        )
    if len(given) > MOST_PUBLIC_RANGES:
        allowed = f"at most {MOST_PUBLIC_RANGES} ranges for a public endpoint (EKS' quota)"
        fix = f"join neighbouring ranges, or remove {len(given) - MOST_PUBLIC_RANGES}"
        yield Finding(path=path, value=Words(f"{len(given)} ranges"), allowed=allowed, fix=fix)
    fix = "write the company's own public ranges, for example 203.0.113.0/24"
    for index, cidr in enumerate(given):
        home = next((reserved for reserved in NOT_PUBLIC if IPv4Network(cidr).subnet_of(reserved)), None)
        if IPv4Network(cidr).prefixlen < 8:
            allowed = "a range of /8 or smaller, never the whole internet"
            yield Finding(path=(*path, index), value=cidr, allowed=allowed, fix=fix)
        elif home is not None and endpoint.access == "public_and_private":
            allowed = f"a public range: {home} is reserved, and its hosts come over private routes"
            yield Finding(path=(*path, index), value=cidr, allowed=allowed, fix=fix)


def roles_apart(environment: Environment, at: Path, cluster: Cluster) -> Findings:
    """EKS makes no node group with a role that it has made a cluster with."""
    role = cluster.node_role_arn
    owner = next((each.name for each in environment.clusters if role is not None and each.cluster_role_arn == role), "")
    if owner:
        allowed = f"another role than the control plane's of cluster {owner}: EKS refuses to make nodes with it"
        fix = "write a role that ec2.amazonaws.com may assume, or remove it: Moka makes one"
        yield Finding(path=(*at, "node_role_arn"), value=role, allowed=allowed, fix=fix)


def log_types(_: Environment, at: Path, cluster: Cluster) -> Findings:
    """Log types given twice."""
    if len(set(cluster.log_types)) < len(cluster.log_types):
        given = list(cluster.log_types)
        yield Finding(
            path=(*at, "log_types"),
            value=given,
            allowed="each log type once",
            fix=f"write [{listed(dict.fromkeys(given))}]",
        )


def node_groups(environment: Environment, at: Path, cluster: Cluster) -> Findings:
    """One managed node group per pool and zone, at most 30."""
    counts = {pool.name: len(environment.pool_zones(pool)) for pool in cluster.pools}
    groups = sum(counts.values())
    if groups > MOST_NODE_GROUPS:
        allowed = f"at most {MOST_NODE_GROUPS} node groups per cluster, one per pool and zone"
        widest = max(counts, key=lambda name: counts[name])
        fix = f"give pools fewer zones (pool {widest} has {counts[widest]}), or move pools to another cluster"
        yield Finding(path=(*at, "pools"), value=groups, allowed=allowed, fix=fix)


def version_notice(_: Environment, at: Path, cluster: Cluster) -> Findings:
    """1.36 works with the scheduler's end-to-end tests, and is not yet among its supported versions."""
    if cluster.kubernetes_version == "1.36":
        yield Finding(
            path=(*at, "kubernetes_version"),
            value=cluster.kubernetes_version,
            allowed="1.35 unless you opt in: YuniKorn 1.9 and the Spark operator are tested up to 1.35",
            fix='write "1.35", or keep it and test your jobs first',
            level="warning",
        )
