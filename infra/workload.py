"""A workload: pods of one service account and what they may do in AWS. What differs is in `workloads` and `team_workload`."""

import dataclasses
from typing import Final

from environments import Environment, names
from moka_constructs import ServiceAccount, Statement

EVENT_LOG_PREFIX: Final = "spark-events/"
"""Where Spark writes event logs and the History Server reads them; teams share it, as Spark's layout has no teams."""
CONTAINER_LOG_PREFIX: Final = "logs/"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Workload:
    """Pods of one service account and their rights."""

    name: str
    """As `names.role` and `identity.overrides` know it."""
    purpose: str
    """What the role is for, one line: IAM's console shows it."""
    service_account: ServiceAccount
    statements: tuple[Statement, ...]


def service_account(workload: str) -> ServiceAccount:
    """Return the account of one of the platform's own workloads."""
    namespace, name = names.SERVICE_ACCOUNTS[workload]
    return ServiceAccount(namespace=namespace, name=name)


def bucket_arn(environment: Environment, use: names.BucketUse) -> str:
    """Return the ARN of one of the platform's buckets."""
    return f"arn:{names.partition(environment)}:s3:::{names.bucket(environment, use)}"
