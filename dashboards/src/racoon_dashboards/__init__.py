"""The Grafana dashboards of racoon-exporter as code.

`python -m racoon_dashboards` (with `dashboards/src` on the path) writes the JSON that stands beside this folder. The JSON is
what people install; it is committed, and a test renders it again and compares the bytes.
"""

from racoon_dashboards.render import DASHBOARDS, render_all

__all__ = ["DASHBOARDS", "render_all"]
