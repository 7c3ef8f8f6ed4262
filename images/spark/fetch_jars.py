"""Fetches the jars of `jars.lock` with Maven and checks them: `python3 fetch_jars.py jars.lock FOLDER s3a,committers`.

Runs inside the image's build, so it needs Python's standard library and `mvn` alone. Maven decides where jars come from
(its settings name a mirror where there is one); what counts is the checksum. The features to fetch are those whose
WITH_<FEATURE> variable is not 0; they must be the ones of the third argument, which the image's label carries. Every jar
that cannot be had is told, each with what to do; then the exit code is 1 and the folder holds no jar.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LIST = "features"
"""File beside the jars with the features' names, one a line."""


@dataclass(frozen=True, kw_only=True)
class Jar:
    """One jar of the lock."""

    coordinate: str
    """Group, artifact and version, joined by colons."""
    sha256: str
    """Empty while nobody has seen it."""
    size: int
    feature: str
    licence: str

    def path(self) -> Path:
        """Where Maven keeps it below its repository."""
        group, artifact, version = self.coordinate.split(":")
        return Path(*group.split("."), artifact, version, f"{artifact}-{version}.jar")


class CannotFetchError(Exception):
    """A jar that is not to be had, or is another one."""


def read_lock(path: Path) -> tuple[Mapping[str, bool], tuple[Jar, ...]]:
    """Return {feature: whether it is built by default} and the jars."""
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    features = {name: bool(feature["built"]) for name, feature in content["features"].items()}
    return features, tuple(Jar(**jar) for jar in content["jar"])


def chosen(features: Mapping[str, bool], variables: Mapping[str, str]) -> list[str]:
    """Return the features that WITH_<FEATURE> does not turn off, in the lock's order. Raises SystemExit for another value."""
    names, problems = [], []
    for name, built in features.items():
        variable = f"WITH_{name.upper()}"
        value = variables.get(variable) or ("1" if built else "0")
        if value not in {"0", "1"}:
            problems.append(f"{variable} must be 0 or 1, got {value!r}")
        if value == "1":
            names.append(name)
    if problems:
        raise SystemExit("\n".join(problems))
    return names


def fetch(jar: Jar, repository: Path) -> Path:
    """Return the jar's path below `repository`, checked. Raises CannotFetchError."""
    words = [
        "mvn",
        "-B",
        "-q",
        f"-Dmaven.repo.local={repository}",
        "-Dtransitive=false",
        f"-Dartifact={jar.coordinate}",
    ]
    done = subprocess.run([*words, "dependency:get"], capture_output=True, text=True, check=False)
    path = repository / jar.path()
    off = f"or build without it: WITH_{jar.feature.upper()}=0"
    if done.returncode != 0 or not path.is_file():
        said = next((line for line in done.stdout.splitlines() if "ERROR" in line), "Maven said nothing")
        raise CannotFetchError(f"{jar.coordinate} cannot be had ({said.strip()[:300]}); try again, {off}")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    size = path.stat().st_size
    if not jar.sha256:
        raise CannotFetchError(
            f"{jar.coordinate} has no checksum in jars.lock; what came has sha256 {digest} and {size} bytes: compare it "
            f"with the release's and write it there, {off}"
        )
    if (digest, size) != (jar.sha256, jar.size):
        raise CannotFetchError(
            f"{jar.coordinate} is not the one of jars.lock: sha256 {jar.sha256} and {jar.size} bytes wanted, "
            f"{digest} and {size} came; find out why before you change the lock, {off}"
        )
    return path


def fetch_all(jars: Sequence[Jar], folder: Path) -> Iterator[str]:
    """Put the jars into the folder, all or none; yield what is wrong."""
    with tempfile.TemporaryDirectory() as repository:
        paths, problems = [], []
        for jar in jars:
            try:
                paths.append(fetch(jar, Path(repository)))
            except CannotFetchError as error:
                problems.append(str(error))
        folder.mkdir(parents=True, exist_ok=True)
        if not problems:
            for path in paths:
                shutil.move(path, folder / path.name)
                (folder / path.name).chmod(0o644)
    yield from problems


def main(lock: str, folder: str, label: str) -> int:
    """Fetch, and return the exit code."""
    features, jars = read_lock(Path(lock))
    names = chosen(features, os.environ)
    if label != ",".join(names):
        sys.stderr.write(
            f"FEATURES must name what is built, {','.join(names)!r}, got {label!r}: it becomes the image's label; "
            f"change it together with the WITH_... arguments\n"
        )
        return 1
    problems = list(fetch_all([jar for jar in jars if jar.feature in names], Path(folder)))
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    if problems:
        return 1
    (Path(folder) / LIST).write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
