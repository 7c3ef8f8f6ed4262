"""Errors of the testbed: a message for a person, with what to do; `moka.errors` gives them their exit codes."""

from moka.errors import BadInputError, MokaError


class CannotBuildError(MokaError):
    """The programs of the testbed could not be built."""


class NoGoError(CannotBuildError):
    """This machine has no Go, so nothing can be built on it; a test may be skipped for that."""


class CannotStartError(MokaError):
    """A program of the testbed did not come up, or went away."""


class ForeignClusterError(BadInputError):
    """The cluster that the variables name is none that tests may break."""


class CannotRunHereError(MokaError):
    """This machine lacks what a real node needs; a test may be skipped for that."""
