"""The verdict on an ask: one sentence that says what became of it, and the facts that the sentence is made of.

A network may have a sentence of its own (`Peer.verdict`), which is used first. The facts for it (`api.Facts`) are
collected only in such networks, since each living peer is then asked whether it keeps a record.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from ..api import PARTS, Facts, Peer, PeerId, Whereabouts, words_of
from ..errors import PeerFailed, plain
from ..measure.asks import AskRecord
from ..measure.snapshot import ALIVE, DEAD, LEFT, STATES
from ..sim.paths import PathLengths
from ..simulation import Chosen, LivingUsers, Simulation

TRANSFER = PARTS.index("transfer")
VERDICT_MAX = 400
"""Characters of a network's own sentence."""
SETBACK_MAX = 120
"""Characters of the reason that a network gave why nothing was found."""


def facts_of(sim: Simulation, record: AskRecord) -> dict[str, Any]:
    """The facts about an ask as things are now, see `verdict` for the keys. Those about holders are there only when
    something was looked for and nothing was found. Raises PeerFailed."""
    living = sim.audience_of(record)
    names = _names(sim, record)
    # The lists of programs and of faults are read, and no columns: one value of a column takes five times as long.
    hits, programs = record.hits, sim.programs
    lives = programs[record.origin] is not None
    first = record.first_hit_us()
    horizon = sim.program.horizon(sim.shared.options)
    facts: dict[str, Any] = {
        "origin": STATES[ALIVE if lives else sim.state[record.origin]],
        "trouble": _trouble(sim, record, names),
        "sought": record.sought,
        "goal": record.goal,
        "text": record.text,
        "alive": living.count - (record.origin in living),
        "reached": record.reached,
        "hits": len(hits),
        "stale": len(record.stale),
        "done": record.done,
        "of": record.of,
        "hits_gone": [programs[p] for p in hits].count(None) if hits else 0,
        "gone": _gone(sim, hits),
        "hits_poisoned": sum([bool(sim.poisoned[p]) for p in hits]) if hits else 0,
        "first_hit_s": None if first is None else first / 1e6,
        "hops": record.deepest,
        "found_at": [sim.labels[p] for p in hits] if record.decoys else (),
        "decoys": [sim.labels[p] for p in record.decoys] if record.decoys else (),
        "fetched": [sim.labels[p] for p in record.fetched] if record.fetched else (),
        "fetching": record.by_part[TRANSFER] > 0 and not record.fetched,
        "losses": record.losses,
        "setback": record.setback,
        "overlay": sim.program.overlay,
        "shares_files": sim.program.shares_files,
        "horizon": horizon,
        "stations": {sim.labels[s]: station_state(sim, s, record, names) for s in sim.stations} if sim.stations else {},
    }
    if facts["setback"] or facts["fetching"]:
        facts["hits_at"] = _whereabouts(sim, record, tuple(hits))
    if record.sought == "share":
        facts["heard"] = record.heard_by(living)
    if lives and (record.sought == "nothing" or record.origin in sim.joining):
        facts["joined"] = sim.has_joined(record.origin)
        if record.origin in sim.joining and not facts["joined"]:
            facts["adrift"] = sim.bootstrap_status()
    if record.sought == "nothing":
        facts["near"] = _finders(sim, record, living, horizon)
    if record.sought == "answer" and len(record.hits) == len(record.stale):
        facts.update(_of_holders(sim, record, horizon))
    return facts


def _gone(sim: Simulation, hits: Collection[PeerId]) -> str:
    """What the holders that do not run are: `dead`, `gone`, or `dead or gone`."""
    states = {int(sim.state[p]) for p in hits if sim.programs[p] is None}
    return "dead" if states == {DEAD} else "gone" if states == {LEFT} else "dead or gone"


def _finders(sim: Simulation, record: AskRecord, living: LivingUsers | Chosen, horizon: int | None) -> int:
    """The number of living peers of an audience that can find what was published: in a network with links, those whose
    questions can reach the publisher; else all that no fault keeps from it."""
    origin = record.origin
    others = living.count - (origin in living)
    blocks = _blocks(sim, origin, record) if sim.kernel.checked else None
    if sim.program.overlay:
        near = PathLengths(sim.streams.near, origin, closed=blocks).within(horizon)
        return sum(peer in living for peer in near) - (origin in living)
    if blocks is None:
        return others
    return sum(peer != origin and not blocks(peer) for peer in np.flatnonzero(living.flags).tolist())


def _of_holders(sim: Simulation, record: AskRecord, horizon: int | None) -> dict[str, Any]:
    """What became of the holders of what was looked for, each in one of the counts that `verdict` lists. Raises
    PeerFailed.

    In a network without files only its own peers know who has something: there only the peers that say that they keep a
    record are counted."""
    origin = record.origin
    if not sim.program.shares_files:
        kept = [p for p in keepers_of(sim, record.text) if p != origin] if keeps_records(sim.program_types) else None
        keepers = None if kept is None else len(kept)
        return {**NO_COUNTS, "holders": 0, "holders_alive": 0, "distance": None, "keepers": keepers}
    faults, programs = sim.faults, sim.programs
    censored, group, bans = faults.censored, faults.group, faults.bans
    counts = {**NO_COUNTS}
    standing = 0
    unasked: list[PeerId] = []
    holders = [p for p in sim.holders.of(record.text) if p != origin]
    others: Sequence[PeerId] = holders
    if not sim.kernel.checked and None not in [programs[p] for p in holders]:
        # All of them are alive, and no fault blocks a question or an answer.
        standing, others, unasked = len(holders), (), record.unheard(holders)
        counts["asked"] = standing - len(unasked)
    for p in others:
        if programs[p] is None:
            counts["dead" if sim.state[p] == DEAD else "left"] += 1
            continue
        if censored[p]:
            counts["censored"] += 1
            continue
        standing += 1
        if group[p] != group[origin]:
            counts["parted"] += 1
        elif p in bans and all(
            faults.suppresses(p, words_of(file.name), record.id) for file in sim.libraries[p].matching(record.text)
        ):
            counts["colluding"] += 1
        elif record.heard(p):
            counts["asked"] += 1
        else:
            unasked.append(p)
    distance = _of_unasked(sim, record, unasked, counts, horizon) if unasked else None
    return {**counts, "holders": len(holders), "holders_alive": standing, "distance": distance}


def _of_unasked(
    sim: Simulation, record: AskRecord, unasked: Sequence[PeerId], counts: dict[str, int], horizon: int | None
) -> int | None:
    """Count why no question reached these holders, and return the hops to the nearest that is too far; None if none is.

    For each holder the first obstacle counts: no links lead to it, it is too far, or all paths to it lead over peers
    that do not let the question pass. The paths are searched only as far as is needed to decide this.
    """
    overlay = sim.program.overlay
    if not overlay and horizon is None:
        counts["missed"] += len(unasked)
        return None
    near = sim.streams.near
    # Without faults every path lets the question pass.
    barriers: list[tuple[str, PathLengths]] = []
    if overlay and sim.kernel.checked:
        barriers.append(("walled", PathLengths(near, record.origin, closed=_blocks(sim, record.origin))))
        if sim.faults.bans:
            barriers.append(("hushed", PathLengths(near, record.origin, closed=_blocks(sim, record.origin, record))))
    nearest: int | None = None
    if horizon is None and not barriers and sim.streams.known_to_connect(record.origin, unasked):
        counts["missed"] += len(unasked)
        return None
    linked = PathLengths(near, record.origin)
    for left, p in zip(range(len(unasked), 0, -1), unasked, strict=True):
        if horizon is None:
            cut, hops = not sim.streams.connected(record.origin, p), 0
        else:
            hops = linked.to(p, left)
            cut = overlay and hops < 0
        if cut:
            counts["cut"] += 1
        elif horizon is not None and hops > horizon:
            counts["far"] += 1
            nearest = hops if nearest is None else min(nearest, hops)
        else:
            why = (word for word, paths in barriers if not paths.lead_to(p, horizon, left))
            counts[next(why, "missed")] += 1
    return nearest


def _blocks(sim: Simulation, origin: PeerId, record: AskRecord | None = None) -> Callable[[PeerId], bool]:
    """A function: whether a peer lets nothing from `origin` pass, since it is censored or behind the partition. With a
    record, also whether it does not let this ask pass, since it colludes on a word of its text."""
    faults = sim.faults
    censored, group, bans, mine = faults.censored, faults.group, faults.bans, faults.group[origin]
    if record is None or not bans:
        return lambda peer: censored[peer] or group[peer] != mine
    words, ask = words_of(record.text), record.id
    return lambda peer: censored[peer] or group[peer] != mine or (peer in bans and faults.suppresses(peer, words, ask))


def _names(sim: Simulation, record: AskRecord) -> tuple[tuple[str, ...], ...]:
    """The words of everything that an answer to this ask could name: of each file that matches it, or of its text where
    no peer shares such a file. () while nobody bans anything, since they are not needed then."""
    if not sim.faults.bans:
        return ()
    if record.sought == "answer" and any(ban for ban, _ in sim.faults.bans.values()):
        found = tuple(map(words_of, sim.holders.names(record.text)))
        if found:
            return found
    return (words_of(record.text),)


def _trouble(sim: Simulation, record: AskRecord, names: Sequence[Sequence[str]]) -> str:
    """What became of the peer that asked, if its ask cannot be answered because of that: `is dead`, `is censored`, …
    or ""."""
    origin = record.origin
    if sim.programs[origin] is None:
        return "is gone" if sim.state[origin] == LEFT else "is dead"
    if sim.started_us[origin] > record.issued_us:
        return "has been restarted"
    if sim.faults.censored[origin]:
        return "is censored"
    return "is colluding" if _suppresses(sim, origin, record, names) else ""


def _suppresses(sim: Simulation, peer: PeerId, record: AskRecord, names: Sequence[Sequence[str]]) -> bool:
    """Whether a peer suppresses this ask: its text, or all that could be named in an answer."""
    if not sim.faults.bans:
        return False
    suppresses = sim.faults.suppresses
    return suppresses(peer, words_of(record.text), record.id) or all(
        suppresses(peer, words, record.id) for words in names
    )


def station_state(
    sim: Simulation, station: PeerId, record: AskRecord | None = None, names: Sequence[Sequence[str]] = ()
) -> str:
    """The state of a station in one word: alive, dead, left, censored, colluding or, for an ask, "behind the
    partition" or "behind a cut link". For an ask it is colluding only if it suppresses that."""
    if sim.state[station] == ALIVE and sim.censored[station]:
        return "censored"
    if sim.state[station] == ALIVE and record is not None:
        if sim.group[station] != sim.group[record.origin]:
            return "behind the partition"
        if sim.faults.cut_links and sim.faults.cut_links.has(station, record.origin):
            return "behind a cut link"
        return "colluding" if _suppresses(sim, station, record, names) else "alive"
    if sim.state[station] == ALIVE and sim.colluding[station]:
        return "colluding"
    return STATES[sim.state[station]]


def plural(n: int, one: str, many: str = "") -> str:
    """`1 peer`, `3 peers`."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def keeps_records(kinds: Sequence[type[Peer]]) -> bool:
    """Whether any of these programs keeps records that point to holders."""
    return any(kind.keeps is not Peer.keeps for kind in dict.fromkeys(kinds))


def keepers_of(sim: Simulation, text: str) -> list[PeerId]:
    """The living peers that keep a record which points to holders of `text`, ascending. Raises PeerFailed."""
    keepers: list[PeerId] = []
    keeping = {kind for kind in set(sim.program_types) if kind.keeps is not Peer.keeps}
    if not keeping:
        return keepers
    kinds = sim.program_types
    peer = -1
    try:
        for peer, program in enumerate(sim.programs):
            if program is not None and kinds[peer] in keeping and program.keeps(text):
                keepers.append(peer)
    except Exception as error:
        raise PeerFailed(peer, "keeps", error) from error
    return keepers


def _last_keepers_of(sim: Simulation, text: str) -> list[PeerId]:
    """Peers that do not live, and kept such a record when they stopped, ascending. Raises PeerFailed."""
    keepers = []
    for peer, program in sorted(sim.stopped.items()):
        try:
            if program.keeps(text):
                keepers.append(peer)
        except Exception as error:
            raise PeerFailed(peer, "keeps", error) from error
    return keepers


def own_verdict(sim: Simulation, record: AskRecord, facts: Mapping[str, Any]) -> str | None:
    """What the network itself says of an ask, see `Peer.verdict`. Raises PeerFailed."""
    if sim.program.verdict.__func__ is Peer.verdict.__func__:  # type: ignore[attr-defined]
        return None
    try:
        said = sim.program.verdict(_facts_for(sim, record, facts), sim.shared.options)
    except Exception as error:
        raise PeerFailed(record.origin, "verdict", error) from error
    return None if said is None else plain(said, VERDICT_MAX)


def _facts_for(sim: Simulation, record: AskRecord, facts: Mapping[str, Any]) -> Facts:
    """The facts for `Peer.verdict`. facts: what `facts_of` returned."""
    living = bool(sim.state[record.origin] == ALIVE)
    return Facts(
        goal=record.goal,
        text=record.text,
        origin=record.origin,
        alive=living,
        trouble=f"could not join: {facts['adrift']}" if facts.get("adrift") else facts["trouble"],
        joined=sim.has_joined(record.origin) if living else None,
        reached=record.reached,
        hits=len(record.hits),
        stale=len(record.stale),
        answerers=len(record.answerers()),
        holders=_holders_for(sim, record, facts),
        keepers=_keepers_for(sim, record),
        distance=facts.get("distance"),
        horizon=facts["horizon"],
        losses=dict(record.losses),
        stations=facts["stations"],
        done=record.done,
        of=record.of,
        fetched=len(record.fetched),
        decoys=len(record.decoys),
        setback=record.setback,
        remarks=dict(record.remarks),
        hops=record.deepest,
        shortest=_shortest(sim, record),
        lasted_s=((sim.kernel.now_us if record.closed_us is None else record.closed_us) - record.issued_us) / 1e6,
    )


def _shortest(sim: Simulation, record: AskRecord) -> int | None:
    if not record.hits or not sim.program.overlay:
        return None
    paths = PathLengths(sim.streams.near, record.origin)
    found = [hops for hops in map(paths.to, record.hits) if hops >= 0]
    return min(found, default=None)


def _keepers_for(sim: Simulation, record: AskRecord) -> Whereabouts:
    """The keepers of records for an ask without an answer; none for others, since all peers have to be asked whether
    they keep a record, which takes long."""
    if record.sought != "answer" or len(record.hits) > len(record.stale):
        return Whereabouts()
    return _whereabouts(sim, record, keepers_of(sim, record.text) + _last_keepers_of(sim, record.text))


def _holders_for(sim: Simulation, record: AskRecord, facts: Mapping[str, Any]) -> Whereabouts:
    if "holders" not in facts:
        return _whereabouts(sim, record, [p for p in sim.holders.of(record.text) if p != record.origin])
    gone = {word: facts[word] for word in WHERE}
    return Whereabouts(
        living=facts["holders"] - sum(gone.values()) - facts["cut"] - facts["far"],
        beyond=facts["cut"] + facts["far"],
        **gone,
    )


def _whereabouts(sim: Simulation, record: AskRecord, peers: Sequence[PeerId]) -> Whereabouts:
    """What became of these peers, without a search for paths to them: none is counted as `beyond`."""
    counts = dict.fromkeys(("living", *WHERE), 0)
    words = (words_of(record.text),)
    for p in peers:
        if sim.state[p] != ALIVE:
            counts["dead" if sim.state[p] == DEAD else "left"] += 1
        elif sim.faults.censored[p]:
            counts["censored"] += 1
        elif sim.faults.group[p] != sim.faults.group[record.origin]:
            counts["parted"] += 1
        else:
            counts["colluding" if sim.faults.bans and _suppresses(sim, p, record, words) else "living"] += 1
    return Whereabouts(**counts)


def verdict(facts: Mapping[str, Any]) -> str:
    """One sentence about an ask, for any network, from these facts:

    sought, text, origin   what makes it a success (`Goal.sought`), what was asked, and the state of the peer that asked
    trouble                why that peer cannot ask or be answered, as "is dead", "is gone", "has been restarted",
                           "is censored" or "is colluding", or ""
    joined                 only for a publication: whether it says that it has joined
    alive, heard           living peers of its audience, the origin left out; of these, those that a question reached,
                           where that is what makes it a success
    reached, hops          peers that a question reached, stations and dead ones included, and the greatest depth at
                           which one was new
    hits, first_hit_s      holders found, and seconds until the first, or None
    gone                   what became of the holders found that do not run now: `dead`, `gone`, or `dead or gone`
    stale                  of the holders found, those that were dead or had left when they were found
    hits_gone, hits_poisoned
                           of the holders found, those that are dead or have left, and those that serve decoys
    holders                peers that have it; each is counted once in: dead, left, censored, parted, colluding (on a
                           word of all its files that match), asked (a question reached it), or else why none did: cut
                           (no links lead there), far (more hops than a question travels), walled (links lead there
                           only through censored peers), hushed (only through peers that collude on a word of the text),
                           missed (something else)
    holders_alive          of these, alive and not censored
    distance               hops over the links as they are to the nearest holder that is too far, or None
    horizon                hops that a question travels, or None where nothing limits it
    overlay, shares_files  whether the network has links that stay open, and whether its peers share files
    near                   only for a publication: living users that no fault keeps from the publisher and, in a network
                           with links, whose questions can arrive
    setback                the reason of the last `Host.failed`, if nothing has been fetched since, or ""
    keepers                only in a network without files, where nothing was found: living peers that keep a record of
                           it, the origin left out; None where no program defines `Peer.keeps`
    fetching               whether a transfer was begun and nothing was fetched
    hits_at                only with a setback or while fetching: what became of the holders found, a `Whereabouts`
    losses, stations       {reason: messages}, {label: state}
    found_at, decoys, fetched
                           if a decoy was served, the labels of the holders found, of those that served a decoy, and of
                           those from whom the file was fetched in the end
    done, of               the last `Host.progress`, 0 and 0 without one
    adrift                 only for a newcomer that has not joined: the state of its bootstrap peers
    """
    trouble = facts["trouble"]
    if facts["sought"] == "share":
        return _broadcast(facts)
    if _answered(facts):
        return _opened(facts) if facts["decoys"] else _found(facts)
    if facts["sought"] == "nothing":
        return _published(facts)
    if facts.get("adrift"):
        return f"No answer: the asker could not join: {facts['adrift']}."
    if trouble and facts["stations"]:
        return f"No answer: the asker {trouble}."
    if facts["hits"]:
        named = "the one holder that it names was" if facts["hits"] == 1 else f"all {facts['hits']} holders named were"
        return f"No answer: {named} {facts['gone']} by then{_so_far(facts)}."
    return f"No answer: {_why(facts)}"


def _answered(facts: Mapping[str, Any]) -> bool:
    """Whether a holder was found that was alive at that moment."""
    return bool(facts["hits"] > facts["stale"])


def _so_far(facts: Mapping[str, Any]) -> str:
    """The progress of an ask, if any was reported: `; 16 of 17 done`."""
    return f"; {facts['done']:,g} of {facts['of']:,g} done" if facts["of"] else ""


def outcome(facts: Mapping[str, Any], sentence: str) -> str:
    """The verdict `sentence` in a word or two, see `AskRow.outcome`."""
    if facts["sought"] == "share":
        return "told"
    if facts["sought"] == "nothing":
        return "published" if sentence.startswith("Published") else "not published"
    if not _answered(facts):
        return "no answer"
    return "not fetched" if _not_fetched(facts) else "answered"


def _not_fetched(facts: Mapping[str, Any]) -> str:
    """Why what was found was not fetched, as the end of a sentence; "" if it was, or if nobody tried to."""
    setback, trouble = facts["setback"], facts["trouble"]
    if facts["fetched"] or not (setback or facts["fetching"]):
        return ""
    # A peer that has stopped reports nothing more, so its setback is from before. A peer that is censored or colludes
    # goes on, and may report the holders as silent although the reason is its own state; but if all holders are dead or
    # gone, that is the reason.
    silenced = trouble in ("is censored", "is colluding") and facts["hits_gone"] < facts["hits"]
    if trouble and (silenced or not setback):
        return f"it was not fetched: the asker {trouble}"
    holders = facts["hits_at"]
    away = _away(holders)
    if away and not holders.living and not holders.colluding:
        return f"it was not fetched: {away}"
    # Some holders can be reached: the reason of the last one that was tried, and what became of the others.
    why = [f"it could not be fetched: {plain(setback, 80)}"] if setback else []
    return "; ".join([*why, away] if why and away else why)


def _away(holders: Whereabouts) -> str:
    """What became of the holders that the asker cannot reach: `the holder is dead`, `of the 3 holders 2 are dead, 1 is
    censored`; "" if there are none."""
    counts = {label: count for word, label in WHERE.items() if word != "colluding" if (count := getattr(holders, word))}
    if [*counts.values()] == [holders.total]:
        ((label, count),) = counts.items()
        return f"the holder is {label}" if count == 1 else f"all {count:,} holders are {label}"
    each = ", ".join(f"{count:,} {'is' if count == 1 else 'are'} {label}" for label, count in counts.items())
    return f"of the {holders.total:,} holders {each}" if each else ""


def _broadcast(facts: Mapping[str, Any]) -> str:
    if not facts["alive"]:
        return "No other peer is alive to hear it."
    share = facts["heard"] / facts["alive"]
    heard = f"Heard by {facts['heard']:,} of {plural(facts['alive'], 'living peer')} ({share:.0%})"
    if facts["heard"]:
        return f"{heard}."
    if facts.get("adrift"):
        return f"{heard}: the asker could not join: {facts['adrift']}."
    if facts["trouble"]:
        return f"{heard}: the asker {facts['trouble']}."
    return f"{heard}: {_worst(facts['losses'])}." if facts["losses"] else f"{heard}."


def _found(facts: Mapping[str, Any]) -> str:
    """Where something was found and no decoy was opened."""
    hits = facts["hits"]
    gone = f" ({facts['stale']} of them {facts['gone']})" if facts["stale"] else ""
    said = f"Found: {plural(hits, 'holder')}{gone}, the first after {facts['first_hit_s']:.2f} s"
    if facts["fetched"]:
        return f"{said}."
    if why := _not_fetched(facts):
        return f"{said}, but {why}{_so_far(facts)}."
    if facts["hits_gone"] == hits:
        return f"{said}, but {'it is' if hits == 1 else 'all are'} {facts['gone']}."
    if facts["hits_poisoned"]:
        serve = "serves" if facts["hits_poisoned"] == 1 else "serve"
        those = f"{facts['hits_poisoned']} of them" if facts["hits_poisoned"] < hits else "it" if hits == 1 else "all"
        return f"{said}; {those} {serve} decoys."
    return f"{said}."


def _published(facts: Mapping[str, Any]) -> str:
    """What became of a publication: whether others can find it."""
    failed = "Not published: "
    if facts["trouble"]:
        return f"{failed}the publisher {facts['trouble']}."
    if not facts["shares_files"]:
        return f"{failed}the peers of this network share no files."
    if facts.get("adrift"):
        return f"{failed}the publisher could not join: {facts['adrift']}."
    if not facts["alive"]:
        return f"{failed}no other peer is alive."
    if facts["near"] == facts["alive"]:
        return "Published: it is in the library and whoever asks may find it."
    if not facts["near"]:
        return f"{failed}no living peer can reach the publisher."
    horizon = "" if facts["horizon"] is None or not facts["overlay"] else f" within {plural(facts['horizon'], 'hop')}"
    return (
        f"Published: it is in the library, and {facts['near']:,} of {plural(facts['alive'], 'living peer')} "
        f"can ask for it{horizon}."
    )


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
    """Why nothing was found: what the network itself says (`Host.failed`), then where the holders are."""
    said = [plain(facts["setback"], SETBACK_MAX).rstrip(".")] if facts["setback"] else []
    if facts["shares_files"]:
        return f"{'; '.join([*said, _where(facts)])}{_so_far(facts)}."
    if facts["trouble"]:
        said = [f"the asker {facts['trouble']}"]
    if not said:
        reached = facts["reached"]
        asked = (
            f"{plural(reached, 'peer')} {'was' if reached == 1 else 'were'} asked" if reached else "nobody was asked"
        )
        said = [f"{asked}, and no answer came back" if reached else asked]
    if facts["keepers"] is not None:
        said.append(f"{plural(facts['keepers'], 'peer')} keep{'s' if facts['keepers'] == 1 else ''} a record of it")
    if facts["losses"]:
        said.append(_worst(facts["losses"]))
    return f"{'; '.join(said)}{_so_far(facts)}."


def _where(facts: Mapping[str, Any]) -> str:
    """Where the holders are, in a network that shares files."""
    holders: int = facts["holders"]
    if not holders:
        return f'no peer holds "{plain(facts["text"], 40)}"'
    parts = []
    rest = holders
    for word, label in WHERE.items():
        if count := facts[word]:
            parts.append(f"{count} {'is' if count == 1 else 'are'} {label}")
            rest -= count
    if rest and facts["trouble"]:
        parts.append(f"{rest} could not answer, since the asker {facts['trouble']}")
    elif rest:
        if facts["asked"]:
            parts.append(f"{facts['asked']} {'was' if facts['asked'] == 1 else 'were'} asked, but no answer came back")
        parts += [_unasked(kind, facts[kind], facts) for kind in UNASKED if facts[kind]]
    return f"{plural(holders, 'peer')} hold{'s' if holders == 1 else ''} it; {', '.join(parts)}"


def _unasked(kind: str, count: int, facts: Mapping[str, Any]) -> str:
    """Why no question reached `count` holders that would have answered."""
    if kind == "cut":
        return f"{count} cannot be reached over the links that are left"
    if kind == "far":
        nearest = "is" if count == 1 else "are at least"
        away, most = plural(facts["distance"], "hop"), plural(facts["horizon"], "hop")
        return f"{count} {nearest} {away} away and a question travels {most}"
    losses = facts["losses"]
    if kind == "walled":
        reasons = {reason: losses[reason] for reason in ("censored", "partition") if reason in losses}
        return f"the way to {count} was cut ({_worst(reasons) if reasons else 'only censored peers lead there'})"
    if kind == "hushed":
        reasons = {reason: losses[reason] for reason in ("colluded",) if reason in losses}
        return f"the way to {count} was cut ({_worst(reasons) if reasons else 'only colluders lead there'})"
    if losses:
        return f"the way to {count} was cut ({_worst(losses)})"
    return f"{count} did not receive the question"


def _worst(losses: Mapping[str, int]) -> str:
    """The commonest reason for a loss in words: `2 messages were censored`."""
    worst = max(losses, key=lambda reason: losses[reason])
    how = WORDS.get(worst, worst)
    return f"{plural(losses[worst], 'message')} {how.replace('were', 'was') if losses[worst] == 1 else how}"


WHERE = {
    "dead": "dead",
    "left": "gone",
    "censored": "censored",
    "parted": "behind the partition",
    "colluding": "colluding",
}
UNASKED = ("cut", "far", "walled", "hushed", "missed")
"""Why no question reached a holder that would have answered, see `verdict`."""
NO_COUNTS = dict.fromkeys((*WHERE, *UNASKED, "asked"), 0)

WORDS = {
    "dead": "reached a dead peer",
    "left": "reached a peer that had left",
    "reset": "reached a peer that had restarted",
    "censored": "were censored",
    "partition": "reached the partition",
    "cut": "were on a link that is cut",
    "lost": "were lost",
    "nat": "reached a peer behind a NAT",
    "queue": "were dropped since the queue of the line was full",
    "unsent": "had not been sent when their sender stopped",
    "withdrawn": "were taken back before they were sent",
    "colluded": "were suppressed by a colluder",
}
