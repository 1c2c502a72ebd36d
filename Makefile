# Two commands do everything on a fresh machine: `make run` and `make test`.
.DEFAULT_GOAL := help
.PHONY: help run test check environment environment-dev system-packages

PYTHON ?= python3
VENV ?= .venv
OUT ?= results/sample
BIN := $(VENV)/bin

help:
	@echo "make run    install into $(VENV) and read data/sample_dicom into $(OUT)"
	@echo "make test   install with development tools, then run every check and test"
	@echo "make check  ruff, mypy and the import contract alone"

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is missing: install it, or name it with PYTHON=..."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than 3.11: name a newer one with PYTHON=..."; exit 1; }
	@echo "== Making the virtual environment $(VENV)"
	@$(PYTHON) -m venv $(VENV) || { echo "The venv module is missing (Debian: apt-get install python3-venv)"; exit 1; }

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	@echo "== Installing zoom_imaging (a few minutes the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(VENV)/bin/python
	@echo "== Installing zoom_imaging with its development tools (a few minutes the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ $(VENV)/.installed

environment: $(VENV)/.installed
environment-dev: $(VENV)/.installed-dev

system-packages:
	@bash scripts/install_system_packages.sh

run: environment
	@echo "== Reading data/sample_dicom into $(OUT)"
	@$(BIN)/python -m zoom_imaging.run data/sample_dicom --clinical data/sample_dicom/clinical.csv --out $(OUT)
	@echo "== Done. Endpoint table: $(OUT)/endpoints.csv   Report: $(OUT)/report/index.html"

check: environment-dev
	@echo "== Checking style, types and the direction of imports"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

test: system-packages check
	@echo "== Running every test"
	@$(BIN)/pytest
