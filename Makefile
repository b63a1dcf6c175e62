# `make demo` and `make test` do all the set-up themselves, in .venv, and again
# when a kernel or the packaging has changed.  PYTHON=python3.12 picks another Python.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
SOURCES := setup.py pyproject.toml $(wildcard segkit_ext/*.pyx segkit_ext/*.pxd)
# An environment knows where its project lies: a folder that was moved needs a new one.
MOVED := $(shell [ "$$(cat $(STAMP) 2>/dev/null)" = "$(CURDIR)" ] || echo set-up-again)
APT := apt-get install -y build-essential python3-dev python3-venv

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo test lint quality tune models clean prerequisites set-up-again

help:
	@echo "make demo    compare the methods on sample images: report/index.html"
	@echo "make test    run the tests"
	@echo "make lint    ruff, mypy, cython-lint"
	@echo "make quality DATA=folder    the tables of docs/quality.md, from data sets in a folder"
	@echo "make tune DATA=folder       search segkit/_tuned.json anew, on their training splits"
	@echo "make models DATA=folder     make the trained network in segkit/models again"
	@echo "make clean   remove what was built"

demo: $(STAMP)
	@$(BIN)/python -m segkit compare --out report

test: $(STAMP)
	@$(BIN)/python -m pytest -n 2

lint: $(VENV)/installed-lint
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/cython-lint segkit_ext  # it calls pycodestyle

# Stopped, both go on where they were.  Results stay in the folder quality.
DATA ?= ../shared/data
SCORED := dsb2018 seeds50 isbi2012 fib25
QUALITY := $(BIN)/python -m segkit benchmark quality --root $(DATA) --peers --out quality

quality: $(VENV)/installed-bench
	@$(QUALITY) --dataset bsds500
	@for name in $(SCORED); do for split in test all; do \
	    $(QUALITY) --dataset $$name --split $$split || exit 1; done; done
	@$(QUALITY) --dataset brain3d
	@$(QUALITY) --dataset camvid
	@$(BIN)/python -m benchmarks quality quality

tune: $(VENV)/installed-bench
	@for name in bsds500 camvid $(SCORED); do $(QUALITY) --dataset $$name --tune || exit 1; done
	@cp quality/tuned.json segkit/_tuned.json

models: $(VENV)/installed-train
	@$(BIN)/python -m segkit._packing $(DATA)/espnet_camvid

# What is missing is said in one line, before anything is installed.
prerequisites:
	@command -v $(PYTHON) >/dev/null || { echo "segkit needs Python 3.11 or newer, and there is no $(PYTHON): $(APT)"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "segkit needs Python 3.11 or newer, $(PYTHON) is $$($(PYTHON) -V 2>&1): try make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "segkit needs the venv module of Python: $(APT)"; exit 1; }
	@$(PYTHON) -c 'import os, shutil, sys, sysconfig; cc = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"; sys.exit(shutil.which(cc.split()[0]) is None)' || { echo "segkit needs a C compiler: $(APT)"; exit 1; }
	@$(PYTHON) -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))' || { echo "segkit needs the header Python.h of $(PYTHON): $(APT)"; exit 1; }

$(STAMP): $(SOURCES) $(MOVED)
	@$(MAKE) --no-print-directory prerequisites
	@echo "Setting up segkit in $(VENV) (about a minute the first time)"
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --editable ".[test]"
	@echo "$(CURDIR)" > $@

$(VENV)/installed-lint: $(STAMP)
	@$(BIN)/python -m pip install --quiet --editable ".[lint]"
	@touch $@

$(VENV)/installed-bench: $(STAMP)
	@$(BIN)/python -m pip install --quiet --editable ".[bench]"
	@touch $@

$(VENV)/installed-train: $(STAMP)
	@$(BIN)/python -m pip install --quiet --editable ".[train]"
	@touch $@

clean:
	rm -rf $(VENV) build dist report quality demos/out segkit.egg-info .pytest_cache .hypothesis .mypy_cache .ruff_cache
	rm -f segkit_ext/*.so segkit_ext/*.c
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
