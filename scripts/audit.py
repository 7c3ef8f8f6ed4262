"""Audits the dependencies: the locks are whole and clean, what is installed is what is locked, no known vulnerability.

The advisories come from PyPI through pip-audit. Where a mirror serves packages but no advisories, this says in plain
words that they were not checked; it never calls that a pass. Exit 1 on any finding.
"""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PINNED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)(?:\s*;\s*(?P<marker>[^\\]+?))?\s*\\?$")


@dataclass(frozen=True)
class Locked:
    """One pinned requirement of requirements.lock."""

    name: str
    version: str
    marker: str | None
    hashes: int
    """Number of --hash options: one per file of the release."""

    def applies(self) -> bool:
        """Whether this interpreter and platform want it."""
        return self.marker is None or Marker(self.marker).evaluate()


def read_lock(text: str) -> list[Locked]:
    """Return the pinned requirements of a lock in pip's format. Raises ValueError for a line that pins nothing."""
    found: list[Locked] = []
    for line in text.splitlines():
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        if stripped.startswith("--hash="):
            last = found.pop()
            found.append(Locked(last.name, last.version, last.marker, last.hashes + 1))
            continue
        match = PINNED.match(stripped)
        if match is None:
            raise ValueError(f"requirements.lock: {stripped!r} pins no version")
        found.append(Locked(canonicalize_name(match["name"]), match["version"], match["marker"], 0))
    return found


CHECKOV_LOCK = "requirements-checkov.lock"
"""Of checkov's own environment: it pins a boto3 whose EC2 knows no newer instance types."""


def lock_findings(text: str, wanted: list[str], file: str = "requirements.lock") -> Iterator[str]:
    """Yield what is wrong with the lock `file` that has to cover the requirements in `wanted`."""
    locked = read_lock(text)
    for entry in locked:
        if not entry.hashes:
            yield f"{file}: {entry.name} has no hash"
    if re.search(r"https?://|--index-url|--extra-index-url|--find-links", text):
        yield f"{file} names a download address; write it with `make lock`"
    by_name: dict[str, list[Locked]] = {}
    for entry in locked:
        by_name.setdefault(entry.name, []).append(entry)
    for text_of_requirement in wanted:
        requirement = Requirement(text_of_requirement)
        name = canonicalize_name(requirement.name)
        versions = [entry.version for entry in by_name.get(name, [])]
        if not any(requirement.specifier.contains(version, prereleases=True) for version in versions):
            yield f"{file} has {name} {versions or 'not at all'}, pyproject.toml wants {requirement}; run `make lock`"


def installed_findings(locked: list[Locked]) -> Iterator[str]:
    """Yield the locked packages that are not installed in the locked version."""
    for entry in locked:
        if not entry.applies():
            continue
        try:
            version = metadata.version(entry.name)
        except metadata.PackageNotFoundError:
            yield f"{entry.name} {entry.version} is locked and not installed; run `make setup`"
            continue
        if version != entry.version:
            yield f"{entry.name} {version} is installed, {entry.version} is locked; run `make setup`"


def npm_findings(text: str) -> Iterator[str]:
    """Yield what is wrong with package-lock.json: download addresses, packages without an integrity hash."""
    for name, package in json.loads(text)["packages"].items():
        if "resolved" in package:
            yield f"package-lock.json: {name} records a download address; write it with omit-lockfile-registry-resolved"
        if name and "integrity" not in package:
            yield f"package-lock.json: {name} has no integrity hash"


def advisory_findings(report: str) -> tuple[list[str], int, int]:
    """Return (findings, packages checked, packages that no advisory service answered for) of pip-audit's JSON report."""
    findings: list[str] = []
    checked = unanswered = 0
    for dependency in json.loads(report)["dependencies"]:
        if "skip_reason" in dependency:
            unanswered += 1
            continue
        checked += 1
        findings += [
            f"{dependency['name']} {dependency['version']}: {vulnerability['id']}, fixed in {', '.join(vulnerability['fix_versions']) or 'no release'}"
            for vulnerability in dependency["vulns"]
        ]
    return findings, checked, unanswered


def run_pip_audit() -> str:
    """Return pip-audit's JSON report for requirements.lock; its text when it could not reach any service."""
    command = [
        "pip-audit",
        "-r",
        "requirements.lock",
        "--require-hashes",
        "--disable-pip",
        "-f",
        "json",
        "--progress-spinner",
        "off",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout or json.dumps({"dependencies": []})


def main() -> int:
    """Print the findings and what was checked; return the exit code."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras: dict[str, list[str]] = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(line for lines in extras.values() for line in lines)]
    lock = (ROOT / "requirements.lock").read_text()
    locked = read_lock(lock)
    findings = [
        *lock_findings(lock, wanted),
        *installed_findings(locked),
        *lock_findings((ROOT / CHECKOV_LOCK).read_text(), ["checkov"], CHECKOV_LOCK),
        *npm_findings((ROOT / "package-lock.json").read_text()),
    ]
    advisories, checked, unanswered = advisory_findings(run_pip_audit())
    for finding in (*findings, *advisories):
        print(f"audit: {finding}")
    print(
        f"audit: {len(locked)} locked packages, hashes and versions {'as they should be' if not findings else 'wrong'}"
    )
    if checked:
        print(
            f"audit: advisories checked for {checked} packages, {len(advisories)} found, {unanswered} unknown to the service"
        )
    else:
        print(
            "audit: advisories NOT checked: this machine's package index serves none; run it where PyPI is reached directly"
        )
    return 1 if findings or advisories else 0


if __name__ == "__main__":
    sys.exit(main())
