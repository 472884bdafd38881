"""Verbs of a network as means of attacks, and how they are taken back."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from person import dashboard

from engine import Act, Attack, Host, InputError, Kill, Peer, PeerId, Setup, Shutdown, Swarm, scenario_files, verb
from tui.widgets.attacks import started_attack


class Rider(Peer, name="riders-of-tests"):
    """Shares, or rides free; the peers with an even id cannot stop sharing."""

    def __init__(self) -> None:
        self.free = False
        self.bound = False

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        self.bound = host.me % 2 == 0

    @verb("ride-free", undo="share", about="Give nothing.", why_not=lambda it: "it must share" if it.bound else None)
    def ride_free(self, host: Host) -> None:
        self.free = True

    @verb("share", about="Give again.")
    def share(self, host: Host) -> None:
        self.free = False

    @verb("lend", undo="claim", about="Lend some.", values={"amount": "e.g. 3"})
    def lend(self, host: Host, amount: int) -> None:
        """Nothing."""

    @verb("claim", about="Claim it back.", values={"amount": "e.g. 3"})
    def claim(self, host: Host, amount: int) -> None:
        """Nothing."""

    @verb("halve", undo="claim", about="Keep a half.")
    def halve(self, host: Host) -> None:
        """Nothing."""


def riders() -> Swarm:
    return Swarm(Setup(protocol="x", peers=24, topology="ring", asks_per_s=0.0), Rider)


def free(swarm: Swarm) -> list[int]:
    return [peer for peer in range(24) if isinstance(it := swarm.peer(peer), Rider) and it.free]


def test_a_verb_of_the_network_is_one_of_the_means_of_an_attack() -> None:
    swarm = riders()
    means = {one.name: next(p.choices for p in one.params if p.name == "means") for one in swarm.attacks()
             if any(p.name == "means" for p in one.params)}  # fmt: skip
    for name in ("random", "degree", "betweenness", "role", "city"):
        assert means[name] == ("kill", "censor", "leave", "ride-free", "share", "halve")
    assert means["operator"][0] == "shutdown"
    assert means["operator"][-3:] == ("ride-free", "share", "halve")
    assert means["eclipse"] == means["bootstrap"] == ("kill", "censor", "leave")
    attack = Attack("random", share=0.5, means="ride-free")
    plan = swarm.preview(attack)
    able = len(plan.peers)
    assert 0 < able < 12
    assert plan.sentence.startswith(f"Would have {able} of 24 live users ride free, chosen at random; {12 - able} more")
    assert swarm.do(attack) == plan.peers
    assert free(swarm) == sorted(plan.peers)
    # At once, spread over time, and attacks that are refused.
    later = riders()
    later.do(Attack("role", whom="peer", means="ride-free"))
    assert len(free(later)) == 12
    later.do(Attack("degree", share=1.0, means="share", over_s=2.0))
    later.advance(3_000_000)
    assert not free(later)
    with pytest.raises(InputError, match=r"\"ride-fre\".*\"ride-free\""):
        swarm.do(Attack("random", means="ride-fre"))
    with pytest.raises(InputError, match="lend"):
        swarm.do(Attack("random", means="lend"))
    with pytest.raises(InputError, match="ride-free"):
        swarm.do(Attack("bootstrap", means="ride-free"))


def test_an_operator_may_be_attacked_by_other_means_than_a_court_order() -> None:
    swarm = Swarm(Setup(protocol="napster", peers=24, asks_per_s=0.0))
    whom = next(p for one in swarm.attacks() if one.name == "operator" for p in one.params).default
    assert isinstance(swarm.preview(Attack("operator")).steps[0][1], Shutdown)
    assert isinstance(swarm.preview(Attack("operator", means="kill")).steps[0][1], Kill)
    assert swarm.preview(Attack("operator", means="censor")).sentence.endswith(f"of {whom}.")


def test_the_opposite_of_a_verb_is_known_where_its_values_are() -> None:
    swarm = riders()
    assert swarm.opposite_of(Act((1, 3), "ride-free"), (1, 3)) == Act((1, 3), "share", {})
    assert swarm.opposite_of(Act(1, "lend", {"amount": 3}), (1,)) == Act((1,), "claim", {"amount": 3})
    assert swarm.opposite_of(Act(1, "halve"), (1,)) is None
    assert swarm.opposite_of(Act(1, "share"), (1,)) is None
    plan = swarm.preview(Attack("random", share=0.5, means="ride-free"))
    back = swarm.opposite_of(Act(plan.peers, "ride-free"), plan.peers)
    assert started_attack("At random", plan, 0, back).undo == back
    assert started_attack("At random", plan, 0).undo is None


def test_a_scenario_names_means_of_its_network_alone() -> None:
    text = 'protocol = "napster"\n[[at]]\ns = 1\ndo = "attack"\nname = "random"\nmeans = "{}"\n'
    scenario_files.parse(text.format("censor"), "here")
    with pytest.raises(InputError, match="ride-free"):
        scenario_files.parse(text.format("ride-free"), "here")


@pytest.mark.anyio
async def test_a_verb_that_was_done_is_taken_back_with_a_key() -> None:
    async with dashboard(make=lambda setup: Swarm(setup, Rider), topology="ring", asks_per_s=0.0) as person:
        await person.press("U")
        assert "There is nothing to take back" in person.toasts
        person.main.pick(3)
        await person.press("asterisk")
        person.main.act("ride-free")
        await person.pilot.pause()
        assert free(person.session.swarm) == [3]
        assert "“ride-free” was done to p003. {peer.opposite}: share" in person.session.notice.text
        await person.press("U")
        assert free(person.session.swarm) == []
