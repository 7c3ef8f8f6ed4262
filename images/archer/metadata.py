"""Writes the installed package's metadata into the image: `python3 metadata.py pyproject.toml FOLDER`.

Archer tells its version by `importlib.metadata`. Building a wheel for that would put CDK's part of the project into the
image, and a build tool from the network into the build.
"""

import sys
import tomllib
from pathlib import Path


def main(project_file: str, folder: str) -> None:
    """Write FOLDER/<name>-<version>.dist-info."""
    project = tomllib.loads(Path(project_file).read_text(encoding="utf-8"))["project"]
    name, version = project["name"], project["version"]
    metadata = Path(folder) / f"{name}-{version}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
