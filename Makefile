# One command to set up, one to test; `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Nothing outside the project's folder is touched, the caches of pip and uv included.
export PIP_CACHE_DIR ?= $(CURDIR)/.cache/pip
export UV_CACHE_DIR ?= $(CURDIR)/.cache/uv

.DEFAULT_GOAL := help
.PHONY: help setup demo smoke quick test test-all test-matrix test-prometheus3 lint lint-boards format bench boards screenshots clean

help: ## what there is
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/ready ## a virtual environment with everything, and a Prometheus if there is none
	@$(BIN)/python -m examples.demo.packages --optional prometheus

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

demo: $(VENV)/ready ## the main job in a minute: calls, the report, and whether it equals what was charged
	@$(BIN)/python -m examples.demo

smoke: PROMETHEUS_URL ?= http://127.0.0.1:9090
smoke: GRAFANA_URL ?= http://127.0.0.1:3000
smoke: ## whether a running stack works: health, rules, six boards and every query (PROMETHEUS_URL, GRAFANA_URL)
	@$(PYTHON) grafana/smoke.py --prometheus '$(PROMETHEUS_URL)' --grafana '$(GRAFANA_URL)'

lint: setup ## formatting, lint, layer rules, types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/mypy --python-version 3.10 src

quick: setup ## the inner loop: unit and contract tests, seconds
	@$(BIN)/python -m pytest -q tests/unit tests/contract

test: lint prometheus victoria-metrics ## all that needs no browser and no second version: about five minutes
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
test-long: setup prometheus
	@$(BIN)/python -m pytest -q tests/long

# Needs Go, which nothing else does; the folders it prints hold the programs that docker-compose.yml pins.
test-prometheus3: setup victoria-metrics ## the report, the boards and the stack on the Prometheus 3 that compose pins
	@prometheus=$$($(BIN)/python tests/pinned.py prometheus) && alertmanager=$$($(BIN)/python tests/pinned.py alertmanager) \
	&& PROMETHEUS_BIN_DIR="$$prometheus" ALERTMANAGER_BIN_DIR="$$alertmanager" $(BIN)/python -m pytest -q tests/prometheus tests/grafana tests/prometheus3

.PHONY: docker-compose
docker-compose: # the distribution's, where there is neither it nor the plugin; no engine is needed
	@{ docker compose version || docker-compose version; } >/dev/null 2>&1 || { apt-get update -qq && apt-get install -y -qq --no-install-recommends docker-compose; }

.PHONY: test-compose
test-compose: setup docker-compose
	@$(BIN)/python -m pytest -q -n 0 tests/compose

.PHONY: test-recipes
test-recipes: setup ## docs/recipes.md, each recipe run for real (FastAPI, gunicorn, Celery, LangChain, ... in an environment of their own)
	@$(BIN)/tox run -q -e recipes

.PHONY: test-processes
test-processes: setup prometheus victoria-metrics ## the exporter, the doctor and the demo on real servers, workers, notebooks and broken machines; and chaos
	@$(BIN)/python -m pytest -q tests/chaos tests/demo tests/exporter tests/doctor

.PHONY: test-chaos
test-chaos: setup prometheus ## only the chaos: programs killed at random on a full disk, and nothing that was written is lost (CHAOS_SEED repeats a run)
	@$(BIN)/python -m pytest -q -n 0 tests/chaos

.PHONY: test-render
test-render: setup prometheus chromium ## every board drawn by Grafana's own components in Chromium (needs node and npm)
	@$(BIN)/python -m pytest -q -n 0 tests/render

test-all: test-oldest test-recipes test-processes test-long test-browser test-render test-compose test ## what CI runs: oldest versions, company, recipes, workers, chaos, long lives, pages and boards in a browser, compose files, then `make test`

bench: setup ## what a call costs with us and with others, then how every call and ending is counted (docs/comparison.md)
	@$(BIN)/python -m benchmarks.overhead; $(BIN)/python -m benchmarks.coverage

boards: setup ## generate the Grafana boards and the rules anew
	@$(BIN)/python -m grafana.boards
	@$(BIN)/python -m grafana.rules

# Not run where this was made, whose module proxy does not serve it; tests/grafana/test_board_rules.py keeps its rules.
lint-boards: ## Grafana's dashboard-linter on every board, where it is installed
	@command -v dashboard-linter >/dev/null || { echo "no dashboard-linter: go install github.com/grafana/dashboard-linter@latest"; exit 1; }
	@for board in grafana/dashboards/*.json grafana/dashboards-raw/*.json; do dashboard-linter lint --strict "$$board" || exit 1; done

format: $(VENV)/ready ## format and fix what can be fixed
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

clean: ## remove what the other commands made
	rm -rf $(VENV) .cache .tox .pytest_cache .mypy_cache .ruff_cache .hypothesis dist report.json
