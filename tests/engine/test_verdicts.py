"""What is said of an ask when it is over, in one sentence that a person can use."""

from __future__ import annotations

from typing import Any

from tiny import (
    Bureau,
    Diary,
    Question,
    ask,
    give,
    host,
    swarm,
)

from engine import (
    Ask,
    Censor,
    Collude,
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


def verdict(town: Swarm, text: str = "blue train", run_s: float = 5) -> str:
    return str(ask(town, 0, text, run_s=run_s).verdict)


def holders(peers: int, *those: int, **changes: Any) -> Swarm:
    town = swarm(peers, **changes)
    for peer in those:
        give(town, peer, "blue train")
    return town


def test_the_verdict_on_success_and_on_what_nobody_has() -> None:
    assert verdict(holders(3, 1, 2)) == "Answered: 2 holders, the first after 0.02 s."
    assert verdict(holders(3, 1)) == "Answered: 1 holder, the first after 0.02 s."
    assert verdict(holders(3)) == 'No answer: nobody holds "blue train".'
    assert verdict(holders(3, 0)) == 'No answer: nobody holds "blue train".', "the asker's own copy aside"


def test_the_verdict_says_where_the_holders_are() -> None:
    town = holders(12, 1, 2, 3, 4, 5, 6)
    town.do(Kill((1, 2)))
    town.do(Leave(3))
    town.do(Censor(4))
    town.do(Collude(5, "train"))
    town.do(Partition(6))
    assert verdict(town) == (
        "No answer: 6 peers hold it; 2 are dead, 1 is gone, 1 is censored, 1 is behind the partition, 1 is colluding."
    )


def test_the_verdict_compares_the_distance_with_how_far_a_question_travels() -> None:
    town = holders(20, 9, topology="ring", options={"loud": True, "ttl": 7})
    assert verdict(town) == "No answer: 1 peer holds it; 1 is 9 hops away and a question travels 7 hops."
    town = holders(20, 9, 10, topology="ring", options={"loud": True, "ttl": 7})
    assert verdict(town) == "No answer: 2 peers hold it; 2 are at least 9 hops away and a question travels 7 hops."


def test_the_verdict_sees_that_the_overlay_is_cut() -> None:
    town = holders(6, 3, topology="ring", **LOUD)
    town.do(Kill((2, 4)))
    assert verdict(town) == "No answer: 1 peer holds it; 1 cannot be reached over the links that are left."


def test_the_verdict_names_the_commonest_loss_on_the_way() -> None:
    town = holders(6, 3, topology="ring", **LOUD)
    town.do(Collude((1, 5), "train"))
    assert verdict(town) == (
        "No answer: 1 peer holds it; the way to 1 was cut (2 messages were suppressed by a colluder)."
    )
    town = holders(6, 3, topology="ring", **LOUD)
    town.do(Collude(1, "train"))
    town.do(Kill(5))
    town.do(Revive(5))
    host(town, 5).link(4)
    assert "(1 message " in verdict(town)


def test_the_verdict_tells_asked_from_unasked() -> None:
    class Mute(Diary, name="mute"):
        @on(Question)
        def question(self, host: Host, sender: PeerId, message: Question) -> None:
            """Says nothing."""

    town = swarm(3, Mute)
    give(town, 1, "blue train")
    assert verdict(town) == "No answer: 1 peer holds it; 1 was asked, but no answer came back."

    class Idle(Diary, name="idle"):
        def ask(self, host: Host, ask: Ask) -> None:
            """Asks nobody."""

    town = swarm(3, Idle)
    give(town, 1, "blue train")
    assert verdict(town) == "No answer: 1 peer holds it; 1 never heard of it."


def test_a_protocol_may_explain_in_its_own_terms() -> None:
    seen: list[dict[str, Any]] = []

    class Wordy(Bureau, name="wordy"):
        @classmethod
        def explain(cls, facts: Any, options: Any) -> str | None:
            seen.append(facts)
            return "the desks are closed." if facts["stations"]["desk-a"] != "alive" else None

    town = swarm(2, Wordy)
    assert verdict(town) == 'No answer: nobody holds "blue train".'
    town.do(Kill("desk-a"))
    town.do(Collude("desk-b", "train"))
    town.do(Censor("desk-c"))
    assert verdict(town) == "No answer: the desks are closed."
    assert seen[-1]["stations"] == {"desk-a": "dead", "desk-b": "colluding", "desk-c": "censored"}


def test_the_verdict_on_a_broadcast_is_who_heard_it() -> None:
    class Herald(Diary, name="herald"):
        wants = "broadcast"

    town = swarm(5, Herald, **LOUD)
    assert verdict(town, "news") == "Heard by 4 of 4 living peers (100%)."
    town.do(Censor(1))
    assert verdict(town, "more news") == "Heard by 3 of 4 living peers (75%)."
    town.do(Kill((1, 2, 3, 4)))
    assert verdict(town, "old news") == "Nobody else is alive to hear it."
