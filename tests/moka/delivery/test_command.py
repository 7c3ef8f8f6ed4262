"""`moka apply` and `moka diff` against a cluster in memory; against a real API server they are tried in tests/e2e/delivery."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from moka.delivery import command as module
from moka.delivery.sets import RenderedSet
from moka.errors import BadInputError, MokaError
from moka_constructs.manifest_set.handler.order import ManifestFile
from testbed.fake_api_server import FakeApiServer

Run = Callable[..., Result]
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "moka-system"}}
PARTITION = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "c", "namespace": "moka-system"},
    "data": {"a": "1"},
}


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[object]]:
    """What environments render to; a test may change it."""
    rendered: dict[str, list[object]] = {"10-namespaces.yaml": [NAMESPACE], "20-c.yaml": [PARTITION]}

    def sets(environment: object, cluster: object) -> list[RenderedSet]:
        content = tuple(ManifestFile(name=name, manifests=tuple(each)) for name, each in rendered.items())  # type: ignore[arg-type]  # manifests
        return [
            RenderedSet(
                environment="dev", cluster="batch", eks_cluster="moka-dev-batch", name="platform", files=content
            )
        ]

    monkeypatch.setattr(module, "rendered_sets", sets)
    return rendered


def test_a_diff_of_a_new_cluster_exits_3_and_names_what_is_new(
    run: Run, files: dict[str, list[object]], kubeconfig: Path, server: FakeApiServer
) -> None:
    result = run("diff", "dev", "--kubeconfig", kubeconfig)

    assert result.exit_code == 3
    assert result.stdout == "dev/batch platform\n+ Namespace moka-system\n+ ConfigMap moka-system/c\n"
    assert result.stderr.splitlines()[-1] == "dev/batch platform: comparing 2 objects"
    assert server.writes() == []


def test_an_apply_tells_what_it_did_and_a_diff_then_exits_0(
    run: Run, files: dict[str, list[object]], kubeconfig: Path
) -> None:
    result = run("apply", "dev", "--kubeconfig", kubeconfig)

    assert result.exit_code == 0
    assert result.stdout == ("dev/batch platform\n+ Namespace moka-system\n+ ConfigMap moka-system/c\n  2 created\n")
    assert "dev/batch platform: applying 20-c.yaml: 1 objects" in result.stderr.splitlines()
    again = run("apply", "dev", "--kubeconfig", kubeconfig)
    assert (again.exit_code, again.stdout) == (0, "dev/batch platform\n  2 unchanged\n")
    same = run("diff", "dev", "--kubeconfig", kubeconfig)
    assert (same.exit_code, same.stdout) == (0, "dev/batch platform\n  no difference\n")


def test_a_change_is_told_field_by_field(run: Run, files: dict[str, list[object]], kubeconfig: Path) -> None:
    run("apply", "dev", "--kubeconfig", kubeconfig)
    files["20-c.yaml"] = [{**PARTITION, "data": {"a": "2"}}]

    differing = run("diff", "dev", "--kubeconfig", kubeconfig)
    applied = run("apply", "dev", "--kubeconfig", kubeconfig)

    assert (differing.exit_code, differing.stdout) == (
        3,
        "dev/batch platform\n~ ConfigMap moka-system/c\n    data.a: 1 → 2\n",
    )
    assert applied.stdout == "dev/batch platform\n~ ConfigMap moka-system/c\n  1 changed, 1 unchanged\n"


def test_what_left_the_set_is_deleted_when_that_is_asked_for_only(
    run: Run, files: dict[str, list[object]], kubeconfig: Path, server: FakeApiServer
) -> None:
    run("apply", "dev", "--kubeconfig", kubeconfig)
    del files["20-c.yaml"]
    path = "/api/v1/namespaces/moka-system/configmaps/c"

    differing = run("diff", "dev", "--kubeconfig", kubeconfig)
    kept = run("apply", "dev", "--kubeconfig", kubeconfig)

    assert differing.exit_code == 3
    assert "- ConfigMap moka-system/c (left the set; an apply with --prune deletes it)" in differing.stdout
    assert "  ConfigMap moka-system/c left the set; --prune deletes it" in kept.stdout
    assert path in server.objects
    pruned = run("apply", "dev", "--kubeconfig", kubeconfig, "--prune")
    assert pruned.stdout == "dev/batch platform\n- ConfigMap moka-system/c\n  1 unchanged, 1 pruned\n"
    assert path not in server.objects


def test_a_dry_run_shows_the_difference_and_exits_0(
    run: Run, files: dict[str, list[object]], kubeconfig: Path, server: FakeApiServer
) -> None:
    result = run("apply", "dev", "--kubeconfig", kubeconfig, "--dry-run")

    assert result.exit_code == 0
    assert "+ ConfigMap moka-system/c" in result.stdout
    assert server.writes() == []


def test_a_failure_names_set_object_and_reason(
    run: Run, files: dict[str, list[object]], kubeconfig: Path, server: FakeApiServer
) -> None:
    server.faults.append(lambda m, p: (422, {"message": "is bad"}) if m == "PATCH" and "/configmaps/c" in p else None)

    with pytest.raises(MokaError) as error:
        run("apply", "dev", "--kubeconfig", kubeconfig)

    assert str(error.value) == "dev/batch platform: applying 20-c.yaml:\n  ConfigMap moka-system/c: is bad"
    assert error.value.exit_code == 1


def test_json_is_the_whole_result_also_of_a_failure(
    run: Run,
    files: dict[str, list[object]],
    kubeconfig: Path,
    server: FakeApiServer,
    capsys: pytest.CaptureFixture[str],
) -> None:
    applied = json.loads(run("apply", "dev", "--kubeconfig", kubeconfig, "--output", "json").stdout)
    compared = json.loads(run("diff", "dev", "--kubeconfig", kubeconfig, "--output", "json").stdout)

    assert [(each["environment"], each["cluster"], each["set"]) for each in applied] == [("dev", "batch", "platform")]
    assert applied[0]["objects"] == {"Namespace moka-system": "created", "ConfigMap moka-system/c": "created"}
    assert (compared[0]["differences"], compared[0]["left over"]) == ([], [])


def test_a_field_that_somebody_else_owns_is_taken_over_when_it_is_named(
    run: Run, files: dict[str, list[object]], kubeconfig: Path, server: FakeApiServer
) -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "s", "namespace": "moka-system"},
        "spec": {"type": "ClusterIP"},
    }
    files["20-c.yaml"] = [service]
    server.put("/api/v1/namespaces/moka-system", dict(NAMESPACE))
    server.put(
        "/api/v1/namespaces/moka-system/services/s", {**service, "spec": {"type": "NodePort"}}, manager="kubectl"
    )

    with pytest.raises(MokaError, match=r"\.spec\.type belongs to \"kubectl\""):
        run("apply", "dev", "--kubeconfig", kubeconfig)
    assert run("apply", "dev", "--kubeconfig", kubeconfig, "--force-conflicts", ".spec.type").exit_code == 0

    assert server.objects["/api/v1/namespaces/moka-system/services/s"]["spec"]["type"] == "ClusterIP"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["apply", "dev", "--everything"], "`--everything` must come with --prune"),
        (["apply", "dev", "--context", "x"], "`--context` must come with --kubeconfig"),
        (
            ["diff", "dev", "--via-lambda", "--kubeconfig", "x"],
            "`--via-lambda` and `--kubeconfig` must not be given together",
        ),
        (["apply", "prod", "--kubeconfig", "x"], "`--cluster` must name the one that x leads to, of batch, adhoc"),
        (["diff", "prod", "--cluster", "c", "--kubeconfig", "x"], "`--cluster` must be one of batch, adhoc, got c"),
    ],
)
def test_options_that_do_not_go_together_are_refused(run: Run, words: list[str], text: str) -> None:
    with pytest.raises(BadInputError, match=text) as error:
        run(*words)

    assert error.value.exit_code == 2


def test_the_kubeconfig_of_the_machine_is_never_read(kubeconfig: Path, server: FakeApiServer) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "moka.cli", "diff", "dev"],
        env={
            "PATH": "/usr/bin:/bin",
            "KUBECONFIG": str(kubeconfig),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/nowhere",
            "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert "AWS cannot be asked (sts get_caller_identity): Unable to locate credentials" in done.stderr
    assert server.requests == []
