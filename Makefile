# The two commands: `make run` starts the exporter on a bundled recording, `make test` runs the tests.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
SPEED ?= 1
ADDRESS ?= localhost:10500

.DEFAULT_GOAL := help
.PHONY: help run test lint tools check torture witness-test backfill-test dask-test kafka-test fleet-demo clean

help: ## Show the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  %-16s %s\n", $$1, $$2}'

$(VENV)/.runs: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 …" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "No environment could be made; Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.tests: $(VENV)/.runs
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

# With `set -m` Ctrl-C reaches the exporter and not make, which would call its good end an error.
run: $(VENV)/.runs ## Serve metrics of a recording that keeps growing; LOG=/path for your own log
ifdef LOG
	@set -m 2>/dev/null; $(BIN)/racoon-exporter serve --web.listen-address $(ADDRESS) $(LOG)
else
	@set -m 2>/dev/null; $(BIN)/racoon-exporter demo --web.listen-address $(ADDRESS) --speed $(SPEED)
endif

test: $(VENV)/.tests tools lint ## Install what is needed, check the code, run the tests
	$(BIN)/python -m pytest --numprocesses auto

lint: $(VENV)/.tests ## ruff, mypy, import-linter
	@mkdir -p .work
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy --no-error-summary
	$(BIN)/lint-imports > .work/lint-imports.log || { cat .work/lint-imports.log; exit 1; }

tools: ## Install Prometheus' promtool, logrotate and friends where they are missing (Debian's packages)
	@sh .ci/tools promtool logrotate bzip2 xz

witness-test: $(VENV)/.tests ## The kernel witness on a real kernel with IPsec (Debian's User Mode Linux)
	@sh .ci/tools linux.uml ip modprobe setpriv
	$(BIN)/python -m pytest -m kernel tests/kernel

backfill-test: $(VENV)/.tests ## The recipes of docs/backfill.md with a real Prometheus and VictoriaMetrics
	@sh .ci/tools promtool prometheus victoria-metrics curl
	$(BIN)/python -m pytest -m stores tests/stores

kafka-test: $(VENV)/.tests ## The source `kafka` against real brokers (Java; jars by Maven)
	@sh .ci/tools prometheus
	@sh .ci/kafka >/dev/null
	$(BIN)/python -m pytest -m kafka --numprocesses 3 tests/kafka

dask-test: $(VENV)/.tests ## Old logs on a Dask scheduler with two workers, one of which is killed
	$(BIN)/python -m pytest -m dask tests/dask

fleet-demo: $(VENV)/.tests ## A fleet on this machine: a broker, 60 gateways, two exporters, Prometheus
	@sh .ci/tools prometheus
	@sh .ci/kafka >/dev/null
	@$(BIN)/python -m tests.kafka.demo

torture: $(VENV)/.tests ## 1,000 times kill -9 of a live exporter, a million strangers, 5,000 programs of the log's model, 950 with logrotate
	PROGRAMS=5000 $(BIN)/python -m pytest -q --numprocesses auto --timeout 7200 tests/exporter/source/files/model
	KILLS=1000 STRANGERS=1000000 $(BIN)/python -m pytest -q -m torture --timeout 7200 tests/torture

clean: ## Remove everything that was made
	rm -rf $(VENV) .work build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

-include dashboards/dashboards.mk
-include $(wildcard tests/bench/bench.mk tests/fuzz/fuzz.mk tests/browser/browser.mk packaging/packaging.mk)
