"""The command line `archer`: a client of the API, and the way to start a server.

Standard output is data, standard error is talk; every command that answers has `--output json`; the exit codes are a
contract (`archer.cli.exit_codes`). The client's commands import no web framework, database library or Spark, so that
they answer at once.
"""

from archer.cli.application import main

__all__ = ["main"]
