# Included by the Makefile. The status page in a real browser: Debian's chromium, driven by Playwright of the `dev` extra.

VENV ?= .venv
.PHONY: browser-test pictures

browser-test: $(VENV)/.tests ## Read the status page with a real browser: live update, keyboard, accessibility, hostile text
	@sh .ci/tools chromium
	$(VENV)/bin/python -m pytest -q -m browser tests/browser

pictures: $(VENV)/.tests ## Take the pictures of the status page that the documentation shows, from recordings
	@sh .ci/tools chromium
	TZ=UTC $(VENV)/bin/python -m tests.browser.pictures docs
