"""Our images, built here without Docker and without any image registry, and run as a kubelet runs them."""

from __future__ import annotations

import json
import re
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from k8s_manifests.own_images import ARCHER, spark_features
from tests.e2e.images.bundle import container
from tests.e2e.images.local_registry import Registry
from tests.e2e.images.test_push import DEV, MOKA

if TYPE_CHECKING:
    from collections.abc import Callable

PI = "local:///opt/spark/examples/src/main/python/pi.py"
PATIENCE = 120
"""Seconds for an answer: this machine may be busy building something else."""
LOCAL = "/var/data/spark-local"
"""Spark's local directory in these containers: the one place that can be written to."""


def config(image: str, storage: dict[str, str]) -> dict[str, object]:
    words = ["buildah", "inspect", "--type", "image", image]
    done = subprocess.run(words, env=storage, check=True, capture_output=True, text=True)
    found: dict[str, object] = json.loads(done.stdout)["OCIv1"]["config"]
    return found


def test_archer_answers_healthz_on_a_read_only_root(
    built: dict[str, str], storage: dict[str, str], tmp_path: Path
) -> None:
    with container(built["archer"], tmp_path, storage) as archer:
        archer.start(
            "serve", "--backend", "local", "--no-history", "--port", "0", "--data", "/tmp/archer", writable=["/tmp"]
        )
        url = _address(archer.log, archer.alive)

        assert httpx.get(f"{url}/healthz", timeout=PATIENCE).status_code == 200
        assert httpx.get(f"{url}/api/openapi.json", timeout=PATIENCE).json()["info"]["version"] == ARCHER.version
        # tini hands the signal on, and Archer ends by itself
        assert archer.stop() == 0


def test_archers_image_has_its_command_line_and_nothing_of_cdk(
    built: dict[str, str], storage: dict[str, str], tmp_path: Path
) -> None:
    with container(built["archer"], tmp_path, storage) as archer:
        done = archer.run("--help")

        assert done.returncode == 0
        assert "submit" in done.stdout
        packages = {path.name for path in (archer.root / "opt" / "archer" / "packages").iterdir()}
        assert "fastapi" in packages
        assert not packages & {"aws_cdk", "cdk8s", "pyspark", "pip"}
        assert {path.name for path in (archer.root / "opt" / "archer" / "program").iterdir()} == {
            "archer",
            f"moka-{ARCHER.version}.dist-info",
        }


def test_a_spark_job_completes_by_the_images_entrypoint_on_a_read_only_root_without_tmp(
    built: dict[str, str], storage: dict[str, str], tmp_path: Path
) -> None:
    with container(built["spark"], tmp_path, storage) as spark:
        done = spark.run(
            *("driver", "--master", "local[2]", PI, "4"),
            writable=[LOCAL],
            SPARK_DRIVER_BIND_ADDRESS="127.0.0.1",
            SPARK_LOCAL_DIRS=LOCAL,
        )

    assert done.returncode == 0, done.stdout[-4000:]
    assert "Pi is roughly 3.1" in done.stdout


def test_a_user_without_a_name_is_told_in_one_line(
    built: dict[str, str], storage: dict[str, str], tmp_path: Path
) -> None:
    with container(built["spark"], tmp_path, storage) as spark:
        assert "spark:x:185:185:" in (spark.root / "etc" / "passwd").read_text()
        spark._config = {**spark._config, "User": "4242:4242"}
        done = spark.run("history-server")

    assert done.returncode == 2
    assert (
        done.stdout
        == "spark image: the user 4242 has no entry in /etc/passwd; run the pod as 185 (spark), as the image does by default\n"
    )


def test_the_history_server_is_the_same_image_by_another_word(
    built: dict[str, str], storage: dict[str, str], tmp_path: Path
) -> None:
    with container(built["spark"], tmp_path, storage) as history:
        history.start(
            "history-server",
            writable=["/tmp", LOCAL],
            SPARK_DAEMON_MEMORY="512m",
            SPARK_HISTORY_OPTS=f"-Dspark.history.fs.logDirectory=file://{LOCAL} -Dspark.history.ui.port=0",
            SPARK_LOCAL_IP="127.0.0.1",
        )
        port = _port_of_the_page(history.log, history.alive)

        assert httpx.get(f"http://127.0.0.1:{port}/api/v1/applications", timeout=PATIENCE).json() == []
        assert history.stop() == 143, "a JVM that SIGTERM ended"


def test_the_spark_image_lists_its_features_in_label_and_file_and_has_their_jars(
    built: dict[str, str], storage: dict[str, str], tmp_path: Path
) -> None:
    names = [feature.name for feature in spark_features() if feature.built]
    labels = config(built["spark"], storage)["Labels"]
    assert isinstance(labels, dict)

    assert labels["moka.dev/features"] == ",".join(names)
    # the tag is the start of what the label says in full
    assert built["spark"].endswith(f"-{labels['moka.dev/inputs'][:12]}")
    with container(built["spark"], tmp_path, storage) as spark:
        jars = spark.root / "opt" / "spark" / "jars"
        assert (jars / "features").read_text().split() == names
        assert len(list(jars.glob("hadoop-aws-*.jar"))) == 1
        assert len(list(jars.glob("spark-core_*.jar"))) == 1


def test_classes_of_the_features_load_with_the_images_spark(
    built: dict[str, str], storage: dict[str, str], tmp_path: Path
) -> None:
    program = (
        "from pyspark.sql import SparkSession\n"
        "jvm = SparkSession.builder.getOrCreate()._jvm\n"
        "for name in ('org.apache.hadoop.fs.s3a.S3AFileSystem', 'software.amazon.awssdk.services.s3.S3AsyncClient',\n"
        "             'org.apache.spark.internal.io.cloud.PathOutputCommitProtocol',\n"
        "             'org.apache.spark.internal.io.cloud.BindingParquetOutputCommitter'):\n"
        "    print('loaded', jvm.java.lang.Class.forName(name).getName())\n"
    )
    with container(built["spark"], tmp_path, storage) as spark:
        done = spark.run(
            *(
                "sh",
                "-c",
                f'printf "%s" "$PROGRAM" > {LOCAL}/job.py && exec spark-submit --master local {LOCAL}/job.py',
            ),
            writable=[LOCAL],
            PROGRAM=program,
            SPARK_LOCAL_DIRS=LOCAL,
            SPARK_LOCAL_IP="127.0.0.1",
        )

    assert done.returncode == 0, done.stdout[-4000:]
    assert done.stdout.count("loaded ") == 4


def test_archer_is_built_and_pushed_once_and_pulled_as_it_was_built(
    storage: dict[str, str], base: str, tmp_path: Path, new_registry: Callable[..., Registry]
) -> None:
    target = new_registry("target")
    delivery = f"delivery:\n  registry: existing\n  registry_uri: {target.host}/moka\n\n"
    file = tmp_path / "dev.yaml"
    file.write_text(re.sub(r"^delivery:\n(?:[ \n].*\n|\n)*", delivery, DEV.read_text(), count=1, flags=re.MULTILINE))
    words = [MOKA, "images", "push", str(file), "--tool", "skopeo", "--only", "archer", "--base", base]

    def push(*options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*words, *options], env=storage, capture_output=True, text=True, check=False)

    first, second = push("--platform", "linux/amd64"), push("--platform", "linux/amd64")
    wider = push("--platform", "linux/amd64", "--platform", "linux/arm64")

    assert first.returncode == 0, first.stderr[-3000:]
    reference = first.stdout.split()[1]
    tag = reference.rsplit(":", 1)[1]
    digest = target.digest("moka/archer", tag)
    assert first.stdout == f"built {reference} {digest}\n"
    assert (second.returncode, second.stdout) == (0, f"there {reference} {digest}\n")
    assert "STEP" not in second.stderr, "it was built again"
    # what is there for one architecture alone is not taken for both
    assert wider.returncode == 1
    assert "has no image for linux/arm64; remove the tag" in wider.stderr
    raw = target.manifest("moka/archer", tag)
    assert raw is not None
    (entry,) = json.loads(raw)["manifests"]
    assert entry["platform"]["architecture"] == "amd64"
    manifest = json.loads(target.manifest("moka/archer", entry["digest"]) or b"")
    labels = json.loads(target.blob("moka/archer", manifest["config"]["digest"]))["config"]["Labels"]
    assert tag == f"{ARCHER.version}-{labels['moka.dev/inputs'][:12]}"
    lists = subprocess.run(["buildah", "images"], env=storage, check=True, capture_output=True, text=True).stdout
    assert "moka-push" not in lists


def _address(log: Callable[[], str], alive: Callable[[], bool]) -> str:
    """Where Archer says that it listens."""
    return _found(r"(http://127\.0\.0\.1:\d+)", log, alive)


def _port_of_the_page(log: Callable[[], str], alive: Callable[[], bool]) -> str:
    return _found(r"started at http://[^:\s]+:(\d+)", log, alive)


def _found(pattern: str, log: Callable[[], str], alive: Callable[[], bool]) -> str:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and alive():
        match = re.search(pattern, log())
        if match is not None:
            return match[1]
        time.sleep(0.1)
    raise AssertionError(f"never said where it listens:\n{log()[-4000:]}")
