# Two commands for a fresh machine with git, Python 3.11+ and make:  make demo   make test
# Everything is installed into ./.tools and ./.venv by these rules; nothing else on the machine is touched.

PYTHON ?= python3
UV_VERSION := 0.13.9
UV := .tools/bin/uv
BIN := .venv/bin
ARGS ?=
SEEDS ?= 100
MINUTES ?= 10
SAY := @printf '\033[1m── %s\033[0m\n'

.DEFAULT_GOAL := help
.PHONY: help install demo test lint types schemas unit simulate faults bench bench-kafka lock format clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## */  make \1 \t/' | expand -t 22

$(UV):
	$(SAY) "installing uv $(UV_VERSION) into ./.tools (once, some seconds)"
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 15) else "Python 3.11 to 3.14 is needed; this is " + sys.version.split()[0] + ". Name another with: make PYTHON=python3.12 ...")'
	@$(PYTHON) -m venv .tools 2>/dev/null || { rm -rf .tools; echo "Python's venv module is incomplete here; on Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

.venv/ready: requirements.lock pyproject.toml | $(UV)
	$(SAY) "installing locked dependencies into ./.venv (once, about half a minute)"
	@test -x $(BIN)/python || $(UV) venv --quiet --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" .venv
	@VIRTUAL_ENV=.venv $(UV) pip sync --require-hashes requirements.lock
	@VIRTUAL_ENV=.venv $(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

install: .venv/ready ## install into ./.venv; afterwards .venv/bin/ccr --help

demo: .venv/ready ## a small county's week, end to end, on this machine (ARGS="--seconds 10 --json")
	@$(BIN)/ccr demo $(ARGS)

test: lint types schemas unit ## everything CI checks

lint: .venv/ready ## format, lint, import direction
	$(SAY) "format and lint"
	@$(BIN)/ruff format --check --quiet . && $(BIN)/ruff check --quiet .
	$(SAY) "import direction"
	@$(BIN)/lint-imports --no-logo >.venv/lint-imports.log || { cat .venv/lint-imports.log; exit 1; }

types: .venv/ready ## strict types
	$(SAY) "strict types"
	@$(BIN)/mypy

schemas: .venv/ready ## generated schemas and documents in step with the code
	$(SAY) "schemas and documents in step with the code"
	@$(BIN)/python -m ccr_events.schemas check
	@$(BIN)/python -m services.portal.openapi check

unit: .venv/ready ## the test suite (ARGS="-k name")
	$(SAY) "tests"
	@$(BIN)/pytest -n 2 --dist worksteal $(ARGS)

simulate: .venv/ready ## SEEDS=100 whole backbones under faults, each from its seed (SEED=7 one of them, all it does)
	@$(BIN)/python -m tests.simulation --seeds $(SEEDS) $(if $(SEED),--seed $(SEED)) $(ARGS)

faults: .venv/ready ## MINUTES=10 of faults of every kind on three brokers under load (SEED=7 the same again)
	@$(BIN)/python -m tests.faults --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) $(ARGS)

bench: .venv/ready ## figures, measured on this machine
	@$(BIN)/python -m bench $(ARGS)

bench-kafka: .venv/ready | $(UV) ## ours beside Quix, Bytewax, Kafka Streams and others, on one broker (ARGS="--events 100000 --rounds 1")
	@$(BIN)/python -m bench.kafka $(ARGS)

format: .venv/ready ## put the code into the project's format
	@$(BIN)/ruff format --quiet . && $(BIN)/ruff check --fix --quiet .

lock: | $(UV) ## renew requirements.lock, and those of the image, from pyproject.toml
	$(SAY) "locking versions, with hashes, for every platform"
	@$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --all-extras --group dev pyproject.toml -o requirements.lock
	@deploy/lock.sh

clean: ## remove ./.venv, ./.tools, the bench's peers and caches
	rm -rf .venv .tools bench/peers/.env .mypy_cache .ruff_cache .pytest_cache .hypothesis
