"""Errors that end a `moka` command: the message is for a person, the exit code for a script.

`MokaError` (1) is what was tried and failed, its subclass `BadInputError` (2) what was not even tried: change the input.
"""


class MokaError(Exception):
    """Something that was asked for could not be done."""

    exit_code = 1


class BadInputError(MokaError):
    """The arguments or files given cannot be used."""

    exit_code = 2
