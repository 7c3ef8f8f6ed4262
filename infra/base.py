"""What every stack of an environment has: its account and region, its names, its tags, its bootstrap stack."""

import functools

import aws_cdk as cdk

from environments import Environment, names
from moka_constructs import Location, Mechanism


class MokaStack(cdk.Stack):
    """A stack of one environment. Its CloudFormation name is moka-<environment>-<id>."""

    def __init__(self, stage: cdk.Stage, stack_id: str, environment: Environment, *, protect: bool) -> None:
        """Make the stack; `protect` keeps CloudFormation from deleting it until someone turns that off."""
        super().__init__(
            stage,
            stack_id,
            stack_name=f"moka-{environment.name}-{stack_id}",
            env=cdk.Environment(account=environment.account, region=environment.region),
            synthesizer=_synthesizer(environment.bootstrap.qualifier, environment.bootstrap.execution_role_arn),
            tags=environment.tags,
            termination_protection=protect,
        )
        self.environment_file = environment
        self.location = location(environment)


@functools.cache
def _synthesizer(qualifier: str, execution_role_arn: str | None) -> cdk.DefaultStackSynthesizer:
    """Return the synthesizer for a bootstrap stack; the stacks of an environment share one."""
    return cdk.DefaultStackSynthesizer(qualifier=qualifier, cloud_formation_execution_role=execution_role_arn)


def mechanism(environment: Environment, workload: str) -> Mechanism:
    """Return how a workload's pods get credentials."""
    return environment.identity.overrides.get(workload, environment.identity.mechanism)


def location(environment: Environment) -> Location:
    """Return where the environment's resources are."""
    return Location(partition=names.partition(environment), account=environment.account, region=environment.region)
