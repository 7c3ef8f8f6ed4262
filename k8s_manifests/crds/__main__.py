"""Writes the committed CRDs again (`python -m k8s_manifests.crds`), or prints the facts of a release's CRDs.

It touches nothing but `k8s_manifests/imports/` and needs no network.
"""

import sys
from pathlib import Path

import yaml

from k8s_manifests.crds.facts import table
from k8s_manifests.crds.generator import generate


def main(arguments: list[str]) -> int:
    """Do what `arguments` ask and return the exit code: nothing, or `--facts` and the files of a release."""
    match arguments:
        case []:
            _write()
        case ["--facts", *names] if names:
            sys.stdout.write(table([yaml.safe_load(Path(name).read_text(encoding="utf-8")) for name in names]))
        case _:
            sys.stderr.write("usage: python -m k8s_manifests.crds [--facts FILE.yaml...]\n")
            return 2
    return 0


def _write() -> None:
    """Write the files and say on stderr which changed."""
    for path, text in generate().items():
        changed = not path.exists() or path.read_text(encoding="utf-8") != text
        path.write_text(text, encoding="utf-8")
        sys.stderr.write(f"{path.name}: {'written' if changed else 'unchanged'}, {len(text)} bytes\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
