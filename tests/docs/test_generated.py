"""The pages that follow from tables say what the tables say."""

from tests.docs import generated


def test_the_metrics_page_lists_every_metric() -> None:
    generated.check("metrics.md", generated.metrics)


def test_the_sa_states_page_is_drawn_from_the_tables() -> None:
    generated.check("sa-states.md", generated.sa_states)
