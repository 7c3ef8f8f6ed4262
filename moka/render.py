"""`moka render`: writes an environment's manifests and Archer's view of it to files, the same bytes every time.

Needs neither AWS nor a cluster nor the network. Below the output folder it owns `ENV/CLUSTER/NN-component.yaml` and
`ENV/archer.yaml`, each with a first line that says so: files of earlier renders that no longer belong are removed, and
a file without that line is never touched.
"""

import os
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from environments import Environment, environment_names, load_all
from k8s_manifests import ChartError
from k8s_manifests.rendered import MARK, first_line, rendered_components
from moka.archer_file import ARCHER_FILE, archer_file
from moka.errors import BadInputError, MokaError

DIFFERENT = 3
"""Exit code of `--check` when the files are not what would be rendered."""


@dataclass(frozen=True, kw_only=True)
class RenderedFile:
    """One file of a render."""

    path: Path
    """Below the environment's folder: `batch/20-spark-operator.yaml`, `archer.yaml`."""
    text: str


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A file on disk that is not what a render would write."""

    path: Path
    state: str
    """missing, changed, or left over from an earlier render."""


def rendered_files(environment: Environment, clusters: Iterable[str] | None = None) -> tuple[RenderedFile, ...]:
    """Return what a render writes for the environment, or for the named clusters alone, without writing it.

    Raises BadInputError for an unknown cluster, MokaError for an environment that has no manifests.
    """
    names = [cluster.name for cluster in environment.clusters]
    wanted = names if clusters is None else list(clusters)
    unknown = sorted(set(wanted) - set(names))
    if unknown:
        raise BadInputError(
            f"`--cluster` must be one of {', '.join(names)}, got {', '.join(unknown)}; "
            f"they are the clusters of environment {environment.name}"
        )
    files = [RenderedFile(path=Path(ARCHER_FILE), text=first_line(environment) + archer_file(environment))]
    for cluster in environment.clusters:
        if cluster.name not in wanted:
            continue
        try:
            components = rendered_components(environment, cluster)
        except ChartError as error:
            raise MokaError(f"environment {environment.name} cannot be rendered: {error}") from error
        files += [
            RenderedFile(path=Path(cluster.name) / component.file_name, text=component.text) for component in components
        ]
    return tuple(files)


def render(environment: Environment, out: Path, clusters: Iterable[str] | None = None) -> tuple[Path, ...]:
    """Write the environment's files below `out/<environment>` and return their paths, sorted.

    Each file is replaced whole or not at all; one whose content is right already keeps its time stamp.
    """
    folder = out / environment.name
    files = rendered_files(environment, clusters)
    try:
        for difference in _differences(files, folder, everything=clusters is None):
            if difference.state == "left over":
                difference.path.unlink()
                _remove_if_empty(difference.path.parent)
        for file in files:
            _write(folder / file.path, file.text)
    except OSError as error:
        raise BadInputError(
            f"`--output` must be a folder that can be written to, got {out} ({error.strerror}: {error.filename})"
        ) from error
    return tuple(sorted(folder / file.path for file in files))


def differences(environment: Environment, out: Path, clusters: Iterable[str] | None = None) -> tuple[Difference, ...]:
    """Return how the files below `out/<environment>` differ from what `render` would write, sorted by path."""
    files = rendered_files(environment, clusters)
    return _differences(files, out / environment.name, everything=clusters is None)


def _differences(files: tuple[RenderedFile, ...], folder: Path, *, everything: bool) -> tuple[Difference, ...]:
    found = []
    for file in files:
        path = folder / file.path
        if not path.is_file():
            found.append(Difference(path=path, state="missing"))
        elif path.read_bytes() != file.text.encode():
            found.append(Difference(path=path, state="changed"))
    expected = {folder / file.path for file in files}
    folders = None if everything else {file.path.parent for file in files if file.path.parent.name}
    for path in sorted(folder.glob("*/*.yaml")):
        ours = folders is None or path.parent.relative_to(folder) in folders
        if ours and path not in expected and _is_rendered(path):
            found.append(Difference(path=path, state="left over"))
    return tuple(sorted(found, key=lambda difference: difference.path))


def _is_rendered(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(MARK)) == MARK.encode()


def _remove_if_empty(folder: Path) -> None:
    if not any(folder.iterdir()):
        folder.rmdir()


def _write(path: Path, text: str) -> None:
    """Replace the file in one step, so that no reader and no interruption ever sees half of it."""
    content = text.encode()
    if path.is_file() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        # mkstemp gives 0600; these files are for others to read too
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def render_command(
    environments: Annotated[
        list[str] | None,
        typer.Argument(metavar="ENV...", help="Environments by name, or paths of files; with --all, none."),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "--out", "-o", metavar="DIR", help="Folder to write below.")
    ] = Path("dist"),
    cluster: Annotated[
        list[str] | None, typer.Option("--cluster", metavar="NAME", help="Only this cluster; may be repeated.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every environment.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 3 when the files are not up to date.")
    ] = False,
) -> None:
    """Write the Kubernetes manifests of environments: DIR/ENV/CLUSTER/NN-component.yaml and DIR/ENV/archer.yaml.

    Prints the path of each file; with --check, each path that differs and how.
    """
    # all are read before any is written: a bad file must not leave half of a render behind
    chosen = load_all(_chosen(environments or [], every=every))
    if check:
        found = [difference for each in chosen for difference in differences(each, output, cluster)]
        for difference in found:
            sys.stdout.write(f"{difference.state}: {difference.path}\n")
        raise typer.Exit(DIFFERENT if found else 0)
    for each in chosen:
        for path in render(each, output, cluster):
            sys.stdout.write(f"{path}\n")


def _chosen(names: list[str], *, every: bool) -> list[str]:
    """Return the environments to render, in the order given, each once."""
    known = environment_names()
    if every == bool(names):
        given = "both" if names else "neither"
        raise BadInputError(f"`ENV` must be one or more of {', '.join(known)}, or --all alone, got {given}")
    return list(dict.fromkeys(names)) if names else list(known)
