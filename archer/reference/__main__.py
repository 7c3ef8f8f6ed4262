"""`python -m archer.reference FOLDER` writes all pages."""

import sys
from pathlib import Path

from archer.reference import PAGES


def main(folder: Path) -> None:
    for name, page in PAGES.items():
        (folder / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
