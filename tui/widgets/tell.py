"""Events in plain words. Pure functions: an event and the peers' labels in, one row out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields

from engine import (
    Adjourn,
    Adrift,
    Arrive,
    Arrived,
    AskFor,
    AskId,
    AskIssued,
    Attack,
    CallOff,
    Churned,
    Closed,
    Collude,
    Command,
    Commanded,
    Court,
    Depart,
    Event,
    Heal,
    Hit,
    Noted,
    PeerId,
    Publish,
    Refused,
    Set,
    plain,
)

from .text import Row, clock

PAST: Mapping[str, tuple[str, str]] = {
    "kill": ("killed", "dead"),
    "revive": ("revived", "alive"),
    "leave": ("sent away", "left"),
    "join": ("brought back", "alive"),
    "censor": ("censored", "censored"),
    "uncensor": ("uncensored", "alive"),
    "shutdown": ("shut down", "dead"),
    "reopen": ("reopened", "alive"),
    "collude": ("turned", "colluding"),
    "defect": ("turned back", "alive"),
    "hold": ("held", "held"),
    "release": ("released", "alive"),
    "poison": ("poisoned", "poisoned"),
    "cure": ("cured", "alive"),
    "partition": ("cut off", "censored"),
    "arrive": ("let in", "alive"),
    "depart": ("sent off", "left"),
}
"""Verb -> how it is told of in the past, and the ink for it."""

BY_CHURN: Mapping[str, tuple[str, str]] = {
    "kill": ("goes offline", "dead"),
    "revive": ("comes online", "alive"),
    "leave": ("says goodbye", "left"),
    "join": ("comes back", "alive"),
}
NAMED = 4
"""Peers named one by one; of more, the number and the first few."""


def worth_telling(event: Event) -> bool:
    """Whether the feed has it: an ask that was commanded is told once, by its own event."""
    return not (isinstance(event, Commanded) and isinstance(event.command, AskFor))


def tell(event: Event, labels: Sequence[str]) -> Row:
    """Time and sentence of one event."""
    sentence, ink = told(event, labels)
    return ((f"{clock(event.at_us)[:-2]} ", "dim"), (sentence, ink))


def told(event: Event, labels: Sequence[str]) -> tuple[str, str]:
    """The sentence, and its ink."""
    match event:
        case Commanded():
            return _commanded(event, labels)
        case AskIssued():
            tail = {"person": " (you)", "scenario": " (scenario)"}.get(event.by, "")
            return f"{_name(event.origin, labels)} asks for “{event.text}”: ask {event.ask}{tail}", "question"
        case Hit():
            return f"{_name(event.holder, labels)} answers ask {event.ask}: “{event.content}”", "answer"
        case Closed():
            return f"ask {event.ask}: {event.verdict}", "text"
        case Refused():
            who, to = _name(event.to, labels), _name(event.peer, labels)
            return f"{who} refuses {to}: it is gone ({event.kind})", "lost"
        case Arrived():
            tail = f", run by {plain(event.operator)}" if event.operator else ""
            return f"{_name(event.peer, labels)} is new here{tail}", "alive"
        case Adrift():
            return f"{_name(event.peer, labels)} found no way in: {event.why}", "warn"
        case Churned():
            phrase, ink = BY_CHURN.get(event.what, (event.what, "text"))
            return f"{_name(event.peer, labels)} {phrase}", ink
        case Noted():
            return _noted(event, labels), "dim"
        case _:
            return type(event).__name__, "dim"


def subject(event: Event) -> tuple[PeerId | None, AskId | None]:
    """The peer and the ask that an event is about: what a click on it chooses."""
    match event:
        case Commanded():
            return (event.peers[0] if event.peers else None), None
        case AskIssued():
            return event.origin, event.ask
        case Hit():
            return event.holder, event.ask
        case Closed():
            return None, event.ask
        case Noted() | Refused():
            return event.peer, event.ask or None
        case Churned() | Arrived() | Adrift():
            return event.peer, None
        case _:
            return None, None


def peers_text(peers: Sequence[PeerId], labels: Sequence[str]) -> str:
    """`p017`, `p003 p012`, or `13 peers: p001 p005 p009 p011 …`."""
    named = " ".join(_name(peer, labels) for peer in peers[:NAMED])
    if not peers:
        return "nobody"
    return named if len(peers) <= NAMED else f"{len(peers):,} peers: {named} …"


def _commanded(event: Commanded, labels: Sequence[str]) -> tuple[str, str]:
    command, who = event.command, peers_text(event.peers, labels)
    who_did = {"person": "you", "scenario": "the scenario", "court": "the court", "attack": "the attack"}
    by = who_did.get(event.by, event.by)
    if isinstance(command, Set):
        return f"{by} set {command.name} to {plain(command.value)}", "warn"
    if isinstance(command, Court):
        return f"a court sits: whoever answers is censored {command.after_s:g} s later ({by})", "censored"
    if isinstance(command, Adjourn):
        return f"the court rises: its orders stand ({by})", "alive"
    if isinstance(command, Heal):
        return f"{by} healed all partitions", "alive"
    if isinstance(command, Attack):
        return f"{by} began an attack: {plain(command.name)}", "dead"
    if isinstance(command, CallOff):
        what = f"the attack {plain(command.name)}" if command.name else "what attacks had still to do"
        return f"{by} called off {what}", "alive"
    if isinstance(command, Arrive) and command.over_s:
        return f"{by} let in {command.count:,} newcomers within {command.over_s:g} s{_operator(command)}", "alive"
    if isinstance(command, Depart) and command.over_s:
        return f"{by} sent off {who} within {command.over_s:g} s", "left"
    if isinstance(command, Publish):
        return f"{who} shares “{command.text}” ({by})", "transfer"
    past, ink = PAST.get(command.verb, (command.verb, "text"))
    tail = f": “{command.word}” is hidden" if isinstance(command, Collude) else _operator(command)
    return f"{by} {past} {who}{tail}", ink


def _operator(command: Command) -> str:
    named = (getattr(command, f.name) for f in fields(command) if f.name == "operator")
    return next((f" ({plain(name)})" for name in named if name), "")


def _noted(event: Noted, labels: Sequence[str]) -> str:
    told_facts = []
    for name, value in event.facts.items():
        is_peer = name in PEER_FACTS and isinstance(value, int) and not isinstance(value, bool)
        told_facts.append(f"{name} {_name(value, labels) if is_peer else plain(value, limit=60)}")
    facts = f": {', '.join(told_facts)}" if told_facts else ""
    ask = f" (ask {event.ask})" if event.ask else ""
    return f"{_name(event.peer, labels)} {event.kind}{facts}{ask}"


PEER_FACTS = frozenset(
    {"peer", "holder", "to", "sender", "source", "neighbour", "server", "index", "parent", "tracker"}
)
"""Facts of a note that name a peer by its id."""


def _name(peer: PeerId, labels: Sequence[str]) -> str:
    return labels[peer] if 0 <= peer < len(labels) else f"#{peer}"
