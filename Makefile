# One command to set up, one to test; `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Nothing outside the project's folder is touched, pip's cache included.
export PIP_CACHE_DIR ?= $(CURDIR)/.cache/pip

.DEFAULT_GOAL := help
.PHONY: help setup demo quick test test-all test-matrix test-prometheus3 lint format bench boards screenshots clean

help: ## what there is
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/ready prometheus ## a virtual environment with everything, and a Prometheus if there is none

$(VENV)/ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "$(PYTHON) is too old: set PYTHON to 3.10 or later"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the project and its tools into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[report,html]' --group dev
	@touch $@

.PHONY: prometheus victoria-metrics
prometheus victoria-metrics: $(VENV)/ready
	@$(BIN)/python -m examples.demo.packages $@

demo: setup ## the main job in a minute: calls, scrapes, the report, and whether it equals what was charged
	@$(BIN)/python -m examples.demo

lint: setup ## formatting, lint, layer rules, types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/mypy --python-version 3.10 src

quick: setup ## the inner loop: unit and contract tests, seconds
	@$(BIN)/python -m pytest -q tests/unit tests/contract

test: lint victoria-metrics ## all that needs no browser and no second version: under five minutes
	@$(BIN)/python -m pytest -q

test-matrix: setup ## the instrumentation's tests on every supported version of openai and OpenTelemetry
	@$(BIN)/tox run

.PHONY: test-oldest
test-oldest: setup
	@$(BIN)/tox run -q -e oldest,company

.PHONY: chromium
chromium: # the distribution's, and poppler to read what it prints, where there are none
	@{ command -v chromium && command -v pdftotext; } >/dev/null || { apt-get update -qq && apt-get install -y -qq chromium poppler-utils fonts-inter; }

.PHONY: test-browser
test-browser: setup chromium
	@$(BIN)/python -m pytest -q -n 2 tests/browser

screenshots: setup chromium ## the pictures of the HTML report in docs/images
	@PYTHONPATH=tests $(BIN)/python -m browser.screenshots

.PHONY: test-long
test-long: setup
	@$(BIN)/python -m pytest -q tests/long

# Needs Go, which nothing else does; the folder it prints holds the Prometheus that docker-compose.yml pins.
test-prometheus3: setup victoria-metrics ## the Prometheus tests and the boards' queries on the Prometheus 3 that compose pins
	@folder=$$($(BIN)/python tests/pinned_prometheus.py) && PROMETHEUS_BIN_DIR="$$folder" $(BIN)/python -m pytest -q tests/prometheus tests/grafana

.PHONY: test-recipes
test-recipes: setup ## docs/recipes.md, each recipe run for real (FastAPI, gunicorn, Celery, LangChain, ... in an environment of their own)
	@$(BIN)/tox run -q -e recipes

.PHONY: test-render
test-render: setup chromium ## every board drawn by Grafana's own components in Chromium (needs node and npm)
	@$(BIN)/python -m pytest -q -n 0 tests/render

test-all: test-oldest test-recipes test-long test-browser test-render test ## what CI runs: oldest versions, company, recipes, long lives, pages and boards in a browser, then `make test`

bench: setup ## what a call costs with us and with others, then how every call and ending is counted (docs/comparison.md)
	@$(BIN)/python -m benchmarks.overhead; $(BIN)/python -m benchmarks.coverage

boards: setup ## generate the Grafana boards and the rules anew
	@$(BIN)/python -m grafana.boards
	@$(BIN)/python -m grafana.rules

format: $(VENV)/ready ## format and fix what can be fixed
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

clean: ## remove what the other commands made
	rm -rf $(VENV) .cache .tox .pytest_cache .mypy_cache .ruff_cache .hypothesis dist report.json
