"""The operator's program `moka`: shows, renders and runs what the environment files describe.

It may import every other package; nothing imports it. Each command lives in a module of its own that is loaded only when the
command runs, so that `moka --help` needs neither CDK nor Spark.
"""

from moka.errors import BadInputError, MokaError

__all__ = ["BadInputError", "MokaError"]
