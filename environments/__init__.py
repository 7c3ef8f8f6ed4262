"""Environment files: one YAML file says what a Moka environment is.

`load(name)` reads `environments/<name>.yaml`, checks all of it and returns a frozen `Environment`, or raises
`EnvironmentFileError` with every problem of the file. Nothing here imports another package of this repository.
"""

from environments.loading import EnvironmentFileError, environment_names, load
from environments.model import Environment

__all__ = ["Environment", "EnvironmentFileError", "environment_names", "load"]
