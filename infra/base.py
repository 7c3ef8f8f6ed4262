"""What every stack of an environment has: its account and region, its names, its tags, its bootstrap stack."""

import aws_cdk as cdk

from environments import Environment, names
from moka_constructs import Alarm, Location, Mechanism, make_alarm, topic_arn


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
        self.alarm_names: list[str] = []
        """Names of the alarms in this stack."""

    def watch(self, construct_id: str, alarm: Alarm) -> None:
        """Make an alarm that tells the environment's topics; nothing where the file has no `alarms`."""
        if self.environment_file.alarms is not None:
            make_alarm(self, f"Alarm{construct_id}", alarm, alarm_topics(self.environment_file))
            self.alarm_names.append(alarm.name)


def _synthesizer(qualifier: str, execution_role_arn: str | None) -> cdk.DefaultStackSynthesizer:
    """Return the synthesizer for a bootstrap stack; each stack has its own, because one keeps a single list of assets.

    Stacks that share one would publish each other's templates and files, into each other's accounts and regions.
    """
    return cdk.DefaultStackSynthesizer(qualifier=qualifier, cloud_formation_execution_role=execution_role_arn)


def mechanism(environment: Environment, workload: str) -> Mechanism:
    """Return how a workload's pods get credentials."""
    return environment.identity.overrides.get(workload, environment.identity.mechanism)


def location(environment: Environment) -> Location:
    """Return where the environment's resources are."""
    return Location(partition=names.partition(environment), account=environment.account, region=environment.region)


def alarm_topics(environment: Environment) -> tuple[str, ...]:
    """Return the ARNs of the topics that alarms write to: our own when the file names addresses, and existing ones."""
    alarms = environment.alarms
    if alarms is None:
        return ()
    own = (topic_arn(location(environment), names.alarm_topic(environment)),) if alarms.emails else ()
    return (*own, *alarms.topic_arns)
