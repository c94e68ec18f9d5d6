"""What witnesses beside the log say, on the page."""

from __future__ import annotations

from typing import Final

from racoon_exporter.status.overview.view import PeerView
from racoon_exporter.status.overview.witnessed import Spoken, disagreements, spoken
from racoon_exporter.status.pages.context import NOTHING, PageContext, table
from racoon_exporter.witness import Shown
from racoon_exporter.witness.traffic import DIRECTIONS, Owner
from racoon_exporter.wording.markup import Child, element
from racoon_exporter.wording.words import count

MOST_ROWS: Final = 200
"""Rows of a table on the page."""
_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def size(number: int) -> str:
    """Write bytes as people read them: `1.4 GiB`."""
    value, unit = float(number), 0
    while value >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.1f} {_UNITS[unit]}" if unit else f"{number} B"


def peer_line(context: PageContext, peer: PeerView) -> Child:
    """Write what witnesses add to a peer's card; nothing where none told."""
    witnessed = context.shown.facts.witnessed
    if witnessed is None:
        return None
    key = peer.gateway, peer.address
    totals = [witnessed.traffic.get(Owner(*key, way)) for way in DIRECTIONS]
    parts: list[Child] = []
    if any(totals):
        received, sent = (size((counts or {}).get("bytes", 0)) for counts in totals)
        parts.append(f"{received} in, {sent} out")
    parts += [
        (f"phase {phase} expires ", context.at(when))
        for phase in (1, 2)
        if (when := witnessed.expiry.get((*key, phase))) is not None
    ]
    weak = sorted({word for crypto in witnessed.crypto.get(key, ()) for word in crypto.weaknesses})
    if weak:
        parts.append(f"weak: {', '.join(weak)}")
    counts = witnessed.policies.get(key)
    if counts is not None and counts.without_sa:
        parts.append(f"{counts.without_sa} of {count(counts.policies, 'policy', 'policies')} without an IPsec SA")
    return element("p", [(part, "; ") for part in parts[:-1]], parts[-1], ".", class_="beside") if parts else None


def section(context: PageContext) -> Child:
    """Write how witnesses are doing, the files, and who still speaks IKEv1; nothing where there is no witness."""
    witnessed = context.shown.facts.witnessed
    if witnessed is None:
        return None
    return element(
        "section",
        element("h2", "Beside the log"),
        table(
            "Witnesses", ("Witness", "State", "Last answer", "Disagreements with the log"), _witness_rows(context, witnessed)
        ),
        _files_table(context, witnessed),
        _crypto_table(context),
        id="witnesses",
        aria_label="Beside the log",
    )


def _witness_rows(context: PageContext, witnessed: Shown) -> list[list[Child]]:
    rows: list[list[Child]] = []
    for status in witnessed.statuses:
        said = [f"{number:,} {kind}" for kind, number in disagreements(witnessed, status.name).items() if number]
        state = "answers" if status.up else f"does not answer: {status.trouble}"
        rows.append([status.name, state, context.at(status.last_success), ", ".join(said) or NOTHING])
    return rows


def _files_table(context: PageContext, witnessed: Shown) -> Child:
    rows: list[tuple[float, list[Child]]] = []
    for files in witnessed.certificates.values():
        rows += [(one.not_after, [one.file, one.kind, context.at(one.not_after), NOTHING]) for one in files.certificates]
        rows += [(one.next_update or 0.0, [one.file, "crl", context.at(one.next_update), NOTHING]) for one in files.crls]
        rows += [
            (0.0, [file, "crl", NOTHING, "missing: racoon looks for the CRL here, and lets a revoked certificate in"])
            for file in files.missing_crls
        ]
        rows += [(0.0, [one.file, NOTHING, NOTHING, one.text]) for one in files.faults]
    if not rows:
        return None
    ordered = [row for _, row in sorted(rows, key=lambda item: item[0])]
    heads = ("File", "Kind", "Valid until", "Fault")
    return table("Certificates and CRLs", heads, ordered[:MOST_ROWS])


def _crypto_table(context: PageContext) -> Child:
    """Write the inventory, what is weak first."""
    every = sorted(spoken(context.shown), key=lambda one: not one.crypto.weaknesses)
    if not every:
        return None
    rows = [_crypto_row(context, one) for one in every[:MOST_ROWS]]
    left = len(every) - len(rows)
    heads = ("Peer", "Phase", "How", "Weak", "Told by", "First seen", "Last seen")
    return element(
        "details",
        element("summary", element("h3", "Who still speaks IKEv1 with us")),
        table("Who still speaks IKEv1 with us", heads, rows),
        element("p", f"{left} more are in the API (api/v1/crypto).") if left else None,
        id="crypto",
        class_="fold",
    )


def _crypto_row(context: PageContext, one: Spoken) -> list[Child]:
    crypto = one.crypto
    how = (crypto.exchange, crypto.encryption, crypto.hash, crypto.group and f"group {crypto.group}", crypto.authentication)
    return [
        context.shown.name_of(one.gateway, one.peer),
        str(crypto.phase),
        " ".join(filter(None, how)) or NOTHING,
        ", ".join(crypto.weaknesses) or NOTHING,
        one.told_by,
        context.at(one.first) if one.first is not None else NOTHING,
        context.at(one.last) if one.last is not None else NOTHING,
    ]


__all__ = ["peer_line", "section", "size"]
