"""The report for spreadsheets and for texts: CSV with a row for each peer, Markdown."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any, Final

from racoon_exporter.text import in_csv, visible
from racoon_exporter.wording.words import count, cut_percent, duration

_COLUMNS: Final = (
    "gateway",
    "peer",
    "address",
    "kind",
    "since",
    "availability",
    "known_seconds",
    "up_seconds",
    "down_seconds",
    "unknown_seconds",
    "planned_seconds",
    "outages",
    "longest_seconds",
    "mttr_seconds",
    "mtbf_seconds",
    "flaps",
    "failures",
)


def as_csv(report: dict[str, Any]) -> str:
    """Write a row for each peer; outages and failures as their number."""
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    for peer in report["peers"]:
        row = peer | {"outages": len(peer["outages"]), "failures": sum(peer["failures"].values())}
        writer.writerow({column: in_csv(row[column]) for column in _COLUMNS})
    return text.getvalue()


def as_markdown(report: dict[str, Any]) -> str:
    """Write method, summary, peers and reasons."""
    fleet = report["fleet"]
    outages = count(fleet["outages"], "outage")
    parts = [
        f"# Availability of racoon's peers, {report['since'] or '?'} to {report['until'] or '?'}",
        "## How it is counted",
        "\n".join(f"- **{word}**: {meaning}." for word, meaning in report["method"].items()),
        "## Summary",
        f"{percent(fleet['availability'])} over {count(fleet['peers'], 'peer')} of {count(fleet['gateways'], 'gateway')}.",
        f"{outages}, {duration(fleet['down_seconds'])} down; {count(fleet['without_outage'], 'peer')} without one.",
        "## Peers",
        _table(
            ("gateway", "peer", "address", "availability", "outages", "longest", "down", "unknown", "planned"),
            [
                (
                    peer["gateway"],
                    peer["peer"],
                    peer["address"],
                    percent(peer["availability"]),
                    len(peer["outages"]),
                    "-" if peer["longest_seconds"] is None else duration(peer["longest_seconds"]),
                    duration(peer["down_seconds"]),
                    duration(peer["unknown_seconds"]),
                    duration(peer["planned_seconds"]),
                )
                for peer in report["peers"]
            ],
        ),
        "## Why negotiations failed",
        _table(("reason", "failures", "peers"), [tuple(reason.values()) for reason in report["reasons"]]),
    ]
    return "\n\n".join(parts) + "\n"


def percent(share: float | None) -> str:
    """Write availability with the digits that service levels are given in."""
    if share is None:
        return "not known"
    return f"{cut_percent(share, 4)} %" if share < 1 else "100 %"


def _table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(visible(str(cell)).replace("|", "\\|") for cell in line) + " |" for line in lines)
