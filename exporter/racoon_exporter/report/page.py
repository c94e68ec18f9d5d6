"""The report as one page: method, summary and worst peers on the first screen, every outage with its log line below."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import tzinfo
from importlib.resources import files
from itertools import islice
from typing import Any, Final

from racoon_exporter import __version__
from racoon_exporter.availability.spans import Span
from racoon_exporter.report.drawing import calendar, timeline
from racoon_exporter.report.text import percent
from racoon_exporter.wording.markup import Child, Html, element
from racoon_exporter.wording.reasons import ENDINGS, explain
from racoon_exporter.wording.words import count, duration, moment

_MOST_PEERS: Final = 1000
_MOST_OUTAGES: Final = 500
"""Outages in the list, the longest; the others are in the JSON."""
_MOST_RUNS: Final = 200
_NOTHING: Final = "-"


def page(report: dict[str, Any], fragments: Sequence[dict[str, Any]], zone: tzinfo) -> str:
    """Write the whole page."""
    title = f"Availability of IPsec peers, {_day(report['since'])} to {_day(report['until'])}"
    style = files("racoon_exporter.report").joinpath("assets/report.css").read_text(encoding="utf-8")
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", Html(style)),
    )
    body = element(
        "body",
        element("header", element("h1", title)),
        element(
            "main",
            _method(report),
            _summary(report, fragments, zone),
            _peers(report, fragments, zone),
            _outages(report),
            _reasons(report),
            _inventory(report),
            _certificates(report),
            _daemons(report),
        ),
        element("footer", element("p", f"Written by racoon-exporter {__version__} from racoon's log.", class_="muted")),
    )
    return "<!DOCTYPE html>\n" + element("html", head, body, lang="en") + "\n"


def _day(stamp: str | None) -> str:
    return "?" if stamp is None else stamp[:10]


def _section(title: str, *children: Child) -> Html:
    return element("section", element("h2", title), *children)


def _method(report: dict[str, Any]) -> Html:
    words = ((element("dt", word), element("dd", meaning)) for word, meaning in report["method"].items())
    return _section("How it is counted", element("dl", *words))


def _summary(report: dict[str, Any], fragments: Sequence[dict[str, Any]], zone: tzinfo) -> Html:
    fleet = report["fleet"]
    share = fleet["availability"]
    said = [
        f"{count(fleet['peers'], 'peer')} of {count(fleet['gateways'], 'gateway')}.",
        f"{fleet['without_outage']} without an outage.",
        f"{count(fleet['outages'], 'outage')}, {duration(fleet['down_seconds'])} down in all.",
        f"{duration(fleet['planned_seconds'])} planned, {duration(fleet['unknown_seconds'])} not known.",
    ]
    window = _window(fragments)
    outages = [span for fragment in fragments for peer in fragment["peers"] for span in _down(peer, fragment["window"][1])]
    known = [(begin, end) for fragment in fragments for begin, end in fragment["known"]]
    return _section(
        "Summary",
        element("p", "Nothing is known." if share is None else f"{percent(share)} available", class_="headline"),
        *(element("p", sentence) for sentence in said),
        *_calendar(calendar(outages, known, window, zone) if window[0] < window[1] else None),
    )


def _calendar(drawn: Html | None) -> tuple[Html, ...]:
    if drawn is None:
        return ()
    said = "Each square is a day, each column a week: red with an outage of any peer, green without, grey not known."
    return element("p", said, class_="muted"), _scroll("Calendar", drawn)


def _window(fragments: Sequence[dict[str, Any]]) -> Span:
    return (
        min((fragment["window"][0] for fragment in fragments), default=0.0),
        max((fragment["window"][1] for fragment in fragments), default=0.0),
    )


def _down(peer: dict[str, Any], last: float) -> list[Span]:
    return [(outage[0], last if outage[1] is None else outage[1]) for outage in peer["outages"]]


def _peers(report: dict[str, Any], fragments: Sequence[dict[str, Any]], zone: tzinfo) -> Html:
    told = {(fragment["gateway"], peer["address"]): (fragment, peer) for fragment in fragments for peer in fragment["peers"]}
    rows = [_peer(row, *told[row["gateway"], row["address"]], zone) for row in islice(report["peers"], _MOST_PEERS)]
    heads = ("Peer", "Availability", "Outages", "Longest", "MTTR", "MTBF", "Not known", "Timeline")
    return _section(
        "Peers",
        element("p", "The least available first. Green is up, red down, blue planned, grey not known.", class_="muted"),
        _table("Peers", heads, rows),
        _left(len(report["peers"]), _MOST_PEERS, "peers"),
    )


def _peer(row: dict[str, Any], fragment: dict[str, Any], peer: dict[str, Any], zone: tzinfo) -> Html:
    name = row["peer"] if row["peer"] == row["address"] else f"{row['peer']} ({row['address']})"
    window: Span = (fragment["window"][0], fragment["window"][1])
    share = percent(row["availability"])
    label = f"{share}, {count(len(row['outages']), 'outage')} since {moment(peer['first'], zone)}"
    drawn = timeline(peer["up_spans"], _down(peer, peer["last"]), fragment["planned"], window, label)
    return element(
        "tr",
        element(
            "td", f"{row['gateway']}: {name}" if row["gateway"] else name, " (roaming)" if row["kind"] == "roaming" else None
        ),
        _number(share),
        _number(str(len(row["outages"]))),
        *(
            _number(_NOTHING if row[key] is None else duration(row[key]))
            for key in ("longest_seconds", "mttr_seconds", "mtbf_seconds")
        ),
        _number(duration(row["unknown_seconds"])),
        element("td", drawn, class_="t"),
    )


def _number(text: str) -> Html:
    return element("td", text, class_="n")


def _outages(report: dict[str, Any]) -> Html:
    every = [(peer, outage) for peer in report["peers"] for outage in peer["outages"]]
    every.sort(key=lambda item: -item[1]["seconds"])
    rows = [_outage(peer, outage) for peer, outage in every[:_MOST_OUTAGES]]
    heads = ("Peer", "Begin", "End", "Down", "How it ended", "Why it stayed down", "Log line")
    return _section(
        "Outages",
        _table("Outages", heads, rows) if rows else element("p", "None."),
        _left(len(every), _MOST_OUTAGES, "outages"),
    )


def _outage(peer: dict[str, Any], outage: dict[str, Any]) -> Html:
    cause, reason = outage["end_cause"], outage["reason"]
    told_by = f", as {outage['told_by']} tells" if outage["told_by"] else None
    place = _NOTHING if outage["file"] is None else f"{outage['file']}:{outage['line']}"
    return element(
        "tr",
        element("td", f"{peer['gateway']}: {peer['peer']}" if peer["gateway"] else peer["peer"]),
        _number(_time(outage["begin"])),
        _number("still down" if outage["end"] is None else _time(outage["end"])),
        _number(duration(outage["seconds"])),
        element("td", _NOTHING if cause is None else ENDINGS.get(cause, cause)),
        element("td", _NOTHING if reason is None else _reason(reason), told_by),
        element("td", element("code", place)),
    )


def _time(stamp: str) -> str:
    return stamp[:19].replace("T", " ")


def _reason(reason: str) -> Html:
    return element("a", reason, href=explain(reason, 1).runbook)


def _reasons(report: dict[str, Any]) -> Html:
    rows = [
        element(
            "tr",
            element("td", _reason(one["reason"])),
            _number(f"{one['failures']:,}"),
            _number(f"{one['peers']:,}"),
            element("td", explain(one["reason"], 1).gloss, " ", explain(one["reason"], 1).advice),
        )
        for one in report["reasons"]
    ]
    table = _table("Reasons", ("Reason", "Failures", "Peers", "What it means and what to do"), rows)
    return _section("Why negotiations failed", table if rows else element("p", "None failed."))


def _inventory(report: dict[str, Any]) -> Html:
    rows = [
        element(
            "tr",
            element("td", f"{one['gateway']}: {one['peer']}" if one["gateway"] else one["peer"]),
            element("td", one["exchange"] or _NOTHING),
            _number(_NOTHING if one["last_phase1"] is None else _time(one["last_phase1"])),
            _number(_NOTHING if one["silent_since"] is None else _time(one["silent_since"])),
        )
        for one in report["crypto"][:_MOST_PEERS]
    ]
    heads = ("Peer", "Exchange", "Last phase 1", "Silent for good since")
    return _section(
        "Who still speaks IKEv1 with us",
        _table("Inventory", heads, rows) if rows else element("p", "Nobody."),
        _left(len(report["crypto"]), _MOST_PEERS, "peers"),
    )


def _certificates(report: dict[str, Any]) -> Html | None:
    rows = [
        element("tr", element("td", one["peer"]), element("td", _reason(one["reason"])), _number(f"{one['failures']:,}"))
        for one in report["certificates"]
    ]
    return _section("Certificates", _table("Certificates", ("Peer", "Reason", "Failures"), rows)) if rows else None


def _daemons(report: dict[str, Any]) -> Html | None:
    runs = report["daemons"]
    rows = [
        element(
            "tr",
            element("td", run["gateway"] or _NOTHING),
            _number(_NOTHING if run["started"] is None else _time(run["started"])),
            _number(_NOTHING if run["stopped"] is None else _time(run["stopped"])),
            element("td", run["version"] or _NOTHING),
            element("td", run["end"] or _NOTHING),
        )
        for run in runs[-_MOST_RUNS:]
    ]
    table = _table("Runs of racoon", ("Gateway", "Started", "Stopped", "Version", "End"), rows)
    return _section("Runs of racoon", table, _left(len(runs), _MOST_RUNS, "runs")) if rows else None


def _table(label: str, heads: Iterable[str], rows: Sequence[Html]) -> Html:
    head = element("thead", element("tr", *(element("th", text, scope="col") for text in heads)))
    return _scroll(label, element("table", head, element("tbody", *rows)))


def _scroll(label: str, child: Html) -> Html:
    """Let what is wide be scrolled, by keys as well."""
    return element("div", child, class_="scroll", role="region", aria_label=label, tabindex="0")


def _left(number: int, most: int, what: str) -> Html | None:
    return element("p", f"{number - most} more {what} are in the JSON.", class_="muted") if number > most else None
