# Each target makes the environment that it needs, once, and again when
# pyproject.toml has changed. `make PYTHON=python3.13 test` chooses the Python.

PYTHON ?= python3
DEV := .venv
DEMO := .venv-demo
BENCH := .venv-bench
FUZZ := .venv-fuzz
SECONDS ?= 600

$(DEV)/installed: WANTED = -e . --group tests --group lint --group typing --group docs
$(DEMO)/installed: WANTED = -e '.[pandas,fast]' scikit-learn
$(BENCH)/installed: WANTED = -e . --group bench
$(FUZZ)/installed: WANTED = -e . --group fuzz

.PHONY: help demo test lint types docs bench reliability fuzz clean

help: ## List the targets
	@sed -nE 's/^([a-z]+):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

demo: $(DEMO)/installed ## Run the example, from a wrong number to its cause
	PYTHONPATH=examples $(DEMO)/bin/python -m harvest_app

test: lint types ## Lint, check the types and run the tests
	$(DEV)/bin/python -m pytest

lint: $(DEV)/installed ## Check style and format
	$(DEV)/bin/python -m ruff check .
	$(DEV)/bin/python -m ruff format --check .

types: $(DEV)/installed ## Check the types, with mypy and with pyright
	$(DEV)/bin/python -m mypy
	$(DEV)/bin/python -m pyright --pythonpath $(DEV)/bin/python

# Where there is a folder in memory, the disk does not make 100,000 cases wait.
reliability: $(DEV)/installed ## Break saves at every call, in all cases; as root with power cuts
	RELIABILITY=full TMPDIR=$$(test -w /dev/shm && echo /dev/shm || echo "$${TMPDIR:-/tmp}") \
		$(DEV)/bin/python -m pytest tests/reliability

docs: $(DEV)/installed ## Build the documentation in docs/_build/html
	$(DEV)/bin/python -m sphinx -W -b html docs docs/_build/html

bench: $(BENCH)/installed ## Measure the speed beside other tools
	$(BENCH)/bin/python -m benchmarks

fuzz: $(FUZZ)/installed ## Load made-up files for ten minutes, on Python 3.11
	$(FUZZ)/bin/python tests/reliability/fuzz.py --seconds $(SECONDS)

clean: ## Remove all that was made here, the environments too
	rm -rf $(DEV) $(DEMO) $(BENCH) $(FUZZ) docs/_build dist harvest-out .coverage* .*_cache .hypothesis

%/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "checkpoints needs Python 3.11 or newer; name one: make PYTHON=python3.13 ..."; exit 1; }
	@echo "Making the environment $*: a minute or two, once"
	$(PYTHON) -m venv $*
	$*/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	$*/bin/python -m pip install --quiet $(WANTED)
	@touch $@
