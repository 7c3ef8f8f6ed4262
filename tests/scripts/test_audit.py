"""The dependency audit finds what it claims to find."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", ROOT / "scripts" / "audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["audit"] = module
    spec.loader.exec_module(module)
    return module


GOOD = "six==1.17.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n    # via moka\n"


def test_a_whole_lock_has_no_finding(audit: ModuleType) -> None:
    assert list(audit.lock_findings(GOOD, ["six>=1.16"])) == []


def test_a_requirement_without_a_hash_is_found(audit: ModuleType) -> None:
    assert list(audit.lock_findings("six==1.17.0\n", [])) == ["requirements.lock: six has no hash"]


def test_a_lock_that_lags_behind_pyproject_is_found(audit: ModuleType) -> None:
    findings = list(audit.lock_findings(GOOD, ["six>=2", "pydantic>=2.12"]))

    assert findings == [
        "requirements.lock has six ['1.17.0'], pyproject.toml wants six>=2; run `make lock`",
        "requirements.lock has pydantic not at all, pyproject.toml wants pydantic>=2.12; run `make lock`",
    ]


def test_a_download_address_is_found(audit: ModuleType) -> None:
    findings = list(audit.lock_findings(GOOD + "# https://mirror.example\n", []))

    assert findings == ["requirements.lock names a download address; write it with `make lock`"]


def test_a_line_that_pins_nothing_is_refused(audit: ModuleType) -> None:
    with pytest.raises(ValueError, match="pins no version"):
        audit.read_lock("six>=1\n")


def test_another_version_installed_than_locked_is_found(audit: ModuleType) -> None:
    wrong = audit.Locked("pytest", "0.0.1", None, 1)
    absent = audit.Locked("no-such-package-of-ours", "1", None, 1)
    elsewhere = audit.Locked("no-such-package-of-ours", "1", "sys_platform == 'plan9'", 1)

    findings = list(audit.installed_findings([wrong, absent, elsewhere]))

    assert len(findings) == 2
    assert "0.0.1 is locked" in findings[0]
    assert "no-such-package-of-ours 1 is locked and not installed" in findings[1]


def test_an_npm_download_address_is_found(audit: ModuleType) -> None:
    lock = json.dumps({"packages": {"": {}, "node_modules/a": {"resolved": "https://x/a.tgz"}}})

    assert len(list(audit.npm_findings(lock))) == 2


def test_a_vulnerability_is_found_and_unanswered_packages_are_counted(audit: ModuleType) -> None:
    report = {
        "dependencies": [
            {"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]},
            {"name": "b", "version": "1", "vulns": []},
            {"name": "c", "version": "1", "skip_reason": "not found"},
        ]
    }

    assert audit.advisory_findings(json.dumps(report)) == (["a 1: PYSEC-1, fixed in 2"], 2, 1)
