# Everything a contributor or a CI job runs. `make help` lists it.
# PYTHON makes the environment (3.11 or newer); ARGS is passed on to pytest.

PYTHON ?= python3
ARGS ?=
IMAGE ?= whence

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp
LOCK := .cache/lock
LOCKS := requirements/dev.txt

.DEFAULT_GOAL := help
.PHONY: help install demo servers front test test-slow test-all check check-deep quality lint types bench lock image clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(STAMP) ## the environment in .venv: locked, hashes checked; a second run installs nothing

$(STAMP): pyproject.toml $(LOCKS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Whence needs Python 3.11 or newer and $(PYTHON) is not: make install PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make environments. On Debian: apt-get install python3-venv" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/python -m corpus.machine_code
	@touch $@

demo: $(STAMP) ## a real change, checked from nothing to its report
	$(BIN)/python examples/demo.py

servers:
	@sh tests/servers.sh

front:
	@sh tests/servers.sh front

test: $(STAMP) servers lint types ## what every change must pass: style, types, the quick tests
	$(BIN)/python -m pytest $(ARGS)

test-slow: $(STAMP) servers
	$(BIN)/python -m pytest -m "slow or network" $(ARGS)

test-all: test test-slow ## the quick tests, then the slow ones and those that fetch real packages

check: $(STAMP) front ## the reliability checks that gate a release, and a table of their figures
	$(BIN)/python -m pytest -m check $(ARGS)

check-deep: $(STAMP) front ## the long reliability checks: faults, load, disasters
	$(BIN)/python -m pytest -m "check or deep" $(ARGS)

quality: $(STAMP) ## recall and precision on made and real cases
	$(BIN)/python -m bench.quality

bench: $(STAMP) ## speed and memory
	$(BIN)/python -m bench.speed

lint: $(STAMP) ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP) ## mypy --strict
	$(BIN)/mypy

lock: $(LOCK)/bin/pip-compile ## the lock files, after a change of dependencies (UPGRADE=--upgrade lifts all pins)
	PATH="$(CURDIR)/$(LOCK)/bin:$$PATH" $(PYTHON) requirements/compile.py $(UPGRADE)

$(LOCK)/bin/pip-compile:
	$(PYTHON) -m venv --clear $(LOCK)
	$(LOCK)/bin/python -m pip install --quiet --upgrade pip "pip-tools>=7.5,<8"

image: ## the container images, service and ingest
	docker build --target service --tag $(IMAGE):service .
	docker build --target ingest --tag $(IMAGE):ingest .

clean: ## remove the environment and every cache
	rm -rf $(VENV) .cache .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
