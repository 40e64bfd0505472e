# make setup | demo | test | unit | lint | bench | golden
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo test unit lint format bench golden lock clean

# Newest first; a machine whose python3 is older often has a versioned one beside it.
PYTHON ?= $(firstword $(foreach p,python3 python3.14 python3.13 python3.12 python3.11,$(shell command -v $(p) >/dev/null 2>&1 && $(p) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(p))))
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
STAMP := $(VENV)/.switchyard-setup
JOBS ?= 2
# The programs of the wheels (temporal, traefik, trivy) belong to the environment.
export PATH := $(CURDIR)/$(BIN):$(PATH)

COVERED := --cov
# Every pure decision, every golden history, and the main ways through the workflows: what a change breaks first.
UNIT := tests/pipelines tests/replay tests/activities/reports $(addprefix tests/workflows/test_,pipeline.py rollout_canary.py delivery.py)
FAST := -m "not e2e and not server and not component"

help: ## what can be made
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(STAMP) ## virtual environment with the locked packages, and the Debian packages that tests use

$(STAMP): requirements.lock pyproject.toml .ci/system-packages Makefile
	@.ci/system-packages --venv
	@test -n "$(PYTHON)" || { echo "setup: Python 3.11 or newer is needed: apt-get install python3 python3-venv"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --compile-bytecode -e .
	@touch $@

demo: setup ## a commit's way from webhook to canary, and a bad one rolled back
	$(BIN)/switchyard demo $(ARGS)

lint: setup ## ruff, mypy, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup ## let ruff put things right
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

unit: setup ## under a minute, no server but Temporal's
	$(BIN)/pytest -n $(JOBS) $(FAST) $(UNIT) $(ARGS)

test: setup ## everything, with at least 90 % of lines covered
	rm -f .coverage .coverage.*
	$(BIN)/pytest -n $(JOBS) --dist loadfile -m "not e2e" --ignore=tests/e2e --ignore=tests/bench $(COVERED) --cov-report= $(ARGS)
	$(BIN)/pytest -n $(JOBS) --dist loadfile tests/e2e $(COVERED) --cov-append --cov-report=term:skip-covered --cov-report=xml --cov-fail-under=90 $(ARGS)
	rm -f .coverage.*

bench: setup ## the goals of latency and throughput, beside Buildbot and DBOS
	$(BIN)/python -m tests.bench $(ARGS)

golden: setup ## record the histories that the replay tests replay
	$(BIN)/python -m tests.replay.record $(ARGS)

lock: setup ## pin every package anew
	$(BIN)/uv pip compile -q --upgrade --extra dev --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements.lock

clean: ## what tests and tools left behind; the environment stays
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage .coverage.* coverage.xml build dist
