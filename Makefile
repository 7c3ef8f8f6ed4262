# Moka. Every target makes .venv from the lock first when it is missing or stale; the second start installs nothing.
.DEFAULT_GOAL := help
.PHONY: help run test e2e e2e-full testbed images check policy format bench bench-archer bench-manifests setup lock clean
SHELL := /bin/sh

# Everything runs with the virtual environment first on PATH: its Python, and the Node that jsii and the CDK CLI need.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION := 1

help: ## show the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  make run ONCE=1      exit after the results: 0 only if every job succeeded"
	@echo "  make e2e E2E=...     some of its folders, for example E2E=tests/e2e/archer"
	@echo "  make test ARGS=...   arguments for pytest, for example ARGS='-k queue'"
	@echo "  ./cdk list|synth|diff|deploy ...   the pinned CDK CLI: ./cdk synth -c env=dev"

run: setup ## synthesise every environment, then real Spark jobs through Archer on this machine
	@exec moka local $(if $(ONCE),--once)

# three on two cores: a third of the time, a test waits for a process of its own. Bytecode is kept, whatever the environment says:
# tests start our programs hundreds of times, and each would compile what it loads
test: setup ## run every test; no network after the set-up
	@unset PYTHONDONTWRITEBYTECODE; exec pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

e2e: setup ## run the tests that need a Kubernetes control plane; the first run builds it (10 minutes, Go needed)
	@sh scripts/setup-e2e.sh
	@exec pytest $(or $(E2E),tests/e2e) $(ARGS)

e2e-full: setup ## the tests of Archer on Kubernetes at their stated figures instead of a tenth (about an hour)
	@sh scripts/setup-e2e.sh
	@MOKA_E2E_FULL=1 exec pytest tests/e2e/archer $(ARGS)

testbed: setup ## start a Kubernetes control plane with the pretended nodes of ENV (dev) and stay until Ctrl-C
	@exec python -m testbed up $(or $(ENV),dev)

images: setup ## build the images of Archer and Spark for this machine, on BASE or the pinned base
	@exec moka images build $(if $(BASE),--base $(BASE))

check: setup ## format, lint, types, import layers, spelling, dependency audit
	ruff format --check .
	ruff check .
	mypy .
	lint-imports
	codespell
	python scripts/audit.py

policy: setup ## cdk-nag, cfn-lint and checkov over every template: nothing but what policy/suppressions.yaml accepts
	@sh scripts/setup-checkov.sh
	@exec python -m policy

format: setup ## format the code and mend what ruff can mend
	ruff format .
	ruff check --fix .

bench: setup ## print the ratios that the project promises
	python benchmarks/synth.py

bench-archer: setup ## what Archer costs: accepts, creates, staleness, re-sync, memory (ARGS=--short for a look); on the testbed
	python -m benchmarks.archer $(ARGS)

bench-manifests: setup ## apply of a full set against kubectl's; on the testbed, so Go builds it the first time
	python benchmarks/manifests.py

setup: ## make .venv and node_modules match the locks
	@sh scripts/setup.sh

lock: setup ## resolve the dependencies anew and write the two locks (needs uv)
	uv pip compile pyproject.toml --extra infra --extra archer --extra local --extra dev --universal \
	  --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o requirements.lock
	uv pip compile policy/checkov.in --universal \
	  --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o requirements-checkov.lock
	@echo "then: make setup && python scripts/image_locks.py"

clean: ## remove what the targets made
	rm -rf .venv .venv-checkov node_modules cdk.out dist .moka .mypy_cache .ruff_cache .pytest_cache
