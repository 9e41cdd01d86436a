# `make demo` and `make test` are all that a newcomer needs; both are safe to repeat.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check -q
JOBS   ?= auto

.PHONY: demo test lint types unit marathon install bench fuzz clean help

help:
	@echo "make demo    install, train the quickstart here, tell a story"
	@echo "make test    install what the tests need, then lint, type-check and test everything"
	@echo "make lint    ruff and the type checker alone"
	@echo "make unit    the tests alone, without the slow ones"
	@echo "make marathon kills, time-outs, whole texts and large files: minutes more than make test"
	@echo "make bench   measure; prints tables"
	@echo "make fuzz    a million broken files a target, under sanitizers"
	@echo "make clean   remove what make has made"

# What is installed is pinned by constraints.txt: the same everywhere, and the CPU build of torch where there is one.
$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) install -c constraints.txt -e .
	@touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(PIP) install -c constraints.txt -e '.[test,lint]' hatchling # a test builds packages without a network
	@touch $@

install: $(VENV)/installed-test

demo: $(VENV)/installed
	$(BIN)/tsws apply -y
	$(BIN)/tsws generate -t 0.7 "Once upon a time"

test: lint
	.ci/system-packages
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m "not marathon"

unit: $(VENV)/installed-test
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m "not slow and not marathon"

# One at a time: most wait for time to pass in containers, which another test beside them would take from them.
marathon: $(VENV)/installed-test
	$(BIN)/python -m pytest -m marathon

lint: $(VENV)/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check -q .
	$(BIN)/mypy

bench: $(VENV)/installed-test
	$(BIN)/python -m bench.startup

fuzz:
	native/fuzz/run.sh 1000000

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .hypothesis
