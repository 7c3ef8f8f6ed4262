"""Programs are built once per content, appear whole or not at all, and what is missing is said.

`go` is a script here that writes files: the real build takes minutes and is what tests/e2e runs on.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from testbed import binaries as module
from testbed.binaries import (
    CONTROL_PLANE,
    MODULE,
    PACKAGES,
    REAL_NODE,
    binaries,
    cache_folder,
    kubernetes_version,
    module_of,
)
from testbed.errors import CannotBuildError, NoGoError

FAKE_GO = """#!{python}
import json, os, pathlib, sys, time
words = sys.argv[1:]
if words[0] == "env":
    print(json.dumps({{"GOVERSION": os.environ.get("FAKE_VERSION", "go1.26"), "GOOS": "linux", "GOARCH": "amd64"}}))
    sys.exit(0)
with open(os.environ["FAKE_LOG"], "a") as log:
    log.write(" ".join(words) + "\\n")
out = pathlib.Path(words[words.index("-o") + 1])
packages = [word for word in words if " " not in word and "." in word.split("/")[0]]
time.sleep(0.3)
for package in packages:
    name = [part for part in package.split("/") if part not in ("v3",)][-1]
    if os.environ.get("FAKE_BROKEN") == name:
        print("# " + package + "\\nx.go:1:1: syntax error", file=sys.stderr)
        sys.exit(1)
    print(package, file=sys.stderr)
    (out / name).write_text("#!/bin/sh\\n")
    (out / name).chmod(0o755)
"""


@pytest.fixture
def builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `go` first on PATH, a cache of this test's own; the file lists the builds that ran."""
    programs = tmp_path / "bin"
    programs.mkdir()
    go = programs / "go"
    go.write_text(FAKE_GO.format(python=sys.executable))
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("FAKE_LOG", str(tmp_path / "builds"))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    return tmp_path / "builds"


def quiet(_: str) -> None:
    pass


def test_a_second_call_builds_nothing(builds: Path, tmp_path: Path) -> None:
    first = binaries(say=quiet)
    second = binaries(say=quiet)

    assert first == second
    assert set(first) == set(CONTROL_PLANE)
    assert all(
        path.is_relative_to(tmp_path / "cache/moka/testbed") and os.access(path, os.X_OK) for path in first.values()
    )
    assert len(builds.read_text().splitlines()) == 2


def test_kubernetes_is_one_build_and_etcd_is_named_so(builds: Path) -> None:
    paths = binaries(say=quiet)

    assert paths["etcd"].name == "etcd"
    kubernetes, kwok = builds.read_text().splitlines()
    assert kubernetes.split(" ")[-5:] == [PACKAGES[name] for name in CONTROL_PLANE if name != "kwok"]
    assert [word for word in kwok.split(" ") if "/cmd/" in word] == [PACKAGES["kwok"]]


def test_only_what_is_missing_is_built(builds: Path) -> None:
    binaries(say=quiet)
    binaries(*REAL_NODE, "etcd", say=quiet)

    kubernetes, own = builds.read_text().splitlines()[-2:]
    assert kubernetes.split(" ")[-2:] == [PACKAGES["kubelet"], PACKAGES["kube-proxy"]]
    assert own.split(" ")[-2:] == [PACKAGES["coredns"], PACKAGES["pause"]]


def test_a_changed_line_of_our_own_program_has_another_folder(builds: Path, tmp_path: Path) -> None:
    copy = tmp_path / "node"
    shutil.copytree(module_of("pause"), copy)
    before = cache_folder("go", copy)
    with (copy / "pause" / "main.go").open("a") as file:
        file.write("// changed\n")

    assert cache_folder("go", copy) != before


def test_another_go_or_module_or_flag_has_another_folder(
    builds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [cache_folder("go", module.MODULE)]
    monkeypatch.setenv("FAKE_VERSION", "go1.27")
    folders.append(cache_folder("go", module.MODULE))
    copy = tmp_path / "go"
    copy.mkdir()
    for name in ("go.mod", "go.sum"):
        (copy / name).write_bytes((MODULE / name).read_bytes())
    monkeypatch.setattr(module, "MODULE", copy)
    assert cache_folder("go", module.MODULE) == folders[1]
    for name in ("go.mod", "go.sum"):
        with (copy / name).open("a") as file:
            file.write("// changed\n")
        folders.append(cache_folder("go", module.MODULE))
    monkeypatch.setattr(module, "_flags", lambda _: ["-race"])
    folders.append(cache_folder("go", module.MODULE))

    assert len(set(folders)) == len(folders)


def test_two_starts_at_once_build_once(builds: Path) -> None:
    said: list[str] = []
    results: list[dict[str, Path]] = []
    threads = [threading.Thread(target=lambda: results.append(binaries(say=said.append))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert results[0] == results[1]
    assert len(builds.read_text().splitlines()) == 2
    assert [line for line in said if "another start is building" in line]


def test_a_failed_build_leaves_no_program_and_says_what_go_said(
    builds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_BROKEN", "kwok")
    with pytest.raises(CannotBuildError, match=r"exit code 1:\n# sigs.k8s.io/kwok/cmd/kwok\nx.go:1:1: syntax error"):
        binaries(say=quiet)
    assert [path.name for path in cache_folder("go", module_of("kwok")).iterdir()] == [".lock"]

    monkeypatch.delenv("FAKE_BROKEN")
    assert binaries(say=quiet)["kwok"].exists()


def test_without_go_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)

    with pytest.raises(NoGoError, match=r"no `go` on PATH; install Go 1.26 or newer .* KUBEBUILDER_ASSETS"):
        binaries(say=quiet)


def assets(folder: Path, *names: str, version: str = "v1.35.0") -> Path:
    folder.mkdir()
    for name in names:
        path = folder / name
        path.write_text(f"#!/bin/sh\necho Kubernetes {version}\n")
        path.chmod(0o755)
    return folder


def test_assets_are_used_and_the_rest_is_built(builds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ready = assets(tmp_path / "ready", "etcd", "kube-apiserver", "kubectl")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(ready))

    paths = binaries(say=quiet)

    assert {name for name, path in paths.items() if path.parent == ready} == {"etcd", "kube-apiserver", "kubectl"}
    assert paths["kwok"].exists()


def test_incomplete_assets_are_refused_with_all_that_is_missing(
    builds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(assets(tmp_path / "ready", "kubectl")))

    with pytest.raises(
        CannotBuildError, match=r"ready has no etcd, kube-apiserver; it must hold etcd, kube-apiserver, kubectl"
    ):
        binaries(say=quiet)


def test_assets_of_another_minor_are_refused(builds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ready = assets(tmp_path / "ready", "etcd", "kube-apiserver", "kubectl", version="v1.34.2")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(ready))

    with pytest.raises(CannotBuildError, match=r"holds Kubernetes v1.34.2, needed is v1.35"):
        binaries(say=quiet)


def test_a_cache_that_cannot_be_written_is_named(builds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))

    with pytest.raises(
        CannotBuildError, match=r"can't keep programs in .*file.* name a folder that you may write in XDG_CACHE_HOME"
    ):
        binaries(say=quiet)


def test_every_program_is_a_tool_of_its_module_and_the_libraries_are_of_its_release() -> None:
    for module_folder in {module_of(name) for name in PACKAGES}:
        mine = [package for name, package in PACKAGES.items() if module_of(name) == module_folder]
        text = (module_folder / "go.mod").read_text()
        if all(package.startswith("moka.dev/") for package in mine):
            continue  # our own programs, whose libraries are those of CoreDNS, whose go.mod pins them
        tools = re.search(r"^tool (?:\((.*?)\)|(\S+))", text, re.DOTALL | re.MULTILINE)
        assert tools is not None
        assert sorted((tools[1] or tools[2]).split()) == sorted(mine)
    replaced = dict(re.findall(r"^\t(k8s\.io/\S+) => \1 (\S+)$", (MODULE / "go.mod").read_text(), re.MULTILINE))

    assert len(replaced) == 29
    assert set(replaced.values()) == {kubernetes_version().replace("v1.", "v0.")}


def test_coredns_is_compiled_with_the_libraries_of_the_same_release() -> None:
    text = (module_of("coredns") / "go.mod").read_text()
    replaced = dict(re.findall(r"^\t(k8s\.io/\S+) => \1 (\S+)$", text, re.MULTILINE))

    assert replaced
    assert set(replaced.values()) == {kubernetes_version().replace("v1.", "v0.")}


def test_the_default_kubernetes_of_an_environment_is_what_is_built() -> None:
    from environments.clusters import Cluster

    assert kubernetes_version().startswith(f"v{Cluster.model_fields['kubernetes_version'].default}.")


def test_git_tracks_no_program() -> None:
    tracked = subprocess.run(["git", "ls-files", MODULE], capture_output=True, text=True, check=True, cwd=MODULE).stdout

    assert {path for path in tracked.split() if not path.endswith(("go.mod", "go.sum"))} == {
        "node/coredns/main.go",
        "node/pause/main.go",
    }
