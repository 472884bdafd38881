"""What a peer reports on asks: goals, asks that the network opens, hits by others, progress, referrals, shares."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from tiny import SECOND, Actor, Batch, Diary, Load, Question, ask, give, hears, host, make_swarm

from engine import (
    FIND,
    PUBLISH,
    Ask,
    AskFor,
    AskIssued,
    Censor,
    Collude,
    Facts,
    Goal,
    Hit,
    Host,
    InputError,
    Kill,
    Noted,
    Peer,
    PeerId,
    Publish,
    Revive,
    Set,
    Swarm,
    mentions,
    message,
    on,
)
from engine.api import Ban
from engine.errors import NetworkFault
from engine.lab.export import asks_csv
from engine.measure import archive
from engine.record.checkpoints import pack_swarm, unpack_swarm
from engine.testing import FakeHost

MS = 1_000
BLOCK = Goal("block", "mine", "A block that everyone should have.", audience="everyone")


@message(part="question")
class Step:
    """Who is nearer to this key?"""

    key: int

    def about(self) -> Iterable[int]:
        return (self.key,)


@message(part="answer")
class Referral:
    """`nearer` is; or `holder` has it."""

    key: int
    nearer: PeerId
    holder: PeerId


@dataclass(slots=True)
class Refresh:
    """Time to look whether the next peer is there."""


@dataclass(slots=True)
class NoOptions:
    """None."""


class Finder(Peer, name="finder-of-tests", options=NoOptions):
    """Each peer refers to the next one, and the asker goes from one to the other. The last one but two keeps a record:
    it names the last one. `looking`: key -> its text, cause, and pieces that are done."""

    goals = (replace(FIND, success_s=2.0), PUBLISH)
    knows = "everyone"
    overlay = False

    def __init__(self) -> None:
        self.n = 0
        self.looking: dict[int, tuple[str, Any]] = {}
        self.records: dict[int, PeerId] = {}

    @classmethod
    def key_of(cls, text: str) -> int:
        return sum(ord(letter) << 3 * i for i, letter in enumerate(text))

    @classmethod
    def verdict(cls, facts: Facts, options: Any) -> str | None:
        if facts.hits or facts.goal != "find":
            return None
        return f"No answer: {facts.keepers.living} keep a record, {facts.done:g} of {facts.of:g} steps were made."

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        self.n = len(contacts)
        host.every(SECOND, Refresh())

    def keeps(self, text: str) -> bool:
        return self.key_of(text) in self.records

    @on(Refresh)
    def refresh(self, host: Host, tick: Refresh) -> None:
        host.send((host.me + 1) % self.n, Step(-1), part="upkeep")

    def ask(self, host: Host, ask: Ask) -> None:
        key = self.key_of(ask.text)
        self.looking[key] = (ask.text, host.cause)
        host.send((host.me + 1) % self.n, Step(key))

    @on(Step)
    def step(self, host: Host, sender: PeerId, message: Step) -> None:
        if message.key >= 0:
            host.send(sender, Referral(message.key, (host.me + 1) % self.n, self.records.get(message.key, -1)))

    @on(Referral)
    def referral(self, host: Host, sender: PeerId, message: Referral) -> None:
        found = self.looking.get(message.key)
        if found is None or sender == host.me:
            return
        host.progress(sender - host.me, self.n)
        if message.holder >= 0:
            host.hit(message.holder, found[0], by=sender)
        elif message.nearer != host.me:
            host.send(message.nearer, Step(message.key), via=sender)


def finders(peers: int = 8) -> Swarm:
    swarm = make_swarm(peers, Finder, asks_per_s=0.0)
    finder(swarm, peers - 2).records[Finder.key_of("blue train")] = peers - 1
    return swarm


def test_only_living_peers_keep_records() -> None:
    swarm = finders()
    assert swarm.keeps_records
    swarm.do(AskFor(0, "blue train"))
    assert swarm.keepers_of(1) == (6,)
    swarm.do(Kill(6))
    assert swarm.keepers_of(1) == ()
    with pytest.raises(InputError, match="no ask 7"):
        swarm.keepers_of(7)
    other = make_swarm(4, Actor, asks_per_s=0.0)
    assert not other.keeps_records


def finder(swarm: Swarm, peer: PeerId) -> Finder:
    program = swarm.peer(peer)
    assert isinstance(program, Finder)
    return program


# --- with a FakeHost -------------------------------------------------------------------------------------


def test_a_fake_host_keeps_what_is_reported_on_asks() -> None:
    tape, peer = FakeHost(me=3), Finder()
    peer.n = 9
    tape.ask(peer, Ask(7, "find", "blue train"))
    key = Finder.key_of("blue train")
    assert tape.take() == [(4, Step(key))]
    tape.give(peer, Referral(key, 5, -1), sender=4)
    assert (tape.sent, tape.vias, tape.causes) == ([(5, Step(key))], [4], [7])
    tape.give(peer, Referral(key, 6, 8), sender=5)
    assert tape.noted("hit") == [{"holder": 8, "content": "blue train", "by": 5}]
    assert [facts["done"] for facts in tape.noted("progress")] == [1, 2]
    tape.tick(peer, Refresh())
    assert (tape.parts[-1], tape.causes[-1]) == ("upkeep", 0)


def test_a_fake_host_opens_joins_and_keeps_asks() -> None:
    tape = FakeHost()
    first = tape.begin("x", BLOCK, key=5)
    assert tape.begin("x", BLOCK, key=5) == first != tape.begin("x", BLOCK, key=6)
    tape.keep_open(first)
    tape.keep_open(first)
    assert tape.open_asks == [first]
    tape.let_close(first)
    tape.unhit(4)
    tape.failed("why")
    tape.decoy(4, "x")
    tape.fetched(5, "x")
    tape.log("choke", to=4)
    tape.duplicate()
    assert tape.open_asks == []
    assert [kind for kind, _ in tape.notes][2:] == ["unhit", "failed", "decoy", "fetched", "choke", "duplicate"]


# --- goals -----------------------------------------------------------------------------------------------


def test_an_ask_has_a_goal_of_its_network_by_default_the_first() -> None:
    swarm = finders()
    assert ask(swarm, 0, "blue train").goal == "find"
    swarm.do(AskFor(0, "blue train", goal="find"))
    swarm.do(Publish(0, "red train"))
    assert [row.goal for row in swarm.asks()] == ["find", "find", "publish"]
    with pytest.raises(InputError, match=r'"publish" is not asked for, .* command publish: "find" is expected'):
        swarm.do(AskFor(0, "nobody has this", goal="publish"))
    with pytest.raises(InputError, match=r'finder-of-tests has no goal "fidn"; did you mean "find"\?'):
        swarm.do(AskFor(0, "x", goal="fidn"))
    assert [goal.name for goal in swarm.snapshot().fixed.goals] == ["find", "publish"]


def test_a_goal_equals_its_name_alone() -> None:
    get = replace(FIND, name="get")
    assert get == "get"
    assert Ask(1, "get", "x").goal == get
    assert get != "find"
    assert get != replace(get, success_s=1.0)
    assert get == replace(get)
    assert {get: 1}["get"] == 1  # type: ignore[index]


def test_success_is_within_the_time_of_the_goal() -> None:
    class Slow(Actor, name="slow"):
        goals = (replace(FIND, success_s=20.0),)

    swarm = make_swarm(3, Slow)
    swarm.do(AskFor(0, "a"))
    hears(swarm, 0, lambda h: h.hit(1, "a", cause=1 << 20))
    swarm.advance(15 * SECOND)
    assert swarm.simulation.metrics.window_us == 60 * SECOND
    host(swarm, 0).hit(1, "a", cause=1 << 20)
    assert swarm.success(0, 15) == 1.0
    swarm.do(AskFor(0, "b"))
    swarm.advance(36 * SECOND)
    host(swarm, 0).hit(1, "b", cause=2 << 20)
    assert swarm.success(0, 40) == 0.5, "21 s are too late"


def even(text: str, programs: Sequence[Peer | None]) -> list[PeerId]:
    return [peer for peer in range(len(programs)) if peer % 2 == 0]


def of_rumours(titles: Sequence[str], rng: Any, now_us: int) -> str:
    return f"rumour {rng.randrange(1_000)} of {len(titles)}"


def test_an_audience_of_its_own_is_what_counts() -> None:
    class Even(Actor, name="even"):
        goals = (Goal("tell", "tell", "Tell the even.", audience=even, draw=of_rumours),)

    swarm = make_swarm(6, Even, content=make_swarm().setup.content)
    hears(swarm, 0, lambda h: h.multicast((1, 2, 3), Question("a")))
    row = ask(swarm, 0, "a")
    assert row.verdict == "Heard by 1 of 2 living peers (50%)."
    assert (row.reached, row.sought, swarm.success(0, 5)) == (3, "share", 0.5)
    swarm.do(Kill(4))
    assert ask(swarm, 0, "a").verdict == "Heard by 1 of 1 living peer (100%)."
    swarm.do(Set("asks", 5.0))
    swarm.advance(swarm.now_us + 2 * SECOND)
    assert all(each.text.startswith("rumour ") and each.goal == "tell" for each in swarm.asks()[2:])
    assert len(swarm.asks()) > 2


def test_other_parts_may_be_what_reaches_a_peer() -> None:
    class Hauler(Actor, name="hauler"):
        goals = (Goal("haul", "haul", "Bring it.", audience="everyone", reached_by=frozenset({"transfer"})),)

    swarm = make_swarm(6, Hauler)
    hears(swarm, 0, lambda h: (h.multicast((1, 2), Question("a")), h.send(3, Load("a")), h.send(3, Load("b"))))
    row = ask(swarm, 0, "a")
    assert (row.reached, row.messages, row.hops) == (1, 2, 1)
    trace = swarm.trace(row.id)
    assert trace is not None
    assert (trace.questions.total, trace.repeats[3], trace.hop.tolist()) == (2, 1, [0, -1, -1, 1, -1, -1])


# --- parts and referrals ---------------------------------------------------------------------------------


@pytest.mark.parametrize("slices", [1, 7, 400])
def test_tree_and_depth_follow_who_referred_to_whom(slices: int) -> None:
    swarm = finders()
    swarm.do(AskFor(1, "blue train"))
    for at in range(1, slices + 1):
        swarm.advance(400 * MS * at // slices)
        swarm.trace(1)
    row, trace = swarm.record(1), swarm.trace(1)
    assert trace is not None
    assert trace.hop.tolist() == [-1, 0, 1, 2, 3, 4, 5, -1]
    assert trace.frm.tolist() == [-1, -1, 1, 2, 3, 4, 5, -1]
    assert set(trace.questions.frm.tolist()) == {1}, "they were sent by the asker"
    assert (row.reached, row.hops, row.hits, row.answerers) == (5, 5, 1, 1)
    assert (trace.holders, trace.answerers) == ((7,), (6,))


def test_a_referral_is_followed_in_a_busy_swarm_as_in_a_quiet_one() -> None:
    """Many rows in one pass, and a depth that reached peers pass on."""

    def path(step_us: int) -> Any:
        swarm = make_swarm(40, Actor)
        hears(swarm, 0, lambda h: h.send(1, Question("a")) if h.now_us == 0 else None)
        hears(swarm, 1, lambda h: h.send(2, Question("a"), via=0) if h.now_us < 15 * MS else None)
        hears(swarm, 2, lambda h: h.multicast(range(3, 40), Question("a")))
        for peer in range(3, 40):
            hears(swarm, peer, lambda h: h.send(h.me % 2, Question("a"), via=1) if h.me % 5 else None)
        swarm.do(AskFor(0, "a"))
        for at in range(step_us, 200 * MS + 1, step_us):
            swarm.advance(at)
            swarm.snapshot()
        trace = swarm.trace(1)
        assert trace is not None
        return trace.hop.tolist(), trace.frm.tolist(), trace.repeats.tolist(), swarm.record(1).reached

    hop, frm, _, reached = path(200 * MS)
    assert hop[:4] == [0, 1, 1, 2]
    assert (frm[2], frm[39], reached) == (0, 2, 39)
    assert path(200 * MS) == path(MS)


def test_a_part_overrides_that_of_the_class() -> None:
    swarm = finders()
    swarm.advance(3 * SECOND)
    swarm.do(AskFor(0, "blue train"))
    swarm.advance(4 * SECOND)
    row = swarm.record(1)
    assert row.messages == 6, "the upkeep that its peers send is none of it"
    totals, names = swarm.snapshot().totals, [kind.name for kind in swarm.simulation.kinds]
    assert list(totals.by_kind) == names
    assert totals.by_kind["Step"] > 6 + 2 * 8
    assert totals.bytes_by_kind["Step"] > totals.bytes_by_kind["Referral"] > 0
    assert {names[each.kind] for each in swarm.last_messages(1)} == {"Step", "Referral"}
    swarm.do(Kill(3))
    swarm.advance(8 * SECOND)
    assert set(swarm.snapshot().totals.dropped_kinds) == {"Step"}


def test_each_cause_has_its_share_of_the_bytes() -> None:
    def shares(causes: Any) -> list[int]:
        swarm = make_swarm(4, Actor)
        kept: list[Any] = []
        hears(swarm, 0, lambda h: kept.append(h.cause))
        for text in ("a", "b", "c"):
            ask(swarm, 0, text, run_s=0)
        hears(swarm, 0, lambda h: None)
        host(swarm, 0).send(2, Batch(("a",) * 100), cause=causes(kept))
        swarm.advance(SECOND)
        return [row.bytes for row in swarm.asks()]

    a, b, c = shares(lambda kept: kept)
    assert a == b == c > 50
    whole = a + b + c
    first, second, none = shares(lambda kept: [(kept[0], 300), (kept[1], 100)])
    assert none == 0
    assert first == pytest.approx(whole * 3 / 4, abs=2)
    assert second == pytest.approx(whole / 4, abs=2)
    assert shares(lambda kept: [(kept[0], 0), (kept[1], 0)])[:2] == [pytest.approx(whole / 2, abs=2)] * 2


def test_a_joint_cause_may_be_kept_and_stated_among_others() -> None:
    swarm = make_swarm(4, Actor)
    kept: list[Any] = []
    hears(swarm, 0, lambda h: kept.append(h.cause))
    for text in ("a", "b", "c"):
        ask(swarm, 0, text, run_s=0)
    hears(swarm, 0, lambda h: None)
    joint: list[Any] = []
    hears(swarm, 1, lambda h: joint.append(h.cause))
    host(swarm, 0).send(1, Batch(("a", "b")), cause=kept[:2])
    swarm.advance(SECOND)
    before = [row.messages for row in swarm.asks()]
    hears(swarm, 2, lambda h: None)
    host(swarm, 1).send(2, Batch(("a", "b", "c")), cause=[joint[0], kept[2]])
    host(swarm, 1).send(2, Batch(("a", "b", "c")), cause=[(joint[0], 10), (kept[2], 10)])
    swarm.advance(2 * SECOND)
    assert [row.messages - was for row, was in zip(swarm.asks(), before, strict=True)] == [2, 2, 2]


def test_one_of_several_causes_may_have_brought_nothing_new() -> None:
    swarm = make_swarm(3, Actor)
    kept: list[Any] = []
    hears(swarm, 0, lambda h: kept.append(h.cause))
    for text in ("a", "b"):
        ask(swarm, 0, text, run_s=0)
    hears(swarm, 1, lambda h: h.duplicate(kept[1]))
    host(swarm, 0).send(1, Batch(("a", "b")), cause=kept)
    swarm.advance(SECOND)
    assert [row.duplicates for row in swarm.asks()] == [0, 1]
    assert swarm.snapshot().totals.duplicates == 1


# --- asks that the network opens -------------------------------------------------------------------------


def test_the_network_opens_asks_and_joins_those_that_are_open() -> None:
    swarm = make_swarm(4, Actor)
    causes: list[Any] = []

    def mine(h: Host) -> None:
        causes.append(h.begin("block 7", BLOCK, key=(7, "main")))
        h.multicast((2, 3), Load("x"), cause=causes[-1])

    hears(swarm, 0, mine)
    hears(swarm, 1, mine)
    host(swarm, 2).send(0, Question("go"), cause=None)
    host(swarm, 2).send(1, Question("go"), cause=None)
    swarm.advance(15 * MS)
    assert causes == [1 << 20] * 2
    assert [(row.by, row.goal, row.text, row.origin) for row in swarm.asks()] == [("network", "block", "block 7", 0)]
    assert 1 in swarm.simulation.open_asks
    host(swarm, 1).hit(3, "block 7", cause=causes[0])
    host(swarm, 2).hit(3, "block 7", cause=causes[0])
    swarm.advance(SECOND)
    row = swarm.record(1)
    assert (row.hits, row.closed_us is not None, row.bytes > 0) == (1, True, True)
    assert [event.by for event in swarm.events() if isinstance(event, AskIssued)] == ["network"]
    assert swarm.success(0, 5) is None, "no user asked"
    host(swarm, 2).send(1, Question("go"), cause=None)
    swarm.advance(2 * SECOND)
    assert len(swarm.asks()) == 2, "the first had closed"
    assert not swarm.simulation.begun
    assert not swarm.simulation.joined_asks


def test_an_ask_of_the_network_that_sends_nothing_closes() -> None:
    swarm = make_swarm(2, Actor)
    hears(swarm, 1, lambda h: h.begin("quiet", BLOCK))
    host(swarm, 0).send(1, Question("go"), cause=None)
    swarm.advance(SECOND)
    assert [row.closed_us for row in swarm.asks()] == [10 * MS]
    assert swarm.quiet()


# --- hits, progress, ends --------------------------------------------------------------------------------


def test_an_answer_that_names_only_the_dead_is_no_success() -> None:
    swarm = finders()
    swarm.do(Kill(7))
    row = ask(swarm, 0, "blue train")
    assert (row.hits, row.first_hit_us, row.outcome) == (1, None, "no answer")
    assert row.verdict == "No answer: the one holder that it names was dead by then; 6 of 8 done."
    assert swarm.success(0, 5) == 0.0
    swarm.do(Revive(7))
    row = ask(swarm, 0, "blue train")
    assert (row.hits, row.outcome, swarm.success(0, 20)) == (1, "answered", 0.5)


def test_a_hit_counts_when_its_holder_is_named_again_alive() -> None:
    swarm = make_swarm(3, Actor)
    swarm.do(Kill(1))
    hears(swarm, 0, lambda h: h.hit(1, "a"))
    row = ask(swarm, 0, "a")
    swarm.do(Revive(1))
    host(swarm, 0).hit(1, "a", by=2, cause=1 << 20)
    swarm.advance(6 * SECOND)
    row = swarm.record(1)
    assert (row.hits, row.answerers, row.first_hit_us) == (1, 2, 5 * SECOND)
    assert [(event.holder, event.by) for event in swarm.events() if isinstance(event, Hit)] == [(1, 1), (1, 2)]


@pytest.mark.parametrize("archived", [False, True])
def test_a_hit_may_be_taken_back_after_the_ask_has_closed(archived: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    swarm = make_swarm(3, Actor)
    if archived:
        monkeypatch.setattr(archive, "LATEST", 0)
        monkeypatch.setattr(swarm._paths, "most", 1)
    hears(swarm, 0, lambda h: h.hit(1, "a"))
    for _ in range(140):
        swarm.do(AskFor(0, "a"))
    swarm.advance(MS)
    forget(swarm)
    records = swarm.simulation.records
    assert (records.live < 140) == archived
    pages = dict(records._pages)
    for number in (5, 9):
        host(swarm, 0).unhit(1, cause=number << 20)
    host(swarm, 0).unhit(2, cause=7 << 20)
    host(swarm, 2).unhit(1, cause=8 << 20)
    swarm.advance(swarm.now_us + SECOND)
    rows = swarm.asks()
    assert [row.id for row in rows if not row.hits] == [5, 9]
    assert rows[4].verdict.startswith("No answer: ")
    assert swarm.asked(0, 1).success == pytest.approx(138 / 140)
    if archived:
        assert records._pages == pages, "the corrections stand beside the page"
        assert swarm.simulation.shared.records.live == records.live
        copy = unpack_swarm(*_packed(swarm))
        assert copy.asks() == rows
    for number in range(20, 32):
        host(swarm, 0).unhit(1, cause=number << 20)
    swarm.advance(swarm.now_us + SECOND)
    for _ in range(8):
        swarm.do(AskFor(0, "b"))
    swarm.advance(swarm.now_us + SECOND)
    assert [row.id for row in swarm.asks()[:140] if not row.hits] == [5, 9, *range(20, 32)]
    if archived:
        assert records._pages[0] is not pages[0], "there are too many of them"
        assert records._pages[0].closed_us > pages[0].closed_us
        assert unpack_swarm(*_packed(swarm)).asks() == swarm.asks()


def forget(swarm: Swarm) -> None:
    """What peers do when they hear something is done; a function of a test cannot be pickled."""
    for program in swarm.simulation.programs:
        vars(program).pop("act", None)


def _packed(swarm: Swarm) -> Any:
    packed, parts = pack_swarm(swarm, {})
    return packed, swarm, parts


def test_progress_reaches_the_record_the_report_and_the_verdict() -> None:
    swarm = finders()
    swarm.do(Kill(5))
    row = ask(swarm, 0, "blue train")
    assert row.verdict == "No answer: 1 keep a record, 4 of 8 steps were made."
    assert (row.done, row.of) == (4, 8)


def test_progress_and_answerers_are_in_the_report() -> None:
    swarm = finders()
    ask(swarm, 0, "blue train")
    row = swarm.asks()[0]
    assert asks_csv([row], swarm.labels).splitlines()[1].endswith(",1,6,8,,,")


def test_a_failure_and_a_decoy_are_told_by_the_verdict() -> None:
    swarm = make_swarm(3, Actor)
    hears(swarm, 0, lambda h: (h.hit(1, "a"), h.progress(16, 17), h.failed("the swarm ran dry")))
    row = ask(swarm, 0, "a")
    assert row.verdict == (
        "Found: 1 holder, the first after 0.00 s, but it could not be fetched: the swarm ran dry; 16 of 17 done."
    )
    assert row.outcome == "not fetched"
    # The engine knows the state of the holders; the peer that tried to fetch from them does not.
    swarm.do(Kill(2))
    hears(swarm, 0, lambda h: (h.hit(1, "a"), h.hit(2, "a"), h.failed("#1 was silent")))
    assert ask(swarm, 0, "a").verdict.endswith("could not be fetched: p001 was silent; of the 2 holders 1 is dead.")
    hears(swarm, 0, lambda h: h.hit(2, "a"))
    assert ask(swarm, 0, "a").verdict == "No answer: the one holder that it names was dead by then."
    swarm.do(Revive(2))
    swarm.do(Censor(2))
    hears(swarm, 0, lambda h: (h.hit(2, "a"), h.failed("#2 was silent")))
    assert ask(swarm, 0, "a").verdict.endswith(", but it was not fetched: the holder is censored.")
    hears(swarm, 0, lambda h: (h.hit(1, "a"), h.failed("slow"), h.fetched(1, "a")))
    row = ask(swarm, 0, "a")
    assert (row.outcome, row.fetched) == ("answered", 1)


def test_numbers_of_peers_in_a_text_of_a_program_are_shown_as_labels() -> None:
    swarm = make_swarm(3, Actor)
    hears(swarm, 0, lambda h: (h.begin("#2 is gone, as is #77", BLOCK), h.log("late", why="#2 was slow", who=2)))
    ask(swarm, 0, "a")
    assert [row.text for row in swarm.asks() if row.by == "network"] == ["p002 is gone, as is #77"]
    (noted,) = [event for event in swarm.events() if isinstance(event, Noted) and event.kind == "late"]
    assert noted.facts == {"why": "p002 was slow", "who": 2}


def test_an_ask_is_kept_open_by_its_peers_until_they_let_it_close_or_end() -> None:
    swarm = make_swarm(4, Actor)

    def keeps(h: Host) -> None:
        h.keep_open()
        h.keep_open(h.cause)

    hears(swarm, 0, lambda h: (keeps(h), h.multicast((1, 2), Question("a"))))
    hears(swarm, 1, keeps)
    hears(swarm, 2, keeps)
    ask(swarm, 0, "a")
    forget(swarm)
    for copy in (swarm, pickle.loads(pickle.dumps(swarm)), unpack_swarm(*_packed(swarm))):
        assert not copy.quiet()
        host(copy, 1).let_close(1 << 20)
        host(copy, 1).let_close(1 << 20)
        host(copy, 3).let_close(1 << 20)
        copy.do(Kill(2))
        copy.advance(10 * SECOND)
        assert not copy.quiet()
        host(copy, 0).let_close(1 << 20)
        copy.advance(11 * SECOND)
        assert copy.quiet()
        assert copy.record(1).closed_us == 10 * SECOND


def test_reports_of_other_peers_on_an_ask_change_nothing() -> None:
    swarm = make_swarm(3, Actor)
    hears(swarm, 0, lambda h: h.send(1, Question("a")))
    hears(
        swarm,
        1,
        lambda h: (h.hit(2, "a"), h.progress(1, 2), h.fetched(2, "a"), h.failed("x"), h.unhit(2), h.decoy(2, "a")),
    )
    row = ask(swarm, 0, "a")
    assert (row.hits, row.of, row.fetched, row.decoys) == (0, 0, 0, 0)
    host(swarm, 0).hit(99, "a", cause=1 << 20)
    for one in (host(swarm, 0), FakeHost()):
        for tell in (one.hit, one.fetched, one.decoy, lambda holder, _, one=one: one.unhit(holder)):
            with pytest.raises(NetworkFault, match="should be the number of a peer, not x"):
                tell("x", 7)  # type: ignore[arg-type]
        with pytest.raises(NetworkFault, match="in microseconds and should be at least 1,000"):
            one.every(5, None)
    assert swarm.record(1).hits == 0


# --- keys and keepers ------------------------------------------------------------------------------------


def test_a_ban_on_a_word_covers_the_keys_of_the_titles_that_mention_it() -> None:
    ban = Ban("train", [5])
    assert mentions([5], ban)
    assert not mentions([6], ban)
    assert mentions(["blue", "train"], ban)
    assert pickle.loads(pickle.dumps(ban)).keys == {5}
    swarm = finders()
    finder(swarm, 6).records[Finder.key_of("grey heron")] = 7
    swarm.do(Collude(2, "heron"))
    assert ask(swarm, 0, "grey heron").hits == 1, "no title mentions it"
    swarm.do(Publish(7, "grey heron"))
    row = ask(swarm, 0, "grey heron")
    assert (row.hits, dict(row.losses)) == (0, {"colluded": 1})
    swarm.do(Collude(2, "train"))
    assert ask(swarm, 0, "grey heron").hits == 1
    assert ask(swarm, 0, "blue train").hits == 0, "a title of the catalogue"


def test_a_keeper_answers_for_holders_in_verdict_and_minimum_cut() -> None:
    class Indexed(Diary, name="indexed"):
        """Peer 1 keeps a record of what peer 3 has."""

        def keeps(self, text: str) -> bool:
            return text == "blue train" and bool(getattr(self, "clerk", False))

    swarm = make_swarm(4, Indexed, topology="ring")
    give(swarm, 3, "blue train")
    assert swarm.min_cut(0, "blue train").sentence.startswith("No peer that is up and would answer keeps a record")
    swarm.peer(1).clerk = True  # type: ignore[union-attr]
    cut = swarm.min_cut(0, "blue train")
    assert (cut.peers, cut.holders) == ((1,), (1,))
    swarm.peer(0).clerk = True  # type: ignore[union-attr]
    assert "keeps a record of “blue train” itself" in swarm.min_cut(0, "blue train").sentence
    swarm.do(Kill(3))
    assert swarm.min_cut(0, "blue train").sentence.startswith("No other peer")


# --- the same run again ----------------------------------------------------------------------------------


def test_a_copy_goes_on_with_asks_of_the_network_parts_and_referrals() -> None:
    swarm = finders()
    swarm.advance(1_500 * MS)
    swarm.do(AskFor(0, "blue train"))
    swarm.advance(swarm.now_us + 35 * MS)
    copies = [swarm, pickle.loads(pickle.dumps(swarm)), unpack_swarm(*_packed(swarm))]
    told = []
    for copy in copies:
        copy.do(AskFor(1, "blue train"))
        copy.advance(4 * SECOND)
        traces = [copy.trace(number) for number in (1, 2)]
        told.append((copy.fingerprint(), copy.asks(), [trace.hop.tolist() for trace in traces if trace is not None]))
    assert told[0] == told[1] == told[2]
    assert max(told[0][2][0]) == 6
