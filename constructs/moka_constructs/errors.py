"""The one error of this library: props that cannot become resources.

A construct refuses what CloudFormation would refuse half an hour later, or accept and do wrong. It never guesses.
"""

from constructs import IConstruct


class PropsError(ValueError):
    """Props that a construct cannot use; `code` is stable, the text names the value and the fix, then the construct."""

    def __init__(self, code: str, message: str, construct: IConstruct) -> None:
        """Join `message` and the path of `construct`; `code` is a PascalCase word that tests and tools may match."""
        self.code = code
        self.path = construct.node.path
        super().__init__(f"{message} [{self.path}] ({code})")
