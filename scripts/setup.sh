#!/bin/sh
# Makes .venv and node_modules match requirements.lock and package-lock.json; does nothing when they already do.
# Called by every make target and by ./cdk. Needs nothing but Python 3.11+: Node and a JRE are Python packages here.
set -eu
cd "$(dirname "$0")/.."

venv=.venv
stamp=$venv/.moka-setup

say() { printf 'setup: %s\n' "$*" >&2; }
die() { printf 'setup: %s\n' "$*" >&2; exit 2; }

fits() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
    for candidate in ${PYTHON:-} python3.13 python3.12 python3.11 python3.14 python3 python; do
        if fits "$candidate"; then echo "$candidate"; return; fi
    done
    die "Python 3.11 or newer is needed and none was found (tried ${PYTHON:+$PYTHON, }python3.11 to python3.14, python3); install it, or name it: make PYTHON=/path/to/python3.11 run"
}

# The stamp is a hash of what defines the set-up, so that a changed lock makes it stale and a touched file does not.
wanted() {
    "$1" - <<'PY'
import hashlib, pathlib, sys
digest = hashlib.sha256(repr(sys.version_info[:2]).encode())
for name in ("requirements.lock", "pyproject.toml", "package-lock.json", "scripts/setup.sh"):
    digest.update(name.encode() + b"\0" + pathlib.Path(name).read_bytes())
print(digest.hexdigest())
PY
}

if [ -x "$venv/bin/python" ] && [ -f "$stamp" ] && [ -z "${PYTHON:-}" ]; then
    python=$venv/bin/python
else
    python=$(find_python) || exit 2
fi
want=$(wanted "$python")
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ] && exit 0

python=$(find_python) || exit 2
want=$(wanted "$python")
# Two starts at once (make run beside make test) must not install into one folder together.
if command -v flock >/dev/null 2>&1 && [ -z "${MOKA_SETUP_LOCKED:-}" ]; then
    MOKA_SETUP_LOCKED=1 exec flock .setup.lock sh "$0"
fi

if [ -x "$venv/bin/python" ] && ! "$python" -c "
import subprocess, sys
got = subprocess.run(['$venv/bin/python', '-c', 'import sys; print(sys.version_info[:2])'], capture_output=True, text=True).stdout.strip()
sys.exit(got != str(sys.version_info[:2]))"; then
    say "$venv was made by another Python; making it anew"
    rm -rf "$venv"
fi
rm -f "$stamp"
started=$(date +%s)
if command -v uv >/dev/null 2>&1; then
    say "installing the locked packages with uv (about 1 GB the first time)"
    [ -x "$venv/bin/python" ] || uv venv --quiet --python "$python" "$venv"
    uv pip install --quiet --python "$venv/bin/python" --require-hashes -r requirements.lock
    uv pip install --quiet --python "$venv/bin/python" --no-deps --no-build-isolation -e .
else
    say "installing the locked packages with pip (about 1 GB the first time, some minutes)"
    if [ ! -x "$venv/bin/pip" ]; then
        "$python" -m venv "$venv" || die "$python cannot make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv"
    fi
    # the pip of an older Python warns of packages without wheels that it installs all the same: nothing for a reader to do
    export PYTHONWARNINGS=ignore
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
    unset PYTHONWARNINGS
fi
say "installing the CDK CLI with the Node of the virtual environment"
# not --silent: that hides errors too
PATH=$PWD/$venv/bin:$PATH npm ci --loglevel=error --no-audit --no-fund --no-update-notifier >/dev/null ||
    die "npm could not install the CDK CLI, see its words above; behind a proxy with a certificate of its own, set NODE_EXTRA_CA_CERTS"
printf '%s\n' "$want" >"$stamp"
say "done in $(($(date +%s) - started)) s"
