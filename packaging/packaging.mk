# Targets for running it as a service; the Makefile includes this file.
# `make deb` needs Debian's dpkg-dev, debhelper and python3-venv; `make deb-test` root, mmdebstrap, systemd-container and lintian besides.
# `make image-test` needs root, podman, runc, iptables and mmdebstrap.

PYTHON ?= python3
VENV ?= .venv
BIN ?= $(VENV)/bin
UV ?= uv
PIN := $(UV) pip compile --quiet --no-header --no-annotate --python-version 3.11
FROM_COMMANDS := build/from_commands
STAGE := build/deb/source
PIP_ENVIRONMENT := build/pip

.PHONY: man completions deb deb-test image-test unit-security requirements floors

man completions: ## Write the manual page and the shell completions into build/from_commands
	$(BIN)/python packaging/from_commands.py $(FROM_COMMANDS)

unit-security: ## Rate the hardening of the systemd unit; fails above 1.5
	systemd-analyze security --offline=true --threshold=15 packaging/systemd/racoon-exporter.service

# A pip that can install for another Python: Debian's own python3 has none.
$(PIP_ENVIRONMENT)/bin/python:
	$(PYTHON) -m venv $(PIP_ENVIRONMENT) || { rm -rf $(PIP_ENVIRONMENT); echo "make deb needs: apt install python3-venv" >&2; exit 1; }

deb: $(PIP_ENVIRONMENT)/bin/python ## Build the Debian package into dist/, for the Python of this machine's Debian
	@command -v dpkg-buildpackage >/dev/null && command -v dh >/dev/null || { echo "make deb needs: apt install dpkg-dev debhelper" >&2; exit 1; }
	rm -rf build/deb
	mkdir -p $(STAGE) dist
	tar --create --exclude=__pycache__ exporter parsers packaging dashboards docs pyproject.toml README.md LICENSE CHANGELOG.md | tar --extract --directory $(STAGE)
	cp -r packaging/debian $(STAGE)/debian
	cd $(STAGE) && PIP='$(abspath $(PIP_ENVIRONMENT))/bin/python -m pip' dpkg-buildpackage --build=binary --no-sign
	rm -f dist/racoon-exporter_*.deb
	mv build/deb/racoon-exporter_*.deb dist/

deb-test: ## Install the package in a Debian of its own, start it under systemd, scrape, remove, purge
	$(BIN)/python -m pytest -m packaging tests/packaging --timeout 1200

image-test: ## Build the container image on a Debian that stands in for its base, run it, scrape, stop
	$(BIN)/python -m pytest -m image tests/packaging --timeout 1200

requirements: ## Pin what the package and the container bring with them, and what builds them, anew
	{ echo '# What the Debian package and the container bring with them, with hashes. Written anew by: make requirements'; \
	  $(PIN) --universal --generate-hashes pyproject.toml; \
	} > packaging/requirements.new
	mv packaging/requirements.new packaging/requirements.txt
	{ echo '# What builds the package and the image, with hashes. Written anew by: make requirements'; \
	  sed -n 's/^requires = \["\(.*\)"\]$$/\1/p' pyproject.toml | $(PIN) --universal --generate-hashes -; \
	} > packaging/requirements.new
	mv packaging/requirements.new packaging/build-requirements.txt

floors: ## Test the built wheel, with the lowest versions of libraries that pyproject.toml allows
	PYTHON=$(PYTHON) sh .ci/floors
