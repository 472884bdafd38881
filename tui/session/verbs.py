"""What can be done to the chosen peers now: one table for keys, buttons, the context menu and the palette.

A verb that cannot be done says why. With several peers chosen, a verb applies to those it can be done to, and its label
says how many: "Kill 12" of fifteen, three of which are dead. When it can be done to none of them, its opposite is
offered, so that the same key reverts it.

Each pair of verbs is one row of `PAIRS`. A row whose verb the engine does not have is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine import (
    ALIVE,
    DEAD,
    LEFT,
    UNDO,
    VERBS,
    Act,
    AskFor,
    CallOff,
    Command,
    Goal,
    Heal,
    InputError,
    PeerId,
    Publish,
    RunningAttack,
    Snapshot,
    Swarm,
    Trace,
    VerbOffer,
    dataclass,
    goals_to_ask,
    plain,
)
from tui.session.frame import Frame

from .units import clock

Ids: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Verb:
    """`id` names its action, `key` the key that also does it (empty: none); `says` is a line of a menu, `label` the
    text of a button; `tip` says what it does, or why it cannot be done. `command` is None when it cannot be done, and
    when a text has to be typed first (ask, publish): `possible` distinguishes the two. `many`: to how many peers it
    applies."""

    id: str
    key: str
    label: str
    says: str
    tip: str
    possible: bool
    command: Command | None = None
    many: int = 0


@dataclass(frozen=True, slots=True)
class Pair:
    """A verb and its opposite. `can` and `back` return to which of the given peers each can be done (one flag a peer);
    `says` are the lines of a menu, `why` says why neither can be done. `{who}` in a text is the peer or their number,
    `{word}` the phrase of the chosen ask. `phrase`: the field of the command for that phrase, if it has one."""

    id: str
    key: str
    do: str
    labels: tuple[str, str]
    tips: tuple[str, str]
    can: Callable[[Snapshot, Ids], Flags]
    back: Callable[[Snapshot, Ids], Flags]
    says: tuple[str, str] = ("", "")
    why: str = ""
    phrase: str = ""

    @property
    def undo(self) -> str:
        """The verb that reverts it."""
        return UNDO[self.do]


def flag(name: str, wanted: bool) -> Callable[[Snapshot, Ids], Flags]:
    """Peers whose flag in the snapshot's column `name` is `wanted`; in a missing or empty column no flag is set."""

    def those(snapshot: Snapshot, ids: Ids) -> Flags:
        column = getattr(snapshot, name, None)
        none = column is None or not len(column)
        set_ = np.zeros(len(ids), np.bool_) if none else np.asarray(column, np.bool_)[ids]
        return set_ if wanted else ~set_

    return those


def in_state(state: int) -> Callable[[Snapshot, Ids], Flags]:
    """Peers in this state."""
    return lambda snapshot, ids: np.asarray(snapshot.state[ids] == state)


def _running(snapshot: Snapshot, ids: Ids) -> Flags:
    """Peers that run and do not collude yet."""
    return np.asarray((snapshot.state[ids] == ALIVE) & ~snapshot.colluding[ids])


def _sharing(snapshot: Snapshot, ids: Ids) -> Flags:
    """Peers that share files and are not poisoned yet."""
    return np.asarray(snapshot.fixed.shares_files[ids] & ~snapshot.poisoned[ids])


def _moving(snapshot: Snapshot, ids: Ids) -> Flags:
    """All peers, unless one of them has a held link: then releasing it comes first."""
    return np.full(len(ids), not flag("held", True)(snapshot, ids).any(), np.bool_)


def _linked(snapshot: Snapshot, ids: Ids) -> Flags:
    """All peers, unless one of them has a cut link: then mending it comes first."""
    return np.full(len(ids), not flag("cut", True)(snapshot, ids).any(), np.bool_)


def _parted(snapshot: Snapshot, ids: Ids) -> Flags:
    """Peers that can be split off: all, unless no other peer would be left."""
    whole = len(ids) >= len(snapshot.state)
    return np.full(len(ids), not whole, np.bool_)


PAIRS: tuple[Pair, ...] = (
    Pair(
        "kill", "peer.kill", "kill", ("Kill", "Revive"),
        (
            "{who}: crashes. Its memory is lost, its disk stays; links close one latency later.",
            "{who}: starts again, with what is on its disk.",
        ),
        in_state(ALIVE), in_state(DEAD),
        ("Kill {who}", "Revive {who}"),
        "{who} left, so there is nothing to kill: join first ({{peer.leave}}).",
    ),
    Pair(
        "censor", "peer.censor", "censor", ("Censor", "Uncensor"),
        (
            "{who}: runs, but all its traffic is blocked. Other peers see only silence.",
            "{who}: traffic passes again.",
        ),
        flag("censored", False), flag("censored", True),
        ("Censor {who}", "Uncensor {who}"),
    ),
    Pair(
        "collude", "peer.collude", "collude", ("Collude", "Defect"),
        (
            "{who}: hides “{word}”: does not show it and forwards no message about it. Other peers are not told.",
            "{who}: stops hiding {ban}.",
        ),
        _running, flag("colluding", True),
        ("Have {who} hide “{word}”", "Have {who} stop colluding"),
        "{who} {is} {gone}: only a peer that runs can hide something.",
        phrase="word",
    ),
    Pair(
        "leave", "peer.leave", "leave", ("Leave", "Join"),
        ("{who}: says goodbye as the protocol does, and leaves.", "{who}: joins again, with what is on its disk."),
        in_state(ALIVE), in_state(LEFT),
        ("Have {who} leave", "Have {who} join again"),
        "{who} {is} dead and cannot say goodbye: revive first ({{peer.kill}}).",
    ),
    Pair(
        "poison", "", "poison", ("Poison", "Cure"),
        (
            "{who}: claims to have every file and serves decoys. Only an opened download shows that.",
            "{who}: serves its own files again.",
        ),
        _sharing, flag("poisoned", True),
        ("Poison {who}", "Cure {who}"),
        "{who} {does} not share files, so there is nothing to replace by decoys.",
    ),
    Pair(
        "hold", "", "hold", ("Hold", "Release"),
        (
            "Messages on {links} {who} are frozen; later ones wait behind them.",
            "Messages frozen on {links} {who} continue, in order.",
        ),
        _moving, flag("held", True),
        ("Hold {links} {who}", "Release {links} {who}"),
    ),
    Pair(
        "cut", "peer.cut", "cut", ("Cut", "Mend"),
        (
            "{Links} {who} are cut: streams on them break, and nothing can be sent over them.",
            "{Links} {who} can be used again.",
        ),
        _linked, flag("cut", True),
        ("Cut {links} {who}", "Mend {links} {who}"),
    ),
    Pair(
        "partition", "", "partition", ("Split off", ""),
        ("{who}: no message passes to or from all other peers, until the partition is healed.", ""),
        _parted, lambda snapshot, ids: np.zeros(len(ids), np.bool_),
        ("Split off {who}", ""),
        "All peers are chosen: no other peer is left to split off from.",
    ),
)  # fmt: skip
"""In the order of buttons and menus."""


def phrase_of(frame: Frame) -> str:
    """The phrase that a peer is made to hide: the text of the chosen ask, else of the latest."""
    asks = frame.snapshot.asks
    chosen = next((row.text for row in reversed(asks) if row.id == frame.ask), "")
    return chosen or (asks[-1].text if asks else "")


def answered_by(trace: Trace) -> tuple[PeerId, ...]:
    """The peers that answered an ask, in order. Where the asker knew the holders itself, these take their place: there
    is nobody else to go to."""
    others = tuple(peer for peer in trace.answerers if peer != trace.origin)
    return others or tuple(peer for peer in trace.holders if peer != trace.origin) or trace.answerers


def told_of(trace: Trace) -> tuple[PeerId, ...]:
    """The peers that the sentence on an ask is about: those that answered, then the holders that they named."""
    holders = (peer for peer in trace.holders if peer != trace.origin)
    return tuple(dict.fromkeys((*answered_by(trace), *holders)))


def asker_of(frame: Frame) -> PeerId | None:
    """The user that would ask now; None for any live peer.

    It is the selected peer, unless that is no user, is not alive, or was censored after it had answered or had been
    named. Else it is the origin of the chosen ask, if that is alive: a person who has censored the peer that answered
    asks again from the same place, to compare.
    """
    snapshot, selected = frame.snapshot, frame.selected
    if selected is not None and _is_user(snapshot, selected) and not _silenced(frame, selected):
        return selected
    before = next((row.origin for row in reversed(snapshot.asks) if row.id == frame.ask), None)
    if before is not None and _is_user(snapshot, before):
        return before
    return selected if selected is not None and _is_user(snapshot, selected) else None


def _is_user(snapshot: Snapshot, peer: PeerId) -> bool:
    """Whether a peer is alive, and no infrastructure, from which nobody asks."""
    return bool(snapshot.state[peer] == ALIVE and not snapshot.fixed.infrastructure[peer])


def _silenced(frame: Frame, peer: PeerId) -> bool:
    """Whether a peer is censored that answered an ask which was looked at, or was named in an answer."""
    return bool(frame.snapshot.censored[peer]) and peer in frame.answered


def askers_of(frame: Frame) -> PeerId | tuple[PeerId, ...] | None:
    """The peers that would ask now: of several chosen ones the users that are not silenced, else `asker_of`."""
    ids = chosen_in(frame)
    up = tuple(peer for peer in ids.tolist() if _is_user(frame.snapshot, peer) and not _silenced(frame, peer))
    return up if len(ids) > 1 and up else asker_of(frame)


def goal_of(frame: Frame) -> Goal:
    """The goal of an ask if none is named: the goal of the ask that the user has chosen, so that asking again is for
    the same; else the first goal of the network."""
    goals = goals_to_ask(frame.snapshot.fixed.goals)
    chosen = "" if frame.followed else next((row.goal for row in frame.snapshot.asks if row.id == frame.ask), "")
    return next((goal for goal in goals if goal.name == chosen), goals[0])


def chosen_in(frame: Frame) -> Ids:
    """The chosen peers that exist in this frame: the marked ones, else the selected one."""
    ids = np.array(frame.chosen, np.int64)
    return ids[ids < len(frame.snapshot.state)]


def called(snapshot: Snapshot, ids: Sequence[int] | Ids) -> str:
    """`p017`, or `12 peers`."""
    return snapshot.fixed.labels[int(ids[0])] if len(ids) == 1 else f"{len(ids):,} peers"


def verbs_for(frame: Frame) -> tuple[Verb, ...]:
    """All verbs for the chosen peers; none when no peer is chosen."""
    ids = chosen_in(frame)
    if not len(ids):
        return ()
    pairs = [_pair(frame, pair, ids) for pair in PAIRS if pair.do in VERBS]
    rest = (*_of_network(frame, ids), *_heal(frame), *_operator(frame, ids), *_call_off(frame))
    return (*pairs[:4], *_asks(frame, ids), _publish(frame, ids), *pairs[4:], *rest)


class VerbsOnce:
    """`verbs_for`, made once for all frames of one moment, which differ in their events and their notice."""

    def __init__(self) -> None:
        self._frame: Frame | None = None
        self._verbs: tuple[Verb, ...] = ()

    def __call__(self, frame: Frame) -> tuple[Verb, ...]:
        if self._frame is None or self._frame.snapshot is not frame.snapshot:
            self._frame, self._verbs = frame, verbs_for(frame)
        return self._verbs


def verb_of(frame: Frame, id: str) -> Verb | None:  # noqa: A002
    """One of `verbs_for`, by its id."""
    return next((verb for verb in verbs_for(frame) if verb.id == id), None)


@dataclass(frozen=True, slots=True)
class Past:
    """A verb when it was done. `did`: to whom, with the peers in `{}` or behind it ("told {} to leave"); `are`: what
    they are then ("12 killed"); `style`: of the line in the feed."""

    did: str
    are: str
    style: str

    def done_to(self, who: str) -> str:
        """`killed p017`, `told p017 to leave`."""
        return self.did.format(who) if "{}" in self.did else f"{self.did} {who}"

    def done(self, who: str) -> str:
        """`p017 killed`, `Told p017 to leave`."""
        return capital(self.did.format(who)) if "{}" in self.did else f"{who} {self.did}"


PAST: Mapping[str, Past] = {
    "kill": Past("killed", "killed", "dead"),
    "revive": Past("revived", "revived", "alive"),
    "leave": Past("told {} to leave", "gone", "left"),
    "join": Past("told {} to join again", "joined again", "alive"),
    "censor": Past("censored", "censored", "censored"),
    "uncensor": Past("uncensored", "uncensored", "alive"),
    "shutdown": Past("shut down", "shut down", "dead"),
    "reopen": Past("reopened", "reopened", "alive"),
    "collude": Past("told {} to collude", "colluding", "colluding"),
    "defect": Past("told {} to stop colluding", "told to stop colluding", "alive"),
    "hold": Past("held", "held", "held"),
    "release": Past("released", "released", "alive"),
    "cut": Past("cut the links of {}", "cut", "censored"),
    "mend": Past("mended the links of {}", "mended", "alive"),
    "poison": Past("poisoned", "poisoned", "poisoned"),
    "cure": Past("cured", "cured", "alive"),
    "partition": Past("split off", "split off", "censored"),
    "heal": Past("reconnected", "reconnected", "alive"),
    "arrive": Past("added", "added", "alive"),
    "depart": Past("told {} to leave for good", "told to leave", "left"),
}
"""By verb. Other verbs have sentences of their own."""


def done_sentence(frame: Frame, command: Command, changed: Sequence[PeerId], swarm: Swarm) -> str:
    """`12 peers killed. x: revive 12 peers`: whom a command changed, and what takes it back now. `frame` is of the
    moment after it."""
    who = called(frame.snapshot, changed)
    if isinstance(command, Act):
        opposite = swarm.opposite_of(command, changed)
        sentence = f"“{plain(command.name)}” was done to {who}"
        return sentence if opposite is None else f"{sentence}. {{peer.opposite}}: {plain(opposite.name)}"
    if isinstance(command, Publish):
        return f"{who} share{'s' if len(changed) == 1 else ''} “{plain(command.text, limit=60)}” from now on"
    if isinstance(command, AskFor):
        return f"{who} asked: “{plain(command.text, limit=60)}”"
    past = PAST.get(command.verb)
    sentence = f"{who} {command.verb}" if past is None else past.done(who)
    of = next((pair.id for pair in PAIRS if command.verb in (pair.do, pair.undo)), command.verb)
    # A key applies to the chosen peers, and the command may have named others.
    chosen = set(changed) <= set(frame.chosen)
    back = verb_of(frame, {"partition": "heal", "reopen": "shutdown"}.get(of, of)) if chosen else None
    if back is None or back.command is None or back.command.verb == command.verb:
        return sentence
    return f"{sentence}. {{{back.key or 'peer.menu'}}}: {back.says[:1].lower()}{back.says[1:]}"


def _peers(ids: Ids) -> int | tuple[int, ...]:
    return int(ids[0]) if len(ids) == 1 else tuple(ids.tolist())


def make(verb: str, **values: Any) -> Command:
    """A command of the engine by its verb; values that it has no field for are left out."""
    kind = VERBS[verb]
    known = {f.name for f in fields(kind)}
    return kind(**{name: value for name, value in values.items() if name in known})


def _pair(frame: Frame, pair: Pair, ids: Ids) -> Verb:
    snapshot = frame.snapshot
    can = ids[pair.can(snapshot, ids)]
    back = ids[pair.back(snapshot, ids)] if not len(can) else ids[:0]
    turn = 1 if len(back) else 0
    those = can if len(can) else back if len(back) else ids
    word = phrase_of(frame) if pair.phrase else ""
    parts = {
        "who": called(snapshot, those),
        "word": word or "…",
        "does": "does" if len(those) == 1 else "do",
        "is": "is" if len(those) == 1 else "are",
        "gone": _gone(snapshot, int(those[0])),
        "Links": "The links of" if len(those) == 1 else "The links between",
        "links": "the links of" if len(those) == 1 else "the links between",
        "ban": _ban(frame, those),
    }
    label = pair.labels[turn] if len(those) == 1 else f"{pair.labels[turn]} {len(those):,}"
    says = pair.says[turn].format(**parts)
    if not len(can) and not len(back):
        return Verb(pair.id, pair.key, label, says, pair.why.format(**parts), False, many=len(ids))
    if pair.phrase and not turn and not word:
        none = "There is no ask yet, so there is no word to hide. Ask for something first ({ask.here})."
        return Verb(pair.id, pair.key, label, says, none, False, many=len(those))
    tip = pair.tips[turn].format(**parts)
    if len(those) < len(ids):
        tip = f"{tip} Not the other {len(ids) - len(those):,}: they are in that state already, or cannot be."
    values = {"peers": _peers(those), pair.phrase or "word": word}
    command = make(pair.undo if turn else pair.do, **values)
    return Verb(pair.id, pair.key, label, says, tip, True, command, len(those))


def _ban(frame: Frame, ids: Ids) -> str:
    facts = frame.facts
    ban = facts.ban if facts is not None and len(ids) == 1 and facts.peer == ids[0] else ""
    return f"“{ban}”" if ban else "anything"


ASK = "ask:"
"""Prefix of the id of a verb that asks for another goal of the network than `goal_of`."""


def capital(text: str) -> str:
    """The same with a capital letter at its beginning."""
    return f"{text[:1].upper()}{text[1:]}"


def _asks(frame: Frame, ids: Ids) -> Iterator[Verb]:
    """To ask: a verb for each goal that a user can choose, where there are several."""
    snapshot = frame.snapshot
    up = ids[snapshot.state[ids] == ALIVE]
    label = "Ask" if len(ids) == 1 else f"Ask {len(up):,}"
    if not len(up):
        who = called(snapshot, ids)
        one = len(ids) == 1
        why = f"{who} {'is' if one else 'are'} {_gone(snapshot, int(ids[0]))}: {'it' if one else 'they'} cannot ask."
        yield Verb("ask", "ask.here", label, f"Ask from {who} …", why, False)
        return
    asker = asker_of(frame) if len(ids) == 1 else None
    who = called(snapshot, up if asker is None else (asker,))
    again = "" if asker in (None, int(ids[0])) else f" {called(snapshot, ids)} is censored, so {who} asks again."
    goals, now = goals_to_ask(snapshot.fixed.goals), goal_of(frame)
    if len(goals) == 1:
        tip = f"Type what {who} should search for, and see the question spread.{again}"
        yield Verb("ask", "ask.here", label, f"Ask from {who} …", tip, True, many=len(up))
        return
    for goal in goals:
        id_, key = ("ask", "ask.here") if goal is now else (f"{ASK}{goal.name}", "")
        does = "wants" if len(up) == 1 or asker is not None else "want"
        says = f"Ask: {who} {does} to {goal.verb} …"
        yield Verb(id_, key, label, says, f"{goal.about}{again}", True, many=len(up))


def _publish(frame: Frame, ids: Ids) -> Verb:
    who = called(frame.snapshot, ids)
    tip = f"Type the name of a new file that {who} should share from now on."
    return Verb("publish", "", "Publish", f"Publish from {who} …", tip, True, many=len(ids))


ACT = "act:"
"""Prefix of the id of a verb that only the present network has."""


def _of_network(frame: Frame, ids: Ids) -> tuple[Verb, ...]:
    """The verbs of the network itself. One that takes values has to be typed first."""
    made: list[Verb] = []
    for offer in frame.offers:
        words = offer.name.replace("-", " ").replace("_", " ")
        title = f"{words[:1].upper()}{words[1:]}"
        able = np.array(offer.able, np.int64)
        who = called(frame.snapshot, able if len(able) else ids)
        label = title if len(able) < 2 else f"{title} {len(able):,}"
        typed = any(value.needed for value in offer.values.values())
        says = f"{title}: {who}{' …' if typed else ''}"
        if not len(able):
            why = f"Not now: {offer.why_not}." if offer.why_not else f"{who} cannot."
            made.append(Verb(f"{ACT}{offer.name}", "", label, says, why, False))
            continue
        tip = offer.verb.about
        if len(able) < len(ids):
            tip = f"{tip} Not the other {len(ids) - len(able):,}."
        command = None if typed else Act(tuple(able.tolist()), offer.name, {})
        made.append(Verb(f"{ACT}{offer.name}", "", label, says, tip, True, command, len(able)))
    return tuple(made)


def values_typed(offer: VerbOffer, text: str) -> dict[str, str]:
    """What a person typed for a verb: `10.0.0.0/8` for a verb with one value, else `prefix=10.0.0.0/8 length=24`.

    Raises InputError, a sentence, for a text in neither form.
    """
    names = list(offer.values)
    words = text.split()
    if len(names) == 1 and not any(word.startswith(f"{names[0]}=") for word in words):
        return {names[0]: text.strip()}
    values: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            example = " ".join(f"{each}=…" for each in names)
            raise InputError(f'"{offer.name}" is given as {example}, and "{plain(word)}" names no value')
        values[name] = value
    return values


def _heal(frame: Frame) -> tuple[Verb, ...]:
    apart = int(np.count_nonzero(frame.snapshot.group))
    if not apart:
        return ()
    tip = "All partitions end: all peers can reach each other again."
    return (Verb("heal", "", "Heal", f"Heal: {apart:,} peers are split off", tip, True, Heal(), apart),)


def _call_off(frame: Frame) -> tuple[Verb, ...]:
    """Cancel the remaining steps of attacks, if any has some."""
    going = frame.snapshot.attacks
    if not going:
        return ()
    says, tip = calling_off(going)
    return (Verb("calloff", "", "Cancel", f"{says[:1].upper()}{says[1:]}", tip, True, CallOff(), len(going)),)


def calling_off(going: Sequence[RunningAttack]) -> tuple[str, str]:
    """The label of a button that cancels these attacks, and its tip."""
    one = f"cancel: {going[0].title.lower()}" if len(going) == 1 else f"cancel {len(going)} attacks"
    until = clock(max(one.until_us for one in going), millis=False)
    whose = "Its" if len(going) == 1 else "Their"
    return one, f"{whose} remaining steps, until {until}, are cancelled; what was done stays."


def _operator(frame: Frame, ids: Ids) -> tuple[Verb, ...]:
    """Shut down or reopen the operator of the chosen peers, if all have the same one."""
    fixed, state = frame.snapshot.fixed, frame.snapshot.state
    names = {fixed.operator[peer] for peer in ids.tolist()}
    name = names.pop() if len(names) == 1 else ""
    if not name or not {"shutdown", "reopen"} <= VERBS.keys():
        return ()
    theirs = np.array([peer for peer, by in enumerate(fixed.operator) if by == name], np.int64)
    up = theirs[state[theirs] == ALIVE]
    many = up if len(up) else theirs
    roles = {frame.snapshot.roles[int(frame.snapshot.role[peer])] for peer in many.tolist()}
    what = f"{len(many):,} {roles.pop() if len(roles) == 1 else 'peer'}{'s' if len(many) > 1 else ''}"
    if len(up):
        tip = f"As after a court order, all peers of {name} are killed: {what}."
        command = make("shutdown", operator=name)
        return (Verb("shutdown", "", "Shut down", f"Shut down {name}: {what}", tip, True, command, len(up)),)
    tip = f"All peers of {name} start again: {what}."
    return (
        Verb("shutdown", "", "Reopen", f"Reopen {name}: {what}", tip, True, make("reopen", operator=name), len(theirs)),
    )


def _gone(snapshot: Snapshot, peer: PeerId) -> str:
    return "dead" if snapshot.state[peer] == DEAD else "gone"
