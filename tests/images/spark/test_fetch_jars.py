"""What the Spark image's build does about its jars. Maven is a program here that copies from a folder or fails."""

import hashlib
import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROGRAM = ROOT / "images" / "spark" / "fetch_jars.py"
LOCK = ROOT / "images" / "spark" / "jars.lock"
MAVEN = """#!/bin/sh
for word in "$@"; do
  case "$word" in
    -Dmaven.repo.local=*) repository=${word#*=} ;;
    -Dartifact=*) coordinate=${word#*=} ;;
  esac
done
jar="{central}/$coordinate"
[ -f "$jar" ] || { echo "[ERROR] Could not find artifact $coordinate"; exit 1; }
group=$(echo "$coordinate" | cut -d: -f1 | tr . /); artifact=$(echo "$coordinate" | cut -d: -f2); version=$(echo "$coordinate" | cut -d: -f3)
mkdir -p "$repository/$group/$artifact/$version"
cp "$jar" "$repository/$group/$artifact/$version/$artifact-$version.jar"
"""


class Build:
    """A lock of two features, and a Maven that has what `central` holds."""

    def __init__(self, root: Path) -> None:
        self.central = root / "central"
        self.central.mkdir()
        self.folder = root / "jars"
        self.lock = root / "jars.lock"
        self.bin = root / "bin"
        self.bin.mkdir()
        (self.bin / "mvn").write_text(MAVEN.replace("{central}", str(self.central)))
        (self.bin / "mvn").chmod(0o755)
        self.jars: list[str] = []

    def jar(
        self, coordinate: str, feature: str, *, there: bytes | None = b"jar", locked: bytes | None = b"jar"
    ) -> None:
        """A jar that Maven has as `there` and the lock as `locked`."""
        if there is not None:
            (self.central / coordinate).write_bytes(there)
        sha256 = "" if locked is None else hashlib.sha256(locked).hexdigest()
        self.jars.append(
            f'[[jar]]\ncoordinate = "{coordinate}"\nsha256 = "{sha256}"\nsize = {len(locked or b"")}\n'
            f'feature = "{feature}"\nlicence = "Apache-2.0"\n'
        )

    def run(self, label: str, **variables: str) -> subprocess.CompletedProcess[str]:
        features = '[features.s3a]\nbuilt = true\nwhat = "s3"\n[features.celeborn]\nbuilt = true\nwhat = "shuffle"\n'
        self.lock.write_text(features + "".join(self.jars))
        return subprocess.run(
            [sys.executable, PROGRAM, self.lock, self.folder, label],
            env={"PATH": f"{self.bin}:{os.defpath}", **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("*"))


@pytest.fixture
def build(tmp_path: Path) -> Build:
    return Build(tmp_path)


def test_every_jar_of_the_features_is_fetched_and_the_features_are_listed(build: Build) -> None:
    build.jar("org.a:one:1.0", "s3a")
    build.jar("org.b.c:two_2.13:2.0", "celeborn", there=b"2", locked=b"2")

    done = build.run("s3a,celeborn")

    assert (done.returncode, done.stderr) == (0, "")
    assert build.files() == ["features", "one-1.0.jar", "two_2.13-2.0.jar"]
    assert (build.folder / "two_2.13-2.0.jar").read_bytes() == b"2"
    assert (build.folder / "features").read_text() == "s3a\nceleborn\n"


def test_every_jar_that_cannot_be_had_fails_the_build_and_is_told_with_its_switch(build: Build) -> None:
    build.jar("org.a:gone:1.0", "s3a", there=None)
    build.jar("org.a:there:1.0", "s3a")
    build.jar("org.b:gone_too:1.0", "celeborn", there=None)

    done = build.run("s3a,celeborn")

    assert done.returncode == 1
    assert [line.split()[0] for line in done.stderr.splitlines()] == ["org.a:gone:1.0", "org.b:gone_too:1.0"]
    assert "WITH_S3A=0" in done.stderr.splitlines()[0]
    assert "WITH_CELEBORN=0" in done.stderr.splitlines()[1]
    assert build.files() == []


def test_a_feature_that_is_turned_off_is_neither_fetched_nor_listed(build: Build) -> None:
    build.jar("org.a:one:1.0", "s3a")
    build.jar("org.b:gone:1.0", "celeborn", there=None)

    done = build.run("s3a", WITH_CELEBORN="0")

    assert (done.returncode, done.stderr) == (0, "")
    assert build.files() == ["features", "one-1.0.jar"]
    assert (build.folder / "features").read_text() == "s3a\n"


def test_another_jar_than_the_locks_is_refused_with_both_checksums(build: Build) -> None:
    build.jar("org.a:one:1.0", "s3a", there=b"something else", locked=b"jar")

    done = build.run("s3a,celeborn")

    assert done.returncode == 1
    assert hashlib.sha256(b"jar").hexdigest() in done.stderr
    assert hashlib.sha256(b"something else").hexdigest() in done.stderr
    assert build.files() == []


def test_a_jar_without_a_checksum_is_refused_and_the_found_one_is_told(build: Build) -> None:
    build.jar("org.a:one:1.0", "s3a", there=b"new", locked=None)

    done = build.run("s3a,celeborn")

    assert done.returncode == 1
    assert f"has no checksum in jars.lock; what came has sha256 {hashlib.sha256(b'new').hexdigest()}" in done.stderr


def test_a_label_that_does_not_say_what_is_built_is_refused(build: Build) -> None:
    build.jar("org.a:one:1.0", "s3a")

    done = build.run("s3a,celeborn", WITH_CELEBORN="0")

    assert done.returncode == 1
    assert "FEATURES must name what is built, 's3a', got 's3a,celeborn'" in done.stderr


def test_a_switch_that_is_neither_0_nor_1_is_refused(build: Build) -> None:
    build.jar("org.a:one:1.0", "s3a")

    done = build.run("s3a", WITH_CELEBORN="no", WITH_S3A="yes")

    assert done.returncode == 1
    assert done.stderr.splitlines() == ["WITH_S3A must be 0 or 1, got 'yes'", "WITH_CELEBORN must be 0 or 1, got 'no'"]


def test_the_committed_lock_pins_every_jar_of_a_feature_that_is_built() -> None:
    content = tomllib.loads(LOCK.read_text())
    built = {name for name, feature in content["features"].items() if feature["built"]}
    jars = [jar for jar in content["jar"] if jar["feature"] in built]

    assert {jar["feature"] for jar in jars} == built
    assert all(len(jar["sha256"]) == 64 and jar["size"] > 0 and jar["licence"] for jar in jars)
    assert not re.search(r"https?://|\.(com|org|io)/", LOCK.read_text()), "where jars come from is Maven's business"


def test_hadoop_aws_is_of_the_hadoop_that_pyspark_ships() -> None:
    spec = importlib.util.find_spec("pyspark")
    assert spec is not None
    assert spec.origin is not None
    jars = Path(spec.origin).parent / "jars"
    (shipped,) = jars.glob("hadoop-client-api-*.jar")
    coordinates = [jar["coordinate"] for jar in tomllib.loads(LOCK.read_text())["jar"]]

    assert f"org.apache.hadoop:hadoop-aws:{shipped.stem.removeprefix('hadoop-client-api-')}" in coordinates
    assert all("_2.13:" in each for each in coordinates if each.startswith("org.apache.spark"))
