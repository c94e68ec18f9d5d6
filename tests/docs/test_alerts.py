"""`explain ALERT` says what the runbook says: the table it reads is written from the pages."""

import re
from importlib.resources import files
from pathlib import Path
from typing import Final

from racoon_exporter.alerts import COLUMNS, alerts
from tests.docs import written

TABLE: Final = Path(str(files("racoon_exporter").joinpath("alerts.tsv")))
RUNBOOKS: Final = sorted((written.ROOT / "docs" / "runbooks").glob("Racoon*.md"))


def section(page: str, name: str) -> str:
    """Give a section of a page as one line of plain text."""
    found = re.search(rf"^## {name}\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE)
    assert found is not None, name
    text = re.sub(r"```.*?```", "", found[1], flags=re.DOTALL)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return " ".join(re.sub(r"[*`|]", "", text).split())


def wanted() -> str:
    rows = ["\t".join(COLUMNS)]
    for path in RUNBOOKS:
        page = path.read_text(encoding="utf-8")
        rows.append(f"{path.stem}\t{section(page, 'What it means')}\t{section(page, 'Most likely causes')}")
    return "\n".join(rows) + "\n"


def test_the_table_of_alerts_is_what_the_runbooks_say() -> None:
    written.check(TABLE, wanted())


def test_every_runbook_of_an_alert_can_be_explained() -> None:
    assert set(alerts()) == {path.stem for path in RUNBOOKS}
    assert all(alert.meaning and alert.causes for alert in alerts().values())
