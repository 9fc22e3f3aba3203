# `make quickstart` trains a first model, `make test` runs everything that has to pass. Both make .venv if it is missing.

SHELL := /bin/bash
.DEFAULT_GOAL := help

# The first Python that is new enough; another one by `make PYTHON=...`.
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
WORKERS ?= 2

BIN := .venv/bin
QUICKSTART_EXTRAS := jax
TEST_EXTRAS := tensorflow,jax,fast,tables,export,test,docs,dev
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
PYTEST = $(BIN)/python -m pytest -q -n $(WORKERS)
# What has to hold on every backend; tests/arrays asks none, and the others start processes that choose their own.
EVERY_BACKEND = $(wildcard tests/contract tests/core tests/maths)

.PHONY: help quickstart test check test-programs test-jax test-tensorflow test-torch docs readme clean

help:
	@echo "make quickstart   train LeNet-5 on handwritten digits, in .venv"
	@echo "make test         all checks, tests and the documentation, in .venv"
	@echo "make check        format, lint, types and import directions"
	@echo "make docs         the documentation, in docs/_build/html"
	@echo "make readme       the README's table from docs/results.json"
	@echo "make clean        remove .venv and whatever was built"

quickstart: .venv/.quickstart
	$(BIN)/maquette quickstart

test: check test-programs test-jax test-tensorflow test-torch docs

check: .venv/.test
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo

# Small models take longer to compile than to run: without its expensive passes XLA compiles them three times as fast.
JAX = KERAS_BACKEND=jax XLA_FLAGS="--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true \
	--xla_cpu_use_fusion_emitters=false --xla_cpu_multi_thread_eigen=false"

test-jax: .venv/.test
	$(JAX) $(PYTEST) $(EVERY_BACKEND)

test-programs: .venv/.test
	$(JAX) $(PYTEST) tests $(EVERY_BACKEND:%=--ignore=%)

test-tensorflow: .venv/.test
	KERAS_BACKEND=tensorflow $(PYTEST) $(EVERY_BACKEND)

test-torch: .venv/.test
	@if $(BIN)/python -c 'import torch' 2>/dev/null; then KERAS_BACKEND=torch $(PYTEST) $(EVERY_BACKEND); \
	else echo "PyTorch is not installed in .venv: its tests are left out"; fi

docs: .venv/.test
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

readme: .venv/.test
	$(BIN)/python docs/generate.py README.md

clean:
	rm -rf .venv docs/_build dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Maquette needs Python 3.11 or newer, and none of python3.13, python3.12, python3.11" \
		"and python3 is one: install it, or name it by make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is not Python 3.11 or newer" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; $(PYTHON) -m venv --without-pip .venv && \
		$(PYTHON) -m pip --python .venv/bin/python install --quiet pip; } || { rm -rf .venv; \
		echo "$(PYTHON) cannot make a virtual environment: on Debian, apt install python3-venv" >&2; exit 1; }

.venv/.quickstart: pyproject.toml constraints.txt | .venv/bin/python
	@echo "installing Maquette with $(QUICKSTART_EXTRAS) into .venv: about a minute"
	$(INSTALL) -e '.[$(QUICKSTART_EXTRAS)]'
	@touch $@

.venv/.test: pyproject.toml constraints.txt | .venv/bin/python
	@echo "installing Maquette with everything that the tests need into .venv: a few minutes"
	$(INSTALL) -e '.[$(TEST_EXTRAS)]'
	@touch .venv/.quickstart $@
