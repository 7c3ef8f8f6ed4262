"""One pool by itself: its bounds, its zones, its image, its labels. Its types are in `pool_types.py`."""

from typing import Final

from environments.clusters import Cluster, Pool
from environments.model import Environment
from environments.problems import Finding, Findings, Path, Words, listed

RESERVED_DOMAINS: Final = ("kubernetes.io", "k8s.io", "eks.amazonaws.com", "moka.dev")
"""Label and taint domains that Kubernetes, EKS and Moka write themselves; the API refuses most of them from a kubelet."""


def bounds(_: Environment, at: Path, __: Cluster, pool: Pool) -> Findings:
    """Minimum and maximum; a system pool is never empty."""
    low, high = pool.min_nodes_per_zone, pool.max_nodes_per_zone
    if low > high:
        fix = f"raise max_nodes_per_zone to {low} or lower min_nodes_per_zone"
        yield Finding(
            path=(*at, "min_nodes_per_zone"), value=low, allowed=f"at most max_nodes_per_zone ({high})", fix=fix
        )
    if pool.role == "system" and low < 1:
        allowed = "at least 1 in a system pool: DNS, the scheduler and Archer run there"
        yield Finding(path=(*at, "min_nodes_per_zone"), value=low, allowed=allowed, fix="set min_nodes_per_zone: 1")


def zones(environment: Environment, at: Path, _: Cluster, pool: Pool) -> Findings:
    """A pool's zones are zones of the network."""
    if pool.zones is None:
        return
    known = environment.network.zones
    if not pool.zones:
        yield Finding(
            path=(*at, "zones"), value=[], allowed="at least one zone", fix="remove zones to use all of the network's"
        )
    for index, zone in enumerate(pool.zones):
        if zone not in known:
            yield Finding(
                path=(*at, "zones", index),
                value=zone,
                allowed=f"one of {listed(known)}",
                fix="write one of them, or add it to the network",
            )
        elif zone in pool.zones[:index]:
            yield Finding(path=(*at, "zones", index), value=zone, allowed="each zone once", fix="remove it")


def image(_: Environment, at: Path, cluster: Cluster, pool: Pool) -> Findings:
    """An AL2023 release carries a kubelet of the cluster's minor version; Bottlerocket's version is its own."""
    release, version = pool.ami_release_version, cluster.kubernetes_version
    if pool.operating_system == "al2023" and not release.startswith(f"{version}."):
        allowed = f"a release for Kubernetes {version}, the cluster's version"
        fix = f"take the newest {version}.* release of awslabs/amazon-eks-ami"
        yield Finding(path=(*at, "ami_release_version"), value=release, allowed=allowed, fix=fix)
    if pool.operating_system == "bottlerocket" and release.startswith(f"{version}."):
        allowed = "a Bottlerocket version such as 1.64.0-a1b2c3d4, not a kubelet's"
        yield Finding(
            path=(*at, "ami_release_version"),
            value=release,
            allowed=allowed,
            fix="take a release of bottlerocket-os/bottlerocket, or set operating_system: al2023",
        )


LONGEST_KEY: Final = 82
"""Of labels and taints: the autoscaler reads them from tags, whose keys have 128 characters, 46 of them its own."""
MOST_TAGS: Final = 45
"""Of an Auto Scaling group: 50, of which EKS takes five."""
OWN_TAGS: Final = 7
"""Discovery, storage, idle time, three labels and a taint."""


def autoscaler_tags(environment: Environment, at: Path, _: Cluster, pool: Pool) -> Findings:
    """Labels and taints become tags of Auto Scaling groups, beside those of the environment."""
    given: list[tuple[Path, str]] = [((*at, "labels", key), key) for key in pool.labels]
    given += [((*at, "taints", index, "key"), taint.key) for index, taint in enumerate(pool.taints)]
    for path, key in given:
        if len(key) > LONGEST_KEY:
            allowed = f"at most {LONGEST_KEY} characters, so that the autoscaler can read it from a tag"
            yield Finding(path=path, value=key, allowed=allowed, fix=f"shorten it by {len(key) - LONGEST_KEY}")
    count = len(environment.tags) + len(given) + OWN_TAGS
    if given and count > MOST_TAGS:
        yield Finding(
            path=(*at, "labels"),
            value=Words(f"{len(given)} labels and taints, {len(environment.tags)} tags"),
            allowed=f"together at most {MOST_TAGS - OWN_TAGS}: each is a tag of the Auto Scaling group",
            fix=f"drop {count - MOST_TAGS}",
        )


def taints_once(_: Environment, at: Path, __: Cluster, pool: Pool) -> Findings:
    """A taint's key is part of the tag that the autoscaler reads it from, and there is one tag of a key."""
    seen: set[str] = set()
    for index, taint in enumerate(pool.taints):
        if taint.key in seen:
            yield Finding(
                path=(*at, "taints", index, "key"),
                value=taint.key,
                allowed="each key once: the autoscaler knows one taint of a key",
                fix="remove it, or use another key",
            )
        seen.add(taint.key)


def reserved_keys(_: Environment, at: Path, __: Cluster, pool: Pool) -> Findings:
    """Labels and taints that Kubernetes, EKS or Moka set themselves."""
    given: list[tuple[Path, str]] = [((*at, "labels", key), key) for key in pool.labels]
    given += [((*at, "taints", index, "key"), taint.key) for index, taint in enumerate(pool.taints)]
    for path, key in given:
        domain = key.split("/")[0] if "/" in key else ""
        if any(domain == reserved or domain.endswith(f".{reserved}") for reserved in RESERVED_DOMAINS):
            allowed = f"a key outside {listed(RESERVED_DOMAINS)}"
            yield Finding(
                path=path, value=key, allowed=allowed, fix="use a domain of your own, for example example.com/owner"
            )
