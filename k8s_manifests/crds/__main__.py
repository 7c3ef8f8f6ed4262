"""Writes the committed CRDs again: `python -m k8s_manifests.crds`. It touches nothing else and needs no network."""

import sys

from k8s_manifests.crds.generator import generate


def main() -> None:
    """Write the files and say on stderr which changed."""
    for path, text in generate().items():
        changed = not path.exists() or path.read_text() != text
        path.write_text(text)
        sys.stderr.write(f"{path.name}: {'written' if changed else 'unchanged'}, {len(text)} bytes\n")


if __name__ == "__main__":
    main()
