"""Asks, publications and parameters: what commands do, and which are refused."""

from __future__ import annotations

from typing import Any

import pytest
from tiny import SECOND, Bureau, Shout, ask, diary, give, host, make_swarm, states, texts

from engine import (
    ALIVE,
    DEAD,
    LEFT,
    AskFor,
    Collude,
    Command,
    Commanded,
    Heal,
    Hit,
    InputError,
    Join,
    Kill,
    Leave,
    Publish,
    Refused,
    Revive,
    Set,
    Setup,
    Shutdown,
    Swarm,
)

# --- asks ----------------------------------------------------------------------------------------------


def test_each_selected_peer_asks_once() -> None:
    swarm = make_swarm(4)
    assert swarm.do(AskFor("all", "blue train")) == (0, 1, 2, 3)
    assert [row.origin for row in swarm.asks()] == [0, 1, 2, 3]
    assert {row.by for row in swarm.asks()} == {"person"}


def test_an_ask_of_a_peer_that_is_down_waits_until_it_is_up() -> None:
    swarm = make_swarm(3)
    swarm.do(Kill(0))
    swarm.do(Leave(1))
    swarm.do(AskFor((0, 1, 2), "blue train"))
    assert [row.origin for row in swarm.asks()] == [2]
    assert not swarm.quiet()
    swarm.advance(5 * SECOND)
    swarm.do(Join(1))
    swarm.do(Revive(0))
    assert [row.origin for row in swarm.asks()] == [2], "they are up, and have no link yet"
    swarm.advance(10 * SECOND)
    three_later = 8 * SECOND
    assert [(row.origin, row.issued_us) for row in swarm.asks()] == [(2, 0), (0, three_later), (1, three_later)]
    assert swarm.quiet()
    assert diary(swarm, 0).asked == [(three_later, "find", "blue train")]


def test_an_ask_waits_for_churn_to_bring_its_peer_back() -> None:
    swarm = make_swarm(40, churn="exponential:30")
    away = swarm.select("state=dead")
    assert away
    swarm.do(AskFor(away, "blue train"))
    assert swarm.asks() == []
    swarm.advance(300 * SECOND)
    assert sorted(row.origin for row in swarm.asks()) == sorted(away)
    assert all(row.issued_us > 0 for row in swarm.asks())


def test_an_ask_may_say_what_it_wants() -> None:
    swarm = make_swarm(2)
    swarm.do(AskFor(0, "news", "broadcast"))
    assert diary(swarm, 0).asked == [(0, "broadcast", "news")]


def test_an_ask_is_harmless_text_of_limited_length() -> None:
    swarm = make_swarm(2)
    swarm.do(AskFor(0, "  blue\x1b[31m\ntrain\u202e  " + "x" * 1_000))
    text = swarm.asks()[0].text
    assert text.startswith("blue[31m train")
    assert len(text) <= 200


def test_a_publication_is_in_the_library_at_once_and_the_peer_is_told() -> None:
    swarm = make_swarm(3)
    swarm.do(Kill(1))
    assert swarm.do(Publish((0, 1), "blue train")) == (0, 1)
    assert [file.name for file in swarm.library(0).files()] == ["blue train"]
    assert swarm.library(1).files() == swarm.library(0).files(), "the same bytes, whoever publishes them"
    assert diary(swarm, 0).asked == [(0, "publish", "blue train")]
    assert swarm.snapshot().files.tolist() == [1, 1, 0]
    swarm.advance(SECOND)
    assert [row.verdict for row in swarm.asks()] == ["Published: it is in the library and whoever asks may find it."]
    assert ask(swarm, 2, "blue").hits == 1


def test_a_publication_is_in_the_next_snapshot_also_while_the_run_is_paused() -> None:
    swarm = make_swarm(2)
    assert swarm.snapshot().files.tolist() == [0, 0]
    swarm.do(Publish(0, "blue train"))
    assert swarm.snapshot().files.tolist() == [1, 0]


# --- parameters ----------------------------------------------------------------------------------------


def test_loss_may_be_turned_on_and_off() -> None:
    swarm = make_swarm(2)
    swarm.do(Set("loss", 0.5))
    for _ in range(100):
        host(swarm, 0).send(1, Shout("x"))
    swarm.do(Set("loss", 0.0))
    for _ in range(100):
        host(swarm, 0).send(1, Shout("y"))
    swarm.advance(SECOND)
    heard = texts(swarm, 1)
    assert heard.count("y") == 100
    assert 25 < heard.count("x") < 75, "what was lost when it was sent stays lost"


def test_background_asks_may_be_turned_up_and_off() -> None:
    swarm = make_swarm(8, asks_per_s=0.0)
    swarm.advance(10 * SECOND)
    assert swarm.asks() == []
    swarm.do(Set("asks", 5))
    swarm.advance(30 * SECOND)
    count = len(swarm.asks())
    assert 60 < count < 140
    assert {row.by for row in swarm.asks()} == {"background"}
    swarm.do(Set("asks", 0))
    swarm.advance(60 * SECOND)
    assert len(swarm.asks()) == count


def test_churn_may_begin_and_end_while_it_runs() -> None:
    swarm = make_swarm(50)
    swarm.advance(10 * SECOND)
    assert states(swarm).count(DEAD) == 0
    swarm.do(Set("churn", "exponential:20"))
    swarm.advance(300 * SECOND)
    up = swarm.snapshot().series.columns["alive"][100:]
    assert 35 < up.mean() < 45, "four in five"
    swarm.do(Set("churn", "none"))
    now = states(swarm)
    swarm.advance(400 * SECOND)
    assert states(swarm) == now


def test_churn_does_not_restart_peers_that_a_person_stopped() -> None:
    swarm = make_swarm(10, churn="exponential:5")
    swarm.do(Revive("all"))
    swarm.do(Kill((0, 1)))
    swarm.do(Leave(2))
    swarm.advance(100 * SECOND)
    swarm.do(Set("churn", "exponential:4"))
    swarm.advance(200 * SECOND)
    assert states(swarm)[:3] == [DEAD, DEAD, LEFT]
    swarm.do(Revive(0))
    swarm.do(Join(2))
    swarm.advance(400 * SECOND)
    back = [e for e in swarm.events() if getattr(e, "what", "") == "revive" and e.peer in (0, 2)]
    assert back, "they come and go again"


def test_infrastructure_is_spared_by_churn() -> None:
    swarm = make_swarm(5, Bureau, churn="exponential:2")
    swarm.advance(60 * SECOND)
    assert all(event.peer < 5 for event in swarm.events() if type(event).__name__ == "Churned")
    assert states(swarm)[5:] == [ALIVE] * 3


def test_an_option_of_the_protocol_changes_for_all_at_once() -> None:
    swarm = make_swarm(3)
    swarm.do(Set("ttl", 3))
    swarm.do(Set("loud", "yes"))
    swarm.do(Set("pace_s", "2.5"))
    assert swarm.settings() == {
        "churn": "none",
        "polite": 0.0,
        "arrivals": "none",
        "loss": 0.0,
        "latency": 1.0,
        "asks": 0.0,
        "jitter": 0.0,
        "ttl": 3,
        "pace_s": 2.5,
        "loud": True,
    }
    assert host(swarm, 2).options.ttl == 3


BAD: list[tuple[Command, str]] = [
    (Kill("p99"), "p99"),
    (Kill(""), "empty"),
    (Kill(8), "there is no peer #8"),
    (Kill((0, -1)), "there is no peer #-1"),
    (Kill("role=clark"), "clerk"),
    (Collude("p000", " ,"), "needs a word"),
    (Collude("p000", "train", 1.5), "share from 0 to 1"),
    (Collude("p000", "train", float("nan")), "share from 0 to 1"),
    (Collude("p0", "train"), "p0"),
    (Shutdown("ac"), "acme"),
    (AskFor("p000", " \x07 "), "something to ask for"),
    (AskFor("p000", "x", "bogus"), "one of broadcast, fetch, find, publish"),  # type: ignore[arg-type]
    (AskFor("random 200%", "x"), "at most 100%"),
    (Publish("p000", "???"), "needs a name"),
    (Publish("p000", " " * 300 + "x"), "letter or digit"),
    (Set("loss", 1.0), "from 0 to 0.99"),
    (Set("jiter", 5), 'did you mean "jitter"'),
    (Set("loss", "much"), '"much"'),
    (Set("loss", None), "loss"),
    (Set("loss", True), "not true"),
    (Set("latency", 0), "from 0.001 to 1,000"),
    (Set("latency", float("nan")), "latency"),
    (Set("asks", -1), "asks"),
    (Set("asks", 10**400), "asks"),
    (Set("churn", "weekly"), "weekly"),
    (Set("churn", None), "churn"),
    (Set("ttl", 0), "ttl should be a whole number from 1 to 100"),
    (Set("tll", 5), 'did you mean "ttl"'),
    (Set("loud", "perhaps"), "true or false"),
]


@pytest.mark.parametrize(("command", "says"), BAD, ids=[f"{c.verb}-{i}" for i, (c, _) in enumerate(BAD)])
def test_a_refused_command_changes_nothing(command: Command, says: str) -> None:
    def run(bad: bool) -> tuple[Any, ...]:
        swarm = make_swarm(5, Bureau, asks_per_s=2.0, seed=3)
        swarm.advance(3 * SECOND)
        if bad:
            with pytest.raises(InputError) as caught:
                swarm.do(command)
            assert says in str(caught.value)
            assert "\n" not in str(caught.value)
        swarm.do(Kill("random 2"))
        swarm.advance(6 * SECOND)
        return swarm.fingerprint(), len(list(swarm.events())), swarm.settings(), states(swarm), len(swarm.history)

    assert run(bad=True) == run(bad=False)


def test_a_network_without_options_says_so() -> None:
    from engine import Peer

    class Plain(Peer, name="plain"):
        pass

    swarm = make_swarm(2, Plain)
    with pytest.raises(InputError, match="no options"):
        swarm.do(Set("ttl", 5))
    with pytest.raises(InputError, match="no options"):
        make_swarm(2, Plain, options={"ttl": 5})
    assert "ttl" not in swarm.settings()


def test_an_invalid_swarm_is_refused() -> None:
    for changes, says in (
        ({"loss": 1.0}, "loss"),
        ({"loss": float("nan")}, "loss"),
        ({"asks_per_s": -1.0}, "asks"),
        ({"asks_per_s": float("inf")}, "asks"),
        ({"options": {"ttl": 0}}, "ttl"),
        ({"churn": "weekly"}, "churn"),
        ({"latency": "slow"}, "latency"),
        ({"topology": "blob"}, "topology"),
        ({"peers": 0}, "peer"),
    ):
        with pytest.raises(InputError, match=says):
            make_swarm(**{"peers": 3, **changes})


# --- events of commands --------------------------------------------------------------------------------


def test_commands_are_events_and_history() -> None:
    swarm = make_swarm(3)
    swarm.do(Kill("p001"), by="scenario")
    swarm.advance(SECOND)
    swarm.do(Heal())
    told = [event for event in swarm.events() if isinstance(event, Commanded)]
    assert [(e.at_us, e.command, e.peers, e.by) for e in told] == [
        (0, Kill("p001"), (1,), "scenario"),
        (SECOND, Heal(), (), "person"),
    ]
    assert swarm.history == [(0, Kill("p001"), "scenario"), (SECOND, Heal(), "person")]


def test_a_scheduled_command_is_done_at_its_time_and_a_bad_one_is_a_warning() -> None:
    swarm = make_swarm(3, schedule=((SECOND, Kill("p001")), (SECOND, Kill("p0099")), (2 * SECOND, Revive("p001"))))
    swarm.advance(SECOND - 1)
    assert states(swarm)[1] == ALIVE
    swarm.advance(SECOND)
    assert states(swarm)[1] == DEAD
    swarm.advance(3 * SECOND)
    assert states(swarm)[1] == ALIVE
    assert len(swarm.warnings) == 1
    assert swarm.warnings[0].startswith("at 1 s, kill: ")
    assert "p0099" in swarm.warnings[0]


def test_the_event_of_an_ask_comes_before_its_hits_and_a_refused_ask_is_an_event() -> None:
    swarm = make_swarm(3)
    give(swarm, 1, "blue train")
    swarm.do(Kill(2))
    swarm.do(AskFor(0, "blue train"))
    swarm.advance(SECOND)
    kinds = [type(event).__name__ for event in swarm.events()]
    assert kinds == ["Commanded", "AskIssued", "Commanded", "Hit", "Refused", "Closed"]
    hit = next(e for e in swarm.events() if isinstance(e, Hit))
    assert (hit.ask, hit.origin, hit.holder, hit.content) == (1, 0, 1, "blue train")
    refused = next(e for e in swarm.events() if isinstance(e, Refused))
    assert (refused.peer, refused.to, refused.kind, refused.ask) == (0, 2, "Question", 1)
    assert [e.seq for e in swarm.events()] == [1, 2, 3, 4, 5, 6]


def test_a_scheduled_command_acts_when_its_instant_is_over() -> None:
    plan = ((0, AskFor(0, "blue train")), (50_000, Kill((1, 2, 3))))
    swarm = Swarm(Setup(peers=4, topology="complete", latency="constant:50", asks_per_s=0.0, schedule=plan))
    swarm.advance(50_000)
    assert swarm.record(1).reached == 3, "the question had arrived when the axe fell"
    assert swarm.snapshot().state.tolist() == [0, 1, 1, 1]
