# Bare `make` lists the targets. Every target sets up .venv by itself; only Python 3.11 or newer and make are needed.

NEWEST = $(shell for p in python3.11 python3.12 python3.13 python3.14 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PYTHON ?= $(NEWEST)
BIN = .venv/bin
READY = .venv/.installed
ARGS ?=

# Tests and campaigns start hundreds of processes: each would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test slow coverage check e2e fix bench pictures defect-matrix tls-matrix mutants

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /  make \1\t/' | expand -t 24

run: $(READY) ## attack the embedded reference station for a minute; ARGS='--seed 1 --strict' adds options
	$(BIN)/ocppfuzz run $(ARGS)

test: $(READY) ## the tests for every change: no processes, none that takes seconds
	$(BIN)/pytest -n 2 -q -m "not slow" --ignore=tests/e2e $(ARGS)

slow: $(READY) ## what make test leaves out of the same folders: floods, long walks, whole campaigns in memory
	$(BIN)/pytest -n 2 -q -m slow --ignore=tests/e2e $(ARGS)

coverage: $(READY) ## both of them, with branch coverage
	$(BIN)/pytest -n 2 -q --ignore=tests/e2e --cov --cov-branch --cov-report=term:skip-covered $(ARGS)

check: $(READY) ## format, lint, types and import contracts
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports

e2e: $(READY) ## tests with sockets, processes and peers that we did not write
	$(BIN)/pytest -q -n 3 --dist loadfile tests/e2e $(ARGS)

fix: $(READY) ## format, and repair what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY) ## rates of generation and of whole cases on this machine
	$(BIN)/ocppfuzz bench $(ARGS)

pictures: $(READY) ## the pictures of the README anew, from runs of today, in Chromium
	$(BIN)/python tests/make_pictures.py

defect-matrix: $(READY) ## the conformance suite against every planted defect, an hour; ONLY=P19,P20 takes some
	@$(BIN)/python tests/defect_matrix.py $(ONLY)

tls-matrix: $(READY) ## the TLS lab against every planted defect that it should find, hours; ONLY=P72,P73 takes some
	@$(BIN)/python tests/tls_matrix.py $(ARGS) $(ONLY)

mutants: $(READY) ## the station with one place changed by chance, a hundred times: what would nobody object to?
	@$(BIN)/python tests/mutants.py $(ARGS)

$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "error: no Python 3.11 or newer found; say which: make PYTHON=/path/to/python3.11" >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $(READY)
