"""One plain sentence about the latest action or ask: what happened and why, as far as it is known at the cursor.

All of it is read from the swarm at the cursor: its events, the records of its asks, the states of its peers. So the
sentence stays right after a seek. For an ask that is under way it says how far it has come. For one that is over it
gives the record and the verdict, and compares them with those of the last ask for the same text; what was done between
the two comes first: "p012 is dead. Three other holders answered p007, ...; one holder fewer, 0.1 s slower than ask 3".
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import fields

import numpy as np

from engine import (
    ALIVE,
    DEAD,
    LEFT,
    PARTS,
    Act,
    Arrive,
    Arrived,
    AskFor,
    AskId,
    AskIssued,
    AskRow,
    Attack,
    Commanded,
    Court,
    Event,
    PeerId,
    Snapshot,
    Swarm,
    Trace,
    attack_title,
    dataclass,
    plain,
    sorted_once,
)

from .verbs import PAST

HOLD_US = 10_000_000
"""The sentence is about an action for this long in virtual time, or for `HOLD_S` in wall time if that is longer; after
that it is about the chosen ask."""
HOLD_S = 8.0
KEPT = 32
"""Actions that are kept, to say what was done between two asks."""
TOLD_BY = ("person", "scenario", "court")
ASKED_BY = ("person", "scenario")
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
NAMED = 3
"""Up to so many peers are named; for more, only their number is given."""
ANSWER = PARTS.index("answer")
UNREAD = -1
"""The chosen ask is not known yet."""
SLIGHT_S = 0.05
"""A difference of first answers below this is none."""


@dataclass(frozen=True, slots=True)
class GivenCommand:
    """A command that took effect, and its place in the order of events."""

    event: Commanded
    seq: int
    wall_s: float


@dataclass(frozen=True, slots=True)
class Named:
    """The peers that an ask has found. itself: only the asker has the thing; through: the peers that named the holders,
    if these are other peers, such as an index or the exit of a circuit."""

    itself: bool = False
    through: tuple[PeerId, ...] = ()


class Teller:
    """Give it each event with `follow`, and all of them again after a seek."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Another run, or another moment of it."""
        self._actions: deque[GivenCommand] = deque(maxlen=KEPT)
        self._asked_seq = 0
        """The number of the event of the latest ask of a person or a scenario."""
        self._steps: list[tuple[int, str, int]] = []
        """Steps of attacks since the action before the latest attack: (number of the event, verb, peers)."""
        self._arrivals: list[int] = []
        """Newcomers since the action before the latest command to let some arrive: numbers of their events."""
        self._chosen: AskId | None = UNREAD
        self._chosen_seq = 0
        self._seq = 0
        self._others: tuple[tuple[AskId, AskId, int, int], bool] | None = None
        self._named: tuple[tuple[AskId, int], Named] | None = None

    def follow(self, events: Iterable[Event], wall_s: float) -> None:
        """Read events. wall_s: the present time, in wall seconds; -inf for events that are read again after a seek."""
        for event in events:
            self._seq = event.seq
            if isinstance(event, AskIssued):
                if event.by in ASKED_BY:
                    self._asked_seq = event.seq
            elif isinstance(event, Arrived):
                self._arrivals.append(event.seq)
            elif not isinstance(event, Commanded) or isinstance(event.command, AskFor):
                continue
            elif event.by in TOLD_BY:
                # The first steps of a command are events before its own.
                last = self._actions[-1].seq if self._actions else 0
                if isinstance(event.command, Attack):
                    self._steps = [step for step in self._steps if step[0] > last]
                if isinstance(event.command, Arrive):
                    self._arrivals = [seq for seq in self._arrivals if seq > last]
                self._actions.append(GivenCommand(event, event.seq, wall_s))
            elif event.by == "attack":
                verb = event.command.verb
                self._steps.append((event.seq, verb, 1 if verb in OF_LINKS else len(event.peers)))

    def at(
        self, swarm: Swarm, snapshot: Snapshot, ask: AskId | None, following: bool, wall_s: float
    ) -> tuple[str, ...]:
        """The sentence, and shorter ones for where it does not fit, the last the shortest. Empty if there is nothing to
        say. ask: the chosen one; following: it is the latest one, and no person chose it."""
        if ask != self._chosen:
            if not following and self._chosen != UNREAD:
                self._chosen_seq = self._seq  # chosen after all that happened so far
            self._chosen = ask
        action = self._actions[-1] if self._actions else None
        asked_seq = max(self._asked_seq, 0 if following else self._chosen_seq)
        if action is not None and (ask is None or action.seq > asked_seq):
            held = snapshot.now_us - action.event.at_us <= HOLD_US or wall_s - action.wall_s <= HOLD_S
            if held or ask is None:
                return self._of_action(action.event, swarm, snapshot, ask)
        return () if ask is None else self._of_ask(swarm.record(ask), swarm, snapshot)

    # --- actions ---------------------------------------------------------------------------------------------

    def _of_action(self, event: Commanded, swarm: Swarm, snapshot: Snapshot, ask: AskId | None) -> tuple[str, ...]:
        said = capital(self._done_by(event, snapshot))
        if ask is not None and event.command.verb in ("kill", "censor") and len(event.peers) == 1:
            trace = swarm.trace(ask)
            part = "" if trace is None else part_in(trace, event.peers[0], snapshot.fixed.labels)
            said = f"{said}; {part}" if part else said
        alive = int(np.count_nonzero((snapshot.state == ALIVE) & ~snapshot.fixed.infrastructure))
        users = int(np.count_nonzero(~snapshot.fixed.infrastructure))
        living = f"{alive:,} of {users:,} peers are alive."
        return (f"{said}. {living}", f"{said}.") if event.command.verb in COUNTED else (f"{said}.",)

    def _done_by(self, event: Commanded, snapshot: Snapshot) -> str:
        """What a command did, as things are now, without a full stop."""
        command, verb = event.command, event.command.verb
        values = {f.name: getattr(command, f.name) for f in fields(command)}
        who, one = called(event.peers, snapshot.fixed.labels), len(event.peers) == 1
        is_, it = ("is", "it") if one else ("are", "they")
        s = "s" if one else ""
        if isinstance(command, Attack):
            return self._attack(command.name, snapshot)
        if isinstance(command, Arrive):
            started = sum(seq > self._action_before(event) for seq in self._arrivals)
            within = f" within {command.over_s:g} s" if command.over_s else ""
            return f"{counted(command.count, 'newcomer')}{within}: {started:,} started so far"
        if isinstance(command, Court):
            court = snapshot.court
            orders = f"; {counted(court.orders, 'order')} so far" if court is not None else ""
            return f"a court is in session: who answers is censored {command.after_s:g} s later{orders}"
        if verb == "adjourn":
            return "the court has ended its session: who was censored stays so"
        if verb == "set":
            name, value = values["name"], values["value"]
            share = name == "loss" and isinstance(value, (int, float))
            return f"{plain(name, 40)} is set to {f'{value * 100:g} %' if share else plain(value, 60)}"
        if verb == "heal":
            return "all partitions have ended: messages pass between all peers again"
        if verb == "calloff":
            return "what attacks had still to do is cancelled; what they did stays"
        if not event.peers:
            return f"the command “{verb}” changed nothing"
        ids = np.asarray(event.peers, np.int64)
        state = snapshot.state[ids]
        if verb in ("kill", "shutdown"):
            why = f": {plain(values['operator'], 40)} was shut down" if verb == "shutdown" else ""
            return f"{who} {is_} dead{why}" if (state == DEAD).all() else f"{who} {was(one)} killed{why}"
        if verb in ("revive", "join", "reopen"):
            return f"{who} run{s} again" if (state == ALIVE).all() else f"{who} {was(one)} started again"
        if verb == "leave":
            return (
                f"{who} {'has' if one else 'have'} left" if (state == LEFT).all() else f"{who} {was(one)} told to leave"
            )
        if verb == "depart":
            gone = int(np.count_nonzero(state != ALIVE))
            return f"{who} leave{s} for good: {gone:,} of {len(ids):,} gone so far"
        if verb == "censor":
            why = ", since an answer of its own came: the court ordered it" if event.by == "court" else ""
            if not snapshot.censored[ids].all():
                return f"{who} {was(one)} censored{why}"
            return f"{who} {is_} censored{why}: no message from or to {'it' if one else 'them'} arrives"
        if verb == "uncensor":
            return (
                f"{who} {is_} no longer censored"
                if not snapshot.censored[ids].any()
                else f"{who} {was(one)} uncensored"
            )
        if verb == "collude":
            leak = f", but for {values['leak']:.0%} of it" if values.get("leak") else ""
            hides = f"hide{s} “{plain(values['word'], 40)}”{leak}"
            silent = f"{it} do{'es' if one else ''} not answer for it and do{'es' if one else ''} not pass it on"
            return f"{who} {hides}: {silent}" if not leak else f"{who} {hides}"
        if verb == "defect":
            return f"{who} hide{s} nothing any more"
        if verb == "poison":
            return f"{who} claim{s} to have every file and serve{s} decoys"
        if verb == "cure":
            return f"{who} serve{s} no decoys any more"
        if verb == "partition":
            sides = len(sorted_once(snapshot.group))
            if sides < 2:
                return f"{who} {was(one)} split off"
            return (
                f"{who} {is_} split off: messages between the {NUMBERS[sides] if sides < 11 else sides} sides are lost"
            )
        if verb in ("cut", "mend"):
            whose = f"the links {'of' if one else 'between'} {who}"
            severed = "are cut: streams on them break, and nothing can be sent over them"
            return f"{whose} {severed if verb == 'cut' else 'can be used again'}"
        if isinstance(command, Act):
            given = ", ".join(f"{name} {plain(value, 40)}" for name, value in command.values.items())
            return f"“{plain(command.name, 40)}” was done to {who}{f' ({given})' if given else ''}"
        links = f"messages on the links {'of' if one else 'between'} {who}"
        if verb == "hold":
            return f"{links} are frozen"
        if verb == "release":
            return f"{links} go on"
        if verb == "publish":
            return f"{who} share{s} “{plain(values['text'], 40)}” from now on"
        return f"the command “{plain(verb, 20)}” was done to {who}"

    def _attack(self, name: str, snapshot: Snapshot) -> str:
        steps: dict[str, int] = {}
        for _, verb, many in self._steps if len(snapshot.attacks) < 2 else ():
            steps[verb] = steps.get(verb, 0) + many
        counts = [
            (f"{many:,}" if verb not in OF_LINKS else counted(many, "link"), verb) for verb, many in steps.items()
        ]
        done = ", ".join(f"{many} {PAST[verb].are if verb in PAST else verb}" for many, verb in counts if steps[verb])
        running = next((each for each in snapshot.attacks if each.name == name), None)
        title = f"the attack “{attack_title(name)}”"
        if running is None:
            return f"{title} is over: {done}" if done else f"{title} has no step left to do"
        so_far = f"{done} so far" if done else "steps are under way"
        return f"{title} goes on until {running.until_us / 1e6:.1f} s: {so_far}"

    def _action_before(self, event: Commanded) -> int:
        """The number of the event of the action before this one, 0 for none."""
        return max((action.seq for action in self._actions if action.seq < event.seq), default=0)

    def _between(self, since_us: int, row: AskRow, snapshot: Snapshot) -> str:
        """The last action between an ask and a later one, or empty."""
        actions = [
            action
            for action in self._actions
            if since_us <= action.event.at_us <= row.issued_us and action.seq <= self._seq
        ]
        return f"{capital(self._done_by(actions[-1].event, snapshot))}. " if actions and actions[-1].event.peers else ""

    # --- asks ------------------------------------------------------------------------------------------------

    def _of_ask(self, row: AskRow, swarm: Swarm, snapshot: Snapshot) -> tuple[str, ...]:
        fixed = snapshot.fixed
        who, text = fixed.labels[row.origin], plain(row.text, 40)
        over = row.closed_us is not None or settled(row, snapshot)
        goal = fixed.goal(row.goal)
        does = "shares" if row.sought == "nothing" else goal.did if goal else "asked for"
        begun = f"{who} {does} “{text}”"
        spreads = fixed.goals[0].audience != "one"
        if not over:
            return self._so_far(row, snapshot, begun, spreads)
        before = earlier(row, snapshot)
        found = bool(row.found) and not row.decoys and " but " not in row.verdict
        named = self._named_in(row, swarm) if found else Named()
        reached = f"it reached {row.reached:,} of {row.others:,} living peers"
        # An asker that knew the holders itself asked nobody.
        alone = row.found and not row.messages
        tail = "; no question had to be sent" if alone else f"; {reached}" if spreads and row.sought == "answer" else ""
        timed = row.first_hit_us is not None and not alone
        after = f"{'the first ' if row.found > 1 else ''}after {(row.first_hit_us or 0) / 1e6:.2f} s"
        first = f", {after}" if timed else ""
        action = self._between(before.issued_us, row, snapshot) if before is not None else ""
        if found:
            other = (
                "other " if action and before is not None and self._lost_a_holder(before, row, swarm, snapshot) else ""
            )
            holders = counted(row.found, f"{other}{goal.one if goal else 'holder'}")
            if named.through:
                through = called(named.through, fixed.labels)
                were = was(row.found == 1)
                head = (
                    f"{action}{capital(holders)} {were} found for {who} through {through}"
                    if action
                    else f"{begun}: {holders} {were} found through {through}"
                )
            else:
                answered = f"{holders} answered"
                head = f"{action}{capital(answered)} {who}" if action else f"{begun}: {answered}"
            if named.itself:
                head, first, tail = f"{action}{capital(begun)}: it has that itself", "", ""
            elif alone:
                head = f"{action}{capital(begun)}: it knew {holders} itself"
            long, short = f"{head}{first}{tail}.", f"{head}{first}."
        else:
            verdict = row.verdict or "It is over."
            dot = "" if verdict.endswith(".") else "."
            head = f"{action}{begun}. {verdict}{dot}"
            long, short = (f"{head} {capital(reached)}." if tail else head), head
        # An asker that has the thing itself asked nobody, so there is nothing to compare.
        compared = "" if before is None or (found and named.itself) else compare(row, before, spreads)
        fuller = f"{long} {compared}" if compared else long
        shorter = f"{short} {compared}" if compared else short
        bare = short.removeprefix(action) if found else row.verdict or short
        return tuple(dict.fromkeys((fuller, shorter, long, short, bare)))

    def _so_far(self, row: AskRow, snapshot: Snapshot, begun: str, spreads: bool) -> tuple[str, ...]:
        if row.sought == "share":
            return (f"{begun}: {row.reached:,} of {row.others:,} living peers have heard it so far.",)
        if row.sought == "nothing":
            return (f"{begun}.",)
        goal = snapshot.fixed.goal(row.goal)
        holders = f"{counted(row.found, goal.one if goal else 'holder')} so far" if row.found else "no answer so far"
        if row.id in snapshot.searching:
            holders += "; more peers may be asked"
        reach = f"{row.reached:,} of {row.others:,} living peers reached, " if spreads else ""
        silent = stations_down(snapshot)
        served = goal is not None and goal.audience == "one"
        down = f": {silent}{', so nobody can answer' if served else ''}" if silent and not row.found else ""
        origin = snapshot.state[row.origin]
        gone = "" if origin == ALIVE else f"; the asker is {'dead' if origin == DEAD else 'gone'}"
        return (f"{begun}: {reach}{holders}{down}{gone}.", f"{begun}: {reach}{holders}.")

    def _named_in(self, row: AskRow, swarm: Swarm) -> Named:
        """The peers that an ask that is over has found. Read once, since this copies its path."""
        key = (row.id, row.hits)
        if self._named is None or self._named[0] != key:
            trace = swarm.trace(row.id)
            named = Named() if trace is None else Named(set(trace.holders) == {row.origin}, through(trace))
            self._named = (key, named)
        return self._named[1]

    def _lost_a_holder(self, before: AskRow, row: AskRow, swarm: Swarm, snapshot: Snapshot) -> bool:
        """Whether a holder that the ask before found cannot answer now, and this ask has found none that cannot.
        Computed once for each state of the peers."""
        down = (snapshot.state != ALIVE) | snapshot.censored
        key = (before.id, row.id, row.found, hash(down.tobytes()))
        if self._others is None or self._others[0] != key:
            lost, found = (
                trace is not None and bool(down[np.asarray(trace.holders, np.int64)].any())
                for trace in (swarm.trace(before.id), swarm.trace(row.id))
            )
            self._others = (key, lost and not found)
        return self._others[1]


def through(trace: Trace) -> tuple[PeerId, ...]:
    """The peers that named the holders of an ask, in order, the asker left out; none where each holder answered for
    itself alone."""
    others = tuple(peer for peer in trace.answerers if peer != trace.origin)
    return others if set(others) - set(trace.holders) else ()


def part_in(trace: Trace, peer: PeerId, labels: Sequence[str]) -> str:
    """What a peer was in an ask: `it answered ask 3`; empty for nothing."""
    ask = f"ask {trace.ask}"
    if peer in trace.answerers:
        if peer in trace.holders:
            return f"it answered {ask}"
        return f"through it {ask} found {called(trace.holders, labels)}"
    if peer not in trace.holders:
        return ""
    by = through(trace)
    return f"{ask} found it through {called(by, labels)}" if by else f"{ask} found it"


COUNTED = ("kill", "revive", "leave", "join", "shutdown", "reopen", "depart", "arrive")
"""Verbs after which the number of peers that are alive is added."""
OF_LINKS = ("cut", "mend")
"""Verbs of steps that act on one link each, not on peers."""


def settled(row: AskRow, snapshot: Snapshot) -> bool:
    """Whether an ask was answered, no question or answer of it is under way, and no peer waits to ask further. It may
    be open for a download."""
    flight = snapshot.flight
    if not row.found or row.id in snapshot.spreading | snapshot.searching or flight.total > len(flight.ask):
        return False
    return not bool(((flight.ask == row.id) & (flight.part <= ANSWER)).any())


def earlier(row: AskRow, snapshot: Snapshot) -> AskRow | None:
    """The last ask for the same before `row` that is over or `settled`: of the same asker, if there is one."""
    same = [
        each
        for each in snapshot.asks
        if each.id < row.id and each.text == row.text and each.goal == row.goal
        if each.closed_us is not None or settled(each, snapshot)
    ]
    own = [each for each in same if each.origin == row.origin]
    return own[-1] if own else same[-1] if same else None


def compare(row: AskRow, before: AskRow, spreads: bool) -> str:
    """How an ask differs from an earlier one for the same, in a sentence; empty where there is nothing to compare."""
    ask = f"ask {before.id}"
    if row.sought != "answer":
        return ""
    if bool(row.found) != bool(before.found):
        return f"{capital(ask)} {'was answered' if before.found else 'had no answer'}."
    differences = []
    if row.found != before.found:
        differences.append(more(row.found - before.found, "holder"))
    if row.first_hit_us is not None and before.first_hit_us is not None and row.origin == before.origin:
        late_s = (row.first_hit_us - before.first_hit_us) / 1e6
        if abs(late_s) >= SLIGHT_S:
            differences.append(f"{abs(late_s):.1f} s {'slower' if late_s > 0 else 'faster'}")
    if not differences and spreads and row.reached != before.reached:
        return f"{capital(more(row.reached - before.reached, 'peer'))} reached than by {ask}."
    return f"{capital(', '.join(differences))} than {ask}." if differences else f"The same as {ask}."


def stations_down(snapshot: Snapshot) -> str:
    """In a network with infrastructure of which nothing can be reached: which is dead or censored; else empty."""
    stations = np.flatnonzero(snapshot.fixed.infrastructure)
    if not len(stations):
        return ""
    dead, cut = snapshot.state[stations] != ALIVE, snapshot.censored[stations]
    if not (dead | cut).all():
        return ""
    words = "dead" if dead.all() else "censored" if not dead.any() else "dead or censored"
    return f"{called(tuple(stations.tolist()), snapshot.fixed.labels)} {'is' if len(stations) == 1 else 'are'} {words}"


def called(peers: Sequence[PeerId], labels: Sequence[str]) -> str:
    """`p017`, `p003, p012 and p020`, or `13 peers`."""
    names = [labels[peer] for peer in peers]
    if len(names) > NAMED:
        return f"{len(names):,} peers"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else "nobody"


def counted(many: int, what: str) -> str:
    """`one holder`, `three holders`, `12 holders`."""
    return f"{number(many)} {what}{'' if many == 1 else 's'}"


def number(many: int) -> str:
    """A number, as a word up to ten."""
    return NUMBERS[many] if many < len(NUMBERS) else f"{many:,}"


def more(by: int, what: str) -> str:
    """`one holder fewer`, `two holders more`."""
    return f"{counted(abs(by), what)} {'more' if by > 0 else 'fewer'}"


def was(one: bool) -> str:
    return "was" if one else "were"


def capital(sentence: str) -> str:
    """With a capital letter, unless it begins with the name of a peer."""
    first = sentence.split(" ", 1)[0]
    return sentence[:1].upper() + sentence[1:] if first.isalpha() else sentence
