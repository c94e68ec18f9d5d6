# Targets for dashboards, rules and the chain behind them; the Makefile includes this file.
# The commands come from Debian's packages prometheus, prometheus-alertmanager and jsonnet.

PYTHON ?= python3
DASHBOARD_LINTER ?= dashboard-linter

.PHONY: dashboards dashboards-lint rules e2e demo

dashboards: ## Render the dashboards and the mixin's rules from dashboards/src
	PYTHONPATH=dashboards/src $(PYTHON) -m racoon_dashboards

dashboards-lint: ## Run grafana's dashboard-linter (go install github.com/grafana/dashboard-linter@latest)
	@command -v $(DASHBOARD_LINTER) >/dev/null || { echo "$(DASHBOARD_LINTER) is missing: go install github.com/grafana/dashboard-linter@latest" >&2; exit 1; }
	for board in dashboards/racoon-*.json; do $(DASHBOARD_LINTER) lint --strict --config dashboards/.lint "$$board" || exit 1; done

rules: ## Check and test the rules
	promtool check rules dashboards/rules/racoon.yaml
	promtool test rules dashboards/rules/tests/*.yaml

e2e: ## Replay recordings through exporter, Prometheus and Alertmanager
	$(PYTHON) -m pytest -m e2e tests/e2e

demo: ## Exporter, Prometheus, Alertmanager (and Grafana, where installed) over a recording in a loop; Ctrl-C ends it
	$(PYTHON) -m tests.e2e.demo
