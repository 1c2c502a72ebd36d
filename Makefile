# Two commands do everything on a fresh machine: `make run` and `make test`.
.DEFAULT_GOAL := help
.PHONY: help run test check environment environment-dev system-packages docs wheel sbom audit

PYTHON ?= python3
VENV ?= .venv
OUT ?= results/sample
BIN := $(VENV)/bin
# CONSTRAINTS=constraints.txt installs the very versions that were tested (CPython 3.11, Linux). It is
# not the default: another Python or platform may have no wheel of one of them.
CONSTRAINTS ?=
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check $(if $(CONSTRAINTS),-c $(CONSTRAINTS))
# What is built from a commit carries the time of that commit, so that it can be built again.
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 1577836800)

help:
	@echo "make run    install into $(VENV) and read data/sample_dicom into $(OUT)"
	@echo "make test   install with development tools, then run every check and test"
	@echo "make check  ruff, mypy and the import contract alone"
	@echo "make docs   the documentation site, into build/site"
	@echo "make wheel  the wheel, into dist: the same bytes for the same commit"
	@echo "make sbom   what is installed, as CycloneDX, into build/sbom.cdx.json"
	@echo "make audit  known vulnerabilities of what is installed (asks PyPI)"

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is missing: install it, or name it with PYTHON=..."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than 3.11: name a newer one with PYTHON=..."; exit 1; }
	@echo "== Making the virtual environment $(VENV)"
	@$(PYTHON) -m venv $(VENV) || { echo "The venv module is missing (Debian: apt-get install python3-venv)"; exit 1; }

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	@echo "== Installing zoom_imaging (a few minutes the first time)"
	@$(PIP_INSTALL) -e .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(VENV)/bin/python
	@echo "== Installing zoom_imaging with its development tools (a few minutes the first time)"
	@$(PIP_INSTALL) -e '.[dev]'
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

docs: environment-dev
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs --quiet build --strict --clean --site-dir build/site
	@echo "== Done. Look at it: $(BIN)/python -m http.server --directory build/site"

wheel: environment-dev
	@SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) $(BIN)/python -m hatchling build -t wheel -d dist
	@sha256sum dist/*.whl

sbom: environment-dev
	@SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) $(BIN)/python scripts/write_sbom.py build/sbom.cdx.json

audit: environment-dev
	@$(BIN)/python scripts/audit_packages.py
