"""The rules of peers and daemons for gateways that move between instances, made of those for gateways that stay.

Each metric is recorded without the instance that holds its gateway; the rules then ask for what was recorded, and name no
instance. So there is one rule for a trouble, in racoon.yaml, and comments stay where they were.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from racoon_exporter.metrics import METRICS

RULES: Final = Path(__file__).parents[2] / "rules"
_GROUPS: Final = {"racoon-peers": "racoon-moving-peers", "racoon-daemon": "racoon-moving-daemons"}
_BEGIN, _END = "  # Made of racoon.yaml (make dashboards), from here\n", "  # to here.\n"
_OF_INSTANCE: Final = ("RacoonLogSilent", "RacoonUnknownMessages")
"""Told of an instance, whatever it holds."""
_RECORDED_ELSEWHERE: Final = {
    "peer:racoon_phase1_established:sum": "gateway_peer:racoon_phase1_established:max",
    "peer:racoon_phase2_established:sum": "gateway_peer:racoon_phase2_established:max",
    "racoon_phase1_up": "gateway_peer:racoon_phase1_up:max",
    "racoon_phase2_up": "gateway_peer:racoon_phase2_up:max",
    "racoon_peer_expected": "gateway_peer:racoon_peer_expected:max",
    "racoon_phase1_failures_total": "gateway_peer_reason:racoon_phase1_failures:max",
    "racoon_phase2_failures_total": "gateway_peer_reason:racoon_phase2_failures:max",
    "racoon_phase2_flaps_total": "gateway_peer:racoon_phase2_flaps:max",
    "racoon_daemon_up": "gateway:racoon_daemon_up:max",
}
"""By the file's own rules, which stand before these."""
_RENAMED: Final = {"RacoonPhase2Down": "RacoonGatewayPeerDown"}
_WEB: Final = "https://github.com/racoon-exporter/racoon-exporter/blob/main/docs/runbooks"
_ROWS: Final = {row.sample_name: row for row in METRICS}
_RULE: Final = re.compile(r"(?:^ {6}#.*\n)*^ {6}- .*\n(?:^(?! {6}[#-]).*\n)*", re.MULTILINE)
"""With the comment before it."""
_METRIC: Final = re.compile(r"(?<![\w:])racoon_[a-z0-9_]+\b(?!:)")
_RECORD: Final = re.compile(r"(?<![\w:])(gateway|peer|peer_reason):(racoon_[a-z0-9_]+):(\w+)")


def moving_rules() -> str:
    """Give the text of the rules for gateways that move."""
    text = (RULES / "fleet" / "racoon-fleet.yaml").read_text(encoding="utf-8")
    before, rest = text.split(_BEGIN)
    _, after = rest.split(_END)
    groups = "".join(_moved(_group(name), name) for name in _GROUPS)
    asked = sorted({metric for metric in _METRIC.findall(groups) if metric in _ROWS and metric not in _RECORDED_ELSEWHERE})
    records = "".join(_recorded(metric) for metric in asked)
    for metric in asked:
        groups = re.sub(rf"(?<![\w:]){metric}\b(?!:)", _name(metric), groups)
    return f"{before}{_BEGIN}{records}{groups}{_END}{after}"


def _group(name: str) -> str:
    """Give a group of racoon.yaml."""
    text = (RULES / "racoon.yaml").read_text(encoding="utf-8")
    found = re.search(rf"  - name: {name}\n.*?(?=\n?  - name: |\Z)", text, re.DOTALL)
    assert found is not None
    return found[0].rstrip("\n") + "\n"


def _name(metric: str) -> str:
    level = "gateway_peer" if "peer" in _ROWS[metric].labels else "gateway"
    return f"{level}:{metric.removesuffix('_total')}:max"


def _recorded(metric: str) -> str:
    labels = ", ".join(("gateway", *_ROWS[metric].labels, "job"))
    return f'      - record: {_name(metric)}\n        expr: max by ({labels}) (last_over_time({metric}{{gateway!=""}}[5m]))\n'


def _moved(group: str, name: str) -> str:
    rules = _RULE.findall(group)
    head = group[: group.index(rules[0])]
    return head.replace(name, _GROUPS[name]) + "".join(_rule(rule) for rule in rules if not _is_left_out(rule))


def _is_left_out(rule: str) -> bool:
    title = re.search(r"^ {6}- \w+: (.+)", rule, re.MULTILINE)
    return title is not None and (title[1] in _OF_INSTANCE or title[1] in _RECORDED_ELSEWHERE)


def _rule(rule: str) -> str:
    for old, new in _RECORDED_ELSEWHERE.items():
        rule = re.sub(rf"(?<![\w:]){old}\b(?!:)", new, rule)
    rule = _RECORD.sub(lambda record: f"moving_{record[0]}" if "max" not in record[3] else record[0], rule)
    for old, new in _RENAMED.items():
        rule = rule.replace(old, new)
    return _without_instance(rule)


def _without_instance(rule: str) -> str:
    """Let a rule ask for, and name, no instance."""
    for old, new in (
        ("sum_over_time(up[15m])", "count_over_time(job:racoon_instances:count[15m])"),
        ("up offset 1h == 1", "job:racoon_instances:count offset 1h > 0"),
        ("gateway, instance, job", "gateway, job"),
        ("on (instance, job)", "on (job)"),
        ("{instance=%q,job=%q", "{job=%q"),
        (",instance=%q,job=%q", ",job=%q"),
        ("$labels.instance $labels.job", "$labels.job"),
    ):
        rule = rule.replace(old, new)
    rule = re.sub(
        r"\{\{ \$labels\.instance \}\}\{\{ with \$labels\.gateway \}\} \(gateway \{\{ \. \}\}\)\{\{ end \}\}",
        "gateway {{ $labels.gateway }}",
        rule,
    )
    rule = re.sub(
        r"'http://\{\{ \$labels\.instance \}\}/runbooks/(\w+)(#[^']*)?'",
        lambda link: f"'{_WEB}/{link[1]}.md{link[2] or ''}'",
        rule,
    )
    rule = rule.replace("{{ $labels.instance }}", "{{ $labels.gateway }}")
    return re.sub(r"summary: '([^']*)'", lambda found: f"summary: '{_with_gateway(found[1])}'", rule)


def _with_gateway(summary: str) -> str:
    """Name the gateway in a summary, where it is not named yet."""
    return summary if "$labels.gateway" in summary else f"{{{{ $labels.gateway }}}}: {summary[:1].lower()}{summary[1:]}"
