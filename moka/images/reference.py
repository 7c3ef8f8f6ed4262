"""Writes `docs/reference/images.md` from the lists themselves: `python -m moka.images.reference`.

A test fails when the page is stale. The tags of our own images are shown without the hash of their sources, so that the page
does not change with each line of Archer.
"""

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from environments import environment_names, load
from k8s_manifests.own_images import ROOT, spark_features
from moka.images.catalog import PLATFORMS, Entry, catalog

PAGE: Final = Path(__file__).parents[2] / "docs" / "reference" / "images.md"

_INTRODUCTION: Final = """# Images

<!-- made by `python -m moka.images.reference`; change k8s_manifests/images.py, own_images.py or images/, not this page -->

Every container image that an environment needs, as `moka images list ENV` tells it, each for {platforms}. How they get into the
registry: [the guide](../guides/images.md).

`…` in a tag stands for 12 hex digits of a hash over all that the image is made from; `moka images list ENV` shows them.
A digest is that of the index of all architectures, written down where a public source states it; a push stops when upstream has another
one. Where there is none, the first push takes what upstream's tag names, and later ones compare.
"""

_FEATURES: Final = """What the Spark image can do beyond Spark, from `images/spark/jars.lock`. Archer refuses a job that needs a feature
which is not built; the image's label `moka.dev/features` names those that are.
"""


def page() -> str:
    """Return the whole page as Markdown."""
    parts = [_INTRODUCTION.format(platforms=" and ".join(PLATFORMS))]
    parts += [_environment(name) for name in environment_names()]
    parts += ["## Features of the Spark image\n", _FEATURES]
    parts += [_table(("feature", "what", "built"), _features())]
    parts += [
        "## Jars of the Spark image\n",
        _table(("Maven coordinates", "feature", "MB", "licence", "sha256"), _jars()),
    ]
    return "\n".join(parts)


def _environment(name: str) -> str:
    entries = catalog(load(name))
    columns = ("repository", "tag", "from", "digest", "version looked up at")
    where = entries[0].target.rsplit("/", 1)[0]
    return f"## {name}\n\nIn `{where}`.\n\n{_table(columns, map(_row, entries))}"


def _row(entry: Entry) -> tuple[str, ...]:
    tag = f"{entry.own.version}-…" if entry.own is not None else entry.tag
    digest = "built here" if entry.own is not None else f"`{entry.digest}`" if entry.digest else "not known"
    return f"`{entry.repository}`", f"`{tag}`", f"`{entry.source}`", digest, entry.version_source or "this tree"


def _features() -> Iterable[tuple[str, ...]]:
    for feature in spark_features():
        yield f"`{feature.name}`", feature.what, "yes" if feature.built else f"no: {feature.why_not}"


def _jars() -> Iterable[tuple[str, ...]]:
    lock = tomllib.loads((ROOT / "images/spark/jars.lock").read_text(encoding="utf-8"))
    for jar in lock["jar"]:
        size = f"{jar['size'] / 1e6:.1f}" if jar["size"] else ""
        sha256 = f"`{jar['sha256']}`" if jar["sha256"] else "not known"
        yield f"`{jar['coordinate']}`", f"`{jar['feature']}`", size, jar["licence"], sha256


def _table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the page."""
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
