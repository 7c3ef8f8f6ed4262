"""VPC flow logs to CloudWatch: who talked to whom, kept for a stated time."""

import dataclasses

from aws_cdk import CfnTag
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from constructs import Construct

from moka_constructs.location import Location
from moka_constructs.service_role import ServiceRole, ServiceRoleProps
from moka_constructs.statements import Statement


@dataclasses.dataclass(frozen=True, kw_only=True)
class FlowLogsProps:
    """Which VPC, where to and for how long."""

    location: Location
    vpc_id: str
    log_group_name: str
    role_name: str
    retention_days: int
    """A value that CloudWatch Logs accepts."""


class FlowLogs(Construct):
    """All traffic of a VPC, in one log group, aggregated over ten minutes."""

    def __init__(self, scope: Construct, construct_id: str, props: FlowLogsProps) -> None:
        super().__init__(scope, construct_id)
        arn = props.location.arn("logs", f"log-group:{props.log_group_name}")
        group = logs.CfnLogGroup(
            self, "LogGroup", log_group_name=props.log_group_name, retention_in_days=props.retention_days
        )
        write = Statement(
            sid="WriteFlowLogs",
            actions=("logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"),
            resources=(arn, f"{arn}:*"),
        )
        role = ServiceRole(
            self,
            "Role",
            ServiceRoleProps(
                role_name=props.role_name,
                location=props.location,
                description="Lets VPC flow logs write to their log group",
                service="vpc-flow-logs.amazonaws.com",
                statements=(write,),
                own_account_only=True,
            ),
        )
        ec2.CfnFlowLog(
            self,
            "Resource",
            resource_type="VPC",
            resource_id=props.vpc_id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_group_name=group.ref,
            deliver_logs_permission_arn=role.arn,
            max_aggregation_interval=600,
            tags=[CfnTag(key="Name", value=props.log_group_name)],
        )
