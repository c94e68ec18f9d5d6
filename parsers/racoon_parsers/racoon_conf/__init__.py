"""racoon.conf as values: what racoon is told to do, without its keys.

`parse_racoon_conf` reads the grammar of man racoon.conf, ipsec-tools 0.5 to 0.9.1 and NetBSD. It is pure (included
files come from a function the caller gives), never raises on any text, takes time linear in it, and reports each line
it does not understand while using the rest. Secrets (`bind_pw`, RADIUS secrets) are never kept, nor shown in a problem;
key files are named, never read.
"""

from racoon_parsers.racoon_conf.model import (
    CertificateFiles,
    Endpoint,
    Identifier,
    Listen,
    Problem,
    Proposal,
    RacoonConf,
    RemoteSection,
    SainfoId,
    SainfoSection,
    Script,
    Timers,
)
from racoon_parsers.racoon_conf.reader import IncludeHook, parse_racoon_conf

__all__ = [
    "CertificateFiles",
    "Endpoint",
    "Identifier",
    "IncludeHook",
    "Listen",
    "Problem",
    "Proposal",
    "RacoonConf",
    "RemoteSection",
    "SainfoId",
    "SainfoSection",
    "Script",
    "Timers",
    "parse_racoon_conf",
]
