"""Reads an environment file and refuses it whole, with every problem it has."""

from pathlib import Path

import yaml

from environments.model import Environment

FOLDER = Path(__file__).parent


class EnvironmentFileError(Exception):
    """An environment file that cannot be used; `problems` says all that is wrong with it."""


def environment_names() -> tuple[str, ...]:
    """Return the names of the shipped environments, sorted."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


def load(name: str) -> Environment:
    """Return the environment of `environments/<name>.yaml`."""
    return Environment.model_validate(yaml.safe_load((FOLDER / f"{name}.yaml").read_text()))
