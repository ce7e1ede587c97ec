# Every target makes what it needs: a virtual environment in .venv, with the package built and installed into it.
# Nothing has to be installed before but Python 3.11 or later.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := $(shell find src -name '*.py') pyproject.toml README.md LICENSE docs/loginmachine.1
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# With this set, pytest compiles every test module again in each of its processes.
unexport PYTHONDONTWRITEBYTECODE

PYTEST := $(BIN)/python -m pytest --numprocesses auto --dist worksteal

# What codespell reads. tools/words.py knows its own files.
PROSE := README.md CHANGELOG.md CODE_OF_CONDUCT.md CONTRIBUTING.md SECURITY.md Makefile pyproject.toml docs src tests examples benchmarks interop tools

# Seconds for which `make fuzz` looks for bytes that break the callback listener.
SECONDS ?= 60

.PHONY: demo test test-pythons check words proof mutants fleet diagram api docs dist man traces bench interop fuzz clean
.DELETE_ON_ERROR:

demo: $(VENV)/.installed
	@$(BIN)/loginmachine demo $(DEMO)

test: $(VENV)/.installed $(VENV)/.tools
	$(PYTEST) $(TESTS)

# The tests of the core on each Python of this machine, in environments under .pythons.
test-pythons: $(VENV)/.wheel
	$(BIN)/python -m tools.pythons build/wheel/*.whl .pythons --quiet --numprocesses auto --dist worksteal tests/sansio

# Only the core's tests measure coverage, which doubles their time.
check: words $(VENV)/.installed $(VENV)/.tools
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy src
	$(BIN)/mypy tests examples benchmarks interop tools
	$(PYTEST) --quiet --ignore tests/sansio
	$(PYTEST) --quiet --cov --cov-report= tests/sansio
	$(BIN)/coverage report --include "*/sansio/*" --fail-under 100 --skip-covered

# Spelling, and plain English: docs/glossary.md has the project's words.
words: $(VENV)/.tools
	$(BIN)/codespell $(PROSE)
	$(BIN)/python -m tools.words

proof: $(VENV)/.installed $(VENV)/.tools
	$(BIN)/python -m tests.model

mutants: $(VENV)/.installed $(VENV)/.tools
	$(BIN)/python -m tests.model.killing

# Random schedules of a fleet in virtual time, and real programs that are killed at random moments.
fleet: $(VENV)/.installed $(VENV)/.tools
	$(BIN)/python -m tests.fleet $(SCHEDULES)
	$(BIN)/python -m tests.fleet.kills

diagram: $(VENV)/.installed
	$(BIN)/python -m loginmachine.sansio.diagram.login > docs/state-diagram.md
	$(BIN)/python -m loginmachine.sansio.diagram.refresh > docs/refresh-diagram.md
	$(BIN)/python -m loginmachine.sansio.diagram.lease > docs/lease-diagram.md

api: $(VENV)/.installed
	$(BIN)/python -m tests.api_page

# The documentation site, in build/site/html. A warning, or a link that leads nowhere, is an error.
docs: $(VENV)/.installed $(VENV)/.docs
	$(BIN)/python -m tools.site build/site

man: $(VENV)/.installed
	$(BIN)/python -m tools.man_page > build/loginmachine.1
	mv build/loginmachine.1 docs/loginmachine.1

# The source archive and the wheel of the commit, in dist. REPOSITORY is the address for the README's links.
dist: $(VENV)/.installed $(VENV)/.release
	$(BIN)/python -m tools.release dist $(if $(REPOSITORY),--repository $(REPOSITORY))
	$(BIN)/twine check --strict dist/*

traces: $(VENV)/.installed $(VENV)/.tools
	$(BIN)/python -m tests.traces.record

# A program to compare with that cannot be installed is left out, and the tables say so.
bench: $(VENV)/.installed $(VENV)/.bench benchmarks/.envs/msal benchmarks/.envs/google-auth-oauthlib
	$(BIN)/python -m benchmarks $(BENCH)

# Servers are installed in interop/.cache. One that cannot be installed is named as skipped.
interop: $(VENV)/.installed $(VENV)/.tools
	$(BIN)/python -m interop $(INTEROP)

# An input that breaks the listener is written to build/fuzz. Give the file's name to tests.fuzz.callback to run it again.
fuzz: $(VENV)/.installed $(VENV)/.tools $(VENV)/.fuzzer
	mkdir -p build/fuzz/found
	$(BIN)/python -m tests.fuzz.callback -max_total_time=$(SECONDS) -artifact_prefix=build/fuzz/ build/fuzz/found tests/fuzz/corpus

clean:
	rm -rf $(VENV) .pythons benchmarks/.envs interop/.cache build dist .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip --quiet install --upgrade pip 'setuptools>=77'

# The package's requirements, with those of its extras.
$(VENV)/.dependencies: pyproject.toml | $(BIN)/python
	rm -rf build/lib build/bdist.*
	$(PIP) install --no-build-isolation '.[dask,demo,keyring,mcp,qr,redis,socks]'
	touch $@

$(VENV)/.tools: pyproject.toml | $(BIN)/python
	$(PIP) install --group test --group lint
	# Packages of the examples. Without one of them its tests are skipped.
	-$(PIP) install --group hosts
	touch $@

$(VENV)/.release: pyproject.toml | $(BIN)/python
	$(PIP) install --group release
	touch $@

$(VENV)/.docs: pyproject.toml | $(BIN)/python
	$(PIP) install --group docs
	touch $@

$(VENV)/.bench: pyproject.toml | $(BIN)/python
	$(PIP) install --group bench
	touch $@

# The programs that benchmarks compare with, each in an environment of its own.
benchmarks/.envs/%:
	-$(PYTHON) -m venv $@ && $@/bin/python -m pip --disable-pip-version-check --quiet install $* || rm -rf $@

$(VENV)/.fuzzer: pyproject.toml | $(BIN)/python
	$(PIP) install --group fuzz
	touch $@

# The package, built and installed: tests and type checks use what a person would install.
$(VENV)/.installed: $(VENV)/.wheel
	$(PIP) install --no-deps --force-reinstall build/wheel/*.whl
	touch $@

$(VENV)/.wheel: $(SOURCES) $(VENV)/.dependencies
	rm -rf build/lib build/bdist.* build/wheel
	$(PIP) wheel --no-build-isolation --no-deps --wheel-dir build/wheel .
	rm -rf build/lib build/bdist.*
	touch $@
