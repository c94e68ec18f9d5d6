"""One racoon's tables as JSON and back."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from racoon_exporter.sa import evidence
from racoon_exporter.sa.model import (
    DaemonRun,
    IpsecSa,
    IsakmpSa,
    Negotiation,
    Peer,
    counters_from_json,
    from_json,
    to_json,
)
from racoon_exporter.sa.phase1 import AMBIGUOUS_FOR, bound
from racoon_exporter.sa.racoon import Archive, Knowledge, Racoon


def racoon_to_json(racoon: Racoon) -> dict[str, Any]:
    """Give a racoon's tables. Objects that two tables share are named by their place in the first."""
    negotiations = [one for table in (racoon.open, racoon.waiting) for ones in table.values() for one in ones]
    sas = [sa for ones in racoon.ipsec.values() for sa in ones]
    archived = {id(negotiation): place for place, negotiation in enumerate(racoon.archive.negotiations)}
    past = {id(sa): place for place, sa in enumerate(racoon.archive.phase1)}
    ended = {id(sa): place for place, sa in enumerate(racoon.archive.ipsec)}
    return {
        "gateway": racoon.gateway,
        "ident": racoon.ident,
        "stream": racoon.stream,
        "now": racoon.now,
        "run": None if racoon.run is None else to_json(racoon.run),
        "run_listens": racoon.run_listens,
        "stopped": racoon.stopped,
        "peers": [to_json(peer) for peer in racoon.peers.values()],
        "isakmp": [to_json(sa) for sa in racoon.isakmp.values()],
        "ipsec": [to_json(sa) for sa in sas],
        "open": [to_json(negotiation) for negotiation in negotiations],
        "locals": sorted(racoon.locals),
        "peer_of_cookies": list(racoon.peer_of_cookies.items()),
        "counters": [[*key, count] for key, count in racoon.counters.items()],
        "durations": racoon.durations,
        "folded": sorted(racoon.folded),
        "true_arrows": racoon.true_arrows,
        "halves": [
            [peer, protocol, _place(sas, sa), _negotiation_place(negotiations, archived, negotiation)]
            for peer, halves in racoon.halves.items()
            for protocol, (sa, negotiation) in halves.items()
            if _place(sas, sa) is not None
        ],
        "presumed_isakmp": [past[id(sa)] for sa in racoon.presumed_isakmp.values() if id(sa) in past],
        "presumed": [ended[id(sa)] for sa in racoon.presumed.values() if id(sa) in ended],
        "context": _place(negotiations, racoon.clues.context),
        "floating": [to_json(one) | {"count": list(one.count)} for one in racoon.clues.floating],
        "ambiguous": racoon.clues.ambiguous,
        "refusals": [
            [list(key), archived[id(negotiation)]]
            for key, negotiation in racoon.clues.refusals.items()
            if id(negotiation) in archived
        ],
        "recent": [[address, *told] for address, told in racoon.clues.recent.items()],
        "larval": racoon.clues.larval,
        "causes": [[key, *told] for key, told in racoon.clues.causes.items()],
        "initial_contact": racoon.clues.initial_contact,
        "signalled": racoon.clues.signalled,
        "xauth_asked": racoon.clues.xauth_asked,
        "give_up_after": [[answered, seconds] for answered, seconds in racoon.clues.give_up_after.items()],
    }


def _place(records: list[Any], record: Any) -> int | None:
    return next((place for place, candidate in enumerate(records) if candidate is record), None)


def _negotiation_place(
    negotiations: list[Negotiation], archived: dict[int, int], negotiation: Negotiation | None
) -> int | None:
    """Name the negotiation of a pair. Another pair of its bundle may have ended it: those of the archive count down from -1."""
    place = archived.get(id(negotiation))
    return _place(negotiations, negotiation) if place is None else ~place


def _negotiation_at(negotiations: list[Negotiation], archive: Archive, place: int) -> Negotiation:
    return negotiations[place] if place >= 0 else archive.negotiations[~place]


def racoon_from_json(given: dict[str, Any], knowledge: Knowledge, archive: Archive) -> Racoon:
    """Make a racoon's tables of what `racoon_to_json` gave, and set their timers again."""
    racoon = Racoon(given["gateway"], given["ident"], given["stream"], knowledge, archive)
    racoon.now = given["now"]
    racoon.run = None if given["run"] is None else from_json(DaemonRun, given["run"])
    racoon.run_listens = given["run_listens"]
    racoon.stopped = given["stopped"]
    racoon.peers = {peer.address: peer for peer in (from_json(Peer, item) for item in given["peers"])}
    for item in given["isakmp"]:
        racoon.add_isakmp(from_json(IsakmpSa, item))
    sas = [from_json(IpsecSa, item) for item in given["ipsec"]]
    negotiations = [from_json(Negotiation, item) for item in given["open"]]
    _restore_tables(racoon, sas, negotiations)
    racoon.locals = set(given["locals"])
    racoon.peer_of_cookies = OrderedDict(given["peer_of_cookies"])
    racoon.counters = counters_from_json(given["counters"])
    racoon.durations = given["durations"]
    racoon.folded = set(given["folded"])
    racoon.true_arrows = given["true_arrows"]
    for peer, protocol, sa, negotiation in given["halves"]:
        known = None if negotiation is None else _negotiation_at(negotiations, archive, negotiation)
        racoon.halves.setdefault(peer, {})[protocol] = (sas[sa], known)
    racoon.presumed = OrderedDict((archive.ipsec[place].spi, archive.ipsec[place]) for place in given["presumed"])
    over = [archive.phase1[place] for place in given.get("presumed_isakmp", ())]
    racoon.presumed_isakmp = OrderedDict((sa.cookies, sa) for sa in over)
    racoon.clues.context = None if given["context"] is None else negotiations[given["context"]]
    racoon.clues.floating = [
        from_json(evidence.Evidence, {"reason": None, "phase": None, **one, "count": tuple(one["count"])})
        for one in given["floating"]
    ]
    racoon.clues.ambiguous = [(when, cookies, reason) for when, cookies, reason in given["ambiguous"]]
    racoon.clues.refusals = OrderedDict((tuple(key), archive.negotiations[place]) for key, place in given["refusals"])
    racoon.clues.recent = OrderedDict((address, (when, reason)) for address, when, reason in given["recent"])
    racoon.clues.larval = None if given["larval"] is None else tuple(given["larval"])
    racoon.clues.causes = {key: (when, cause) for key, when, cause in given["causes"]}
    racoon.clues.initial_contact = None if given["initial_contact"] is None else tuple(given["initial_contact"])
    racoon.clues.signalled = given.get("signalled", False)
    racoon.clues.xauth_asked = given["xauth_asked"]
    racoon.clues.give_up_after = {bool(answered): seconds for answered, seconds in given["give_up_after"]}
    _restore_timers(racoon, sas, negotiations)
    return racoon


def _restore_tables(racoon: Racoon, sas: list[IpsecSa], negotiations: list[Negotiation]) -> None:
    for sa in sas:
        racoon.ipsec.setdefault(sa.spi, []).append(sa)
        racoon.ipsec_of.setdefault(sa.peer, []).append(sa)
    for negotiation in negotiations:
        table = racoon.waiting if negotiation.waiting else racoon.open
        table.setdefault(negotiation.peer, []).append(negotiation)
        if negotiation.phase == 1 and negotiation.begun is not None:
            racoon.begun_at.setdefault(int(negotiation.begun), {})[id(negotiation)] = negotiation
    racoon.open_count = len(negotiations)


def _restore_timers(racoon: Racoon, sas: list[IpsecSa], negotiations: list[Negotiation]) -> None:
    for sa in sas:
        racoon.bound_ipsec(sa)
    for isakmp in racoon.isakmp.values():
        bound(racoon, isakmp)
    racoon.watch(sorted(negotiations, key=lambda one: one.touched or 0.0))
    for when in {end[0] for end in racoon.clues.ambiguous if end[0] is not None}:
        racoon.timer_at(when + AMBIGUOUS_FOR, "ambiguous", when)
