# Fuzzing of the log reader with atheris; what it finds stays in the corpus, a crash is written beside it.

FUZZ_SECONDS ?= 60

.PHONY: fuzz
fuzz: $(VENV)/.tests ## Fuzz the log reader for FUZZ_SECONDS (60)
	$(BIN)/python -m tests.fuzz.seed_corpus .work/fuzz/corpus
	$(BIN)/python -m tests.fuzz.fuzz_reader .work/fuzz/corpus -max_total_time=$(FUZZ_SECONDS) -timeout=5 -max_len=4096 -artifact_prefix=.work/fuzz/
