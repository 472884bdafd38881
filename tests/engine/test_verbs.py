"""What each verb does, and when other peers notice it."""

from __future__ import annotations

from typing import Any

import pytest
from tiny import LATENCY, MS, SECOND, Bureau, Say, Shout, Tick, diary, dropped, give, host, make_swarm, states, texts

import engine
from engine import (
    ALIVE,
    DEAD,
    LEFT,
    UNDO,
    VERBS,
    Censor,
    Command,
    Heal,
    InputError,
    Join,
    Kill,
    Leave,
    Partition,
    Reopen,
    Revive,
    Shutdown,
    Uncensor,
)

# --- kill and revive -----------------------------------------------------------------------------------


def test_a_kill_closes_open_streams_after_one_latency() -> None:
    swarm = make_swarm(4, topology="ring")
    swarm.advance(SECOND)
    assert swarm.do(Kill("p000")) == (0,)
    assert states(swarm) == [DEAD, ALIVE, ALIVE, ALIVE]
    assert swarm.links_of(0) == ()
    swarm.advance(SECOND + LATENCY - 1)
    assert diary(swarm, 1).told == []
    swarm.advance(SECOND + LATENCY)
    assert diary(swarm, 1).told == diary(swarm, 3).told == [(SECOND + LATENCY, "closed", 0)]
    assert diary(swarm, 2).told == [], "who had no stream to it notices nothing"


def test_a_stream_message_to_a_dead_peer_is_refused_and_a_datagram_is_lost() -> None:
    swarm = make_swarm(3, topology="ring")
    swarm.do(Kill(0))
    swarm.advance(SECOND)
    host(swarm, 1).send(0, Shout("are you there?"))
    host(swarm, 2).send(0, Say("are you there?"))
    swarm.advance(10 * SECOND)
    assert (SECOND + 2 * LATENCY, "refused", 0) in diary(swarm, 2).told, "there and back again"
    assert all(what != "refused" for _, what, _ in diary(swarm, 1).told)
    assert dropped(swarm) == {"dead": 2}
    assert swarm.snapshot().totals.sent == 2, "a refusal is no message of the network"


def test_what_was_under_way_to_the_dead_is_refused_too() -> None:
    swarm = make_swarm(2)
    host(swarm, 1).send(0, Say("hello"))
    swarm.advance(LATENCY // 2)
    swarm.do(Kill(0))
    swarm.advance(SECOND)
    assert (2 * LATENCY, "refused", 0) in diary(swarm, 1).told


def test_what_the_dead_had_sent_still_arrives() -> None:
    swarm = make_swarm(2)
    host(swarm, 0).send(1, Say("last words"))
    swarm.do(Kill(0))
    swarm.advance(SECOND)
    assert texts(swarm, 1) == ["last words"]


def test_a_kill_removes_memory_and_keeps_saved_state() -> None:
    swarm = make_swarm(2)
    give(swarm, 0, "blue train")
    host(swarm, 1).send(0, Say("hello"))
    host(swarm, 0).after(5 * SECOND, Tick("an old plan"))
    host(swarm, 0).every(SECOND, Tick("an old habit"))
    swarm.advance(SECOND // 2)
    swarm.do(Kill(0))
    assert swarm.peer(0) is None
    assert len(swarm.library(0)) == 1
    swarm.advance(SECOND)
    assert swarm.do(Revive(0)) == (0,)
    swarm.advance(20 * SECOND)
    born_again = diary(swarm, 0)
    assert born_again.heard == []
    assert born_again.ticks == [], "timers of an earlier life are silent"
    assert born_again.disk == "heard 1"
    assert states(swarm) == [ALIVE, ALIVE]


def test_a_stream_message_to_an_earlier_life_is_reset_and_a_datagram_is_delivered() -> None:
    swarm = make_swarm(2)
    swarm.advance(SECOND)
    host(swarm, 1).send(0, Say("to the old one"))
    host(swarm, 1).send(0, Shout("to whoever is there"))
    swarm.advance(SECOND + MS)
    swarm.do(Kill(0))
    swarm.do(Revive(0))
    swarm.advance(2 * SECOND)
    assert texts(swarm, 0) == ["to whoever is there"]
    assert dropped(swarm) == {"reset": 1}
    assert (SECOND + 2 * LATENCY, "refused", 0) in diary(swarm, 1).told


def test_a_refusal_reaches_only_the_life_that_sent() -> None:
    swarm = make_swarm(3)
    swarm.do(Kill(0))
    swarm.advance(SECOND)
    host(swarm, 1).send(0, Say("hello"))
    swarm.advance(SECOND + MS)
    swarm.do(Kill(1))
    swarm.do(Revive(1))
    swarm.advance(2 * SECOND)
    assert diary(swarm, 1).told == []


def test_a_refusal_ends_a_new_stream_for_both_ends() -> None:
    """The sender cannot tell an old stream from a new one, so both ends are told that it is closed."""
    swarm = make_swarm(2)
    swarm.do(Kill(0))
    swarm.advance(SECOND)
    host(swarm, 1).send(0, Say("hello"))
    swarm.advance(SECOND + LATENCY)
    swarm.do(Revive(0))
    host(swarm, 0).link(1)
    swarm.advance(2 * SECOND)
    assert diary(swarm, 1).told[-1] == (SECOND + 2 * LATENCY, "refused", 0)
    assert swarm.links_of(1) == ()
    assert diary(swarm, 0).told == [(SECOND + 3 * LATENCY, "closed", 1)]


def test_killing_the_dead_and_reviving_the_living_does_nothing() -> None:
    swarm = make_swarm(3)
    assert swarm.do(Revive(0)) == ()
    assert swarm.do(Kill((1, 1, 2))) == (1, 2), "twice is once"
    assert swarm.do(Kill(1)) == ()
    assert swarm.do(Join(1)) == (), "who was killed did not leave"
    assert swarm.do(Revive([1, 1])) == (1,)
    assert diary(swarm, 1).disk == "heard 0"


def test_a_peer_that_starts_later_knows_the_stations_and_a_few_bootstrap_peers_dead_or_alive() -> None:
    class Shy(Bureau, name="shy"):
        knows = "overlay"

    swarm = make_swarm(30, Shy)
    swarm.do(Kill("random 10"))
    victim = swarm.do(Kill("random 1"))[0]
    swarm.do(Revive(victim))
    contacts = diary(swarm, victim).known
    assert contacts[:3] == (30, 31, 32)
    assert victim not in contacts
    assert contacts == tuple(one for one in swarm.snapshot().fixed.bootstrap if one != victim)
    assert len(swarm.snapshot().fixed.bootstrap) == 3 + 8
    swarm.do(Kill("all"))
    swarm.do(Revive(victim))
    assert diary(swarm, victim).known == contacts


# --- leave and join ------------------------------------------------------------------------------------


def test_leaving_says_goodbye_before_the_streams_close() -> None:
    swarm = make_swarm(3, topology="ring")
    swarm.advance(SECOND)
    assert swarm.do(Leave(0)) == (0,)
    assert states(swarm)[0] == LEFT
    swarm.advance(2 * SECOND)
    other = diary(swarm, 1)
    assert other.heard == [(SECOND + LATENCY, 0, "goodbye")]
    assert other.told == [(SECOND + LATENCY, "closed", 0)]
    host(swarm, 1).send(0, Say("still there?"))
    swarm.advance(3 * SECOND)
    assert other.told[-1] == (2 * SECOND + 2 * LATENCY, "refused", 0)
    assert dropped(swarm) == {"left": 1}
    assert swarm.do(Revive(0)) == ()
    assert swarm.do(Join(0)) == (0,)
    assert diary(swarm, 0).disk == "heard 0"


def test_a_killed_peer_says_no_goodbye() -> None:
    swarm = make_swarm(3)
    swarm.do(Kill(0))
    swarm.advance(SECOND)
    assert texts(swarm, 1) == []


# --- censor --------------------------------------------------------------------------------------------


def test_censorship_is_silence_both_ways_and_the_peer_lives_on() -> None:
    swarm = make_swarm(3)
    host(swarm, 0).send(1, Say("under way when the order came"))
    assert swarm.do(Censor(0)) == (0,)
    assert swarm.do(Censor(0)) == ()
    program = diary(swarm, 0)
    host(swarm, 0).multicast((1, 2), Say("can you hear me?"))
    host(swarm, 1).send(0, Say("where are you?"))
    host(swarm, 1).send(0, Shout("where are you?"))
    host(swarm, 0).after(SECOND, Tick("still here"))
    swarm.advance(5 * SECOND)
    assert texts(swarm, 1) == texts(swarm, 2) == texts(swarm, 0) == []
    assert diary(swarm, 1).told == [], "only a timeout tells"
    assert dropped(swarm) == {"censored": 5}
    assert states(swarm)[0] == ALIVE
    assert swarm.snapshot().censored.tolist() == [True, False, False]
    assert diary(swarm, 0) is program
    assert program.ticks == [(SECOND, "still here")]
    assert swarm.links_of(0) == (1, 2), "its streams stand, for all that anybody knows"


def test_a_stream_delivers_late_and_in_order_what_a_block_stopped() -> None:
    swarm = make_swarm(2)
    swarm.do(Censor(0))
    host(swarm, 1).send(0, Say("while censored"))
    swarm.advance(LATENCY)
    host(swarm, 1).send(0, Say("sent while censored, arrived after"))
    swarm.advance(LATENCY + MS)
    assert swarm.do(Uncensor(0)) == (0,)
    host(swarm, 1).send(0, Say("after"))
    swarm.advance(SECOND)
    assert texts(swarm, 0) == ["while censored", "sent while censored, arrived after", "after"]
    assert dropped(swarm) == {}, "the loss is taken back"


def test_the_death_of_a_censored_peer_is_not_noticed() -> None:
    swarm = make_swarm(3)
    swarm.do(Censor(0))
    swarm.do(Kill(0))
    swarm.advance(SECOND)
    host(swarm, 1).send(0, Say("hello?"))
    swarm.advance(2 * SECOND)
    assert diary(swarm, 1).told == []
    assert dropped(swarm) == {"censored": 1}
    assert swarm.do(Uncensor(0)) == (0,)
    host(swarm, 1).send(0, Say("hello?"))
    swarm.advance(4 * SECOND)
    # The end of the stream waits from 0.01 s on, and is tried after 0.2, 0.4, 0.8 and 1.6 s, and the refusals follow
    # it.
    assert diary(swarm, 1).told == [(3_010 * MS, what, 0) for what in ("closed", "refused", "refused")]


def test_a_peer_that_is_revived_under_censorship_stays_censored() -> None:
    swarm = make_swarm(2)
    swarm.do(Kill(0))
    swarm.do(Censor(0))
    swarm.do(Revive(0))
    host(swarm, 1).send(0, Say("hello?"))
    swarm.advance(SECOND)
    assert texts(swarm, 0) == []
    swarm.do(Uncensor(0))
    host(swarm, 1).send(0, Say("hello!"))
    swarm.advance(2 * SECOND)
    assert texts(swarm, 0) == ["hello?", "hello!"]


# --- partition -----------------------------------------------------------------------------------------


def test_a_partition_is_silence_between_the_sides() -> None:
    swarm = make_swarm(5)
    assert swarm.do(Partition((0, 1))) == (0, 1)
    host(swarm, 0).multicast((1, 2), Say("from 0"))
    host(swarm, 3).multicast((1, 2), Say("from 3"))
    swarm.advance(SECOND)
    assert texts(swarm, 1) == ["from 0"]
    assert texts(swarm, 2) == ["from 3"]
    assert dropped(swarm) == {"partition": 2}
    assert diary(swarm, 0).told == []
    swarm.do(Kill(0))
    swarm.advance(2 * SECOND)
    assert (SECOND + LATENCY, "closed", 0) in diary(swarm, 1).told
    assert diary(swarm, 2).told == [], "not even a death is heard of across"


def test_a_second_partition_splits_further_and_healing_ends_them_all() -> None:
    swarm = make_swarm(6)
    swarm.do(Partition((0, 1, 2)))
    swarm.do(Partition((2, 3)))
    group = swarm.snapshot().group.tolist()
    assert group[0] == group[1] != 0
    assert group[4] == group[5] == 0
    assert len(set(group)) == 4
    assert swarm.do(Heal()) == (0, 1, 2, 3)
    assert swarm.snapshot().group.tolist() == [0] * 6
    host(swarm, 0).send(5, Say("again"))
    swarm.advance(SECOND)
    assert texts(swarm, 5) == ["again"]


# --- operators -----------------------------------------------------------------------------------------


def test_a_shutdown_kills_all_of_one_operator_and_reopening_starts_them() -> None:
    swarm = make_swarm(3, Bureau)
    assert swarm.labels[3:] == ("desk-a", "desk-b", "desk-c")
    assert swarm.do(Shutdown("acme")) == (3, 4)
    assert states(swarm)[3:] == [DEAD, DEAD, ALIVE]
    host(swarm, 0).send(3, Say("hello?"))
    swarm.advance(SECOND)
    assert diary(swarm, 0).told == [(2 * LATENCY, "refused", 3)]
    assert swarm.do(Reopen("acme")) == (3, 4)
    assert states(swarm)[3:] == [ALIVE, ALIVE, ALIVE]


@pytest.mark.parametrize("verb", [Shutdown, Reopen])
def test_an_operator_must_be_named_as_it_is(verb: Any) -> None:
    swarm = make_swarm(3, Bureau)
    with pytest.raises(InputError, match='an operator called "acne"; did you mean "acme"'):
        swarm.do(verb("acne"))
    with pytest.raises(InputError, match="one of acme, bolt"):
        swarm.do(verb(""))
    assert set(states(swarm)) == {ALIVE}, "a name left out does not mean everybody"


def test_every_command_has_a_verb_and_each_pair_is_listed_once() -> None:
    public = [getattr(engine, name) for name in engine.__all__]
    classes = {it for it in public if isinstance(it, type) and issubclass(it, Command)} - {Command}
    assert set(VERBS.values()) == classes
    assert all(kind.verb == verb for verb, kind in VERBS.items())
    assert len({*UNDO, *UNDO.values()}) == 2 * len(UNDO)
    assert {*UNDO, *UNDO.values()} == VERBS.keys() - {"ask", "publish", "set", "arrive", "depart", "act"}
