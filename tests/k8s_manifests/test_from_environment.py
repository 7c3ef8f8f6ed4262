"""What is computed from the file rather than copied from it; each chart's own test looks at what comes out."""

import pytest

from environments import environment_names, load, names
from k8s_manifests import from_environment as props


@pytest.mark.parametrize("name", environment_names())
def test_a_role_is_annotated_exactly_where_irsa_gives_it(name: str) -> None:
    environment = load(name)
    cluster = environment.clusters[0]
    for workload in names.WORKLOADS:
        mechanism = environment.identity.overrides.get(workload, environment.identity.mechanism)
        found = props.irsa_role(environment, cluster, workload)
        assert found == (names.role_arn(environment, cluster, workload) if mechanism == "irsa" else None)


def test_the_largest_size_of_a_pool_is_what_a_schedule_may_make_it() -> None:
    environment = load("prod")
    batch = environment.cluster("batch")

    # executor-arm: 200 by day, 300 at night; celeborn in one zone
    assert props.cluster_autoscaler(environment, batch).nodes == 3 * (4 + 60 + 10 + 300 + 60 + 100) + 12


def test_pods_are_those_that_the_teams_of_the_cluster_may_have_and_some_on_each_node() -> None:
    environment = load("prod")
    adhoc = environment.cluster("adhoc")
    found = props.yunikorn(environment, adhoc)

    assert found.nodes == 3 * (3 + 30 + 60)
    assert found.pods == 3000 + 10 * found.nodes, "the analysts' quota alone"


def test_the_api_server_and_endpoints_are_found_in_the_network_section() -> None:
    dev, test, staging = (props.cluster_network(load(name)) for name in ("dev", "test", "staging"))

    assert dev.endpoint_cidrs == ("10.40.0.0/20",)
    assert test.endpoint_cidrs == (), "no interface endpoints there"
    assert staging.control_plane_cidrs == ("10.60.0.0/27", "10.60.0.32/27", "10.60.0.64/27")
    assert staging.endpoint_cidrs == ("10.60.0.0/20", "100.64.0.0/16")
