"""SA state: what is believed of every racoon whose log is read. Pure; time comes from the lines."""

from racoon_exporter.sa.configured import Expectation, Knowledge, Known, Limits
from racoon_exporter.sa.model import DaemonRun, IpsecSa, IsakmpSa, Negotiation, Peer
from racoon_exporter.sa.racoon import Racoon
from racoon_exporter.sa.state import SaState

__all__ = [
    "DaemonRun",
    "Expectation",
    "IpsecSa",
    "IsakmpSa",
    "Knowledge",
    "Known",
    "Limits",
    "Negotiation",
    "Peer",
    "Racoon",
    "SaState",
]
