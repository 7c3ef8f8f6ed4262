"""Rules that join sections of an environment, one module per concept.

A check reads the environment as if all of it were there and yields findings. When a part of the file was refused the
part is absent, reading it raises AttributeError, and that check is left out: the others still report.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from environments.checks import (
    addresses,
    capacity,
    celeborn,
    clusters,
    existing_network,
    network,
    ownership,
    pool_types,
    pools,
    profile_places,
    profiles,
    queues,
    schedules,
    service,
    tenancy,
)
from environments.model import Environment
from environments.problems import Finding, Findings, Path

Check = Callable[..., Findings]

OF_ENVIRONMENT: Final[tuple[Check, ...]] = (
    network.new_ranges,
    network.overlaps,
    network.zones,
    network.identified_zones,
    network.private_network,
    network.endpoints_once,
    existing_network.subnets,
    existing_network.subnets_per_zone,
    existing_network.load_balancer_subnets,
    existing_network.security_groups,
    addresses.room_for_pools,
    capacity.region_known,
    capacity.zone_count,
    capacity.offered_beyond_table,
    celeborn.both_or_neither,
    celeborn.workers,
    clusters.unique_names,
    tenancy.unique_teams,
    queues.unique_queues,
    queues.form,
    queues.default_queue,
    queues.leaf_settings,
    queues.applications,
    queues.resources,
    queues.unused_leaves,
    service.archer_cluster,
    service.endpoint,
    service.authentication,
    service.endpoint_rules,
    service.database,
    service.pausing,
    service.caches,
    service.delivery,
    service.identity,
    service.pod_security_groups,
    service.catalog,
    service.tags,
    ownership.accounts,
    ownership.in_region,
    ownership.cross_account,
    ownership.autoscaling_grant,
    schedules.unique_schedules,
    schedules.together,
    profiles.unique_profiles,
    profiles.environment_conf,
)
OF_CLUSTER: Final[tuple[Check, ...]] = (
    clusters.an_admin,
    clusters.access_entries,
    clusters.api_endpoint,
    clusters.roles_apart,
    clusters.log_types,
    clusters.node_groups,
    clusters.version_notice,
    capacity.unique_pools,
    capacity.roles,
    capacity.room_for_addons,
)
OF_POOL: Final[tuple[Check, ...]] = (
    pool_types.types_known,
    pool_types.types_offered,
    pool_types.types_equal,
    pool_types.disks,
    pool_types.spot,
    pools.bounds,
    pools.zones,
    pools.image,
    pools.reserved_keys,
    pools.taints_once,
    pools.autoscaler_tags,
    pool_types.generation_notice,
)
OF_TEAM: Final[tuple[Check, ...]] = (
    tenancy.team_clusters,
    tenancy.team_queues,
    tenancy.submitters,
    tenancy.team_data,
    tenancy.quota_against_queues,
    profiles.team_conf,
)
OF_SCHEDULE: Final[tuple[Check, ...]] = (schedules.target, schedules.bounds, schedules.time_zone, schedules.cron)
OF_PROFILE: Final[tuple[Check, ...]] = (
    profiles.conf,
    profiles.parameters,
    profiles.heap,
    profiles.one_driver,
    profile_places.fits_a_node,
    profile_places.runs_somewhere,
)


def run(environment: Environment, *, whole: bool) -> list[Finding]:
    """Return what the checks find; with `whole` false the environment is one that `salvage` made."""
    found: list[Finding] = []
    for check, arguments in calls(environment):
        try:
            found += check(*arguments)
        except AttributeError:
            if whole:
                raise
    return found


def calls(environment: Environment) -> Iterator[tuple[Check, tuple[Any, ...]]]:
    """Yield every check with its arguments: the environment, and for the smaller things their path and themselves."""
    for check in OF_ENVIRONMENT:
        yield check, (environment,)
    for number, cluster in enumerate(_there(environment, "clusters")):
        at: Path = ("clusters", number)
        yield from ((check, (environment, at, cluster)) for check in OF_CLUSTER)
        for index, pool in enumerate(_there(cluster, "pools")):
            yield from ((check, (environment, (*at, "pools", index), cluster, pool)) for check in OF_POOL)
    for section, checks in (("teams", OF_TEAM), ("schedules", OF_SCHEDULE), ("profiles", OF_PROFILE)):
        for index, item in enumerate(_there(environment, section)):
            yield from ((check, (environment, (section, index), item)) for check in checks)


def _there(section: Any, name: str) -> tuple[Any, ...]:
    """Return a list of the section, empty when the file's one was refused."""
    items: tuple[Any, ...] = getattr(section, name, ())
    return items
