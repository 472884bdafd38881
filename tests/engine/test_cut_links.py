"""A cut link breaks at both ends at once, refuses what is sent over a stream and loses datagrams until it is mended."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from random import Random

import pytest
from tiny import LATENCY, MS, SECOND, Diary, Say, Shout, balanced, diary, dropped, host, make_swarm, texts, told

from engine import (
    Arrive,
    AskFor,
    Censor,
    Cut,
    Hold,
    InputError,
    Kill,
    LinkSpec,
    Mend,
    Partition,
    Publish,
    Release,
    Revive,
    Set,
    Setup,
    Swarm,
    TimeMachine,
    Uncensor,
)
from engine.commands import Command
from engine.record.checkpoints import pack_swarm, unpack_swarm


def test_a_cut_closes_the_stream_at_both_ends_at_once_and_drops_what_is_on_its_way() -> None:
    swarm = make_swarm(4)
    host(swarm, 0).send(1, Say("under way"))
    swarm.advance(4 * MS)
    assert swarm.do(Cut("#0 or #1")) == (0, 1)
    swarm.advance(5 * MS)
    assert diary(swarm, 0).told == [(4 * MS + 1, "closed", 1)]
    assert diary(swarm, 1).told == [(4 * MS + 1, "closed", 0)]
    assert (swarm.links_of(0), swarm.links_of(1)) == ((2, 3), (2, 3))
    swarm.advance(SECOND)
    assert texts(swarm, 1) == []
    assert dropped(swarm) == {"cut": 1}
    assert told(swarm, 0) == [("closed", 1)], "the sender has been told already"
    host(swarm, 2).send(1, Say("other links do not care"))
    swarm.advance(2 * SECOND)
    assert texts(swarm, 1) == ["other links do not care"]


def test_a_cut_link_refuses_streams_and_loses_datagrams_in_both_directions() -> None:
    swarm = make_swarm(3)
    swarm.do(Cut((0, 1)))
    swarm.advance(SECOND)
    for frm, to in ((0, 1), (1, 0)):
        host(swarm, frm).link(to)
        assert to not in swarm.links_of(frm)
        host(swarm, frm).send(to, Say("x"))
        host(swarm, frm).send(to, Shout("y"))
    swarm.advance(2 * SECOND)
    assert (texts(swarm, 0), texts(swarm, 1)) == ([], [])
    assert told(swarm, 0) == [("closed", 1), ("refused", 1)]
    assert told(swarm, 1) == [("closed", 0), ("refused", 0)]
    assert diary(swarm, 0).told[1][0] == SECOND + LATENCY + 1
    assert dropped(swarm) == {"cut": 4}
    assert balanced(swarm)
    swarm.advance(300 * SECOND)
    assert told(swarm, 0) == [("closed", 1), ("refused", 1)], "nothing waits in the stream"


def test_a_mended_link_is_used_again_once_a_peer_opens_it() -> None:
    swarm = make_swarm(3)
    swarm.do(Cut((0, 1)))
    swarm.advance(SECOND)
    assert swarm.do(Mend((0, 1))) == (0, 1)
    assert swarm.do(Mend((0, 1))) == ()
    assert 1 not in swarm.links_of(0)
    host(swarm, 0).link(1)
    assert 1 in swarm.links_of(0)
    host(swarm, 0).send(1, Say("x"))
    host(swarm, 1).send(0, Shout("y"))
    swarm.advance(2 * SECOND)
    assert (texts(swarm, 1), texts(swarm, 0)) == (["x"], ["y"])
    swarm.advance(400 * SECOND)
    assert not swarm.simulation.kernel.checked, "deliveries are checked no longer"


def test_what_was_sent_before_a_cut_that_is_mended_in_time_is_gone_all_the_same() -> None:
    swarm = make_swarm(2)
    host(swarm, 0).send(1, Say("before"))
    swarm.do(Cut((0, 1)))
    swarm.do(Mend((0, 1)))
    swarm.advance(MS)
    host(swarm, 0).send(1, Say("after"))
    swarm.advance(SECOND)
    assert texts(swarm, 1) == ["after"]


def test_of_a_single_peer_all_links_are_cut_those_to_newcomers_too() -> None:
    swarm = make_swarm(4)
    assert swarm.do(Cut(0)) == (0,)
    swarm.advance(SECOND)
    assert sorted(told(swarm, 0)) == [("closed", 1), ("closed", 2), ("closed", 3)]
    assert swarm.links_of(0) == ()
    (new,) = swarm.do(Arrive(1))
    host(swarm, new).link(0)
    host(swarm, new).send(0, Say("x"))
    swarm.advance(2 * SECOND)
    assert swarm.links_of(new) == ()
    assert told(swarm, new) == [("refused", 0)]
    assert swarm.snapshot().cut.tolist() == [True, False, False, False, False]
    assert swarm.do(Mend((0, 1))) == (0,), "a peer that is cut off as a whole is named"
    assert swarm.snapshot().cut.tolist() == []


def test_cutting_among_several_cuts_each_pair_and_mending_two_mends_one_link() -> None:
    swarm = make_swarm(5)
    swarm.do(Cut((0, 1, 2)))
    swarm.advance(SECOND)
    assert [swarm.links_of(p) for p in range(3)] == [(3, 4)] * 3
    assert swarm.do(Mend((1, 2))) == (1, 2)
    for frm, to in ((0, 1), (0, 2), (1, 2)):
        host(swarm, frm).link(to)
    assert (swarm.links_of(0), sorted(swarm.links_of(1))) == ((3, 4), [2, 3, 4])
    swarm.do(Cut((1, 2)))
    swarm.advance(2 * SECOND)
    assert told(swarm, 0) == [("closed", 1), ("closed", 2)], "a link that was cut before is not cut again"


def test_a_cut_peer_that_is_censored_or_dead_too() -> None:
    swarm = make_swarm(3)
    swarm.do(Censor(1))
    host(swarm, 0).send(1, Say("waits"))
    swarm.advance(SECOND)
    assert dropped(swarm) == {"censored": 1}
    swarm.do(Cut((0, 1)))
    swarm.advance(2 * SECOND)
    assert told(swarm, 0) == [("closed", 1)]
    host(swarm, 0).send(1, Say("refused"))
    swarm.advance(3 * SECOND)
    assert told(swarm, 0) == [("closed", 1), ("refused", 1)]
    swarm.do(Uncensor(1))
    swarm.advance(200 * SECOND)
    assert texts(swarm, 1) == []
    swarm.do(Kill(1))
    swarm.do(Revive(1))
    host(swarm, 0).send(1, Say("again"))
    swarm.advance(201 * SECOND)
    assert told(swarm, 0)[-1] == ("refused", 1)
    assert balanced(swarm)


def test_a_held_message_whose_link_is_cut_is_lost_when_it_is_released() -> None:
    swarm = make_swarm(3)
    host(swarm, 0).send(1, Say("x"))
    swarm.do(Hold((0, 1)))
    swarm.do(Cut((0, 1)))
    swarm.advance(SECOND)
    assert told(swarm, 1) == [("closed", 0)]
    swarm.do(Release((0, 1)))
    swarm.advance(2 * SECOND)
    assert (texts(swarm, 1), dropped(swarm)) == ([], {"cut": 1})


def test_an_ask_whose_way_is_cut_says_so() -> None:
    swarm = make_swarm(2)
    swarm.do(Cut((0, 1)))
    swarm.advance(SECOND)
    swarm.do(Publish(1, "x"))
    swarm.do(AskFor(0, "x"))
    swarm.advance(20 * SECOND)
    row = swarm.record(2)
    assert row.losses == {"cut": 1}
    assert row.verdict == "No answer: 1 peer holds it; 1 cannot be reached over the links that are left."


def test_too_many_links_are_refused() -> None:
    swarm = Swarm(Setup(protocol="gossip", peers=1_001, asks_per_s=0))
    with pytest.raises(InputError, match="cut takes at most 1,000 peers"):
        swarm.do(Cut("all"))


# --- any order ---------------------------------------------------------------------------------------------------

PEERS = 4


def steps(rng: Random) -> Iterator[tuple[int, Command | tuple[int, int]]]:
    at_us = 0
    commands = (Cut((0, 1)), Mend((0, 1)), Cut(2), Mend(2), Censor(1), Uncensor(1), Hold((0, 2)), Release((0, 2)))
    for _ in range(40):
        at_us += rng.choice((0, MS, 300 * MS, 5 * SECOND, 40 * SECOND))
        if rng.random() < 0.5:
            yield at_us, rng.choice(commands)
        else:
            yield at_us, tuple(rng.sample(range(PEERS), 2))  # type: ignore[misc]
    for command in (Uncensor(1), Release((0, 2)), Mend(tuple(range(PEERS))), Mend(2), Set("loss", 0.0)):
        yield at_us, command


@pytest.mark.parametrize("seed", [*range(2), *(pytest.param(seed, marks=pytest.mark.campaign) for seed in range(2, 6))])
def test_each_stream_delivers_once_and_in_order_or_closes_at_both_ends(seed: int) -> None:
    rng = Random(seed)
    links = LinkSpec(capacity=("none", "saroiu")[seed % 2])
    whole, sliced = (make_swarm(PEERS, seed=seed, loss=(0.0, 0.2)[seed // 2 % 2], links=links) for _ in range(2))
    sent: dict[tuple[int, int], list[str]] = {}
    for number, (at_us, step) in enumerate(steps(rng)):
        text = f"{number} " + "x" * rng.choice((1, 30_000))
        whole.advance(at_us)
        while sliced.now_us < at_us:
            sliced.advance(min(at_us, sliced.now_us + 7 * SECOND), 1)
            sliced.advance(min(at_us, sliced.now_us + 7 * SECOND))
        packed, parts = pack_swarm(sliced, {})
        sliced = unpack_swarm(packed, sliced, parts)
        for swarm in (whole, sliced):
            if isinstance(step, tuple):
                host(swarm, step[0]).send(step[1], Say(text))
            else:
                swarm.do(step)
        if isinstance(step, tuple):
            sent.setdefault(step, []).append(text)
        assert balanced(whole)
    for swarm in (whole, sliced):
        swarm.advance(at_us + 500 * SECOND)
    assert whole.fingerprint() == sliced.fingerprint()
    assert whole.snapshot().totals.in_flight == 0
    for (frm, to), all_sent in sent.items():
        heard = [text for _, sender, text in diary(whole, to).heard if sender == frm]
        assert heard == [text for text in all_sent if text in heard], "in order, once"
        if heard != all_sent:
            assert any(other == to for _, _, other in diary(whole, frm).told), "the sender was told"


def test_the_time_machine_repeats_a_cut() -> None:
    machine = TimeMachine(make_swarm(6, asks_per_s=2.0), program=Diary)
    for at_s, command in ((1, Cut("random 2")), (2, Cut("random 1")), (3, Mend("random 2")), (4, Partition((0, 1)))):
        machine.advance(at_s * SECOND)
        machine.swarm.do(command)
    machine.advance(9 * SECOND)
    live = machine.swarm.fingerprint()
    for at_us in (SECOND, 9 * SECOND):
        for _ in machine.seek(at_us):
            pass
    assert machine.swarm.fingerprint() == live
    machine.close()


def test_a_pickle_holds_what_is_cut() -> None:
    swarm = make_swarm(3)
    swarm.do(Cut((0, 1)))
    copy = pickle.loads(pickle.dumps(swarm))
    for each in (swarm, copy):
        host(each, 0).send(1, Shout("x"))
        each.advance(SECOND)
    assert dropped(copy) == dropped(swarm) == {"cut": 1}
    assert copy.do(Mend(0)) == (0, 1)
