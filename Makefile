# Every target makes what it needs: a virtual environment in .venv, with the package built and installed into it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := $(shell find src -name '*.py') pyproject.toml README.md LICENSE
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# Whoever has it set would compile all tests anew in every process of every run.
unexport PYTHONDONTWRITEBYTECODE

PYTEST := $(BIN)/python -m pytest --numprocesses auto --dist worksteal

# How long `make fuzz` looks for bytes that break the callback listener.
SECONDS ?= 60

.PHONY: demo test check proof mutants diagram api traces bench fuzz clean
.DELETE_ON_ERROR:

demo: $(VENV)/.installed
	@$(BIN)/loginmachine demo $(DEMO)

test: $(VENV)/.installed $(VENV)/.tools
	$(PYTEST) $(TESTS)

# The core is measured by its own tests: measuring takes twice their time, and would take that of all the others too.
check: $(VENV)/.installed $(VENV)/.tools
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy src
	$(BIN)/mypy tests examples benchmarks
	$(PYTEST) --quiet --ignore tests/sansio
	$(PYTEST) --quiet --cov --cov-report= tests/sansio
	$(BIN)/coverage report --include "*/sansio/*" --fail-under 100 --skip-covered

proof: $(VENV)/.installed $(VENV)/.tools
	$(BIN)/python -m tests.model

mutants: $(VENV)/.installed $(VENV)/.tools
	$(BIN)/python -m tests.model.killing

diagram: $(VENV)/.installed
	$(BIN)/python -m loginmachine.sansio.diagram.login > docs/state-diagram.md
	$(BIN)/python -m loginmachine.sansio.diagram.refresh > docs/refresh-diagram.md

api: $(VENV)/.installed
	$(BIN)/python -m tests.api_page

traces: $(VENV)/.installed $(VENV)/.tools
	$(BIN)/python -m tests.traces.record

# A peer that cannot be installed is left out, and the tables say so.
bench: $(VENV)/.installed $(VENV)/.bench benchmarks/.envs/msal benchmarks/.envs/google-auth-oauthlib
	$(BIN)/python -m benchmarks $(BENCH)

# What it finds goes to build/fuzz: run it again with that file's name to see it.
fuzz: $(VENV)/.installed $(VENV)/.tools $(VENV)/.fuzzer
	mkdir -p build/fuzz/found
	$(BIN)/python -m tests.fuzz.callback -max_total_time=$(SECONDS) -artifact_prefix=build/fuzz/ build/fuzz/found tests/fuzz/corpus

clean:
	rm -rf $(VENV) benchmarks/.envs build dist .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip --quiet install --upgrade pip 'setuptools>=77'

# What the package needs, its extras included.
$(VENV)/.dependencies: pyproject.toml | $(BIN)/python
	rm -rf build
	$(PIP) install --no-build-isolation '.[demo,keyring]'
	touch $@

$(VENV)/.tools: pyproject.toml | $(BIN)/python
	$(PIP) install --group test --group lint
	touch $@

$(VENV)/.bench: pyproject.toml | $(BIN)/python
	$(PIP) install --group bench
	touch $@

# What benchmarks compare with, each in an environment of its own.
benchmarks/.envs/%:
	-$(PYTHON) -m venv $@ && $@/bin/python -m pip --disable-pip-version-check --quiet install $* || rm -rf $@

$(VENV)/.fuzzer: pyproject.toml | $(BIN)/python
	$(PIP) install --group fuzz
	touch $@

# The package itself, built anew: tests and types are checked against what a person would install.
$(VENV)/.installed: $(SOURCES) $(VENV)/.dependencies
	rm -rf build
	$(PIP) install --no-build-isolation --no-deps --force-reinstall .
	rm -rf build
	touch $@
