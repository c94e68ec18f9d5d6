"""Write every dashboard below `dashboards/`, or below the directory given as the only argument."""

import sys
from pathlib import Path

from racoon_dashboards.render import render_all


def main() -> None:
    """Write the files and name them."""
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2]
    for name, text in render_all().items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path}\n")


main()
