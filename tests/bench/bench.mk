# Included by the Makefile. mtail is Debian's package of that name.

VENV ?= .venv
.PHONY: bench bench-catchup bench-flood bench-year bench-fleet line-cost

bench: $(VENV)/.tests ## Measure the exporter beside mtail, hold the figures to the promised bounds, write docs/performance.md
	@sh .ci/tools mtail
	$(VENV)/bin/python -m tests.bench.run --write docs/performance.md $(BENCH)

bench-catchup: $(VENV)/.tests ## Scrape an exporter that reads a backlog of 1 GiB
	$(VENV)/bin/python -m tests.bench.catchup $(BENCH)

bench-flood: $(VENV)/.tests ## Scrape an exporter each second while it is flooded with hostile datagrams, handshakes and slow clients
	$(VENV)/bin/python -m tests.bench.flood $(BENCH)

bench-year: $(VENV)/.tests ## A year of a busy gateway, 30 million lines with scripted outages, through report and history
	$(VENV)/bin/python -m tests.bench.year_run $(YEAR)

bench-fleet: $(VENV)/.tests ## Measure an instance of 5,000 gateways in one log: docs/fleet.md
	$(VENV)/bin/python -m tests.bench.fleet $(FLEET)

line-cost: $(VENV)/.tests ## Measure what the dearest lines cost, row by row, and look for dearer ones: at most 1 ms for each 4 KiB
	$(VENV)/bin/python -m tests.bench.line_cost $(LINE_COST)
	$(VENV)/bin/python -m tests.bench.line_hunt $(LINE_HUNT)
