"""What `make e2e` needs of Debian is installed by the project itself, and by nobody who may not."""

import re
import subprocess
from pathlib import Path

from testbed.real_node.machine import CNI_PACKAGE, DEBIAN_PACKAGES

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "setup-e2e.sh"


def words(variable: str) -> set[str]:
    match = re.search(rf"^{variable}='([^']*)'$", SCRIPT.read_text(), re.MULTILINE)
    assert match is not None
    return set(match[1].split())


def run(folder: Path, *, user: int, installed: set[str]) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """The script with a dpkg that knows `installed`, an apt-get that writes down its words, and such a user."""
    programs = {
        "dpkg-query": f'case " {" ".join(installed)} " in *" $4 "*) printf installed ;; *) exit 1 ;; esac',
        "apt-get": f'echo "$*" >> {folder}/calls',
        "id": f"echo {user}",
    }
    for name, text in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    # the machine's own policy for services is not a test's to touch
    script = folder / "script.sh"
    script.write_text(SCRIPT.read_text().replace("/usr/sbin", f"{folder}/sbin"))
    done = subprocess.run(
        ["sh", script], env={"PATH": f"{folder}:/usr/bin:/bin"}, capture_output=True, text=True, check=False
    )
    calls = folder / "calls"
    return done, calls.read_text().splitlines() if calls.exists() else []


def test_the_list_has_all_that_the_real_node_asks_for() -> None:
    assert words("real_node") == {*DEBIAN_PACKAGES.values(), CNI_PACKAGE}


def test_the_list_has_all_that_the_images_tests_ask_for() -> None:
    asked = {
        program
        for path in (ROOT / "tests" / "e2e").rglob("*.py")
        for call in re.findall(r"^ +need\(([^)]*)\)", path.read_text(), re.MULTILINE)
        for program in re.findall(r'"([^"]+)"', call)
    }

    assert asked == words("images")


def test_root_gets_what_is_missing_and_only_that(tmp_path: Path) -> None:
    everything = words("images") | words("real_node")

    done, calls = run(tmp_path, user=0, installed=everything - {"skopeo", "conntrack"})

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert calls == ["-qq update", "-qq install --yes --no-install-recommends conntrack skopeo"]


def test_with_everything_there_nothing_is_asked(tmp_path: Path) -> None:
    done, calls = run(tmp_path, user=0, installed=words("images") | words("real_node"))

    assert (done.returncode, done.stdout, done.stderr, calls) == (0, "", "", [])


def test_others_than_root_are_told_and_nothing_is_installed(tmp_path: Path) -> None:
    done, calls = run(tmp_path, user=1000, installed=words("images") | words("real_node") - {"skopeo"} - {"conntrack"})

    assert done.returncode == 0
    assert done.stderr == "make e2e: missing Debian packages: conntrack; what needs them is skipped\n"
    assert calls == []
