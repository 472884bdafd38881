"""Verdicts: the sentence on an ask when it has closed."""

from __future__ import annotations

from typing import Any

from tiny import (
    Bureau,
    Diary,
    Question,
    ask,
    give,
    host,
    make_swarm,
)

from engine import (
    BROADCAST,
    Ask,
    Censor,
    Collude,
    Facts,
    Host,
    Kill,
    Leave,
    Partition,
    PeerId,
    Revive,
    Swarm,
    on,
)

LOUD = {"options": {"loud": True}}


def verdict(swarm: Swarm, text: str = "blue train", run_s: float = 5) -> str:
    return str(ask(swarm, 0, text, run_s=run_s).verdict)


def holders(peers: int, *those: int, **changes: Any) -> Swarm:
    swarm = make_swarm(peers, **changes)
    for peer in those:
        give(swarm, peer, "blue train")
    return swarm


def test_the_verdict_on_success_and_on_what_nobody_has() -> None:
    assert verdict(holders(3, 1, 2)) == "Found: 2 holders, the first after 0.02 s."
    assert verdict(holders(3, 1)) == "Found: 1 holder, the first after 0.02 s."
    assert verdict(holders(3)) == 'No answer: no peer holds "blue train".'
    assert verdict(holders(3, 0)) == 'No answer: no peer holds "blue train".', "the asker's own copy aside"


def test_the_verdict_says_where_the_holders_are() -> None:
    swarm = holders(12, 1, 2, 3, 4, 5, 6)
    swarm.do(Kill((1, 2)))
    swarm.do(Leave(3))
    swarm.do(Censor(4))
    swarm.do(Collude(5, "train"))
    swarm.do(Partition(6))
    assert verdict(swarm) == (
        "No answer: 6 peers hold it; 2 are dead, 1 is gone, 1 is censored, 1 is behind the partition, 1 is colluding."
    )


def test_the_verdict_compares_the_distance_with_how_far_a_question_travels() -> None:
    swarm = holders(20, 9, topology="ring", options={"loud": True, "ttl": 7})
    assert verdict(swarm) == "No answer: 1 peer holds it; 1 is 9 hops away and a question travels 7 hops."
    swarm = holders(20, 9, 10, topology="ring", options={"loud": True, "ttl": 7})
    assert verdict(swarm) == "No answer: 2 peers hold it; 2 are at least 9 hops away and a question travels 7 hops."


def test_the_verdict_says_that_the_overlay_is_cut() -> None:
    swarm = holders(6, 3, topology="ring", **LOUD)
    swarm.do(Kill((2, 4)))
    assert verdict(swarm) == "No answer: 1 peer holds it; 1 cannot be reached over the links that are left."


def test_the_verdict_names_the_commonest_loss_on_the_way() -> None:
    swarm = holders(6, 3, topology="ring", **LOUD)
    swarm.do(Collude((1, 5), "train"))
    assert verdict(swarm) == (
        "No answer: 1 peer holds it; the way to 1 was cut (2 messages were suppressed by a colluder)."
    )
    swarm = holders(6, 3, topology="ring", **LOUD)
    swarm.do(Collude(1, "train"))
    swarm.do(Kill(5))
    swarm.do(Revive(5))
    host(swarm, 5).link(4)
    assert "(1 message " in verdict(swarm)


def test_the_verdict_distinguishes_holders_that_were_asked_from_others() -> None:
    class Mute(Diary, name="mute"):
        @on(Question)
        def question(self, host: Host, sender: PeerId, message: Question) -> None:
            """Says nothing."""

    swarm = make_swarm(3, Mute)
    give(swarm, 1, "blue train")
    assert verdict(swarm) == "No answer: 1 peer holds it; 1 was asked, but no answer came back."

    class Idle(Diary, name="idle"):
        def ask(self, host: Host, ask: Ask) -> None:
            """Asks nobody."""

    swarm = make_swarm(3, Idle)
    give(swarm, 1, "blue train")
    assert verdict(swarm) == "No answer: 1 peer holds it; 1 did not receive the question."


def test_a_network_without_files_has_no_holders_that_the_engine_knows() -> None:
    class Fileless(Diary, name="fileless"):
        shares_files = False

        @on(Question)
        def hear(self, host: Host, sender: PeerId, message: Question) -> None:
            """No answer."""

        def ask(self, host: Host, ask: Ask) -> None:
            host.send(1, Question(ask.text))

    class Kept(Fileless, name="kept"):
        def keeps(self, text: str) -> bool:
            return True

    class Plain(Fileless, name="plain"):
        def ask(self, host: Host, ask: Ask) -> None:
            if ask.text != "nothing":
                host.failed("nobody that was asked knows it")

    swarm = make_swarm(5, Fileless)
    give(swarm, 1, "blue train")  # a file in a network that reads no libraries
    assert verdict(swarm) == "No answer: 1 peer was asked, and no answer came back."
    cut = swarm.min_cut(0, "blue train")
    assert cut.sentence.startswith("The peers of this network share no files, and it does not say who could answer for")
    swarm.do(Censor(1))
    assert verdict(swarm) == "No answer: nobody was asked; 1 message was censored."
    assert verdict(make_swarm(5, Kept)) == (
        "No answer: 1 peer was asked, and no answer came back; 4 peers keep a record of it."
    )
    assert make_swarm(5, Kept).min_cut(0, "blue train").sentence.startswith("p000 keeps a record of")
    swarm = make_swarm(5, Plain)
    assert verdict(swarm) == "No answer: nobody that was asked knows it."
    assert verdict(swarm, "nothing") == "No answer: nobody was asked."


def test_the_reason_that_a_network_gives_comes_before_where_the_holders_are() -> None:
    class Reasons(Diary, name="reasons"):
        def ask(self, host: Host, ask: Ask) -> None:
            host.failed("it gave up.")

    assert verdict(make_swarm(3, Reasons)) == 'No answer: it gave up; no peer holds "blue train".'


def test_a_protocol_may_explain_in_its_own_terms() -> None:
    seen: list[Facts] = []

    class Wordy(Bureau, name="wordy"):
        @classmethod
        def verdict(cls, facts: Facts, options: Any) -> str | None:
            seen.append(facts)
            return "No answer: the desks are closed." if facts.stations["desk-a"] != "alive" else None

    swarm = make_swarm(2, Wordy)
    assert verdict(swarm) == 'No answer: no peer holds "blue train".'
    swarm.do(Kill("desk-a"))
    swarm.do(Collude("desk-b", "train"))
    swarm.do(Censor("desk-c"))
    assert verdict(swarm) == "No answer: the desks are closed."
    assert seen[-1].stations == {"desk-a": "dead", "desk-b": "colluding", "desk-c": "censored"}


def test_the_verdict_on_a_broadcast_is_who_heard_it() -> None:
    class Herald(Diary, name="herald"):
        goals = (BROADCAST,)

    swarm = make_swarm(5, Herald, **LOUD)
    assert verdict(swarm, "news") == "Heard by 4 of 4 living peers (100%)."
    swarm.do(Censor(1))
    assert verdict(swarm, "more news") == "Heard by 3 of 4 living peers (75%)."
    swarm.do(Kill((1, 2, 3, 4)))
    assert verdict(swarm, "old news") == "No other peer is alive to hear it."
