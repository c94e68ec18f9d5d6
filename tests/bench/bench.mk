# Included by the Makefile. mtail is Debian's package of that name.

VENV ?= .venv
.PHONY: bench

bench: $(VENV)/.tests ## Measure the exporter beside mtail, and hold the figures to the promised bounds
	@command -v mtail >/dev/null || { echo "mtail is needed (apt-get install mtail)" >&2; exit 1; }
	$(VENV)/bin/python -m tests.bench.run $(BENCH)
