"""The AWS calls that checks declare: the source of the IAM policy, and the limit of what may be called.

A call that changes something cannot be declared: its verb is refused here. The IAM action is the API operation under
the service's IAM prefix; that holds for every operation below and is compared with the list of IAM actions in a test.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from environments import Environment
from environments.network import ExistingNetwork

READ_VERBS: Final = ("Describe", "List", "Get", "Lookup")

_IAM_PREFIX: Final = {"service-quotas": "servicequotas"}
"""IAM's name of a service where it is not botocore's."""


@dataclass(frozen=True, kw_only=True)
class Scope:
    """The resources that a call is allowed on."""

    words: str
    """As the reference says it."""
    arns: Callable[[Environment], tuple[str, ...]]
    """ARNs for an environment; none when the environment never leads to the call."""


EVERYTHING: Final = Scope(words="*", arns=lambda _: ("*",))
"""For calls that IAM cannot limit to a resource, such as EC2's Describe calls."""

OF_EXISTING_NETWORK: Final = Scope(
    words="* (existing networks only)",
    arns=lambda environment: ("*",) if isinstance(environment.network, ExistingNetwork) else (),
)
"""Likewise, for calls that an environment with a network of its own never leads to."""


@dataclass(frozen=True)
class Call:
    """One API operation. ValueError for one that may change something."""

    service: str
    """As boto3 names it: ec2, service-quotas."""
    operation: str
    """As the API names it: DescribeVpcs."""
    scope: Scope = EVERYTHING

    def __post_init__(self) -> None:
        if not self.operation.startswith(READ_VERBS):
            raise ValueError(
                f"`operation` must start with {', '.join(READ_VERBS)}, got {self.operation}; preflight only reads"
            )

    @property
    def action(self) -> str:
        """The IAM action: ec2:DescribeVpcs."""
        return f"{_IAM_PREFIX.get(self.service, self.service)}:{self.operation}"
