"""Whether the service-linked roles are there that the platform's services act through.

AWS makes most of them on first use, for callers that may create them; where an organisation denies that, the first deploy
fails. AWSServiceRoleForAutoScaling must be there before: the policy of the volumes' key names it, and KMS refuses a policy
that names a role that does not exist.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from environments import Environment
from environments.names import partition
from moka.preflight.calls import Call, Scope
from moka.preflight.check import Check, Context, ask
from moka.preflight.iam_roles import fetch_role
from moka.preflight.rows import Verdict, failed, passed, warned


@dataclass(frozen=True, kw_only=True)
class ServiceRole:
    """A service-linked role."""

    name: str
    service: str
    """Service principal that owns it."""
    must_exist: bool = False
    """Whether nothing makes it in time."""


AUTO_SCALING: Final = ServiceRole(
    name="AWSServiceRoleForAutoScaling", service="autoscaling.amazonaws.com", must_exist=True
)
SPOT: Final = ServiceRole(name="AWSServiceRoleForEC2Spot", service="spot.amazonaws.com")
ALWAYS: Final = (
    AUTO_SCALING,
    ServiceRole(name="AWSServiceRoleForAmazonEKS", service="eks.amazonaws.com"),
    ServiceRole(name="AWSServiceRoleForAmazonEKSNodegroup", service="eks-nodegroup.amazonaws.com"),
    ServiceRole(name="AWSServiceRoleForElasticLoadBalancing", service="elasticloadbalancing.amazonaws.com"),
    ServiceRole(name="AWSServiceRoleForRDS", service="rds.amazonaws.com"),
)


def needed_roles(environment: Environment) -> tuple[ServiceRole, ...]:
    """Return the service-linked roles that the environment's services use."""
    spot = any(pool.capacity == "spot" for cluster in environment.clusters for pool in cluster.pools)
    return (*ALWAYS, SPOT) if spot else ALWAYS


def _arns(environment: Environment) -> tuple[str, ...]:
    start = f"arn:{partition(environment)}:iam::{environment.account}:role/aws-service-role"
    return tuple(f"{start}/{role.service}/{role.name}" for role in needed_roles(environment))


ROLE: Final = Call("iam", "GetRole", Scope(words="the service-linked roles", arns=_arns))


def judge(wanted: ServiceRole, role: dict[str, Any] | None) -> Iterator[Verdict]:
    """Yield whether a service-linked role exists."""
    fix = f"aws iam create-service-linked-role --aws-service-name {wanted.service}"
    if role is not None:
        yield passed(wanted.name, "there")
    elif wanted.must_exist:
        yield failed(wanted.name, "not there", needed="there before the first deploy: a key's policy names it", fix=fix)
    else:
        yield warned(wanted.name, "not there", needed="made on first use, where the deploying role may", fix=fix)


def _one(context: Context, wanted: ServiceRole) -> Iterator[Verdict]:
    return ask(wanted.name, lambda: fetch_role(context.aws, ROLE, wanted.name), lambda role: judge(wanted, role))


def _run(context: Context) -> Iterator[Verdict]:
    for wanted in needed_roles(context.environment):
        yield from _one(context, wanted)


CHECK: Final = Check(
    name="service-roles",
    asks="Are the service-linked roles of Auto Scaling, EKS, load balancing, RDS and spot there?",
    calls=(ROLE,),
    run=_run,
)
