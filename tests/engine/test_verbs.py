"""What each verb does, and what others notice of it and when."""

from __future__ import annotations

from typing import Any

import pytest
from tiny import LATENCY, MS, SECOND, Bureau, Say, Shout, Tick, diary, give, host, swarm, texts

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
    Swarm,
    Uncensor,
)


def states(town: Swarm) -> list[int]:
    return town.snapshot().state.tolist()


def dropped(town: Swarm) -> dict[str, int]:
    return dict(town.snapshot().totals.dropped_by)


# --- kill and revive -----------------------------------------------------------------------------------


def test_a_kill_closes_open_streams_after_one_latency() -> None:
    town = swarm(4, topology="ring")
    town.advance(SECOND)
    assert town.do(Kill("p000")) == (0,)
    assert states(town) == [DEAD, ALIVE, ALIVE, ALIVE]
    assert town.links_of(0) == ()
    town.advance(SECOND + LATENCY - 1)
    assert diary(town, 1).told == []
    town.advance(SECOND + LATENCY)
    assert diary(town, 1).told == diary(town, 3).told == [(SECOND + LATENCY, "closed", 0)]
    assert diary(town, 2).told == [], "who had no stream to it notices nothing"


def test_a_stream_to_the_dead_is_refused_and_a_datagram_vanishes() -> None:
    town = swarm(3, topology="ring")
    town.do(Kill(0))
    town.advance(SECOND)
    host(town, 1).send(0, Shout("are you there?"))
    host(town, 2).send(0, Say("are you there?"))
    town.advance(10 * SECOND)
    assert (SECOND + 2 * LATENCY, "refused", 0) in diary(town, 2).told, "there and back again"
    assert all(what != "refused" for _, what, _ in diary(town, 1).told)
    assert dropped(town) == {"dead": 2}
    assert town.snapshot().totals.sent == 2, "a refusal is no message of the network"


def test_what_was_under_way_to_the_dead_is_refused_too() -> None:
    town = swarm(2)
    host(town, 1).send(0, Say("hello"))
    town.advance(LATENCY // 2)
    town.do(Kill(0))
    town.advance(SECOND)
    assert (2 * LATENCY, "refused", 0) in diary(town, 1).told


def test_what_the_dead_had_sent_still_arrives() -> None:
    town = swarm(2)
    host(town, 0).send(1, Say("last words"))
    town.do(Kill(0))
    town.advance(SECOND)
    assert texts(town, 1) == ["last words"]


def test_memory_goes_and_the_disk_stays() -> None:
    town = swarm(2)
    give(town, 0, "blue train")
    host(town, 1).send(0, Say("hello"))
    host(town, 0).after(5 * SECOND, Tick("an old plan"))
    host(town, 0).every(SECOND, Tick("an old habit"))
    town.advance(SECOND // 2)
    town.do(Kill(0))
    assert town.peer(0) is None
    assert len(town.library(0)) == 1
    town.advance(SECOND)
    assert town.do(Revive(0)) == (0,)
    town.advance(20 * SECOND)
    born_again = diary(town, 0)
    assert born_again.heard == []
    assert born_again.ticks == [], "timers of an earlier life are silent"
    assert born_again.disk == "heard 1"
    assert states(town) == [ALIVE, ALIVE]


def test_a_stream_message_to_an_earlier_life_is_reset_and_a_datagram_is_delivered() -> None:
    town = swarm(2)
    town.advance(SECOND)
    host(town, 1).send(0, Say("to the old one"))
    host(town, 1).send(0, Shout("to whoever is there"))
    town.advance(SECOND + MS)
    town.do(Kill(0))
    town.do(Revive(0))
    town.advance(2 * SECOND)
    assert texts(town, 0) == ["to whoever is there"]
    assert dropped(town) == {"reset": 1}
    assert (SECOND + 2 * LATENCY, "refused", 0) in diary(town, 1).told


def test_a_refusal_reaches_only_the_life_that_sent() -> None:
    town = swarm(3)
    town.do(Kill(0))
    town.advance(SECOND)
    host(town, 1).send(0, Say("hello"))
    town.advance(SECOND + MS)
    town.do(Kill(1))
    town.do(Revive(1))
    town.advance(2 * SECOND)
    assert diary(town, 1).told == []


def test_a_refusal_ends_a_new_stream_for_both_ends() -> None:
    """The sender cannot tell an old stream from a new one; so that both believe the same, both are told."""
    town = swarm(2)
    town.do(Kill(0))
    town.advance(SECOND)
    host(town, 1).send(0, Say("hello"))
    town.advance(SECOND + LATENCY)
    town.do(Revive(0))
    host(town, 0).link(1)
    town.advance(2 * SECOND)
    assert diary(town, 1).told[-1] == (SECOND + 2 * LATENCY, "refused", 0)
    assert town.links_of(1) == ()
    assert diary(town, 0).told == [(SECOND + 3 * LATENCY, "closed", 1)]


def test_killing_the_dead_and_reviving_the_living_does_nothing() -> None:
    town = swarm(3)
    assert town.do(Revive(0)) == ()
    assert town.do(Kill((1, 1, 2))) == (1, 2), "twice is once"
    assert town.do(Kill(1)) == ()
    assert town.do(Join(1)) == (), "who was killed did not leave"
    assert town.do(Revive([1, 1])) == (1,)
    assert diary(town, 1).disk == "heard 0"


def test_who_starts_later_knows_the_stations_and_a_few_well_known_peers_dead_or_alive() -> None:
    class Shy(Bureau, name="shy"):
        knows = "overlay"

    town = swarm(30, Shy)
    town.do(Kill("random 10"))
    victim = town.do(Kill("random 1"))[0]
    town.do(Revive(victim))
    contacts = diary(town, victim).contacts
    assert contacts[:3] == (30, 31, 32)
    assert victim not in contacts
    assert contacts == tuple(one for one in town.snapshot().fixed.bootstrap if one != victim)
    assert len(town.snapshot().fixed.bootstrap) == 3 + 8
    town.do(Kill("all"))
    town.do(Revive(victim))
    assert diary(town, victim).contacts == contacts


# --- leave and join ------------------------------------------------------------------------------------


def test_leaving_says_goodbye_before_the_streams_close() -> None:
    town = swarm(3, topology="ring")
    town.advance(SECOND)
    assert town.do(Leave(0)) == (0,)
    assert states(town)[0] == LEFT
    town.advance(2 * SECOND)
    other = diary(town, 1)
    assert other.heard == [(SECOND + LATENCY, 0, "goodbye")]
    assert other.told == [(SECOND + LATENCY, "closed", 0)]
    host(town, 1).send(0, Say("still there?"))
    town.advance(3 * SECOND)
    assert other.told[-1] == (2 * SECOND + 2 * LATENCY, "refused", 0)
    assert dropped(town) == {"left": 1}
    assert town.do(Revive(0)) == ()
    assert town.do(Join(0)) == (0,)
    assert diary(town, 0).disk == "heard 0"


def test_a_kill_gives_no_notice() -> None:
    town = swarm(3)
    town.do(Kill(0))
    town.advance(SECOND)
    assert texts(town, 1) == []


# --- censor --------------------------------------------------------------------------------------------


def test_censorship_is_silence_both_ways_and_the_peer_lives_on() -> None:
    town = swarm(3)
    host(town, 0).send(1, Say("under way when the order came"))
    assert town.do(Censor(0)) == (0,)
    assert town.do(Censor(0)) == ()
    program = diary(town, 0)
    host(town, 0).multicast((1, 2), Say("can you hear me?"))
    host(town, 1).send(0, Say("where are you?"))
    host(town, 1).send(0, Shout("where are you?"))
    host(town, 0).after(SECOND, Tick("still here"))
    town.advance(5 * SECOND)
    assert texts(town, 1) == texts(town, 2) == texts(town, 0) == []
    assert diary(town, 1).told == [], "only a timeout tells"
    assert dropped(town) == {"censored": 5}
    assert states(town)[0] == ALIVE
    assert town.snapshot().censored.tolist() == [True, False, False]
    assert diary(town, 0) is program
    assert program.ticks == [(SECOND, "still here")]
    assert town.links_of(0) == (1, 2), "its streams stand, for all that anybody knows"


def test_a_block_that_is_lifted_lets_through_what_arrives_from_then_on() -> None:
    town = swarm(2)
    town.do(Censor(0))
    host(town, 1).send(0, Say("while censored"))
    town.advance(LATENCY)
    host(town, 1).send(0, Say("sent while censored, arrived after"))
    town.advance(LATENCY + MS)
    assert town.do(Uncensor(0)) == (0,)
    host(town, 1).send(0, Say("after"))
    town.advance(SECOND)
    assert texts(town, 0) == ["sent while censored, arrived after", "after"]


def test_a_censored_peer_that_is_killed_dies_unnoticed() -> None:
    town = swarm(3)
    town.do(Censor(0))
    town.do(Kill(0))
    town.advance(SECOND)
    host(town, 1).send(0, Say("hello?"))
    town.advance(2 * SECOND)
    assert diary(town, 1).told == []
    assert dropped(town) == {"censored": 1}
    assert town.do(Uncensor(0)) == (0,)
    host(town, 1).send(0, Say("hello?"))
    town.advance(3 * SECOND)
    assert diary(town, 1).told == [(2 * SECOND + 2 * LATENCY, "refused", 0)]


def test_a_peer_that_is_revived_under_censorship_stays_censored() -> None:
    town = swarm(2)
    town.do(Kill(0))
    town.do(Censor(0))
    town.do(Revive(0))
    host(town, 1).send(0, Say("hello?"))
    town.advance(SECOND)
    assert texts(town, 0) == []
    town.do(Uncensor(0))
    host(town, 1).send(0, Say("hello!"))
    town.advance(2 * SECOND)
    assert texts(town, 0) == ["hello!"]


# --- partition -----------------------------------------------------------------------------------------


def test_a_partition_is_silence_between_the_sides() -> None:
    town = swarm(5)
    assert town.do(Partition((0, 1))) == (0, 1)
    host(town, 0).multicast((1, 2), Say("from 0"))
    host(town, 3).multicast((1, 2), Say("from 3"))
    town.advance(SECOND)
    assert texts(town, 1) == ["from 0"]
    assert texts(town, 2) == ["from 3"]
    assert dropped(town) == {"partition": 2}
    assert diary(town, 0).told == []
    town.do(Kill(0))
    town.advance(2 * SECOND)
    assert (SECOND + LATENCY, "closed", 0) in diary(town, 1).told
    assert diary(town, 2).told == [], "not even a death is heard of across"


def test_a_second_partition_splits_further_and_healing_ends_them_all() -> None:
    town = swarm(6)
    town.do(Partition((0, 1, 2)))
    town.do(Partition((2, 3)))
    group = town.snapshot().group.tolist()
    assert group[0] == group[1] != 0
    assert group[4] == group[5] == 0
    assert len(set(group)) == 4
    assert town.do(Heal()) == (0, 1, 2, 3)
    assert town.snapshot().group.tolist() == [0] * 6
    host(town, 0).send(5, Say("again"))
    town.advance(SECOND)
    assert texts(town, 5) == ["again"]


# --- operators -----------------------------------------------------------------------------------------


def test_a_shutdown_kills_all_of_one_operator_and_reopening_starts_them() -> None:
    town = swarm(3, Bureau)
    assert town.labels[3:] == ("desk-a", "desk-b", "desk-c")
    assert town.do(Shutdown("acme")) == (3, 4)
    assert states(town)[3:] == [DEAD, DEAD, ALIVE]
    host(town, 0).send(3, Say("hello?"))
    town.advance(SECOND)
    assert diary(town, 0).told == [(2 * LATENCY, "refused", 3)]
    assert town.do(Reopen("acme")) == (3, 4)
    assert states(town)[3:] == [ALIVE, ALIVE, ALIVE]


@pytest.mark.parametrize("verb", [Shutdown, Reopen])
def test_an_operator_must_be_named_as_it_is(verb: Any) -> None:
    town = swarm(3, Bureau)
    with pytest.raises(InputError, match='an operator called "acne"; did you mean "acme"'):
        town.do(verb("acne"))
    with pytest.raises(InputError, match="one of acme, bolt"):
        town.do(verb(""))
    assert set(states(town)) == {ALIVE}, "a name left out does not mean everybody"


def test_every_command_has_a_verb_and_each_pair_is_named_once() -> None:
    classes = {it for it in vars(engine).values() if isinstance(it, type) and issubclass(it, Command)} - {Command}
    assert set(VERBS.values()) == classes
    assert all(kind.verb == verb for verb, kind in VERBS.items())
    assert len({*UNDO, *UNDO.values()}) == 2 * len(UNDO)
    assert {*UNDO, *UNDO.values()} == VERBS.keys() - {"ask", "publish", "set", "arrive", "depart"}
