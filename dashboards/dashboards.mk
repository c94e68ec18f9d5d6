# Targets for dashboards, rules and the chain behind them; the Makefile includes this file.
# The programs come from Debian's packages prometheus and prometheus-alertmanager.

PYTHON ?= python3
VENV ?= .venv
BIN ?= $(VENV)/bin
DASHBOARD_LINTER ?= dashboard-linter

.PHONY: dashboards dashboards-lint rules chain-tools e2e demo

dashboards: $(VENV)/.tests ## Render the dashboards and the mixin's rules from dashboards/src
	PYTHONPATH=dashboards/src $(BIN)/python -m racoon_dashboards

dashboards-lint: ## Run grafana's dashboard-linter (go install github.com/grafana/dashboard-linter@latest)
	@command -v $(DASHBOARD_LINTER) >/dev/null || { echo "$(DASHBOARD_LINTER) is missing: go install github.com/grafana/dashboard-linter@latest" >&2; exit 1; }
	for board in dashboards/racoon-*.json; do $(DASHBOARD_LINTER) lint --strict "$$board" || exit 1; done

rules: ## Check and test the rules with promtool
	promtool check rules dashboards/rules/racoon.yaml
	promtool test rules dashboards/rules/tests/*.yaml

chain-tools:
	@sh .ci/tools promtool prometheus prometheus-alertmanager

e2e: $(VENV)/.tests chain-tools ## Replay recordings through exporter, Prometheus and Alertmanager
	$(BIN)/python -m pytest -m e2e tests/e2e

demo: $(VENV)/.tests chain-tools ## Exporter, Prometheus, Alertmanager (and Grafana, where installed) over recordings in a loop; Ctrl-C ends it
	@exec $(BIN)/python -m tests.e2e.demo
