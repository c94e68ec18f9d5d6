"""Panels that stand on more than one dashboard."""

from grafana_foundation_sdk.builders import table

from racoon_dashboards import parts, queries
from racoon_dashboards.parts import Column, Text, rows
from racoon_dashboards.queries import KEY


def certificate_problems(says: str) -> table.Panel:
    """Show what OpenSSL found wrong with certificates and CRLs, by peer, reason and code."""
    return parts.grid(
        Text("Certificate problems", says, "No certificate problem in this range"),
        rows(queries.first_and_more("racoon_certificate_problems_total", f"{KEY}, reason, code")),
        columns=(
            Column("peer", "Peer"),
            Column("reason", "Reason"),
            Column("code", "OpenSSL code", "none", width=110),
            Column("Value", "Times", "short", width=70),
        ),
        hide=("instance",),
    )
