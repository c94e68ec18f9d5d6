# Targets for dashboards, rules and the chain behind them; the Makefile includes this file.
# The programs come from Debian's packages prometheus and prometheus-alertmanager.

PYTHON ?= python3
VENV ?= .venv
BIN ?= $(VENV)/bin
DASHBOARD_LINTER ?= $(BIN)/dashboard-linter

.PHONY: dashboards dashboards-lint rules chain-tools e2e demo

dashboards: $(VENV)/.tests ## Render the dashboards and the mixin's rules from dashboards/src
	PYTHONPATH=dashboards/src $(BIN)/python -m racoon_dashboards

dashboards-lint: $(DASHBOARD_LINTER) ## Run grafana's dashboard-linter, strictly (builds it: needs Go)
	for board in dashboards/racoon-*.json; do $(DASHBOARD_LINTER) lint --strict "$$board" || exit 1; done

# The build is that of go.sum: its repository has no releases, and `go install …@latest` finds none.
$(BIN)/dashboard-linter: dashboards/linter/go.mod dashboards/linter/go.sum $(VENV)/.tests
	cd dashboards/linter && go build -o $(abspath $@) github.com/grafana/dashboard-linter

rules: ## Check and test the rules with promtool
	promtool check rules dashboards/rules/racoon.yaml
	promtool test rules dashboards/rules/tests/*.yaml
	promtool check rules dashboards/rules/fleet/racoon-fleet.yaml
	promtool test rules dashboards/rules/fleet/tests.yaml

chain-tools:
	@sh .ci/tools promtool prometheus prometheus-alertmanager

e2e: $(VENV)/.tests chain-tools ## Replay recordings through exporter, Prometheus and Alertmanager
	$(BIN)/python -m pytest -m e2e tests/e2e

demo: $(VENV)/.tests chain-tools ## Exporter, Prometheus, Alertmanager (and Grafana, where installed) over recordings in a loop; Ctrl-C ends it
	@exec $(BIN)/python -m tests.e2e.demo
