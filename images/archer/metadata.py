"""Writes the installed package's metadata into the image: `python3 metadata.py moka VERSION FOLDER`.

Archer tells its version by `importlib.metadata`. Building a wheel for that would put CDK's part of the project into the
image, and a build tool from the network into the build.
"""

import sys
from pathlib import Path


def main(name: str, version: str, folder: str) -> None:
    """Write FOLDER/<name>-<version>.dist-info."""
    metadata = Path(folder) / f"{name}-{version}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
