"""The pages that follow from tables say what the tables say."""

from importlib.resources import files
from pathlib import Path

from tests.docs import generated, written


def test_the_metrics_page_lists_every_metric() -> None:
    generated.check("metrics.md", generated.metrics)


def test_the_sa_states_page_is_drawn_from_the_tables() -> None:
    generated.check("sa-states.md", generated.sa_states)


def test_the_description_of_the_api_names_the_reasons() -> None:
    written.check(generated.DOCS / "openapi.yaml", generated.api_description())


def test_the_description_of_the_api_that_is_served_is_the_one_in_the_docs() -> None:
    served = Path(str(files("racoon_exporter.status").joinpath("assets/openapi.yaml")))
    written.check(served, (generated.DOCS / "openapi.yaml").read_text(encoding="utf-8"))
