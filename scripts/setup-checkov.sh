#!/bin/sh
# Makes .venv-checkov match requirements-checkov.lock; does nothing when it already does. Called by make policy, after make setup.
# checkov needs an environment of its own: it pins an old boto3, and two versions cannot live in one.
set -eu
cd "$(dirname "$0")/.."

venv=.venv-checkov
stamp=$venv/.moka-setup
python=.venv/bin/python
want=$(cat requirements-checkov.lock scripts/setup-checkov.sh | "$python" -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read() + repr(sys.version_info[:2]).encode()).hexdigest())')
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ] && exit 0

started=$(date +%s)
rm -rf "$venv"
if command -v uv >/dev/null 2>&1; then
    uv venv --quiet --python "$python" "$venv"
    uv pip install --quiet --python "$venv/bin/python" --require-hashes -r requirements-checkov.lock
else
    "$python" -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-checkov.lock
fi
printf '%s\n' "$want" >"$stamp"
printf 'setup: checkov installed in %s s\n' "$(($(date +%s) - started))" >&2
