# Fuzzing: bytes with atheris (what it finds stays in the corpus, a crash is written beside it), lines taken apart, state
# files with wrong values, answers of the kernel and of racoon's socket, and what senders, collectors and files hold.
# Before a release: make fuzz FUZZ_SECONDS=14400. CI begins at the same seed each time (FUZZ_FIRST): what fails there fails
# again, and no change is refused for a fault that stood before it.

FUZZ_SECONDS ?= 60
FUZZ_LINES_SECONDS ?= $(FUZZ_SECONDS)
FUZZ_FIRST ?=
FUZZ_OPTIONS = --seconds $(FUZZ_SECONDS) $(if $(FUZZ_FIRST),--first $(FUZZ_FIRST))

.PHONY: fuzz fuzz-bytes fuzz-lines fuzz-state fuzz-witness fuzz-inputs
fuzz: fuzz-bytes fuzz-lines fuzz-state fuzz-witness fuzz-inputs ## Fuzz with bytes, pieces of lines, state files, answers of kernel and racoon, streams and files, FUZZ_SECONDS (60) each

fuzz-lines: $(VENV)/.tests
	$(BIN)/python -m tests.fuzz.fuzz_lines $(FUZZ_OPTIONS) --seconds $(FUZZ_LINES_SECONDS)

fuzz-state: $(VENV)/.tests
	$(BIN)/python -m tests.fuzz.fuzz_state $(FUZZ_OPTIONS)

fuzz-witness: $(VENV)/.tests
	$(BIN)/python -m tests.fuzz.fuzz_witness $(FUZZ_OPTIONS)

fuzz-inputs: $(VENV)/.tests
	$(BIN)/python -m tests.fuzz.fuzz_inputs $(FUZZ_OPTIONS)

fuzz-bytes: $(VENV)/.tests
	$(BIN)/python -m tests.fuzz.seed_corpus .work/fuzz/corpus
	$(BIN)/python -m tests.fuzz.fuzz_reader .work/fuzz/corpus -max_total_time=$(FUZZ_SECONDS) $(if $(FUZZ_FIRST),-seed=$(FUZZ_FIRST)) -timeout=5 -max_len=4096 -artifact_prefix=.work/fuzz/
