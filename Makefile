# pykube-cp: a Kubernetes control plane in Python. `make help` lists what there is.

.DEFAULT_GOAL := help
PYTHON ?= $(shell for p in python3.14 python3.13 python3.12 python3.11 python3; do $$p -c 'import ensurepip' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help setup check format test test-integration generate clean

help: ## this list
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | awk -F ':.*?## ' '{printf "  %-18s %s\n", $$1, $$2}'

# The stamp is newer than pyproject.toml once everything it names is installed.
$(VENV)/.stamp: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "install python3-venv first: apt-get install python3-venv" >&2; exit 1; }
	@echo "installing what the project needs into $(VENV)"
	@$(BIN)/python -m ensurepip --default-pip >/dev/null 2>&1 || true
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[etcd]' --group dev
	@$(BIN)/python -m compileall -q pykube_cp
	@touch $@

setup: $(VENV)/.stamp ## virtual environment with everything for development

check: setup ## format, lint, types, import contracts, sizes
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python tools/sizes.py

format: setup ## let the formatter and the linter mend what they can
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

test: setup ## all tests that need no cluster
	@$(BIN)/pytest -q -n 2 --dist loadfile

test-integration: setup ## stock kubectl and the official Python client against a control plane without nodes
	@conformance/tools.sh kubectl
	@$(BIN)/pytest -q -n 2 --dist loadfile tests/integration

generate: ## rebuild the generated tables from upstream's source (needs Go)
	@tools/generate.sh

clean: ## delete caches and the virtual environment, not the built components
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

include conformance/Makefile.inc
include bench/Makefile.inc
