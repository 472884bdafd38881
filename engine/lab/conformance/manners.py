"""Checks of how a program behaves: it answers, sends little when nobody asks, forgets, uses only its own memory, and
ends."""

from __future__ import annotations

import math
import pickle
from dataclasses import dataclass
from typing import Any
from unittest import mock

from ...api import Peer, Shown, goals_to_ask
from ...commands import Act, AskFor, Kill, Publish, Set
from ...errors import InputError
from ...measure.snapshot import ALIVE
from ...programs import values_of, verbs_of
from ...simulation import Simulation
from .inside import copied, globals_of, packed
from .watch import SECOND, TRIES, LateWires, Spied, Variant

IDLE_MOST = 5.0
"""Messages per peer and second when nobody asks anything."""

DATA = "transfer"

CALL_MOST_S = 300.0
"""How long a call may wait for its next answer."""
PATIENCE_S = 3_600
"""How long an ask may be kept open."""
EXAMPLES: dict[type, object] = {str: "blue train", int: 1, float: 0.5, bool: True}
"""Values of a verb that gives no example."""
LOOKED = "a shown column that depends on who looks"

ASKS = (300, 600, 1_200)
"""The programs are measured after these numbers of asks in turn, and at last after twice the largest number."""

FULL_MOST = 1_200
"""A program that keeps more than 1 / `FULL_MOST` of its own size for each ask does not forget. One that keeps exactly
that share has grown, from n to 2n asks, by the factor (1 + 2n / FULL_MOST) / (1 + n / FULL_MOST): from 1,200 to 2,400
asks by 1.5, and from 300 to 600 by 1.2. So tables that are full early are recognised in a short run as surely as in a
long one; the others have time until the end of the run to be full."""

SELDOM_S = 60.0
"""Seconds between two samples of the time series: few, since no program takes part in them."""

EACH = 0.9
"""A table with more entries than this share of all asks is taken to have one entry for each ask."""

LEDGER_MOST = 2.1
"""How many times as large a program that keeps a ledger may be after twice as many asks, since it grows in proportion.

A ledger that is settled from time to time, as by blocks, is larger before this than after it, and the earlier size may
have been measured just after it. So a program may also have as many bytes for each ask as in any measurement before,
times half of this factor."""


@dataclass(frozen=True)
class Traffic:
    """What a network sends, for each peer and second: (messages, delivered bytes without those of transfers).

    idle: when nobody asks; asked: when each peer asks once in twelve seconds."""

    idle: tuple[float, float]
    asked: tuple[float, float]

    def line(self) -> str:
        """As a line of a table."""
        (idle, idle_bytes), (asked, asked_bytes) = self.idle, self.asked
        return f"{idle:10.2f} {idle_bytes:10,.0f} B {asked:10.2f} {asked_bytes:10,.0f} B"


def answers(network: Variant) -> None:
    """It starts, an ask is answered, one for what was just published too, and asks come to an end. Of each further goal
    that a user can choose, an ask for one of its examples is answered, or the network says why none is."""
    made = Spied(network)
    made.run(5)
    assert made.answered(), f"nobody found anything, or few heard of it: {made.unanswered()}"
    for goal in goals_to_ask(network.program.goals)[1:]:
        assert made.served(goal), (
            f'asks with the goal "{goal.name}" are not answered, nor does host.failed or verdict say why: '
            f"{', '.join(made.swarm.examples(TRIES, goal.name))}"
        )
    if any(program.shares_files or program.has_all for program in network.programs()) or (
        made.swarm.asks()[0].sought == "share"
    ):
        made.do(Publish(1, "a song unheard"))
        made.run(70)
        made.do(AskFor(7, "a song unheard"))
        made.run(15)
        assert made.found(made.swarm.asks()[-1]), "what was published is not to be found"
    assert made.swarm.advance_quiet(made.swarm.now_us + 7_200 * SECOND), "an ask never ends"


def tells_the_truth_of_asks(network: Variant) -> None:
    """A peer reports only about asks that began at it, takes back only hits that it has reported, reports progress that
    never decreases, and lets each ask close in the end."""
    made = Spied(network, asks_per_s=2.0)
    made.run(12)
    made.do(Kill("random 2"))
    made.run(12)
    assert not made.untrue, made.untrue[0]
    if made.kept_open():
        made.do(Set("asks", 0.0))
        for _ in range(PATIENCE_S // 60):
            if made.kept_open():
                made.run(60)
        assert not made.kept_open(), f"{made.kept_open()[0]} after {PATIENCE_S} s without another ask"


def is_calm(network: Variant) -> None:
    """When nobody asks, few messages are sent."""
    made = Spied(network, peers=24)
    made.run(60)
    before = made.simulation.shared.sent
    made.run(60)
    rate = (made.simulation.shared.sent - before) / made.simulation.n / 60
    assert rate <= IDLE_MOST, f"{rate:.1f} messages a peer and second, for nothing"


def traffic(network: Variant) -> Traffic:
    """Measure what it sends."""
    made = Spied(network, peers=24)
    made.run(20)

    def measured() -> tuple[float, float]:
        sim = made.simulation

        def sent() -> tuple[int, int]:
            sim.metrics.flush()
            kept = [size for size, kind in zip(sim.metrics.bytes_by_kind, sim.kinds, strict=True) if kind.part != DATA]
            return sim.shared.sent, int(sum(kept))

        before = sent()
        made.run(40)
        after = sent()
        return (after[0] - before[0]) / sim.n / 40, (after[1] - before[1]) / sim.n / 40

    idle = measured()
    made.do(Set("asks", 2.0))
    return Traffic(idle, measured())


def forgets(network: Variant) -> None:
    """A program that has run twice as long is not larger, unless it keeps a ledger (`Peer.ledger`), which grows in
    proportion. All four peers ask at once, every four seconds."""
    made = Spied(network, peers=4, topology="complete", sample_s=SELDOM_S)
    ledger = any(program.ledger for program in network.programs())
    before = asked = 0
    each = 0.0
    for asks in (*ASKS, 2 * ASKS[-1]):
        while asked < asks:
            made.do(AskFor((0, 1, 2, 3), made.title(asked // 4)))
            made.run(4)
            asked += 4
        after = sum(len(packed(each)[0]) for _, each in made.living())
        if ledger:
            most = max(before * LEDGER_MOST, each * asks * LEDGER_MOST / 2)
            full = asks >= ASKS[-1] and after <= most
            each = max(each, after / asks)
        else:
            full = after * (1 + asks / 2 / FULL_MOST) <= before * (1 + asks / FULL_MOST)
            # A table with an entry for each ask may have a limit that it has not reached yet.
            full = full and (asks == 2 * ASKS[-1] or made.largest() < asks * EACH)
        if full:
            break
        before, grown = after, f"the programs grew from {before} to {after} bytes"
    assert full, grown
    made.look()


def leaves_messages_alone(network: Variant) -> None:
    """Nobody changes a message after it was sent: neither its sender nor a receiver."""
    made = Spied(network, sampling=True, asks_per_s=2.0)
    made.copying = True
    made.run(10)
    made.do(Kill("random 3"))
    made.run(10)
    for message, then in made.messages.values():
        assert repr(message) == then, f"{then} became {message!r}"
    assert not made.changed, made.changed[0]
    for _, _, message in made.samples.values():
        assert repr(pickle.loads(pickle.dumps(message))) == repr(message), (
            f"{message!r} is another one when it is copied"
        )


def keeps_no_host(network: Variant) -> None:
    """A program is plain data: it pickles, with nothing of the engine but timers inside."""
    made = Spied(network, asks_per_s=2.0)
    for _ in range(5):
        made.run(1.3)
        for _, each in made.living():
            packed(each)
            pickle.dumps(each)
    assert not made.wrong, made.wrong[0]


def lives_on_as_a_copy(network: Variant) -> None:
    """Programs that were pickled and unpickled go on in the same way. Their state is in themselves, and not in their
    class or module."""
    plain, stored = (Spied(network, asks_per_s=3.0) for _ in range(2))
    shared = globals_of(network.programs())
    for step in range(12):
        if step == 6:
            plain.do(Kill((2, 5)))
            stored.do(Kill((2, 5)))
        for peer, each in stored.living():
            stored.simulation.programs[peer] = stored.simulation.kernel.peers[peer] = copied(each)
        plain.run(0.71)
        stored.run(0.71)
    assert stored.swarm.fingerprint() == plain.swarm.fingerprint(), "copies behave otherwise than their originals"
    assert globals_of(network.programs()) == shared, "a class or module of the network was changed by the run"


def starts_alike(network: Variant) -> None:
    """Which program a peer runs, and what a network holds that starts converged, follow from the seed: `cast` and
    `converge` draw from the stream that they are given, and the streams of the peers are for the peers."""
    before: dict[int, int] = {}
    converge = Simulation.converge

    def state(stream: Any) -> int:
        return int(stream.state)

    def watched(simulation: Simulation) -> None:
        streams = {host.me: state(host.rng) for host in simulation.peer_hosts}
        converge(simulation)
        before.update(streams)
        drawn = [host.me for host in simulation.peer_hosts if state(host.rng) != streams[host.me]]
        assert not drawn, f"converge drew from the stream of #{drawn[0]}"

    with mock.patch.object(Simulation, "converge", watched):
        first, second = Spied(network), Spied(network)
    assert before, "no peer"
    assert first.simulation.program_types == second.simulation.program_types, "cast gives other programs each time"
    for (peer, one), (_, other) in zip(first.living(), second.living(), strict=True):
        assert packed(one)[0] == packed(other)[0], f"#{peer} starts otherwise each time"


def examples_of(program: type[Peer], verb: str) -> dict[str, object]:
    """A value for each parameter of a verb: its example, or a value of its type."""
    return {
        name: one.allowed.example or (one.allowed.choices or (EXAMPLES[one.allowed.kind],))[0]
        for name, one in values_of(program, verb).items()
    }


def acts(network: Variant) -> None:
    """Each verb can be done to all peers, again and again, with the examples of its values."""
    for program in network.programs():
        for name in verbs_of(program):
            made = Spied(network, asks_per_s=2.0)
            given = examples_of(program, name)
            for _ in range(3):
                made.run(2)
                try:
                    made.do(Act(tuple(peer for peer, each in made.living() if type(each) is program), name, given))
                except InputError as error:
                    # `why_not` of the verb may refuse it for all peers.
                    if "was not done, since" not in str(error):
                        raise
            made.look()


def ends_when_it_stops(network: Variant) -> None:
    """A peer sets no timer and makes no call in `stop`, and does nothing after it, nor after it was killed."""
    made = Spied(network, peers=12, asks_per_s=3.0)
    made.run(4)
    for peer in (*range(4), *made.simulation.stations):
        made.leave(peer)
    made.do(Kill((4, 5)))
    made.run(20)
    assert not made.late, made.late[0]
    for peer in (*range(4), *made.simulation.stations):
        assert made.simulation.state[peer] != ALIVE, f"#{peer} has left, and is alive"


def late_answers(network: Variant) -> None:
    """An answer that comes when its call has ended changes nothing, even if it is a message that was sent without a
    call."""
    if not calls(network):
        return
    made = Spied(network, LateWires, asks_per_s=2.0)
    made.run(15)
    assert not made.wrong, made.wrong[0]


def calls_end(network: Variant) -> None:
    """Each call is answered or ends, and each request is answered as often as it asked for."""
    if not calls(network):
        return
    made = Spied(network, asks_per_s=2.0)
    made.run(10)
    made.do(Kill("random 3"), Set("asks", 0.0))
    made.run(10)
    assert not made.wrong, made.wrong[0]
    made.run(CALL_MOST_S)
    for peer, _ in made.living():
        for call in made.simulation.peer_hosts[peer].calls.values():
            waits_s = (made.swarm.now_us - (call.due_us - call.waits_us[call.tries - 1])) / SECOND
            assert waits_s < CALL_MOST_S, f"#{peer} has waited {waits_s:.0f} s for an answer to a {call.request.kind}"


def calls(network: Variant) -> bool:
    """Whether a network makes calls."""
    return any(program.replies or program.timeouts for program in network.programs())


def shows_what_is_so(network: Variant) -> None:
    """The values that a peer shows are of the kinds that its columns state, reading them changes nothing, and the links
    that it marks exist."""
    made, alone = (Spied(network, asks_per_s=2.0) for _ in range(2))
    columns = [column.name for column in made.swarm.snapshot().fixed.shows]
    for number in range(6):
        for each in (made, alone):
            each.run(1.7)
            if number == 2:
                each.do(Kill("random 3"))
        before = {peer: packed(program)[0] for peer, program in made.living()}
        made.swarm.snapshot(columns, contacts=True)
        for peer, program in made.living():
            first, again = program.shown(), program.shown()
            assert repr(again) == repr(first), f"#{peer}: {LOOKED}: {first}, then {again}"
            assert packed(program)[0] == before[peer], f"#{peer}: {LOOKED}: it changed the peer"
            for column, value in zip(type(program).shows, first, strict=True):
                assert fits(column, value), f"#{peer}: {value!r} is no {column.kind} in the column {column.name}"
    assert made.swarm.fingerprint() == alone.swarm.fingerprint(), (
        "a shown column that depends on who looks: another run"
    )
    assert not made.stray, made.stray[0]


def fits(column: Shown, value: float | str) -> bool:
    """Whether a value is possible in its column; NaN and "" always are."""
    if column.kind == "category":
        return isinstance(value, str) and (not value or not column.values or value in column.values)
    if isinstance(value, str) or math.isinf(value):
        return False
    low, high = {"share": (0.0, 1.0), "number": (-math.inf, math.inf)}.get(column.kind, (0.0, math.inf))
    return math.isnan(value) or low <= value <= high
