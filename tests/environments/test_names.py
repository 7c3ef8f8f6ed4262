"""Names that stacks and charts share: their form, and AWS' limits at the longest values that a file may have."""

import pytest

from environments import load, names
from environments.clusters import Cluster, Pool
from environments.model import Environment
from environments.tenancy import Team


@pytest.fixture
def longest() -> Environment:
    """An environment with the longest names that the model allows."""
    prod = load("prod")
    cluster = prod.clusters[0].model_copy(update={"name": "c" * 20})
    team = prod.teams[0].model_copy(update={"name": "t" * 20})
    return prod.model_copy(
        update={"name": "e" * 12, "region": "ap-southeast-1", "clusters": (cluster,), "teams": (team,)}
    )


def test_no_field_allows_a_longer_name() -> None:
    def bound(section: type[Environment | Cluster | Pool | Team]) -> list[int]:
        metadata = section.model_fields["name"].metadata
        return [each.max_length for each in metadata if hasattr(each, "max_length")]

    assert (bound(Environment), bound(Cluster), bound(Pool), bound(Team)) == ([12], [20], [20], [20])


def test_every_role_name_fits_iam(longest: Environment) -> None:
    workloads = [*names.WORKLOADS, "control-plane", "nodes", *(names.team_workload(team) for team in longest.teams)]

    for workload in workloads:
        assert len(names.role(longest, longest.clusters[0], workload)) <= 64


def test_a_role_name_that_is_too_long_is_refused(longest: Environment) -> None:
    with pytest.raises(ValueError, match="IAM allows 64; shorten the workload's name"):
        names.role(longest, longest.clusters[0], "w" * 26)


def test_every_bucket_name_fits_s3(longest: Environment) -> None:
    for use in ("event-logs", "container-logs", "artifacts", "staging", "access-logs"):
        assert len(names.bucket(longest, use)) <= 63


def test_every_namespace_is_a_label_and_scheduled_by_yunikorn(longest: Environment) -> None:
    assert names.namespace(longest.teams[0]) == f"spark-{'t' * 20}"
    ours = (names.SYSTEM_NAMESPACE, names.OPERATOR_NAMESPACE, names.YUNIKORN_NAMESPACE, names.CELEBORN_NAMESPACE)
    assert not [namespace for namespace in ours if namespace.startswith("spark-")]


def test_names_of_a_shipped_environment() -> None:
    prod = load("prod")
    batch = prod.cluster("batch")

    assert names.eks_cluster(prod, batch) == "moka-prod-batch"
    assert (
        names.role_arn(prod, batch, "archer") == "arn:aws:iam::111111111111:role/platform/moka/moka-prod-batch-archer"
    )
    assert names.bucket(prod, "event-logs") == "moka-prod-event-logs-111111111111-us-east-1"
    assert names.registry(prod) == "111111111111.dkr.ecr.us-east-1.amazonaws.com/moka-prod"
    assert names.registry(load("staging")) == "111111111111.dkr.ecr.us-east-1.amazonaws.com/data-platform/moka"
    assert names.node_group_prefix("driver") == "eks-driver-"


def test_the_partition_follows_the_region(longest: Environment) -> None:
    def of(region: str) -> str:
        return names.partition(longest.model_copy(update={"region": region}))

    assert (of("us-east-1"), of("us-gov-west-1"), of("cn-north-1")) == ("aws", "aws-us-gov", "aws-cn")
