"""The architecture of one environment: all that a picture of it can show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from moka.architecture.cards import Card, read_cards
from moka.architecture.clusters import Cluster, read_clusters
from moka.architecture.entrance import Database, LoadBalancer, read_databases, read_load_balancers
from moka.architecture.flows import Flow, archer_of, read_flows
from moka.architecture.network import Network, read_network
from moka.architecture.resources import Resources

if TYPE_CHECKING:
    from collections.abc import Sequence

    from moka.assembly import SynthesizedStack


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """One environment, read from its templates."""

    name: str
    account: str
    region: str
    stacks: int
    resources: Resources
    network: Network
    clusters: tuple[Cluster, ...]
    """The one that Archer runs on comes first."""
    load_balancers: tuple[LoadBalancer, ...]
    databases: tuple[Database, ...]
    cards: tuple[Card, ...]
    flows: tuple[Flow, ...]


def make_architecture(stacks: Sequence[SynthesizedStack]) -> Architecture:
    """The architecture of the stacks of one environment, which are at least one."""
    resources = Resources(stacks)
    network = read_network(resources)
    clusters = read_clusters(resources)
    host = archer_of(clusters)
    clusters = tuple(sorted(clusters, key=lambda cluster: host is None or cluster is not host[0]))
    balancers, databases = read_load_balancers(resources), read_databases(resources)
    return Architecture(
        name=stacks[0].environment,
        account=stacks[0].account,
        region=stacks[0].region,
        stacks=len(stacks),
        resources=resources,
        network=network,
        clusters=clusters,
        load_balancers=balancers,
        databases=databases,
        cards=read_cards(resources),
        flows=read_flows(resources, network, clusters, balancers, databases),
    )
