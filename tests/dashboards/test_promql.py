"""The checker of queries is itself checked: a blind one would pass everything."""

import pytest

from tests.dashboards.promql import Selector, label_lists, selectors


def test_a_counter_in_a_function_is_found_with_its_window() -> None:
    assert list(selectors('sum by (peer) (rate(a_total{job=~"$job", peer!=""}[$__rate_interval])) > 0')) == [
        Selector("a_total", {"job": ("=~", "$job"), "peer": ("!=", "")}, "$__rate_interval", "rate")
    ]


def test_a_bare_counter_has_neither_window_nor_function() -> None:
    assert list(selectors("max(a_total) by (peer)")) == [Selector("a_total", {}, None, None)]


@pytest.mark.parametrize(
    ("expr", "metrics"),
    [
        ("a and on (gateway, job) b unless c offset 1h == 1", ["a", "b", "c"]),
        ("2 * (a == bool 1) or on (peer) b + 0", ["a", "b"]),
        ('label_replace(a, "reason", "$1", "why", "(.*)")', ["a"]),
        ("count_over_time(a[15m]) < on (instance, job) group_left () sum_over_time(up[15m])", ["a", "up"]),
        ('x:y:increase15m{reason=~"a|b"} > 0', ["x:y:increase15m"]),
    ],
)
def test_metrics_are_told_from_words_labels_and_strings(expr: str, metrics: list[str]) -> None:
    assert [selector.metric for selector in selectors(expr)] == metrics


def test_label_lists_are_found() -> None:
    assert list(label_lists("sum by (a, b) (x and on (c) y)")) == [("by", frozenset("ab")), ("on", frozenset("c"))]
