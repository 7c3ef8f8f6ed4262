"""What a tool found, in one form for all tools."""

import dataclasses
from typing import Literal

Tool = Literal["cdk-nag", "cfn-lint", "checkov"]


@dataclasses.dataclass(frozen=True, kw_only=True, order=True)
class Finding:
    """One rule broken at one place."""

    tool: Tool
    id: str
    """Rule, with what it names in brackets: AwsSolutions-IAM4[Policy::…]."""
    path: str
    """<environment>/<stack>/<construct path or logical id>."""
    text: str
    """What is wrong, in the tool's words."""
