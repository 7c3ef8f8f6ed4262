"""Writes the pictures of architectures that the documentation shows: `python -m moka.architecture.docs`.

Makes `docs/images/ENV-architecture.svg` for each of PICTURED from its templates. A test fails when one is stale.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from moka.architecture.environment import make_architecture
from moka.architecture.picture import architecture_picture
from moka.environment_stacks import stacks_of

PICTURED: Final = ("prod", "dev")
COMMAND: Final = "python -m moka.architecture.docs"
IMAGES: Final = Path(__file__).parents[2] / "docs" / "images"


def picture_of(environment: str) -> Path:
    """Return the file of an environment's picture."""
    return IMAGES / f"{environment}-architecture.svg"


def main() -> None:
    """Write the pictures."""
    for name in PICTURED:
        picture = architecture_picture(make_architecture(stacks_of(name, None, what_for="draw")))
        picture_of(name).write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
