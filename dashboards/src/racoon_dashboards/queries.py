"""PromQL that several panels share: whose series are asked for, and what grew within a range.

Every selector carries the board's variables. On the boards of many, `gateway` is compared with `=~"$gateway"` whose All value
`.*` also fits series without that label; the board of one peer has one value of each, and compares with `=`.
"""

from dataclasses import dataclass

KEY = "gateway, instance, job, peer"
"""What names one peer. Joining on less would mix gateways."""
SITE = "gateway, instance, job"
"""What names one gateway."""
LONGEST = "1d"
"""For how long an exporter that is away is remembered, as by the alert of that."""
SILENT = 28800
"""Seconds without a line after which a log is silent: the longest lifetime of an IPsec SA in common use."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Selectors: of an exporter's own series, of a gateway's, and of a peer's."""

    target: str
    gateway: str
    peer: str


_MANY = 'job=~"$job", instance=~"$instance"'
_ONE = 'job="$job", instance="$instance"'
MANY = Scope(_MANY, f'{_MANY}, gateway=~"$gateway"', f'{_MANY}, gateway=~"$gateway"')
ONE = Scope(_ONE, f'{_ONE}, gateway="$gateway"', f'{_ONE}, gateway="$gateway", peer="$peer"')


def grown(metric: str, by: str, scope: Scope, selector: str) -> str:
    """Build the query for how often something was counted since the point before, in whole numbers, where it was at all.

    increase() extrapolates, and does not see the first value of a series that its first event makes. Here what was not there
    before counts from 0 if its exporter was there without it, then or since (the series has fewer samples than good scrapes);
    else from its first value, so that the first reading of an old log is none. A counter that fell adds nothing.
    """
    now, up = f"{metric}{{{selector}}}", f"up{{{scope.target}}}"
    came = f"count_over_time({now}[$__interval]) < on (instance, job) group_left () sum_over_time({up}[$__interval])"
    base = " or ".join(
        (
            f"last_over_time({now}[1h] offset $__interval)",
            f"0 * {now} and on (instance, job) {up} offset $__interval == 1",
            f"0 * ({came})",
            f"min_over_time({now}[$__interval])",
        )
    )
    return f"sum by ({by}) (clamp_min({now} - ({base}), 0)) > 0"


def in_range(metric: str, selector: str, by: str = SITE) -> str:
    """Build the query for how much a counter grew in the whole range."""
    return f"round(sum by ({by}) (increase({metric}{{{selector}}}[$__range])))"


def labelled(expr: str, label: str, value: str, source: str = "", pattern: str = "") -> str:
    """Give each series of `expr` a label: a constant, or made of another label."""
    return f'label_replace({expr}, "{label}", "{value}", "{source}", "{pattern}")'


def _known(scope: Scope) -> str:
    """Build the query for exporters that were scraped within a day."""
    return f"last_over_time(racoon_exporter_build_info{{{scope.target}}}[{LONGEST}])"


def exporters(scope: Scope) -> str:
    """Build the query for how many exporters there are, those that are away among them."""
    return f"count(up{{{scope.target}}} and on (instance, job) {_known(scope)})"


def away(scope: Scope) -> str:
    """Build the query for exporters that were scraped within a day and cannot be now."""
    return f"(up{{{scope.target}}} == 0 and on (instance, job) {_known(scope)})"


def last_scraped(scope: Scope) -> str:
    """Build the query for the time at which exporters that are away were last there, by the minute."""
    seen = f"max_over_time((timestamp(up{{{scope.target}}} == 1))[{LONGEST}:1m])"
    return f"({seen} and on (instance, job) {away(scope)})"


def sites_away(scope: Scope) -> str:
    """Build the query for the gateways of exporters that are away."""
    sites = f"max by ({SITE}) (last_over_time(racoon_daemon_up{{{scope.gateway}}}[{LONGEST}]))"
    silent = f"max by (instance, job) ({_known(scope)})"
    return f"(({sites} or on (instance, job) {silent}) and on (instance, job) {away(scope)})"


def silent_logs(scope: Scope) -> str:
    """Build the query for the logs that are silent."""
    return f"time() - racoon_exporter_source_last_line_timestamp_seconds{{{scope.target}}} > {SILENT}"
