"""Who is told when the platform is in trouble, and how much trouble that is."""

from typing import Annotated

from pydantic import Field

from environments.base import Section, TopicArn, shaped

Email = Annotated[
    str,
    shaped(
        "email",
        r"[\w.+-]+@[\w-]+(\.[\w-]+)+",
        allowed="an e-mail address",
        fix="write one address, for example data-platform@example.com",
    ),
]


class Alarms(Section):
    """CloudWatch alarms and the dashboard. With neither address nor topic, alarms are on the dashboard only."""

    emails: Annotated[tuple[Email, ...], Field(max_length=10)] = ()
    """Addresses that Moka's own topic writes to; each has to confirm once."""
    topic_arns: Annotated[tuple[TopicArn, ...], Field(max_length=4)] = ()
    """Existing SNS topics. Their policies, and the keys they are encrypted with, must admit cloudwatch.amazonaws.com and,
    without any condition, events.amazonaws.com."""
    throttled_per_minute: Annotated[int, Field(ge=1, le=100_000)] = 60
    """Requests per minute that an API server may turn away (429) before that is worth a look."""
    full_group_minutes: Annotated[int, Field(ge=10, le=1440, multiple_of=5)] = 30
    """Minutes that a node group may be at its maximum."""
    database_percent: Annotated[int, Field(ge=10, le=100)] = 90
    """Share of `archer.database.max_acu` that the database may use for a quarter of an hour."""
