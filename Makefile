# Each target makes the environment that it needs, once, and again when
# pyproject.toml has changed. `make PYTHON=python3.13 test` chooses the Python.

PYTHON ?= python3
DEV := .venv
DEMO := .venv-demo
BENCH := .venv-bench
FUZZ := .venv-fuzz
ENGINES := .venv-engines
SUITES := .venv-suites
CEPH := .ceph
SECONDS ?= 600

# Where a folder in memory has 4 GB of room, no test waits for the disk.
FOLDER = $(shell df -Pk /dev/shm 2>/dev/null | \
	awk -v other="$${TMPDIR:-/tmp}" 'END { print ($$4 > 4000000 ? "/dev/shm" : other) }')
# Hundreds of tests start a Python, and none of these has to compile the library again.
PYTEST = TMPDIR=$(FOLDER) PYTHONDONTWRITEBYTECODE= $(DEV)/bin/python -m pytest

$(DEV)/installed: WANTED = -e . --group tests --group lint --group typing --group docs
$(DEMO)/installed: WANTED = -e '.[pandas,fast,probe]' scikit-learn
$(BENCH)/installed: WANTED = -e '.[probe]' --group bench
$(FUZZ)/installed: WANTED = -e . --group fuzz

$(ENGINES)/installed: WANTED = -e . --group engines
$(SUITES)/installed: WANTED = -e '.[cli,probe]' --group suites

.PHONY: help demo test lint types mypy pyright docs bench reliability corpora probes-suites engines fuzz test-ceph clean

help: ## List the targets
	@sed -nE 's/^([a-z-]+):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

demo: $(DEMO)/installed ## Run the example, from a wrong number to its cause
	PYTHONPATH=examples $(DEMO)/bin/python -m harvest_app

test: $(DEV)/installed ## Lint, check the types and run the tests
	$(MAKE) --jobs=2 lint types
	$(PYTEST) --numprocesses=auto --dist=loadfile

test-ceph: $(DEV)/installed $(CEPH)/unpacked ## Run the tests of object stores on Ceph, from Debian's packages
	CEPH=$(abspath $(CEPH)) $(PYTEST) tests/storage tests/handlers/test_spill.py \
		tests/cli/test_object_stores.py tests/reliability/test_network.py

lint: $(DEV)/installed ## Check style and format
	$(DEV)/bin/python -m ruff check .
	$(DEV)/bin/python -m ruff format --check .

types: mypy pyright ## Check the types, with mypy and with pyright

mypy: $(DEV)/installed
	$(DEV)/bin/python -m mypy

pyright: $(DEV)/installed
	$(DEV)/bin/python -m pyright --pythonpath $(DEV)/bin/python

reliability: $(DEV)/installed ## Break saves at every call, in all cases; as root with power cuts
	RELIABILITY=full $(PYTEST) --numprocesses=auto --dist=loadfile tests/reliability

docs: $(DEV)/installed ## Build the documentation in docs/_build/html
	$(DEV)/bin/python docs/picture.py
	$(DEV)/bin/python -m sphinx -W -b html docs docs/_build/html

bench: $(BENCH)/installed ## Measure the speed beside other tools
	$(BENCH)/bin/python -m benchmarks

corpora: $(DEV)/installed ## Save and load the values that other libraries test themselves with
	$(DEV)/bin/python -W ignore -m tests.corpora

probes-suites: $(SUITES)/installed ## Run the test suites of other libraries under probes
	$(SUITES)/bin/python -m tests.suites

engines: $(ENGINES)/installed ## Save from the workers of joblib, Dask, Ray and Spark
	TASKS=10000 TMPDIR=$(FOLDER) $(ENGINES)/bin/python -m pytest tests/workers

fuzz: $(FUZZ)/installed ## Load made-up files for ten minutes, on Python 3.11
	$(FUZZ)/bin/python tests/reliability/fuzz.py --seconds $(SECONDS)

clean: ## Remove all that was made here, the environments too
	rm -rf $(DEV) $(DEMO) $(BENCH) $(FUZZ) $(ENGINES) $(SUITES) $(CEPH) docs/_build dist harvest-out harvest-runs .coverage* .*_cache .hypothesis

# Nothing is installed: that takes no root, and starts no service.
$(CEPH)/unpacked:
	@mkdir -p $(CEPH)/packages/partial
	-apt-get install --download-only --yes --no-install-recommends --quiet=2 \
		-o Debug::NoLocking=1 -o Dir::Cache::Archives=$(abspath $(CEPH))/packages \
		radosgw ceph-mon ceph-osd
	@find $(CEPH)/packages -name '*.deb' -exec dpkg -x {} $(CEPH) \;
	@rm -r $(CEPH)/packages
	@test ! -e $(CEPH)/usr/bin/radosgw || touch $@

%/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "checkpoints needs Python 3.11 or newer; name one: make PYTHON=python3.13 ..."; exit 1; }
	@echo "Making the environment $*: a minute or two, once"
	$(PYTHON) -m venv $*
	$*/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	$*/bin/python -m pip install --quiet $(WANTED)
	@touch $@
