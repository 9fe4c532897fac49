# Only Python (3.11 or newer) and make are needed; each target builds .venv when it is missing.
VENV ?= .venv
PYTHON ?= $(firstword $(foreach python,python3.11 python3.12 python3.13 python3.14 python3 python,\
  $(shell $(python) -c 'import sys; sys.version_info >= (3, 11) and print("$(python)")' 2>/dev/null)))
CONSTRAINTS := requirements/constraints.txt
BIN := $(VENV)/bin
OUT ?= demo-data
# The tests wait for hardware more than they compute: three processes, each with IOCs of its own,
# for two cores.  In the files' own order the slow ones come first, and short ones fill the end.
WORKERS ?= 3
PYTEST = $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile \
  --no-loadscope-reorder

# Processes that the tests start would compile everything anew, each of them.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo demo-distributed test test-all bench lint docs clean

help:
	@echo "make demo      show the main job on simulated hardware, results in $(OUT)/"
	@echo "make demo-distributed  the parts of a beamline as programs, each killed once"
	@echo "make test      the tests (minutes)"
	@echo "make test-all  the tests, the slow ones too"
	@echo "make bench     measure, and print a table"
	@echo "make lint      ruff, pyright, import-linter"
	@echo "make docs      the documentation, in docs/_build/html/"
	@echo "make clean     remove what the targets above made"

demo: $(VENV)/.has-demo
	$(BIN)/adsupport demo --out $(OUT)

demo-distributed: $(VENV)/.has-demo $(VENV)/.has-distributed
	$(BIN)/python examples/14_distributed.py --demo --projections 30 --kill each --out $(OUT)

test: $(VENV)/.has-test
	$(PYTEST) -m "not slow and not bench"

test-all: $(VENV)/.has-test .judges-venv/.has-judges
	ADSUPPORT_PYNXTOOLS=$(abspath .judges-venv/bin/validate_nexus) \
	  HYPOTHESIS_PROFILE=new $(PYTEST) -m "not bench"

bench: $(VENV)/.has-test .bench-venv/.has-peer
	$(BIN)/python -m tests.bench --peer .bench-venv/bin/python

lint: $(VENV)/.has-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports

docs: $(VENV)/.has-docs
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html
	@echo "The documentation is in docs/_build/html/index.html"

clean:
	rm -rf $(VENV) .bench-venv .judges-venv .ci/venv $(OUT) docs/_build docs/reference/api
	rm -rf .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find adsupport iocs examples tests -name __pycache__ -type d -prune -exec rm -rf {} +

# One stamp per extra, so that `make demo` installs no test tools.
$(VENV)/.has-%: pyproject.toml $(CONSTRAINTS) | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --constraint $(CONSTRAINTS) --editable ".[$*]"
	@touch $@

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed, none found: make PYTHON=..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

# Judges whose needs don't go with ours live apart, too.
.judges-venv/.has-judges: requirements/judges.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed, none found: make PYTHON=..."; exit 1; }
	$(PYTHON) -m venv .judges-venv
	.judges-venv/bin/python -m pip install --quiet --disable-pip-version-check \
	  --requirement requirements/judges.txt
	@touch $@

# The peer that `make bench` compares with lives apart: adsupport never imports it.
.bench-venv/.has-peer: requirements/bench-peer.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed, none found: make PYTHON=..."; exit 1; }
	$(PYTHON) -m venv .bench-venv
	.bench-venv/bin/python -m pip install --quiet --disable-pip-version-check \
	  --requirement requirements/bench-peer.txt
	@touch $@
