"""A peer that enforces a ban itself: what it suppresses, what leaks, and what it does not suppress."""

from __future__ import annotations

from tiny import SECOND, Diary, Say, ask, diary, give, host, make_swarm, texts

from engine import (
    Collude,
    Defect,
    Kill,
)


def test_in_request_and_reply_a_colluder_answers_that_it_found_nothing() -> None:
    swarm = make_swarm(2)
    give(swarm, 1, "blue train")
    give(swarm, 1, "red balloon")
    assert swarm.do(Collude(1, "train")) == (1,)
    assert swarm.snapshot().colluding.tolist() == [False, True]
    assert swarm.ban_of(1) == "train"
    row = ask(swarm, 0, "blue train")
    assert row.hits == 0
    assert texts(swarm, 0) == [()], "an answer came, and it was empty"
    assert row.lost == 0
    assert ask(swarm, 0, "red balloon").hits == 1
    assert swarm.do(Defect(1)) == (1,)
    assert swarm.do(Defect(1)) == ()
    assert ask(swarm, 0, "blue train").hits == 1


def test_in_a_flood_a_colluder_neither_answers_nor_relays() -> None:
    swarm = make_swarm(4, topology="tree:2", options={"loud": True})
    assert swarm.links_of(1) == (0, 3)
    give(swarm, 3, "blue train")
    assert ask(swarm, 0, "blue train").hits == 1
    for peer in range(4):
        diary(swarm, peer).heard.clear()
    swarm.do(Collude(1, "blue train"))
    row = ask(swarm, 0, "blue train")
    assert (row.hits, row.reached) == (0, 1), "p002 hears of it, p001 does not let on"
    assert row.losses == {"colluded": 1}
    assert ask(swarm, 0, "blue moon").reached == 3, "one banned word of two is no banned phrase"


def test_answers_through_a_colluder_are_stripped_too() -> None:
    swarm = make_swarm(2)
    give(swarm, 1, "blue train")
    give(swarm, 1, "blue moon")
    swarm.do(Collude(1, "train"))
    ask(swarm, 0, "blue")
    assert texts(swarm, 0) == [("blue moon",)]


def test_one_coin_an_ask_decides_what_leaks() -> None:
    swarm = make_swarm(2)
    give(swarm, 1, "blue train")
    swarm.do(Collude(1, "train", leak=0.3))
    hits = sum(ask(swarm, 0, "blue train", run_s=0.1).hits for _ in range(300))
    assert 60 < hits < 120, "two coins, one each way, would let nine in a hundred through"
    swarm.do(Collude(1, "train", leak=1.0))
    assert ask(swarm, 0, "blue train").hits == 1


def test_what_no_ask_caused_leaks_by_the_message() -> None:
    from tiny import Question

    swarm = make_swarm(2)
    swarm.do(Collude(1, "train", leak=0.5))
    for _ in range(200):
        host(swarm, 0).send(1, Question("train"), cause=None)
    swarm.advance(SECOND)
    let_in = texts(swarm, 1).count("train")
    assert 70 < let_in < 130


def test_upkeep_that_reaches_a_colluder_is_left_alone() -> None:
    class Chatty(Diary, name="chatty"):
        pass

    swarm = make_swarm(2, Chatty)
    swarm.do(Collude(1, "train"))
    host(swarm, 0).send(1, Say("blue train"))
    swarm.advance(SECOND)
    assert texts(swarm, 1) == ["blue train"]


def test_a_dead_colluder_enforces_nothing_and_its_machine_refuses() -> None:
    swarm = make_swarm(2)
    swarm.do(Collude(1, "train"))
    swarm.do(Kill(1))
    swarm.advance(SECOND)
    row = ask(swarm, 0, "blue train")
    assert row.losses == {"dead": 1}
    assert diary(swarm, 0).told[-1][1] == "refused"
