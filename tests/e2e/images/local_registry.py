"""A real registry on loopback (Debian's docker-registry), and small real images for it."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
import socket
import subprocess
import tarfile
import time
from pathlib import Path

import httpx
import pytest

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_INDEX = "application/vnd.oci.image.index.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def need(*programs: str) -> None:
    """Skip, with the reason and what to install, where a program is missing."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        pytest.skip(f"not on PATH: {', '.join(missing)}; apt-get install -y {' '.join(missing)}")


class Registry:
    """The program, on a free port, its content in a folder."""

    def __init__(self, folder: Path, *, passwords: str | None = None) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.host = f"127.0.0.1:{free.getsockname()[1]}"
        folder.mkdir(parents=True)
        config = {
            "version": 0.1,
            "log": {"level": "warn"},
            "storage": {"filesystem": {"rootdirectory": str(folder / "content")}, "delete": {"enabled": True}},
            "http": {"addr": self.host},
        }
        if passwords is not None:
            (folder / "htpasswd").write_text(passwords)
            config["auth"] = {"htpasswd": {"realm": "test", "path": str(folder / "htpasswd")}}
        # every JSON document is YAML
        (folder / "config.yml").write_text(json.dumps(config))
        self._log = (folder / "log").open("wb")
        self._process = subprocess.Popen(
            ["docker-registry", "serve", str(folder / "config.yml")], stdout=self._log, stderr=subprocess.STDOUT
        )
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                httpx.get(f"http://{self.host}/v2/")
            except httpx.TransportError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError("the registry did not come up")

    def manifest(self, repository: str, tag: str) -> bytes | None:
        """What the tag holds, asked without any of our programs."""
        kinds = f"{_INDEX}, {_MANIFEST}, application/vnd.docker.distribution.manifest.list.v2+json"
        answer = httpx.get(f"http://{self.host}/v2/{repository}/manifests/{tag}", headers={"Accept": kinds})
        return answer.content if answer.status_code == 200 else None

    def digest(self, repository: str, tag: str) -> str | None:
        raw = self.manifest(repository, tag)
        return None if raw is None else f"sha256:{hashlib.sha256(raw).hexdigest()}"

    def blob(self, repository: str, digest: str) -> bytes:
        return httpx.get(f"http://{self.host}/v2/{repository}/blobs/{digest}").raise_for_status().content

    def repositories(self) -> list[str]:
        names: list[str] = httpx.get(f"http://{self.host}/v2/_catalog").json()["repositories"]
        return names

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._log.close()


def publish(
    registry: Registry, repository: str, tag: str, folder: Path, *, platforms: tuple[str, ...], content: str
) -> str:
    """Push an index of one small image for each platform, as upstream would; its digest."""
    layout = folder / f"layout-{hashlib.sha256(f'{repository}{tag}{content}'.encode()).hexdigest()[:12]}"
    index = _layout(layout, platforms, content)
    target = f"docker://{registry.host}/{repository}:{tag}"
    words = ["skopeo", "copy", "--all", "--quiet", "--preserve-digests", "--dest-tls-verify=false"]
    subprocess.run([*words, f"oci:{layout}:latest", target], check=True, capture_output=True)
    assert registry.digest(repository, tag) == index
    return index


def _layout(layout: Path, platforms: tuple[str, ...], content: str) -> str:
    (layout / "blobs" / "sha256").mkdir(parents=True)
    manifests = []
    for each in platforms:
        system, architecture = each.split("/")
        raw = io.BytesIO()
        with tarfile.open(fileobj=raw, mode="w") as archive:
            text = f"{content} {each}".encode()
            member = tarfile.TarInfo("content")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
        layer = _blob(layout, gzip.compress(raw.getvalue(), mtime=0))
        diff = f"sha256:{hashlib.sha256(raw.getvalue()).hexdigest()}"
        config = {"os": system, "architecture": architecture, "rootfs": {"type": "layers", "diff_ids": [diff]}}
        manifest = {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": {"mediaType": _CONFIG, **_blob(layout, json.dumps(config).encode())},
            "layers": [{"mediaType": _LAYER, **layer}],
        }
        described = _blob(layout, json.dumps(manifest).encode())
        platform = {"os": system, "architecture": architecture}
        manifests.append({"mediaType": _MANIFEST, **described, "platform": platform})
    index = _blob(layout, json.dumps({"schemaVersion": 2, "mediaType": _INDEX, "manifests": manifests}).encode())
    entry = {"mediaType": _INDEX, **index, "annotations": {"org.opencontainers.image.ref.name": "latest"}}
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    (layout / "oci-layout").write_text(json.dumps({"imageLayoutVersion": "1.0.0"}))
    return str(index["digest"])


def _blob(layout: Path, content: bytes) -> dict[str, object]:
    digest = hashlib.sha256(content).hexdigest()
    (layout / "blobs" / "sha256" / digest).write_bytes(content)
    return {"digest": f"sha256:{digest}", "size": len(content)}


def redirected(hosts: dict[str, Registry], folder: Path) -> dict[str, str]:
    """Variables with which skopeo finds each upstream host in a registry here, under the host's name.

    A home of its own, because skopeo before 1.14 reads no variable for this file.
    """
    lines = []
    for host, registry in hosts.items():
        lines += ["[[registry]]", f'prefix = "{host}"', f'location = "{registry.host}/{host}"', "insecure = true"]
    path = folder / "home" / ".config" / "containers" / "registries.conf"
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(lines) + "\n")
    variables = {name: value for name, value in os.environ.items() if name != "XDG_CONFIG_HOME"}
    return {**variables, "HOME": str(folder / "home")}
