"""The pages that follow from tables say what the tables say."""

from racoon_exporter.sa.tables import MOST_TELLING
from racoon_parsers.advice import BY_REASON
from racoon_parsers.reasons import FAILURE_REASONS
from tests.docs import generated


def test_the_metrics_page_lists_every_metric() -> None:
    generated.check("metrics.md", generated.metrics)


def test_the_sa_states_page_is_drawn_from_the_tables() -> None:
    generated.check("sa-states.md", generated.sa_states)


def test_every_reason_has_its_rank_and_its_advice() -> None:
    assert set(MOST_TELLING) == set(FAILURE_REASONS) == set(BY_REASON)
