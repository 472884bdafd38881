"""The verdict on an ask: one sentence that tells a user what became of it, and the facts that it is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..api import Peer, PeerId
from ..errors import plain
from ..measure.asks import AskRecord
from ..measure.snapshot import ALIVE, DEAD, LEFT, STATES
from ..simulation import Simulation


def facts_of(sim: Simulation, record: AskRecord) -> dict[str, Any]:
    """The facts about an ask as things are now, see `verdict` for the keys. Those about holders are there only when
    something was looked for and nothing was found."""
    living = sim.living_users
    origin_lives = record.origin in living
    first = record.first_hit_us()
    facts: dict[str, Any] = {
        "origin": STATES[sim.state[record.origin]],
        "want": record.want,
        "text": record.text,
        "alive": living.count - origin_lives,
        "reached": record.reached,
        "hits": len(record.hits),
        "first_hit_s": None if first is None else first / 1e6,
        "hops": record.deepest,
        "found_at": [sim.labels[p] for p in record.hits] if record.decoys else [],
        "decoys": [sim.labels[p] for p in record.decoys],
        "fetched": [sim.labels[p] for p in record.fetched],
        "losses": record.losses,
        "setback": record.setback,
        "overlay": sim.program.overlay,
        "horizon": sim.program.horizon(sim.shared.options),
        "stations": {sim.labels[s]: station_state(sim, s) for s in sim.stations},
    }
    if record.origin in sim.joining and origin_lives and not sim.has_joined(record.origin):
        facts["adrift"] = sim.bootstrap_status()
    if record.want in ("find", "fetch") and not record.hits:
        holders = [p for p in sim.holders.of(record.text) if p != record.origin]
        standing = [p for p in holders if sim.state[p] == ALIVE and not sim.censored[p]]
        group = sim.group
        near = [p for p in standing if group[p] == group[record.origin]]
        willing = [p for p in near if not sim.colluding[p]]
        unasked = [p for p in willing if not record.heard(p)]
        facts.update(
            holders=len(holders),
            dead=sum(bool(sim.state[p] == DEAD) for p in holders),
            left=sum(bool(sim.state[p] == LEFT) for p in holders),
            censored=sum(bool(sim.state[p] == ALIVE and sim.censored[p]) for p in holders),
            parted=len(standing) - len(near),
            colluding=len(near) - len(willing),
            holders_alive=len(standing),
            asked=len(willing) - len(unasked),
            distance=distance(sim, record.origin, unasked),
        )
    return facts


def station_state(sim: Simulation, station: PeerId) -> str:
    """The state of a station in one word: alive, dead, left, censored or colluding."""
    if sim.censored[station]:
        return "censored"
    if sim.state[station] == ALIVE and sim.colluding[station]:
        return "colluding"
    return STATES[sim.state[station]]


def distance(sim: Simulation, origin: PeerId, goals: Sequence[PeerId]) -> int | None:
    """Hops from a peer to the nearest of `goals` over the open streams between peers that are neither censored nor
    behind a partition, or None where no path leads there."""
    # From both ends at once, always the smaller front: two fronts of a thousand peers meet where one would visit all.
    if not goals:
        return None
    near, censored, group = sim.streams.near, sim.faults.censored, sim.faults.group
    mine = group[origin]
    front, other = {origin}, set(goals)
    seen, others_seen = {origin}, set(goals)
    hops = 0
    while front and other:
        if len(front) > len(other):
            front, other, seen, others_seen = other, front, others_seen, seen
        hops += 1
        front = set().union(*map(near.__getitem__, front))
        if not front.isdisjoint(others_seen):
            return hops
        front -= seen
        if sim.kernel.checked:
            front = {peer for peer in front if not censored[peer] and group[peer] == mine}
        seen |= front
    return None


def plural(n: int, one: str, many: str = "") -> str:
    """`1 peer`, `3 peers`."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def verdict(program: type[Peer], options: Any, facts: Mapping[str, Any]) -> str:
    """One sentence about an ask of the network `program`, from these facts:

    want, text, origin     what was asked, and the state of the peer that asked
    alive                  peers that live, the origin left out
    reached, hops          peers that a question reached, and the greatest depth
    hits, first_hit_s      holders found, and seconds until the first, or None
    holders                peers that have it; each is counted once in: dead, left, censored, parted, colluding, asked
                           (a question reached it), or none of these
    holders_alive          of these, alive and not censored
    distance               hops over the links as they are to the nearest holder that would answer and was not asked, or
                           None
    horizon                hops that a question travels, or None where nothing limits it
    overlay                whether the network has links that stay open
    setback                why the file was not fetched in the end, or ""
    losses, stations       {reason: messages}, {label: state}
    found_at, decoys, fetched
                           if a decoy was served, the labels of the holders found, of those that served a decoy, and of
                           those from whom the file was fetched in the end
    adrift                 only for a newcomer that has not joined: the state of its bootstrap peers
    """
    if facts["want"] == "broadcast":
        if not facts["alive"]:
            return "No other peer is alive to hear it."
        share = min(1.0, facts["reached"] / facts["alive"])
        return f"Heard by {facts['reached']:,} of {plural(facts['alive'], 'living peer')} ({share:.0%})."
    if facts["hits"]:
        if facts.get("decoys"):
            return _opened(facts)
        failed = f", but it could not be fetched: {plain(facts['setback'], 80)}" if facts.get("setback") else ""
        return f"Found: {plural(facts['hits'], 'holder')}, the first after {facts['first_hit_s']:.2f} s{failed}."
    if facts["want"] == "publish":
        return "Published: it is in the library and whoever asks may find it."
    if facts.get("adrift"):
        return f"No answer: the asker could not join: {facts['adrift']}."
    own = program.explain(facts, options)
    if own:
        return f"No answer: {own}"
    return f"No answer: {_why(facts)}"


def _opened(facts: Mapping[str, Any]) -> str:
    """Where decoys were served: "Found at p031 and p044; p031 served a decoy, p044 the genuine file."."""
    decoys, fetched = facts["decoys"], facts["fetched"]
    served = f"{names(decoys)} served {'a decoy' if len(decoys) == 1 else 'decoys'}"
    real = f"{names(fetched)} the genuine file" if fetched else "nobody the genuine file"
    return f"Found at {names(facts['found_at'])}; {served}, {real}."


def names(labels: Sequence[str], most: int = 4) -> str:
    """At most `most` labels as text: `p031`, `p031 and p044`, `p001, p002, p003 and 9 others`."""
    shown = [plain(label, 20) for label in labels]
    if len(shown) > most:
        shown = [*shown[: most - 1], f"{len(shown) - most + 1:,} others"]
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1]))) if shown else "nobody"


def _why(facts: Mapping[str, Any]) -> str:
    holders: int = facts["holders"]
    text = plain(facts["text"], 40)
    if not holders:
        return f'no peer holds "{text}".'
    parts = []
    for word, label in WHERE.items():
        if facts[word]:
            parts.append(f"{facts[word]} {'is' if facts[word] == 1 else 'are'} {label}")
    rest = holders - sum(facts[word] for word in WHERE)
    if rest and facts["origin"] != "alive":
        parts.append(f"{rest} could not answer, since the asker is {'gone' if facts['origin'] == 'left' else 'dead'}")
        rest = 0
    elif facts["asked"]:
        parts.append(f"{facts['asked']} {'was' if facts['asked'] == 1 else 'were'} asked, but no answer came back")
        rest -= facts["asked"]
    if rest:
        parts.append(_unasked(rest, facts))
    return f"{plural(holders, 'peer')} hold{'s' if holders == 1 else ''} it; {', '.join(parts)}."


def _unasked(rest: int, facts: Mapping[str, Any]) -> str:
    """Why no question reached `rest` holders that would have answered."""
    if facts["distance"] is None and facts["overlay"]:
        return f"{rest} cannot be reached over the links that are left"
    away, horizon = facts["distance"], facts["horizon"]
    if away is not None and horizon is not None and away > horizon:
        nearest = "is" if rest == 1 else "are at least"
        return f"{rest} {nearest} {plural(away, 'hop')} away and a question travels {plural(horizon, 'hop')}"
    if facts["losses"]:
        worst = max(facts["losses"], key=lambda reason: facts["losses"][reason])
        count = facts["losses"][worst]
        how = WORDS.get(worst, worst).replace("were", "was" if count == 1 else "were")
        return f"the way to {rest} was cut ({plural(count, 'message')} {how})"
    return f"{rest} did not receive the question"


WHERE = {
    "dead": "dead",
    "left": "gone",
    "censored": "censored",
    "parted": "behind the partition",
    "colluding": "colluding",
}

WORDS = {
    "dead": "reached a dead peer",
    "left": "reached a peer that had left",
    "reset": "reached a peer that had restarted",
    "censored": "were censored",
    "partition": "reached the partition",
    "lost": "were lost",
    "nat": "reached a peer behind a NAT",
    "queue": "were dropped since the queue of the line was full",
    "unsent": "had not been sent when their sender stopped",
    "colluded": "were suppressed by a colluder",
}
