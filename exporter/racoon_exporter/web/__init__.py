"""The web endpoint: listening, TLS, authentication, limits and life cycle. What it serves is handed in as routes."""

from racoon_exporter.web.config_reload import check_web_config
from racoon_exporter.web.connections import Limits
from racoon_exporter.web.problems import ListenError, WebConfigError
from racoon_exporter.web.server import WebServer
from racoon_exporter.yaml_document import Problem

__all__ = ["Limits", "ListenError", "Problem", "WebConfigError", "WebServer", "check_web_config"]
