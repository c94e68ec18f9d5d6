"""From dashboards to files: always the same bytes for the same code."""

import json
from pathlib import Path
from typing import Any

import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from racoon_dashboards.fleet import fleet
from racoon_dashboards.health import health
from racoon_dashboards.moving import moving_rules
from racoon_dashboards.page import FORMATS
from racoon_dashboards.peer import peer

DASHBOARDS = {"racoon-fleet": fleet, "racoon-peer": peer, "racoon-health": health}
"""File name without ending, and what builds it."""

INPUT = "DS_PROMETHEUS"
RULES = Path(__file__).parents[2] / "rules" / "racoon.yaml"


def _text(value: Any) -> str:
    return json.dumps(value, cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _importable(board: dict[str, Any]) -> dict[str, Any]:
    """Return the board as one imports it by hand: Grafana asks for the data source and puts it into the variable."""
    for variable in board["templating"]["list"]:
        if variable["type"] == "datasource":
            variable["current"] = {"selected": False, "text": f"${{{INPUT}}}", "value": f"${{{INPUT}}}"}
    kinds = sorted(
        {panel["type"] for outer in board["panels"] for panel in (outer, *outer.get("panels", ())) if panel["type"] != "row"}
    )
    inputs = {
        "name": INPUT,
        "label": "Prometheus",
        "description": "The Prometheus that scrapes racoon-exporter",
        "type": "datasource",
        "pluginId": "prometheus",
        "pluginName": "Prometheus",
    }
    requires = [
        {"type": "grafana", "id": "grafana", "name": "Grafana", "version": "9.4.0"},
        {"type": "datasource", "id": "prometheus", "name": "Prometheus", "version": "1.0.0"},
        *({"type": "panel", "id": kind, "name": kind, "version": ""} for kind in kinds),
    ]
    return {"__inputs": [inputs], "__elements": {}, "__requires": requires, **board, "id": None}


def render(board: Dashboard) -> str:
    """Return the JSON text for provisioning."""
    given = json.loads(_text(board))
    annotations = given["annotations"]
    annotations["list"] = [annotation | FORMATS[annotation["name"]] for annotation in annotations["list"]]
    return _text(given)


def render_all() -> dict[str, str]:
    """Return every file by its path below `dashboards/`: three for provisioning, three to import by hand, and rules.

    Those for gateways that move stand in YAML as the others, those for the mixin in JSON, since std.parseYaml of jsonnet
    0.18 stumbles over YAML's block scalars.
    """
    files = {
        "mixin/rules.json": _text(yaml.safe_load(RULES.read_text(encoding="utf-8"))),
        "rules/fleet/racoon-fleet.yaml": moving_rules(),
    }
    for name, make in DASHBOARDS.items():
        text = render(make())
        files[f"{name}.json"] = text
        files[f"import/{name}.json"] = _text(_importable(json.loads(text)))
    return files
