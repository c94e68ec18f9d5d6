"""All rows of metrics at once: what holds for each, however many there are."""

import re
from collections import Counter

from racoon_exporter.metrics import METRICS


def test_every_metric_has_one_row() -> None:
    twice = [name for name, rows in Counter(row.name for row in METRICS).items() if rows > 1]
    assert twice == [], "keep one of the rows"


def test_names_are_those_of_racoon_without_the_suffix_that_its_kind_gives() -> None:
    wrong = [row.name for row in METRICS if not re.fullmatch(r"racoon_[a-z0-9_]+(?<!_total)(?<!_count)(?<!_sum)", row.name)]
    assert wrong == [], "racoon_, small letters, digits and _; _total is put behind a counter's name by its row"


def test_kinds_are_those_that_are_written() -> None:
    assert {row.kind for row in METRICS} == {"counter", "gauge", "histogram"}
    assert [row.name for row in METRICS if row.counter and row.kind != "counter"] == [], "what is counted is a counter"
    written = [row.name for row in METRICS if row.kind == "histogram"]
    assert written == ["racoon_phase1_negotiation_duration_seconds"], "exposition.py writes one histogram, of one label"


def test_help_is_a_sentence_and_labels_are_named_once() -> None:
    assert [row.name for row in METRICS if not re.fullmatch(r"[A-Z0-9`].+\.", row.help)] == []
    assert [row.name for row in METRICS if len(set(row.labels)) < len(row.labels)] == []
    assert {label for row in METRICS for label in row.labels if not re.fullmatch(r"[a-z][a-z0-9_]*", label)} == set()
