"""Snapshots: their columns are those of their moment, and do not change while the swarm goes on."""

from __future__ import annotations

import math
import pickle
from collections import Counter
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
from tiny import (
    LATENCY,
    MS,
    SECOND,
    Answer,
    Bureau,
    Diary,
    Question,
    Say,
    Shout,
    ask,
    diary,
    give,
    host,
    make_swarm,
)

from engine import (
    ALIVE,
    DEAD,
    LEFT,
    PARTS,
    Ask,
    AskFor,
    Censor,
    Collude,
    ContentSpec,
    Host,
    InputError,
    Kill,
    Leave,
    Partition,
    PeerId,
    Revive,
    Set,
    Setup,
    Swarm,
    network,
    on,
    on_timeout,
)
from engine.analysis.capture import ASK_ROWS, FLIGHT_ROWS


def test_the_columns_describe_each_peer() -> None:
    swarm = make_swarm(5, Bureau, seed=9)
    frame = swarm.snapshot()
    fixed = frame.fixed
    assert fixed.protocol == "bureau"
    assert fixed.seed == 9
    assert fixed.infrastructure.tolist() == [False] * 5 + [True] * 3
    assert fixed.labels == swarm.labels == ("p000", "p001", "p002", "p003", "p004", "desk-a", "desk-b", "desk-c")
    assert [frame.roles[i] for i in frame.role.tolist()] == ["writer"] * 5 + ["clerk"] * 3
    assert fixed.operator == ("",) * 5 + ("acme", "acme", "bolt")
    assert all(0 <= place < len(fixed.places.names) for place in fixed.place.tolist())
    assert swarm.snapshot().fixed is fixed, "what does not change is the same object in every frame"


def test_the_columns_follow_what_is_done() -> None:
    swarm = make_swarm(6)
    swarm.do(Kill(0))
    swarm.do(Leave(1))
    swarm.do(Censor((2, 0)))
    swarm.do(Collude(3, "train"))
    swarm.do(Partition((4, 5)))
    frame = swarm.snapshot()
    assert frame.state.tolist() == [DEAD, LEFT, ALIVE, ALIVE, ALIVE, ALIVE]
    assert frame.censored.tolist() == [True, False, True, False, False, False]
    assert frame.colluding.tolist() == [False, False, False, True, False, False]
    assert frame.group.tolist() == [0, 0, 0, 0, 1, 1]


def test_a_snapshot_does_not_change_while_the_swarm_goes_on() -> None:
    swarm = make_swarm(
        30, topology="random:4", content=ContentSpec(), asks_per_s=5.0, churn="exponential:5", latency="world"
    )
    swarm.advance(3 * SECOND)
    frame = swarm.snapshot()
    arrays = [
        frame.state, frame.censored, frame.colluding, frame.group, frame.load, frame.last_heard_us, frame.files,
        frame.links.a, frame.links.b, frame.flight.frm, frame.flight.arrives_us, frame.series.t_s,
        *frame.series.columns.values(),
    ]  # fmt: skip
    before = [array.copy() for array in arrays]
    rows, totals = tuple(frame.asks), frame.totals
    swarm.do(Kill("random 5"))
    swarm.do(Censor("random 5"))
    swarm.do(Set("loss", 0.1))
    swarm.advance(9 * SECOND)
    swarm.snapshot()
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(arrays, before, strict=True))
    assert (frame.asks, frame.totals) == (rows, totals)
    assert frame.settings["loss"] == 0.0


def test_a_snapshot_has_the_horizon_of_a_question() -> None:
    swarm = Swarm(Setup(peers=8, options={"ttl": 3}))
    assert swarm.snapshot().horizon == 3
    swarm.do(Set("ttl", 5))
    assert swarm.snapshot().horizon == 5
    assert Swarm(Setup(protocol="gossip", peers=8)).snapshot().horizon is None


# --- in flight -----------------------------------------------------------------------------------------


def test_a_row_in_flight_has_all_that_is_needed_to_draw_it() -> None:
    swarm = make_swarm(3)
    swarm.do(AskFor(0, "x"))
    swarm.advance(MS)
    host(swarm, 2).send(1, Say("hello"))
    flight = swarm.snapshot().flight
    rows = zip(
        flight.frm.tolist(), flight.to.tolist(), flight.sent_us.tolist(), flight.arrives_us.tolist(),
        [PARTS[part] for part in flight.part.tolist()], flight.ask.tolist(), strict=True,
    )  # fmt: skip
    assert list(rows) == [
        (0, 1, 0, LATENCY, "question", 1),
        (0, 2, 0, LATENCY, "question", 1),
        (2, 1, MS, MS + LATENCY, "upkeep", 0),
    ]
    assert flight.total == 3


@pytest.mark.parametrize("latency", ["constant:10", "uniform:5-30"])
def test_beyond_two_thousand_rows_the_count_stays_true_and_the_soonest_are_shown(latency: str) -> None:
    swarm = make_swarm(60, latency=latency)
    for peer in range(60):
        host(swarm, peer).multicast([p for p in range(60) if p != peer], Shout("x"))
    swarm.advance(MS)
    host(swarm, 0).send(1, Shout("last"))
    flight = swarm.snapshot().flight
    assert flight.total == 60 * 59 + 1
    assert len(flight.to) == FLIGHT_ROWS
    assert (np.diff(flight.arrives_us) >= 0).all()


def test_of_many_instants_only_the_next_are_read() -> None:
    swarm = make_swarm(2)
    for number in range(FLIGHT_ROWS + 500):
        host(swarm, 0).send(1, Shout("x"))
        swarm.advance(number)
    flight = swarm.snapshot().flight
    assert flight.total == FLIGHT_ROWS + 500
    assert len(flight.to) == FLIGHT_ROWS
    assert flight.sent_us.tolist() == [max(0, n) for n in range(-1, FLIGHT_ROWS - 1)]


def test_messages_that_a_budget_has_not_delivered_are_in_flight() -> None:
    swarm = make_swarm(10)
    for peer in range(1, 10):
        host(swarm, peer).send(0, Say("x"))
    swarm.advance(SECOND, budget=4)
    flight = swarm.snapshot().flight
    assert flight.frm.tolist() == [5, 6, 7, 8, 9]
    assert set(flight.arrives_us.tolist()) == {swarm.now_us}
    assert flight.total == 5


# --- links ---------------------------------------------------------------------------------------------


def test_links_are_the_same_object_until_they_change() -> None:
    swarm = make_swarm(5, topology="ring")
    first = swarm.snapshot().links
    swarm.advance(SECOND)
    assert swarm.snapshot().links is first
    swarm.do(Kill(0))
    second = swarm.snapshot().links
    assert second.version > first.version
    assert len(first.a) == 5, "the old frame keeps what it had"
    assert sorted(zip(second.a.tolist(), second.b.tolist(), strict=True)) == [(1, 2), (2, 3), (3, 4)]


def test_the_overlay_at_the_start_links_peers_that_are_up() -> None:
    swarm = make_swarm(40, topology="complete", churn="exponential:100")
    frame = swarm.snapshot()
    alive = frame.state == ALIVE
    up = int(alive.sum())
    assert 20 < up < 40
    assert swarm.edges == len(frame.links.a) == up * (up - 1) // 2
    assert alive[frame.links.a].all()
    assert alive[frame.links.b].all()
    somebody = int(np.flatnonzero(alive)[0])
    assert sorted(diary(swarm, somebody).near) == [p for p in np.flatnonzero(alive).tolist() if p != somebody]


def test_a_network_without_an_overlay_starts_with_no_links() -> None:
    class Loose(Diary, name="loose"):
        overlay = False

    swarm = make_swarm(5, Loose)
    assert swarm.edges == len(swarm.snapshot().links.a) == 0
    assert diary(swarm, 0).near == []


# --- load, last heard, files ---------------------------------------------------------------------------


def test_load_is_of_the_last_whole_second_and_last_heard_of_the_last_arrival() -> None:
    swarm = make_swarm(3)
    assert swarm.snapshot().last_heard_us.tolist() == [-1, -1, -1]
    for _ in range(5):
        host(swarm, 1).send(0, Say("x"))
    host(swarm, 2).send(0, Shout("y"))
    swarm.advance(SECOND // 2)
    assert swarm.snapshot().load.tolist() == [0, 0, 0], "the second is not over"
    assert swarm.snapshot().last_heard_us.tolist() == [-1, LATENCY, LATENCY]
    swarm.advance(SECOND)
    assert swarm.snapshot().load.tolist() == [6, 0, 0]
    swarm.advance(2 * SECOND)
    assert swarm.snapshot().load.tolist() == [0, 0, 0]
    swarm.do(Censor(1))
    host(swarm, 1).send(0, Say("z"))
    swarm.advance(3 * SECOND)
    assert swarm.snapshot().last_heard_us[1] == LATENCY, "who is censored has not been heard since"


def test_files_are_counted_again_when_a_second_has_passed() -> None:
    swarm = make_swarm(2)
    assert swarm.snapshot().files.tolist() == [0, 0]
    give(swarm, 1, "blue train")
    swarm.advance(SECOND)
    assert swarm.snapshot().files.tolist() == [0, 1]


# --- series --------------------------------------------------------------------------------------------


def test_a_series_has_a_point_a_second() -> None:
    swarm = make_swarm(4)
    assert len(swarm.snapshot().series.t_s) == 0
    give(swarm, 1, "blue train")
    swarm.advance(SECOND + 1)
    host(swarm, 0).multicast((1, 2), Say("x"))
    swarm.do(Kill(3))
    swarm.do(Censor((2, 3)))
    swarm.advance(2 * SECOND)
    ask(swarm, 0, "blue train", run_s=2)
    series = swarm.snapshot().series
    assert series.t_s.tolist() == [1, 2, 3, 4]
    columns = {name: values.tolist() for name, values in series.columns.items()}
    assert columns["alive"] == [4, 3, 3, 3]
    assert columns["censored"] == [0, 1, 1, 1], "the dead are not counted as censored"
    assert columns["messages_per_s"] == [0, 2, 4, 0]
    assert columns["bytes_per_s"][1] == 2 * 4
    assert columns["duplicates_per_s"] == [0, 0, 0, 0]
    assert [math.isnan(x) for x in columns["success"]] == [True, True, False, False]
    assert columns["success"][3] == 1.0


def test_samples_are_as_far_apart_as_the_setup_says() -> None:
    swarm = make_swarm(3, sample_s=0.25)
    swarm.advance(SECOND // 2)
    host(swarm, 0).multicast([1, 2], Say("x"))
    swarm.advance(2 * SECOND)
    series = swarm.series()
    assert series.t_s.tolist() == [0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0]
    assert series.columns["messages_per_s"].tolist() == [0, 0, 8, 0, 0, 0, 0, 0], "two in a quarter of a second"
    assert series.columns["load"][2] == pytest.approx(8 / 3)
    slow = make_swarm(3, sample_s=2.0)
    slow.advance(SECOND // 2)
    host(slow, 0).multicast([1, 2], Say("x"))
    slow.advance(5 * SECOND)
    assert slow.series().columns["messages_per_s"].tolist() == [1, 0]
    assert slow.fingerprint() == swarm.fingerprint(), "who measures changes nothing"
    for wrong in (0.0, float("nan"), 1e9):
        with pytest.raises(InputError, match=r"sample_s, the time between two samples, should be from 0\.01 to 3,600"):
            make_swarm(1, sample_s=wrong)


# --- asks and events -----------------------------------------------------------------------------------


def test_the_last_two_hundred_asks_are_shown_oldest_first() -> None:
    swarm = make_swarm(2)
    for number in range(ASK_ROWS + 30):
        swarm.do(AskFor(0, f"number {number}"))
    frame = swarm.snapshot()
    assert frame.asks_total == ASK_ROWS + 30 == len(swarm.asks())
    assert [row.id for row in frame.asks] == list(range(31, ASK_ROWS + 31))
    assert {row.closed_us for row in frame.asks[:-1]} <= {None, 0}
    swarm.advance(SECOND)
    after = swarm.snapshot().asks
    assert all(row.closed_us == 2 * LATENCY for row in after)
    assert swarm.snapshot().asks[0] is after[0], "rows of closed asks are not made again"
    assert after == tuple(swarm.asks()[-ASK_ROWS:])


def test_events_are_numbered_and_the_last_five_thousand_kept() -> None:
    swarm = make_swarm(2)
    assert list(swarm.events()) == []
    for _ in range(3_000):
        swarm.do(Kill(0))
        swarm.do(Revive(0))
    events = list(swarm.events())
    assert [events[0].seq, events[-1].seq, len(events)] == [1_001, 6_000, 5_000]
    assert [event.seq for event in swarm.events(since=5_998)] == [5_999, 6_000]
    assert list(swarm.events(since=6_000)) == list(swarm.events(since=9_999)) == []
    assert len(list(swarm.events(since=-5))) == 5_000


def test_totals_count_kinds() -> None:
    swarm = make_swarm(3)
    ask(swarm, 0, "x")
    totals = swarm.snapshot().totals
    assert Counter({kind: n for kind, n in totals.by_kind.items() if n}) == {"Question": 2, "Answer": 2}
    assert (totals.sent, totals.delivered, totals.dropped, totals.in_flight) == (4, 4, 0, 0)
    assert totals.bytes == sum(row.bytes for row in swarm.asks())


# --- looking at one peer -------------------------------------------------------------------------------


def test_the_inspector_sees_peers_libraries_and_what_there_is_to_find() -> None:
    swarm = make_swarm(20, content=ContentSpec(items=10, replicas=3, free_riders=0.5))
    titles = swarm.catalogue_titles(3)
    assert len(titles) == 3
    assert len(swarm.catalogue_titles(99)) == 10
    assert swarm.select(f'holds "{titles[0]}"')
    assert isinstance(swarm.peer(3), Diary)
    assert swarm.ban_of(3) == ""
    assert set(swarm.links_of(3)) == set(range(20)) - {3}
    assert "p003" in swarm.completions("p00")


def test_labels_widen_with_the_swarm() -> None:
    assert make_swarm(3).labels[2] == "p002"
    assert make_swarm(1_001, topology="ring").labels[7] == "p0007"


def test_a_swarm_of_a_registered_network_needs_no_program() -> None:
    swarm = Swarm(Setup(protocol="gossip", peers=8, seed=2, asks_per_s=0.0))
    swarm.do(AskFor("p000", "fire"))
    swarm.advance(10 * SECOND)
    assert swarm.asks()[0].verdict.startswith("Heard by ")
    assert swarm.snapshot().fixed.protocol == "gossip"
    assert Question.kind not in swarm.snapshot().totals.by_kind


# --- identifiers ---


def test_peers_without_identifiers_have_no_column_of_them() -> None:
    assert len(Swarm(Setup(peers=8, seed=1)).snapshot().ident) == 0


def test_a_peer_tells_its_place_on_the_circle_and_keeps_it_when_it_dies(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = network("gossip")
    monkeypatch.setattr(kind, "identifier", lambda self: None if self is odd else 0.25, raising=False)
    odd = None
    swarm = Swarm(Setup(protocol="gossip", peers=8, seed=1))
    odd = swarm.peer(3)
    ident = swarm.snapshot().ident
    assert ident[0] == 0.25
    assert np.isnan(ident[3])
    swarm.do(Kill(0))
    swarm.advance(3_000_000)
    assert swarm.snapshot().ident[0] == 0.25


@dataclass(slots=True)
class NextRing:
    """Time to ask the next one."""

    text: str
    at: int


@dataclass(slots=True)
class Fetching:
    """A download, which goes on for long."""

    part: ClassVar = "transfer"


@dataclass(slots=True)
class Upkeep:
    """It never stops."""


class Expanding(Diary, name="expanding"):
    """Asks one neighbour after the other, a second apart; who finds something fetches it for a minute."""

    def start(self, host: Host, contacts: Any, saved: object | None) -> None:
        super().start(host, contacts, saved)
        host.every(SECOND // 10, Upkeep())

    def ask(self, host: Host, ask: Ask) -> None:
        self.next_ring(host, NextRing(ask.text, 0))

    @on(NextRing)
    def next_ring(self, host: Host, tick: NextRing) -> None:
        host.send(self.near[tick.at], Question(tick.text))
        if tick.at + 1 < len(self.near):
            host.after(SECOND, NextRing(tick.text, tick.at + 1))

    @on(Answer)
    def answer(self, host: Host, sender: PeerId, message: Answer) -> None:
        super().answer(host, sender, message)
        if message.names:
            host.after(60 * SECOND, Fetching())

    @on(Fetching)
    def fetch(self, host: Host, tick: Fetching) -> None:
        """Do nothing: the download has ended."""

    @on(Upkeep)
    def tend(self, host: Host, tick: Upkeep) -> None:
        """Nothing to do."""


def test_an_answered_ask_is_searching_while_a_timer_of_it_may_ask_further() -> None:
    swarm = make_swarm(4, Expanding)
    near = diary(swarm, 0).near
    for peer in near[0], near[2]:
        give(swarm, peer, "blue train")
    number = ask(swarm, 0, "blue train", run_s=0.005).id
    assert swarm.snapshot().spreading == {number}, "its first question is under way"
    assert not swarm.snapshot().searching
    told = []
    copy: Swarm = pickle.loads(pickle.dumps(swarm))
    for one in (swarm, copy):
        seen = []
        for at_s in (0.5, 1.5, 2.5, 30.0, 70.0):
            one.advance(round(at_s * SECOND))
            frame = one.snapshot()
            assert not frame.spreading, "nothing is under way between two rings"
            seen.append((number in frame.searching, frame.asks[-1].found, frame.asks[-1].closed_us is None))
        told.append(seen)
    # Two rings are to come, then one, then none: the download keeps it open, and the upkeep goes on.
    assert told[0] == [(True, 1, True), (True, 1, True), (False, 2, True), (False, 2, True), (False, 2, False)]
    assert told[1] == told[0], "after a checkpoint"


class Caller(Diary, name="caller"):
    """Asks #1 by a message, and calls #2, which never answers."""

    def ask(self, host: Host, ask: Ask) -> None:
        host.send(1, Question(ask.text))
        host.call(2, Say(ask.text), timeout_us=10 * SECOND, part="question" if "blue" in ask.text else "transfer")

    @on(Say)
    def say(self, host: Host, sender: PeerId, message: Say) -> None:
        """It is busy."""

    @on_timeout(Say)
    def silent(self, host: Host, to: PeerId, context: object, reason: str) -> None:
        """Nobody is asked in its place."""


def test_a_call_for_more_is_part_of_a_search_and_one_that_fetches_is_none() -> None:
    swarm = make_swarm(4, Caller)
    for text, part in (("blue train", "question"), ("paper moon", "transfer")):
        give(swarm, 1, text)
        number = ask(swarm, 0, text, run_s=0.5).id
        assert (number in swarm.snapshot().searching) == (part == "question"), text
        assert swarm.record(number).found == 1
        swarm.advance(swarm.now_us + 20 * SECOND)
        assert number not in swarm.snapshot().searching
