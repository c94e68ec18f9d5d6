"""PromQL that several panels share.

Every selector carries the dashboard's variables. `gateway` is compared with `=~"$gateway"` whose All value `.*` also fits
series without that label, so one dashboard serves single gateways and several gateways in one log.
"""

TARGET = 'job=~"$job", instance=~"$instance"'
GATEWAY = f'{TARGET}, gateway=~"$gateway"'
PEER = f'{GATEWAY}, peer=~"$peer"'

KEY = "gateway, instance, job, peer"
"""What names one peer. Joining on less would mix gateways."""

RECENTLY = "5m"
"""How long a peer counts as negotiating after it began to: racoon gives up on a phase 1 after about a minute."""


def total(metric: str, by: str, *, window: str = "$__range", selector: str = PEER) -> str:
    """How much a counter grew within `window`, summed by the labels `by` (all together where empty)."""
    grouped = f"sum by ({by})" if by else "sum"
    return f"{grouped} (increase({metric}{{{selector}}}[{window}]))"


def per_minute(metric: str, by: str, *, selector: str = PEER) -> str:
    """Rate per minute by the labels `by`; series at zero are left out, so that a legend names what happened."""
    return f"60 * sum by ({by}) (rate({metric}{{{selector}}}[$__rate_interval])) > 0"


def _new(metric: str, window: str, comparison: str = "<") -> str:
    """Series that were made within `window`: they have fewer samples than their target had good scrapes.

    increase() does not see a series' first value, and some series are made by the first event they count.
    """
    samples = f"count_over_time({metric}{{{PEER}}}[{window}])"
    return f"{samples} {comparison} on (instance, job) group_left () sum_over_time(up{{{TARGET}}}[{window}])"


def first_and_more(metric: str, by: str) -> str:
    """At least how often something was counted in the range, where the first time makes the series."""
    grown = f"increase({metric}{{{PEER}}}[$__range])"
    return f"sum by ({by}) ({grown} + ({_new(metric, '$__range', '< bool')})) > 0"


def negotiating(window: str) -> str:
    """Peers that began a negotiation of either phase within `window`, be it their first."""
    metrics = [f"racoon_phase{phase}_negotiations_total" for phase in (1, 2)]
    grown = (f"{total(metric, KEY, window=window)} > 0" for metric in metrics)
    made = (f"max by ({KEY}) ({_new(metric, window)})" for metric in metrics)
    return " or ".join((*grown, *made))


def peer_state(window: str, only: str = "") -> str:
    """2 up, 1 negotiating, 0 down, for each peer; `only` restricts the peers (` and on (…) …`).

    `+ 0` takes the metric's name away, so that a peer stays one series whichever branch it is in.
    """
    up = f"racoon_phase2_up{{{PEER}}}"
    return (
        f"(2 * ({up} == 1) or on ({KEY}) (({up} == 0) + 1 and on ({KEY}) ({negotiating(window)})) or on ({KEY}) {up} + 0){only}"
    )


VAGUE_REASONS = "no_response|timeout|send_error|unknown"
"""Reasons that say how a negotiation ended and not why."""


def latest_reason(phase: int) -> str:
    """Build the query for the reason that counted failures last, as the label `phase<phase>_reason`, for each peer.

    Prometheus keeps no order of events; what grew within 5 minutes goes before what grew within the hour, and that before
    what grew within the range. Of two alike, the reason that says why goes before one that only says how it ended.
    """
    metric = f"racoon_phase{phase}_failures_total"
    by = f"{KEY}, reason"
    ages = (("$__range", 1), ("1h", 2), ("5m", 4))

    def score(only: str) -> str:
        selector = f"{PEER}, {only}"
        return " + ".join(
            f"{weight} * ({total(metric, by, window=window, selector=selector)} > bool 0)" for window, weight in ages
        )

    telling, vague = (score(f'reason{operator}"{VAGUE_REASONS}"') for operator in ("!~", "=~"))
    either = f"({telling}) * 2 + 1 > 1 or ({vague}) * 2 > 0"
    renamed = f'label_replace({either}, "phase{phase}_reason", "$1", "reason", "(.*)")'
    return f"max by ({KEY}, phase{phase}_reason) (topk by ({KEY}) (1, {renamed}))"
