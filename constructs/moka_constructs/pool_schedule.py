"""Changes of node pools' bounds at times of day: fewer nodes at night, more when capacity is idle elsewhere.

EKS refuses a minimum above a group's present size and a maximum below it
(https://github.com/aws/containers-roadmap/issues/1637), and the present size is the autoscaler's. So EventBridge Scheduler
starts a small state machine instead of calling EKS blindly: it looks, lifts the size to a higher minimum, and waits with a
lower maximum until the autoscaler has taken idle nodes away. No running job loses a node to a schedule, and there is no
function to own. One that waits gives way when a later schedule, a deploy or an engineer has changed the bounds meanwhile.
A later deploy does not undo a schedule: CloudFormation writes bounds only when the template's change.
"""

import dataclasses
import json
from typing import Any, Final

from aws_cdk import CfnTag
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from moka_constructs.errors import PropsError
from moka_constructs.location import Location
from moka_constructs.node_pool import NodePool
from moka_constructs.service_role import ServiceRole, ServiceRoleProps
from moka_constructs.statements import Statement

WAIT_SECONDS: Final = 300
"""Between two looks at a group that is too large for its new maximum."""
PATIENCE_SECONDS: Final = 8 * 3600
"""Longest wait for idle nodes: a night."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PoolSchedule:
    """New bounds of every group of a pool, at a time."""

    name: str
    """Name of the schedule, at most 55 characters; the zone is appended for each group."""
    pool: NodePool
    cron: str
    """Six fields as EventBridge Scheduler takes them."""
    timezone: str
    """IANA name."""
    min_nodes_per_zone: int
    max_nodes_per_zone: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class PoolSchedulesProps:
    """The schedules of one cluster."""

    cluster_name: str
    """Name of the cluster, as text; also of the schedule group."""
    resize_role_name: str
    """Role of the state machine, and the machine's name: it changes bounds."""
    start_role_name: str
    """Role of EventBridge Scheduler: it starts the state machine and nothing else."""
    location: Location
    schedules: tuple[PoolSchedule, ...]


class PoolSchedules(Construct):
    """One schedule per group, the state machine that they start, and the roles of both."""

    def __init__(self, scope: Construct, construct_id: str, props: PoolSchedulesProps) -> None:
        super().__init__(scope, construct_id)
        self._props = props
        for schedule in props.schedules:
            self._check(schedule)
        self._machine = self._state_machine()
        self._start = self._start_role()
        group = scheduler.CfnScheduleGroup(
            self, "Group", name=props.cluster_name, tags=[CfnTag(key="Name", value=props.cluster_name)]
        )
        for schedule in props.schedules:
            for zone, node_group in schedule.pool.group_names.items():
                self._schedule(group.ref, schedule, zone, node_group)

    def _check(self, schedule: PoolSchedule) -> None:
        if schedule.min_nodes_per_zone > schedule.max_nodes_per_zone:
            raise PropsError(
                "MinAboveMax",
                f"`min_nodes_per_zone` of schedule {schedule.name} must be at most `max_nodes_per_zone` ({schedule.max_nodes_per_zone}), got {schedule.min_nodes_per_zone}; raise the maximum or lower the minimum",
                self,
            )

    def _state_machine(self) -> str:
        """Make the state machine and return its ARN."""
        props = self._props
        groups = sorted({name for each in props.schedules for name in each.pool.group_names.values()})
        role = ServiceRole(
            self,
            "ResizeRole",
            ServiceRoleProps(
                role_name=props.resize_role_name,
                location=props.location,
                description=f"Changes the bounds of scheduled node groups of EKS cluster {props.cluster_name}",
                service="states.amazonaws.com",
                statements=(
                    Statement(
                        sid="ResizeScheduledGroups",
                        actions=("eks:DescribeNodegroup", "eks:UpdateNodegroupConfig"),
                        # the last part of a group's ARN is a UUID that EKS makes
                        resources=tuple(
                            props.location.arn("eks", f"nodegroup/{props.cluster_name}/{group}/*") for group in groups
                        ),
                    ),
                ),
                own_account_only=True,
            ),
        )
        machine = stepfunctions.CfnStateMachine(
            self,
            "Resize",
            state_machine_name=props.resize_role_name,
            state_machine_type="STANDARD",
            role_arn=role.arn,
            definition_string=json.dumps(resize_definition(props.location.partition)),
        )
        return str(machine.attr_arn)

    def _start_role(self) -> str:
        props = self._props
        role = ServiceRole(
            self,
            "StartRole",
            ServiceRoleProps(
                role_name=props.start_role_name,
                location=props.location,
                description=f"Starts scheduled changes of node groups of EKS cluster {props.cluster_name}",
                service="scheduler.amazonaws.com",
                statements=(
                    Statement(
                        sid="StartResize",
                        actions=("states:StartExecution",),
                        resources=(props.location.arn("states", f"stateMachine:{props.resize_role_name}"),),
                    ),
                ),
                own_account_only=True,
            ),
        )
        return role.arn

    def _schedule(self, group: str, schedule: PoolSchedule, zone: str, node_group: str) -> None:
        request = {
            "ClusterName": self._props.cluster_name,
            "NodegroupName": node_group,
            "MinSize": schedule.min_nodes_per_zone,
            "MaxSize": schedule.max_nodes_per_zone,
        }
        short = zone.rsplit("-", 1)[1]
        made = scheduler.CfnSchedule(
            self,
            f"{''.join(part.capitalize() for part in schedule.name.split('-'))}{short.upper()}",
            name=f"{schedule.name}-{short}",
            group_name=group,
            description=f"{schedule.min_nodes_per_zone} to {schedule.max_nodes_per_zone} nodes of pool {schedule.pool.name} in {zone}",
            schedule_expression=f"cron({schedule.cron})",
            schedule_expression_timezone=schedule.timezone,
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=self._machine, role_arn=self._start, input=json.dumps(request)
            ),
        )
        made.node.add_dependency(schedule.pool)


def resize_definition(partition: str) -> dict[str, Any]:
    """Return the state machine in Amazon States Language (https://states-language.net/spec.html).

    Its input is {"ClusterName", "NodegroupName", "MinSize", "MaxSize"}. Requests to EKS carry the service model's names:
    Step Functions refuses the API's camelCase.
    """
    sdk = f"arn:{partition}:states:::aws-sdk:eks"
    group = {"ClusterName.$": "$.ClusterName", "NodegroupName.$": "$.NodegroupName"}
    bounds = {"MinSize.$": "$.MinSize", "MaxSize.$": "$.MaxSize"}
    # another update of the group runs, a node upgrade perhaps
    busy = [
        {
            "ErrorEquals": ["Eks.ResourceInUseException"],
            "IntervalSeconds": WAIT_SECONDS,
            "BackoffRate": 1,
            "MaxAttempts": PATIENCE_SECONDS // WAIT_SECONDS,
        },
        {"ErrorEquals": ["Eks.InvalidParameterException"], "MaxAttempts": 0},
        {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 10, "BackoffRate": 2, "MaxAttempts": 5},
    ]
    # the autoscaler moved the size between look and update: look again
    moved = [{"ErrorEquals": ["Eks.InvalidParameterException"], "ResultPath": None, "Next": "Wait"}]

    bounds_now = {"Low.$": "$.Nodegroup.ScalingConfig.MinSize", "High.$": "$.Nodegroup.ScalingConfig.MaxSize"}

    def look(what: dict[str, str], into: str, then: str) -> dict[str, Any]:
        return {
            "Type": "Task",
            "Resource": f"{sdk}:describeNodegroup",
            "Parameters": group,
            "ResultSelector": what,
            "ResultPath": into,
            "Retry": busy[-1:],
            "Next": then,
        }

    def update(scaling: dict[str, str]) -> dict[str, Any]:
        return {
            "Type": "Task",
            "Resource": f"{sdk}:updateNodegroupConfig",
            "Parameters": {**group, "ScalingConfig": scaling},
            "Retry": busy,
            "Catch": moved,
            "End": True,
        }

    return {
        "Comment": "New bounds for one node group, without taking a node from a job",
        "StartAt": "Remember",
        "TimeoutSeconds": PATIENCE_SECONDS,
        "States": {
            "Remember": look(bounds_now, "$.Before", "Look"),
            "Look": look({"Size.$": "$.Nodegroup.ScalingConfig.DesiredSize", **bounds_now}, "$.Now", "Compare"),
            "Compare": {
                "Type": "Choice",
                "Choices": [
                    {
                        "Or": [
                            {"Not": {"Variable": f"$.Now.{bound}", "NumericEqualsPath": f"$.Before.{bound}"}}
                            for bound in ("Low", "High")
                        ],
                        "Next": "Overtaken",
                    },
                    {"Variable": "$.Now.Size", "NumericGreaterThanPath": "$.MaxSize", "Next": "Wait"},
                    {"Variable": "$.Now.Size", "NumericLessThanPath": "$.MinSize", "Next": "Grow"},
                ],
                "Default": "SetBounds",
            },
            "Overtaken": {"Type": "Succeed"},
            "Wait": {"Type": "Wait", "Seconds": WAIT_SECONDS, "Next": "Look"},
            "Grow": update({**bounds, "DesiredSize.$": "$.MinSize"}),
            "SetBounds": update(bounds),
        },
    }
