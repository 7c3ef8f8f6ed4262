"""Environment files: one YAML file says what a Moka environment is.

`load(name)` reads `environments/<name>.yaml`, checks all of it and returns a frozen `Environment`, or raises
`EnvironmentFileError` with every problem of the file. `load_or_exit` is for commands: it prints the problems and ends the
process with 2. Nothing here imports another package of this repository, AWS' SDK or the network.
"""

from environments.cli import load_or_exit
from environments.loading import EnvironmentFileError, check_together, environment_names, examine, load, load_all
from environments.model import Environment
from environments.problems import Problem

__all__ = [
    "Environment",
    "EnvironmentFileError",
    "Problem",
    "check_together",
    "environment_names",
    "examine",
    "load",
    "load_all",
    "load_or_exit",
]
