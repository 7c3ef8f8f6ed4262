"""The set-up script as a newcomer meets it: a missing Python gets one line, a finished set-up does nothing."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("sh", "dirname", "cat", "date", "rm", "flock", "env")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a folder with just the files that the set-up reads, and a bin/ with nothing but the shell's tools."""
    (tmp_path / "scripts").mkdir()
    for name in ("requirements.lock", "pyproject.toml", "package-lock.json", "scripts/setup.sh"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        if found is not None:
            (tmp_path / "bin" / tool).symlink_to(found)
    return tmp_path


def run_setup(checkout: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "scripts/setup.sh"],
        cwd=checkout,
        env={"PATH": str(checkout / "bin"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def executable(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def test_a_machine_without_python_gets_one_line_that_says_what_is_needed(checkout: Path) -> None:
    done = run_setup(checkout)

    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "Python 3.11 or newer is needed and none was found" in done.stderr


def test_an_old_python_counts_as_none(checkout: Path) -> None:
    executable(checkout / "bin" / "python3", "#!/bin/sh\nexit 1\n")

    done = run_setup(checkout)

    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "Python 3.11" in done.stderr


def test_a_named_python_that_does_not_fit_is_named_in_the_message(checkout: Path) -> None:
    done = run_setup(checkout, PYTHON="/nowhere/python3.9")

    assert done.returncode == 2
    assert "/nowhere/python3.9" in done.stderr


def test_a_finished_set_up_says_and_does_nothing() -> None:
    before = (ROOT / ".venv" / ".moka-setup").stat().st_mtime_ns

    done = subprocess.run(["sh", "scripts/setup.sh"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (ROOT / ".venv" / ".moka-setup").stat().st_mtime_ns == before


def give_installers(checkout: Path, *, npm: str) -> None:
    """Python and pip that only write down that they were called, and an npm that does as told."""
    fake_bin = checkout / ".venv" / "bin"
    fake_bin.mkdir(parents=True)
    real = ROOT / ".venv" / "bin" / "python"
    script = f'#!/bin/sh\nif [ "$1" = -m ]; then echo "$*" >> "{checkout}/calls"; exit 0; fi\nexec "{real}" "$@"\n'
    for name in ("python", "pip"):
        executable(fake_bin / name, script)
    executable(checkout / "bin" / "python3.11", f'#!/bin/sh\nexec "{real}" "$@"\n')
    executable(checkout / "bin" / "npm", f"#!/bin/sh\n{npm}\n")


def test_a_failing_npm_is_heard_and_leaves_the_set_up_unfinished(checkout: Path) -> None:
    # npm's own --silent hides even its errors
    give_installers(checkout, npm='case "$*" in *--silent*) ;; *) echo "npm error no such host" >&2 ;; esac\nexit 1')

    done = run_setup(checkout)

    assert done.returncode == 2
    assert "npm error no such host" in done.stderr
    assert "setup: npm could not install the CDK CLI" in done.stderr.splitlines()[-1]
    assert not (checkout / ".venv" / ".moka-setup").exists()


def test_a_changed_lock_makes_the_set_up_stale(checkout: Path) -> None:
    # GIVEN a set-up
    give_installers(checkout, npm="exit 0")
    assert run_setup(checkout).returncode == 0
    calls = (checkout / "calls").read_text()
    assert "--require-hashes -r requirements.lock" in calls

    # WHEN nothing changed, THEN nothing is installed
    assert run_setup(checkout).returncode == 0
    assert (checkout / "calls").read_text() == calls

    # WHEN the lock changed, THEN it is installed again
    with (checkout / "requirements.lock").open("a") as lock:
        lock.write("# changed\n")
    assert run_setup(checkout).returncode == 0
    assert (checkout / "calls").read_text() == calls * 2
