# Included by the Makefile. mtail is Debian's package of that name.

VENV ?= .venv
.PHONY: bench bench-catchup line-cost

bench: $(VENV)/.tests ## Measure the exporter beside mtail, hold the figures to the promised bounds, write docs/performance.md
	@sh .ci/tools mtail
	$(VENV)/bin/python -m tests.bench.run --write docs/performance.md $(BENCH)

bench-catchup: $(VENV)/.tests ## Scrape an exporter that reads a backlog of 1 GiB
	$(VENV)/bin/python -m tests.bench.catchup $(BENCH)

line-cost: $(VENV)/.tests ## Measure what the dearest lines cost, row by row: at most 1 ms for each 4 KiB
	$(VENV)/bin/python -m tests.bench.line_cost $(LINE_COST)
