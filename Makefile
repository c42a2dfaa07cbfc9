SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
BIN := .venv/bin
PAGES := _build/html
RUN := OMP_NUM_THREADS=1 PYTHONHASHSEED=0
PORT ?= 8000
# Which tests: `make test SELECT=slow` runs those that are left out otherwise.
SELECT ?= not slow
PYTEST := $(BIN)/pytest -q -n auto --maxprocesses 4 --dist worksteal
# Tells JupyterLab, in this environment only, to open the chapters as notebooks.
LAB := .venv/etc/jupyter/labconfig/default_setting_overrides.json

.PHONY: help book pdf test coverage format check serve lab links portable bench first lock clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s%s\n", $$1, $$2 }' Makefile

# For Linux, PyPI has the torch with gigabytes of CUDA libraries, and this index the one without.
TORCH := https://download.pytorch.org/whl/cpu

.venv/installed: requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --disable-pip-version-check --no-deps --extra-index-url $(TORCH) \
	  "$$(grep -oE '^torch==[^ ;]+' requirements.txt)"
	$(BIN)/pip install --disable-pip-version-check -r requirements.txt -e .
	$(BIN)/jupytext-config --settings-file $(LAB) set-default-viewer markdown myst
	touch $@

book: .venv/installed ## execute the chapters and build the site
	$(RUN) $(BIN)/jupyter-book build .
	@echo "The book is ready: open $(PAGES)/index.html, or run: make serve"

pdf: .venv/installed $(PAGES)/index.html ## make one PDF of the built site, through Chromium
	$(BIN)/python book/pdf.py

test: .venv/installed ## the fast tests
	$(RUN) $(PYTEST) -m "$(SELECT)" --ignore=tests/site

# The extensions are tried by the tests of the built site as well, which are not measured.
coverage: .venv/installed ## the fast tests, and how much of the code they run
	$(RUN) $(PYTEST) -m "$(SELECT)" --ignore=tests/site --cov --cov-report=
	$(BIN)/coverage report --include="charlm/*" --fail-under=97
	$(BIN)/coverage report --include="book/_ext/*" --fail-under=75

format: .venv/installed ## mend the format, and what the linter can mend
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .
	$(BIN)/ruff check .

check: .venv/installed $(PAGES)/index.html ## format, lint, types, spelling, and the built site in a browser
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/codespell
	$(RUN) $(PYTEST) -m "$(SELECT)" -rs tests/site

$(PAGES)/index.html:
	$(MAKE) book

serve: $(PAGES)/index.html ## show the built site at http://localhost:8000
	$(BIN)/python -m http.server --bind localhost --directory $(PAGES) $(PORT)

lab: .venv/installed ## open the chapters as notebooks, in JupyterLab
	$(RUN) $(BIN)/jupyter lab book/

links: .venv/installed ## ask for each outside link; needs the network
	$(RUN) $(BIN)/jupyter-book build . -q --path-output _build/links \
	  --builder custom --custom-builder linkcheck

portable: .venv/installed ## the pages on simulated processors, with other seeds
	$(RUN) $(BIN)/python benchmarks/portable.py

bench: .venv/installed ## the package beside plain loops
	$(RUN) $(BIN)/python benchmarks/bench.py

first: .venv/installed ## train the small run that comes with the package
	rm -rf charlm/first
	$(RUN) $(BIN)/charlm train --quiet --model gru --device cpu --out charlm/first
	cd charlm/first && rm -f .lock loss.png metrics.csv state.safetensors

lock: .venv/installed ## write requirements.txt from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --no-annotate \
	  --custom-compile-command "make lock" -o requirements.txt

clean: ## remove the built site and the execution cache
	rm -rf _build
