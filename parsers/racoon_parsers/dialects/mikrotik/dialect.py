"""MikroTik RouterOS: topics in place of a program's name, and the peer's address bare before the text."""

from __future__ import annotations

import re
from typing import Final

from racoon_parsers.dialects.base import ISO, RELAYS, SOURCE, STRUCTURED_DATA, Dialect, head, spelling, stamp, text_before

_TOPICS_OF_ROUTEROS: Final = (
    "account|acme-client|async|backup|bfd|bgp|bridge|calc|caps|certificate|container|critical|ddns|debug|dhcp|dns|dot1x|"
    "dude|e-mail|error|event|fetch|firewall|gps|gsm|health|hotspot|igmp-proxy|info|interface|iot|ipsec|isdn|isis|kvm|l2tp|"
    "lacp|ldp|lora|lte|manager|mme|mpls|mqtt|natpmp|netinstall|netwatch|ntp|ospf|ovpn|packet|pim|poe-out|ppp|pppoe|pptp|"
    "ptp|queue|radius|radvd|raw|read|rip|route|rpki|rsvp|script|sertcp|simulator|smb|snmp|ssh|ssld|sstp|state|store|stp|"
    "system|telephony|telnet|tftp|timer|tr069|ups|upnp|vpls|vrrp|warning|watchdog|web-proxy|wireguard|wireless|write|"
    "zerotier"
)
"""First words of a line's topics (`/system logging`)."""
_SEVERITY: Final = r"(?:(?=(?:[a-z0-9-]{1,16},\s?){0,6}?(?P<collected>critical|error|warning|info|debug)\b))?"
_MORE: Final = r"(?:,\s?[a-z0-9-]{1,16})"
_TOPICS: Final = rf"{_SEVERITY}(?P<ident>(?:{_TOPICS_OF_ROUTEROS}){_MORE}{{0,6}})(?:\s*\|)?"
_BARE: Final = rf"{_SEVERITY}(?P<ident>(?:{_TOPICS_OF_ROUTEROS}){_MORE}{{1,6}})(?:\s*\|)?"
_ADDRESS: Final = r"(?:[\dxX]{1,3}(?:\.[\dxX]{1,3}){3}|[\w*-]{1,16}(?:\.[\w*-]{1,16}){3}|(?=[^ :]{0,45}:[^ :]{0,45}:)[\da-fA-F:.]{2,45}(?:%[\w.-]{1,40})?)"
_TEXT: Final = rf"(?:(?P<tag>{_ADDRESS}) )?(?P<text>.*)"
_TIME: Final = stamp("rfc3164", "iso", "local", "month_day", "dotted", "logcat", "year_first", "time_of_day")
_PRIORITY: Final = r"(?:<\d{1,3}>)?"
_SENDER: Final = (
    rf"(?:(?!(?:memory|disk|remote|ipsec|\d\d:\d\d:\d\d\S*)\s){SOURCE}"
    rf"(?P<host>[\w.-]{{1,255}}|\(none\)|[\da-fA-F.]*:[\da-fA-F:.]+){RELAYS}\s+)?(?:echo:\s+)?"
)

_LEVELS: Final = {
    "critical": "ERROR",
    "error": "ERROR",
    "warning": "WARNING",
    "info": "INFO",
    "debug": "DEBUG",
}
_SYSLOG: Final = {0: "ERROR", 1: "ERROR", 2: "ERROR", 3: "ERROR", 4: "WARNING", 5: "NOTIFY", 6: "INFO", 7: "DEBUG"}
_PRIORITIES: Final = {str(number): _SYSLOG[number % 8] for number in range(192)}
"""A topic without severity goes out as information: the priority says as little as topics do."""

_LABELS: Final = (
    "Certificate|DPD|EAP|ID_[IR]|NAT-T|XAuth|cert|certificate|identity|issuer|login|name|peer|selfSigned|subject|trust|user|username"
    r"|[\w.-]{0,16}(?i:pass\w{0,8}|(?:psk|secret|token|key|pwd?|pin|otp|cred|credential|community|senha|kennwort|contrase.a|keymat"
    r"|authorization|bearer|cookie)s?)"
)
"""Words with a colon that RouterOS itself prints before what a peer may have chosen, and names of secrets: no prefix of a
logging rule."""

DIALECT: Final = Dialect(
    "mikrotik",
    "MikroTik RouterOS",
    own=True,
    program=re.compile(r"(?:^|,\s?)ipsec(?:,|$)"),
    inner=re.compile(_TEXT, re.DOTALL),
    formats=(
        head(
            "routeros",
            "",
            rf"{_PRIORITY}{_TIME}\s+{_SENDER}(?:(?:memory|disk|remote)\s+)?{_TOPICS}\s+{_TEXT}",
            levels=_LEVELS,
        ),
        head(
            "routeros-store",
            "",
            rf"{stamp('dotted', 'local', 'iso')}\s+<(?P<host>[^<>\s]{{1,255}})>:\s+{_TOPICS}\s+{_TEXT}",
            levels=_LEVELS,
        ),
        head(
            "routeros-5424",
            "iso",
            rf"{_PRIORITY}1 (?P<stamp>{ISO}) (?P<host>\S+) {_TOPICS} \S+ \S+ {STRUCTURED_DATA}\s*{_TEXT}",
            levels=_LEVELS,
        ),
        head("routeros-bare", "", rf"\s*{_PRIORITY}{_SENDER}(?:(?:memory|disk|remote)\s+)?{_BARE}\s+{_TEXT}", levels=_LEVELS),
        head(
            "routeros-cef",
            "",
            rf"{_PRIORITY}(?:{stamp('rfc3164', 'iso')}\s+)?{_SENDER}CEF:\d\|MikroTik\|(?:[^|\\]|\\.){{0,255}}\|[^|]{{0,255}}\|[^|]{{0,32}}\|"
            rf"{_SEVERITY}(?P<ident>[a-z0-9-]{{1,16}}{_MORE}{{0,6}})\|[^|]{{0,32}}\|(?:.{{0,512}}?\s)?msg=\s*{_TEXT}",
            levels=_LEVELS,
            escapes={"\\=": "=", "\\|": "|", "\\n": "\n", "\\r": "", "\\\\": "\\"},
        ),
        head(
            "routeros-detail",
            "",
            rf"\s*(?:\d+\s+)?time={stamp('local', 'month_day', 'logcat', 'time_of_day')}(?:\s+buffer=\S+)?\s+topics={_SEVERITY}"
            rf"(?P<ident>[a-z0-9-]{{1,16}}{_MORE}{{0,6}})(?:\s+message=\"(?:(?P<tag>{_ADDRESS}) )?{text_before(5)})?\"?\s{{0,4}}$",
            levels=_LEVELS,
        ),
        head(
            "routeros-header",
            "",
            rf"\s?# {stamp('local', 'month_day')} by RouterOS (?P<text>.*)",
        ),
        head("routeros-topic", "", rf"\s*{_PRIORITY}{_SENDER}(?P<ident>ipsec)(?:\s*\|)?\s+{_TEXT}", needs="known"),
        head(
            "routeros-syslog",
            "",
            rf"(?:<(?P<collected>\d{{1,3}})>)?{stamp('rfc3164', 'iso')}\s+(?!\d{{4}}-\d\d-\d\d\s)(?P<host>[\w.-]{{1,255}})\s+{_TEXT}",
            levels=_PRIORITIES,
            needs="whole",
        ),
    ),
    spellings=spelling(
        (r'^message="(.*?)"?$', r"\1"),
        (rf"^(?!(?:{_LABELS}):)[\w.-]{{1,32}}: ", ""),
        (r'(?<!\\)"$', ""),
        (r"\\n$", ""),
    ),
    glue="",
    true_arrows=True,
    phase2_rule="topics=ipsec,!debug,!packet",
    copies=True,
)
