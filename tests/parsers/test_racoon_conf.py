"""racoon.conf: every statement of the grammar is read, every mistake costs one statement and is reported by line."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racoon_parsers import setkey
from racoon_parsers.racoon_conf import (
    CertificateFiles,
    Endpoint,
    Identifier,
    Listen,
    Problem,
    Proposal,
    RacoonConf,
    SainfoId,
    Script,
    Timers,
    grammar,
    parse_racoon_conf,
)
from racoon_parsers.racoon_conf.keywords import KEYWORDS, may_be_shown
from racoon_parsers.racoon_conf.reader import MAX_FILES, MAX_INCLUDED_TEXT, MAX_PROBLEMS
from racoon_parsers.setkey import parse_policies
from tests.steps import grows_linearly

SAMPLES = Path(__file__).parents[1] / "samples" / "conf"
PROPOSAL = "proposal { encryption_algorithm aes; hash_algorithm sha1; authentication_method rsasig; dh_group 2; }"
REMOTE = f"exchange_mode main; {PROPOSAL}"


def included(pattern: str, directory: str) -> list[tuple[str, str | None]]:
    return [(path.name, path.read_text()) for path in sorted((SAMPLES / directory).glob(pattern))]


def sample(name: str) -> RacoonConf:
    return parse_racoon_conf((SAMPLES / name).read_text(), path=name, include=included)


def messages(text: str) -> list[tuple[int, str]]:
    return [(problem.line, problem.message) for problem in parse_racoon_conf(text).problems]


@pytest.fixture(name="office", scope="module")
def _office() -> RacoonConf:
    return sample("office.racoon.conf")


def test_only_the_broken_included_file_has_a_problem(office: RacoonConf) -> None:
    assert office.problems == (Problem("20-broken.conf", 3, '"dpd_delay": a number is expected, not a value'),)
    assert str(office.problems[0]) == '20-broken.conf:3: "dpd_delay": a number is expected, not a value'
    assert office.files == ("office.racoon.conf", "10-branch.conf", "20-broken.conf")


def test_statements_outside_of_sections_are_read(office: RacoonConf) -> None:
    assert dict(office.paths) == {
        "include": "remotes.d",
        "pre_shared_key": "/etc/racoon/psk.txt",
        "certificate": "/etc/racoon/certs",
        "script": "/etc/racoon/scripts",
    }
    assert office.log_level == "notify"
    assert office.certificate_path("ca.crt") == "/etc/racoon/certs/ca.crt"
    assert office.certificate_path("/etc/ssl/ca.crt") == "/etc/ssl/ca.crt"


def test_listen_and_timer_sections_are_read(office: RacoonConf) -> None:
    assert office.listen == Listen(
        isakmp=(Endpoint("192.0.2.1", 500), Endpoint("fe80::1%eth0", 500)),
        isakmp_natt=(Endpoint("192.0.2.1", 4500),),
        adminsock="/var/run/racoon.sock",
        strict_address=True,
    )
    assert office.timers == Timers(counter=3, interval=20, persend=2, phase1=60, phase2=45, natt_keepalive=15)


def test_every_kept_statement_of_a_remote_section_is_read(office: RacoonConf) -> None:
    head = office.remotes[0]
    assert (head.address, head.port, head.anonymous, head.name, head.peer) == (
        "198.51.100.2",
        500,
        False,
        None,
        "198.51.100.2",
    )
    assert (head.friendly_name, head.line) == ("Head office", 33)
    assert head.exchange_modes == ("main", "aggressive")
    assert head.my_identifier == Identifier("fqdn", "gw.example.org")
    assert head.peers_identifiers == (Identifier("address"), Identifier("keyid", "head-office", "tag"))
    assert head.certificate_type == CertificateFiles("x509", "gw.crt", "gw.key")
    assert (head.ca_type, head.peers_certfile) == ("ca.crt", "head.crt")
    assert (head.verify_identifier, head.verify_cert, head.initial_contact) == (True, False, False)
    assert (head.nat_traversal, head.rekey, head.ph1id) == ("force", "force", 7)
    assert (head.dpd_delay, head.dpd_retry, head.dpd_maxfail) == (20, 4, 6)
    assert head.scripts == (Script("up.sh", "phase1_up"), Script("/etc/racoon/down.sh", "phase1_down"))
    assert head.proposals == (
        Proposal("aes", 256, "sha256", "rsasig", "modp2048"),
        Proposal("3des", None, "sha1", "pre_shared_key", "2", 5400),
    )
    assert (head.lifetime, head.phase1_lifetime, head.proposal_check) == (28800, 28800, "claim")


def test_named_sections_inherit_and_override(office: RacoonConf) -> None:
    by_name = {section.friendly_name or section.name: section for section in office.remotes}
    warehouse, standby, annex = by_name["Lager Süd"], by_name["Standby office"], by_name["annex"]
    assert (warehouse.name, warehouse.peer, warehouse.passive) == ("warehouse", "2001:db8::2", True)
    assert warehouse.remote_address == Endpoint("2001:db8::2", 4500)
    assert (standby.address, standby.port, standby.inherits) == ("203.0.113.9", 1500, "198.51.100.2")
    assert (standby.rekey, standby.dpd_delay, standby.proposals) == ("off", 20, office.remotes[0].proposals)
    assert (annex.inherits, annex.exchange_modes, annex.friendly_name) == ("warehouse", ("base",), None)


def test_included_files_stand_where_the_include_stands(office: RacoonConf) -> None:
    assert [section.peer for section in office.remotes][4:] == ["192.0.2.77", "192.0.2.78", None]
    branch, broken, anonymous = office.remotes[4:]
    assert (branch.path, branch.line, branch.friendly_name) == ("10-branch.conf", 2, "Branch office")
    assert (broken.dpd_delay, broken.dpd_retry) == (0, 3)
    assert (anonymous.anonymous, anonymous.generate_policy, anonymous.mode_cfg) == (True, "unique", True)


def test_sainfo_sections_are_read(office: RacoonConf) -> None:
    every, office_lan, visitors, servers = office.sainfos
    assert (every.source.kind, every.destination.kind, every.lifetime) == ("anonymous", "anonymous", 3600)
    assert every.encryption_algorithms == ("aes 256", "aes", "3des")
    assert every.authentication_algorithms == ("hmac_sha1", "hmac_md5")
    assert (every.compression_algorithms, every.pfs_group) == (("deflate",), "modp1024")
    assert office_lan.source == SainfoId("address", "10.1.0.0/24", None, "any")
    assert office_lan.destination == SainfoId("address", "10.2.0.0/24", None, "any")
    assert (office_lan.remoteid, office_lan.lifetime) == (7, 1800)
    assert visitors.destination.kind == "clientaddr"
    assert visitors.from_identifier == Identifier("fqdn", "visitor.example.org")
    assert servers.source == SainfoId("address", "10.1.0.1-10.1.0.9", 80, "tcp")
    assert servers.destination == SainfoId("subnet", "2001:db8:1::/64", None, "any")
    assert servers.group == "staff"


def test_secrets_are_not_kept(office: RacoonConf) -> None:
    assert "hush-hush" not in repr(office)


def test_secrets_are_not_shown_in_problems() -> None:
    text = 'ldapcfg { bind_pw "Hush-Hush" ; bind_pww "Hush-Hush"; } radiuscfg { auth Hush-Hush; }\nHush-Hush;\n'
    problems = parse_racoon_conf(text).problems
    assert [problem.message for problem in problems] == [
        '"bind_pww": not known in this section',
        "a value: no such statement or section",
    ]
    assert "Hush" not in repr(problems)


@pytest.mark.parametrize(
    "written", ["hunter2", '"swordfish"', '"correct-horse', "[letmein]", "{geheim}", "pa55word;", "0xdeadbeefcafe", "Secret"]
)
def test_no_secret_in_the_place_of_any_word_is_shown(written: str) -> None:
    """Whoever writes a key where its file belongs, or forgets a quote, has a problem; its text is not told."""
    text = (SAMPLES / "rekey.racoon.conf").read_text()
    secret = written.strip('"[]{};')
    for place in [found.start() for found in re.finditer(r"\b[a-z]", text)]:
        spoilt = f"{text[:place]} {written} {text[place:]}"
        assert [problem.message for problem in parse_racoon_conf(spoilt).problems if secret in problem.message] == []
        script = spoilt.replace("remote", "spdadd").replace("{", ";")
        assert [problem.message for problem in parse_policies(script).problems if secret in problem.message] == []


def test_every_word_of_the_grammar_may_be_shown() -> None:
    sections = (grammar.REMOTE, grammar.PROPOSAL, grammar.SAINFO, grammar.LISTEN, grammar.TIMER, *grammar.UNKEPT.values())
    words = (grammar.SECTIONS, grammar.LOG_LEVELS, grammar.PATHS, grammar.IDENTIFIER_TYPES, grammar._UNITS, grammar._BYTE_UNITS)
    names = (grammar._CIPHERS, grammar._HASHES, grammar._MACS, grammar._COMPRESSIONS, grammar._METHODS, grammar._GROUPS)
    policies = (setkey._COMMANDS, setkey.DIRECTIONS, setkey.PROTOCOLS, setkey.MODES)
    every = chain(*sections, *words, *names, *policies, grammar.UNKEPT)
    assert {word for word in every if not word.isdigit()} - KEYWORDS == set()


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("exchange_mod", True),
        ("encription_algorithm", True),
        ("listne", True),
        ("sainf", True),
        ("pas", False),
        ("tempo", False),
    ],
)
def test_a_keyword_with_a_slip_is_shown(word: str, *, shown: bool) -> None:
    assert may_be_shown(word) is shown


def test_so_many_problems_are_listed_and_the_others_counted() -> None:
    problems = parse_racoon_conf(";" * 1500).problems
    assert len(problems) == MAX_PROBLEMS + 1
    assert problems[-1].message == "500 more problems are not listed"


@pytest.mark.parametrize("name", ["rekey", "natt-responder", "xauth-server"])
def test_a_configuration_that_racoon_took_has_no_problem(name: str) -> None:
    assert sample(f"{name}.racoon.conf").problems == ()


def test_a_recorded_configuration_is_read_as_it_was_used() -> None:
    conf = sample("rekey.racoon.conf")
    (remote,) = conf.remotes
    assert (remote.peer, remote.phase1_lifetime, conf.sainfos[0].lifetime) == ("192.168.0.41", 60, 40)


def test_a_misspelt_keyword_costs_its_statement_only() -> None:
    conf = sample("misspelt.racoon.conf")
    assert [(problem.line, problem.message) for problem in conf.problems] == [
        (19, '"remote": no exchange_mode'),
        (21, '"exchange_mod": not known in this section'),
    ]
    assert conf.remotes[0].certificate_type == CertificateFiles("x509", "ipsec-a.crt", "ipsec-a.key")


def test_a_section_not_closed_at_the_end_is_used() -> None:
    conf = sample("unclosed.racoon.conf")
    assert [problem.line for problem in conf.problems] == [37]
    assert conf.sainfos[0].lifetime == 3600


def test_a_section_not_closed_ends_where_the_next_begins() -> None:
    text = f"remote 192.0.2.1 {{\n {REMOTE}\n\nremote 192.0.2.2 {{\n {REMOTE}\n}}\n"
    conf = parse_racoon_conf(text)
    assert [section.address for section in conf.remotes] == ["192.0.2.1", "192.0.2.2"]
    assert messages(text) == [(1, 'section "remote" is not closed before the section in line 4')]


def test_a_forgotten_semicolon_costs_nothing() -> None:
    text = f"log info\nremote 192.0.2.1 {{\n dpd_delay 20\n dpd_retry 4\n {REMOTE}\n passive on }}\n"
    conf = parse_racoon_conf(text)
    (remote,) = conf.remotes
    assert (conf.log_level, remote.dpd_delay, remote.dpd_retry, remote.passive) == ("info", 20, 4, True)
    assert messages(text) == [
        (1, '; is missing after "log"'),
        (3, '; is missing after "dpd_delay"'),
        (4, '; is missing after "dpd_retry"'),
        (6, '; is missing after "passive"'),
    ]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        pytest.param('\npath "x";', 2, '"path": a word without quotes is expected', id="path without kind"),
        pytest.param('path certificate "/etc;\nlog info;', 1, 'string without closing "', id="string not closed"),
        pytest.param("log loud;", 1, "error or warning or notify or info or debug or debug2 is expected", id="log level"),
        pytest.param("log info;;", 1, "stray ;", id="empty statement"),
        pytest.param("\n}\n", 2, "} without {", id="stray brace"),
        pytest.param("{ }", 1, "{ without a section name", id="nameless section"),
        pytest.param("log [info;", 1, "stray [", id="stray bracket"),
        pytest.param('include "nowhere.conf";', 1, '"include": no file fits', id="include of nothing"),
        pytest.param("listen { isakmp 192.0.2.1 [http]; }", 1, "a number is expected", id="port by name"),
        pytest.param("listen { isakmp; }", 1, "a word is missing", id="address missing"),
        pytest.param("timer { interval 10 days; }", 1, "a value is no unit of time", id="unit"),
        pytest.param("timer { counter 10 20; }", 1, "unexpected a value", id="one value too many"),
        pytest.param("timer { counter 9999999999999; }", 1, "a number is expected", id="number without bound"),
        pytest.param("timer { counter { } }", 1, "no { is expected here", id="section in a section"),
        pytest.param("timer;", 1, "a section { … } is missing", id="section missing"),
        pytest.param("remote 192.0.2.1;", 1, "a section { … } is missing", id="remote without section"),
        pytest.param('remote "a" inherit "b" { }', 1, "the section to inherit from does not exist", id="inherit"),
        pytest.param("remote anonymous { }", 1, "no exchange_mode", id="no exchange mode"),
        pytest.param("remote anonymous { exchange_mode; }", 1, "an exchange mode is missing", id="empty mode"),
        pytest.param("remote anonymous { exchange_mode main; }", 1, "no proposal", id="no proposal"),
        pytest.param("remote anonymous { dh_group 2; }", 1, "not known in this section", id="dh_group outside"),
        pytest.param("remote anonymous { passive yes; }", 1, "on or off is expected, not a value", id="switch"),
        pytest.param("remote anonymous { lifetime byte 5 hours; }", 1, "is no unit of bytes", id="unit of bytes"),
        pytest.param("sainfo address 192.0.2.1 any { }", 1, "the second end is missing", id="one end"),
        pytest.param("sainfo anonymous { }", 1, "no encryption_algorithm", id="no algorithm"),
        pytest.param("sainfo anonymous { encryption_algorithm blow; }", 1, "a value is not known here", id="unknown algorithm"),
        pytest.param("listne { }", 1, '"listne": no such statement or section', id="unknown section"),
    ],
)
def test_what_is_not_understood_is_reported_by_line(text: str, line: int, message: str) -> None:
    assert [at for at, found in messages(text) if message in found] == [line]


def test_an_unknown_algorithm_is_reported_and_kept() -> None:
    conf = parse_racoon_conf("sainfo anonymous { encryption_algorithm aes_gcm_16 128; }")
    assert conf.sainfos[0].encryption_algorithms == ("aes_gcm_16 128",)


def test_two_sections_of_one_name_are_reported_and_kept() -> None:
    text = f'remote "a" {{ {REMOTE} }}\nremote "a" {{ {REMOTE} }}\n'
    assert messages(text) == [(2, '"remote": a section of this name already exists')]
    assert len(parse_racoon_conf(text).remotes) == 2


@pytest.mark.parametrize(
    ("text", "name"),
    [
        pytest.param("# name: A\nremote 192.0.2.1 { }", "A", id="before"),
        pytest.param("#name:A\n\n# more\nremote 192.0.2.1 { }", "A", id="before, with other comments between"),
        pytest.param("remote 192.0.2.1 # name: A\n{ }", "A", id="in the head"),
        pytest.param("remote 192.0.2.1 {\n# more\n# Name: A\n passive on; }", "A", id="inside, first"),
        pytest.param("# name: A\nremote 192.0.2.1 { # name: B\n }", "B", id="inside wins"),
        pytest.param("# name: A\nlog info;\nremote 192.0.2.1 { }", None, id="of another statement"),
        pytest.param("remote 192.0.2.1 { passive on; # name: A\n }", None, id="behind a statement inside"),
        pytest.param("log info; # name: A\nremote 192.0.2.1 { }", None, id="behind the statement before"),
        pytest.param("# name:\nremote 192.0.2.1 { }", None, id="empty"),
        pytest.param("# name: A\x1b[31m\x07B\r\nremote 192.0.2.1 { }", "A[31mB", id="control characters"),
    ],
)
def test_a_comment_names_the_remote_section_it_stands_at(text: str, name: str | None) -> None:
    assert parse_racoon_conf(text).remotes[0].friendly_name == name


def test_the_longest_lifetime_of_a_section_counts() -> None:
    text = "remote 192.0.2.1 { proposal { lifetime time 1 hour; } proposal { lifetime time 2 hours; } }"
    assert parse_racoon_conf(text).remotes[0].phase1_lifetime == 7200
    assert parse_racoon_conf("remote 192.0.2.1 { proposal { } }").remotes[0].phase1_lifetime is None


def test_includes_are_looked_for_where_the_file_says() -> None:
    asked: list[tuple[str, str]] = []

    def ask(pattern: str, directory: str) -> list[tuple[str, str | None]]:
        asked.append((pattern, directory))
        return [("x.conf", None)]

    conf = parse_racoon_conf('include "a";\npath include "/b";\ninclude "c*";\n', path="/etc/racoon/racoon.conf", include=ask)
    assert asked == [("a", "/etc/racoon"), ("c*", "/b")]
    assert [(problem.line, problem.message) for problem in conf.problems] == [
        (1, "x.conf can not be read"),
        (3, "x.conf can not be read"),
    ]


def test_a_file_that_includes_itself_ends() -> None:
    text = 'include "self";\ninclude "self";\nlog info;\n'
    count = 0

    def include(_pattern: str, _directory: str) -> list[tuple[str, str | None]]:
        nonlocal count
        count += 1
        return [("self", text)]

    conf = parse_racoon_conf(text, include=include)
    assert conf.log_level == "info"
    assert count < 2000
    assert any("files deep" in problem.message for problem in conf.problems)


@pytest.mark.parametrize("names", [("self",), ("one", "other")])
def test_a_file_that_includes_itself_often_ends(names: tuple[str, ...]) -> None:
    """Reads are counted, not names; and where there were too many, nothing more is looked for."""
    asked = 0

    def include(_pattern: str, _directory: str) -> list[tuple[str, str | None]]:
        nonlocal asked
        asked += 1
        return [(name, 'include "self";\n' * 200) for name in names]

    conf = parse_racoon_conf('include "self";\n' * 200, include=include)
    assert asked <= MAX_FILES
    assert set(conf.files) == {"racoon.conf", *names}


def test_included_files_may_hold_so_much_together() -> None:
    asked = 0

    def include(_pattern: str, _directory: str) -> list[tuple[str, str | None]]:
        nonlocal asked
        asked += 1
        return [("large", "#" * (MAX_INCLUDED_TEXT // 2 - 1))]

    conf = parse_racoon_conf('include "large";\n' * 9, include=include)
    assert asked == 3
    assert [problem.line for problem in conf.problems] == [4, 5, 6, 7, 8, 9]


PIECES = """
remote anonymous sainfo listen timer path include log inherit proposal lifetime time byte 1 hour { } ; , # " [
[500] [any] address subnet any from group 10.0.0.0/8 exchange_mode main certificate_type x509 passive on "a" "*.conf"
"""
WORDS = st.sampled_from([*PIECES.split(), "\n", "# name: x\n"])


@given(st.one_of(st.text(), st.lists(WORDS).map(" ".join)))
def test_no_text_makes_reading_raise(text: str) -> None:
    conf = parse_racoon_conf(text, include=lambda _pattern, _directory: [("x", text)])
    lines = text.count("\n") + 1
    assert all(1 <= problem.line <= lines for problem in conf.problems)


@given(st.integers(0, 200))
def test_a_text_cut_anywhere_keeps_what_is_whole(cut: int) -> None:
    text = (SAMPLES / "rekey.racoon.conf").read_text()
    conf = parse_racoon_conf(text[: len(text) - cut])
    assert conf.remotes[0].peer == "192.168.0.41"
    assert conf.remotes[0].lifetime == 60


@pytest.mark.parametrize(
    "piece",
    ["[", '"', "{", "}", "a", "# name: x\n", "remote ", "remote 1{", 'remote "n"{}', "listen{isakmp a;}", "a;", "\n", "[500"],
)
def test_work_grows_with_the_text_only(piece: str) -> None:
    assert grows_linearly(lambda times: parse_racoon_conf(piece * times))
