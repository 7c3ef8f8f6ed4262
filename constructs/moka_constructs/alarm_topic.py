"""The SNS topic that alarms write to: encrypted, TLS only, for CloudWatch and EventBridge of this account.

It has a key of its own: both services publish under their own identity, which the key's policy must admit, and the
AWS managed key of SNS cannot be made to. EventBridge is admitted without a condition, to this topic and this key only: it
sends no account with what it publishes, so that a statement with `aws:SourceAccount` would drop every message in silence.
Sources: https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services and
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-sns-permissions
"""

import dataclasses
from typing import Final

from aws_cdk import CfnResource
from constructs import Construct

from moka_constructs.encryption_key import EncryptionKey, EncryptionKeyProps
from moka_constructs.location import Location

ALARMS: Final = "cloudwatch.amazonaws.com"
EVENTS: Final = "events.amazonaws.com"


@dataclasses.dataclass(frozen=True, kw_only=True)
class AlarmTopicProps:
    """A topic and who reads it."""

    name: str
    """Name of the topic, as text: alarms compute its ARN from it. Also the alias of its key."""
    location: Location
    emails: tuple[str, ...]


class AlarmTopic(Construct):
    """Topic, policy, key and subscriptions."""

    def __init__(self, scope: Construct, construct_id: str, props: AlarmTopicProps) -> None:
        super().__init__(scope, construct_id)
        arn = topic_arn(props.location, props.name)
        key = EncryptionKey(
            self,
            "Key",
            EncryptionKeyProps(
                alias=props.name,
                description=f"Messages of topic {props.name}",
                location=props.location,
                # messages live for minutes: nothing is lost with it
                retain=False,
                services=(ALARMS,),
                services_without_account=(EVENTS,),
            ),
        )
        topic = CfnResource(
            self, "Resource", type="AWS::SNS::Topic", properties={"TopicName": props.name, "KmsMasterKeyId": key.arn}
        )
        alarms = {
            "Sid": "AlarmsOfThisAccount",
            "Effect": "Allow",
            "Principal": {"Service": ALARMS},
            "Action": "sns:Publish",
            "Resource": arn,
            "Condition": {"StringEquals": {"aws:SourceAccount": props.location.account}},
        }
        events = {
            "Sid": "EventsToThisTopic",
            "Effect": "Allow",
            "Principal": {"Service": EVENTS},
            "Action": "sns:Publish",
            "Resource": arn,
        }
        tls_only = {
            "Sid": "DenyWithoutTls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sns:Publish",
            "Resource": arn,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
        CfnResource(
            self,
            "Policy",
            type="AWS::SNS::TopicPolicy",
            properties={
                "Topics": [topic.ref],
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [alarms, events, tls_only]},
            },
        )
        for number, email in enumerate(props.emails, start=1):
            CfnResource(
                self,
                f"Email{number}",
                type="AWS::SNS::Subscription",
                properties={"TopicArn": topic.ref, "Protocol": "email", "Endpoint": email},
            )


def topic_arn(location: Location, name: str) -> str:
    """Return the ARN of the topic `name`."""
    return location.arn("sns", name)
