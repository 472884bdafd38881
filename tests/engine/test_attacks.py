"""Named attacks: which peers they take, what they do to the swarm, and that a preview is right."""

from __future__ import annotations

from typing import Any

import networkx as nx
import pytest
from tiny import SECOND

from engine import (
    ALIVE,
    DEAD,
    AskFor,
    Attack,
    Collude,
    Commanded,
    Cut,
    InputError,
    Kill,
    Setup,
    Swarm,
    networks,
    run,
    scenario_files,
    to_toml,
)
from engine.control.attacks import PRESETS

NAMES = tuple(PRESETS)


def made(protocol: str = "gnutella", **changes: Any) -> Swarm:
    return Swarm(Setup(**{"protocol": protocol, "peers": 60, "seed": 5, "asks_per_s": 0.0, **changes}))


def dead(swarm: Swarm) -> list[int]:
    return [peer for peer, state in enumerate(swarm.snapshot().state.tolist()) if state == DEAD]


def by_the_attack(swarm: Swarm) -> list[Commanded]:
    return [event for event in swarm.events() if isinstance(event, Commanded) and event.by == "attack"]


# --- what there is to choose ---------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", networks())
def test_each_preset_says_what_it_is_and_takes(protocol: str) -> None:
    swarm = made(protocol)
    presets = {preset.name: preset for preset in swarm.attacks()}
    assert tuple(presets) == NAMES
    for preset in presets.values():
        assert preset.title
        assert preset.about.endswith(".")
        assert preset.params
        for param in preset.params:
            if param.kind in ("share", "count", "seconds"):
                assert param.low is not None
                assert param.high is not None
                assert param.low <= param.default <= param.high
            if param.kind == "choice" and param.choices:
                assert param.default in param.choices
    [which] = [param for param in presets["role"].params if param.name == "whom"]
    assert which.default == which.choices[-1], "the rarest role, that of servers if there are any"
    cities = next(param for param in presets["city"].params if param.name == "whom").choices
    assert len(swarm.select(f'city="{cities[0]}"')) >= len(swarm.select(f'city="{cities[-1]}"'))


@pytest.mark.parametrize("name", NAMES)
def test_a_preview_changes_nothing_and_the_attack_is_what_it_said(name: str) -> None:
    plain, looked = (
        made("napster" if name in ("operator", "whack-a-mole") else "gnutella"),
        made("napster" if name in ("operator", "whack-a-mole") else "gnutella"),
    )
    for swarm in (plain, looked):
        swarm.advance(SECOND)
    told = {looked.preview(Attack(name)).sentence for _ in range(3)}
    looked.attacks()
    assert len(told) == 1
    for swarm in (plain, looked):
        swarm.do(Attack(name))
        swarm.advance(20 * SECOND)
    assert plain.fingerprint() == looked.fingerprint()


# --- its peers -------------------------------------------------------------------------------------------------


def test_a_share_at_random_is_of_the_living_users() -> None:
    swarm = made("napster")
    swarm.do(Kill("random 10"))
    gone = set(dead(swarm))
    assert swarm.preview(Attack("random", share=0.2)).sentence == "Would kill 10 of 50 live users, chosen at random."
    taken = swarm.do(Attack("random", share=0.2))
    assert len(taken) == 10
    assert not gone & set(taken)
    assert swarm.snapshot().state[swarm.select("role=index")[0]] == ALIVE


def test_two_attacks_draw_anew() -> None:
    swarm = made()
    first = swarm.do(Attack("random", share=0.1, means="censor"))
    second = swarm.do(Attack("random", share=0.1, means="censor"))
    assert len(first) == 6
    assert first != second
    assert swarm.snapshot().censored.sum() == len({*first, *second})


def test_the_hubs_go_first_and_equals_in_order_of_id() -> None:
    swarm = made(topology="scale-free:2")
    links = swarm.snapshot().links
    degree = [int(((links.a == peer) | (links.b == peer)).sum()) for peer in range(60)]
    right = sorted(range(60), key=lambda peer: (-degree[peer], peer))[:6]
    assert swarm.do(Attack("degree", share=0.1)) == tuple(right)
    assert dead(swarm) == sorted(right)


def test_the_bridges_are_those_that_networkx_names() -> None:
    swarm = made(topology="small-world:4:0.1")
    links = swarm.snapshot().links
    graph = nx.Graph(zip(links.a.tolist(), links.b.tolist(), strict=True))
    rank = nx.betweenness_centrality(graph, normalized=False)
    right = sorted(rank, key=lambda peer: (-round(rank[peer], 6), peer))[:3]
    assert swarm.select("top 3 betweenness") == tuple(sorted(right))
    assert set(right) <= set(swarm.select("betweenness>100"))
    assert set(swarm.do(Attack("betweenness", share=0.05))) == set(right)


def test_a_share_may_be_killed_over_time() -> None:
    swarm = made()
    swarm.do(Attack("random", share=0.5, over_s=10.0))
    counts = []
    for second in range(12):
        swarm.advance(second * SECOND)
        counts.append(len(dead(swarm)))
    assert counts[0] == 1
    assert counts[5] == pytest.approx(15, abs=2)
    assert counts[-1] == 30


def test_links_are_cut_one_by_one_and_mended() -> None:
    swarm = made("routing", options={"hosts_share": 0.0})
    links = swarm.snapshot().links
    there = {(min(pair), max(pair)) for pair in zip(links.a.tolist(), links.b.tolist(), strict=True)}
    told = f"Would cut 6 of {len(there):,} links that there are within 10 s, chosen at random."
    plan = swarm.preview(Attack("links", count=6, over_s=10.0))
    assert plan.sentence == told
    assert [at_s for at_s, _ in plan.steps] == [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]
    swarm.do(Attack("links", count=6, over_s=10.0))
    counts = []
    for second in range(12):
        swarm.advance((second + 1) * SECOND)
        counts.append(len(swarm.snapshot().cut_links.a))
    assert counts == [1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 6]
    cut = swarm.snapshot().cut_links
    pairs = set(zip(cut.a.tolist(), cut.b.tolist(), strict=True))
    assert pairs <= there
    assert pairs == {step.peers for _, step in plan.steps if isinstance(step, Cut)}
    assert swarm.preview(Attack("links")).sentence.startswith(f"Would cut 5 of {len(there) - 6:,} links")
    swarm.do(Cut((min(set(range(60)) - {one for pair in pairs for one in pair}),)))
    assert swarm.preview(Attack("links", means="mend")).sentence == (
        "Would mend 5 of 7 links that are cut, chosen at random."
    )
    swarm.do(Attack("links", count=200, means="mend"))
    assert not len(swarm.snapshot().cut_links.a)
    assert not swarm.snapshot().cut_links.whole.any()
    with pytest.raises(InputError, match="no link is cut, so none can be mended"):
        swarm.preview(Attack("links", means="mend"))


def test_a_role_a_city_and_an_operator() -> None:
    swarm = made("web", options={"servers": 3})
    assert swarm.preview(Attack("role", whom="server", share=0.67)).sentence == "Would kill 2 peers with role server."
    city = swarm.snapshot().fixed.places.names[swarm.snapshot().fixed.place[0]]
    there = swarm.select(f'city="{city}"')
    assert set(swarm.do(Attack("city", whom=city, means="censor"))) == set(there)
    acme = swarm.select("operator=acme")
    assert set(swarm.do(Attack("operator"))) == set(acme)
    assert dead(swarm) == list(acme)


def test_the_way_in_can_be_taken_away() -> None:
    swarm = made("napster")
    assert swarm.do(Attack("bootstrap")) == swarm.select("role=index") == tuple(dead(swarm))


def test_collusion_grows() -> None:
    swarm = made()
    swarm.do(Attack("collusion", share=0.5, over_s=20.0, word="song", leak=0.1))
    few = swarm.snapshot().colluding.sum()
    swarm.advance(10 * SECOND)
    some = swarm.snapshot().colluding.sum()
    swarm.advance(21 * SECOND)
    assert (few, swarm.snapshot().colluding.sum()) == (1, 30)
    assert 12 < some < 18
    assert set(swarm.simulation.faults.bans.values()) == {("song", 0.1)}


def test_poison_is_given_to_a_share() -> None:
    swarm = made()
    assert len(swarm.do(Attack("poison", share=0.25))) == 15


# --- identities ---------------------------------------------------------------------------------------------


def test_sybils_join_as_any_peer_does_and_suppress_a_word() -> None:
    swarm = made(topology="random:5", options={"download": False})
    swarm.advance(SECOND)
    swarm.do(Attack("sybil", count=40, over_s=10.0, word="song", operator="mallory"))
    swarm.advance(50 * SECOND)
    mine = swarm.select("operator=mallory")
    assert len(mine) == 40
    assert mine == swarm.select("newcomers")
    assert all(swarm.links_of(peer) for peer in mine)
    assert swarm.snapshot().colluding[list(mine)].all()
    before = swarm.snapshot().totals.dropped_by.get("colluded", 0)
    swarm.do(AskFor("p003", "song"))
    swarm.do(AskFor("p003", "something else"))
    swarm.advance(60 * SECOND)
    assert swarm.snapshot().totals.dropped_by["colluded"] > before
    hushed, open_ = swarm.trace(1), swarm.trace(2)
    assert hushed is not None
    assert open_ is not None
    assert (open_.hop[list(mine)] > 0).all()
    assert not set(mine) & set(hushed.frm.tolist()), "no question about it comes from one of them"
    assert set(mine) & set(open_.frm.tolist())


def test_a_victim_is_eclipsed() -> None:
    swarm = made(peers=100)
    swarm.advance(5 * SECOND)
    victim = swarm.select("top 1 degree")[0]
    told = swarm.preview(Attack("eclipse", peers=victim, word="song")).sentence
    honest = set(swarm.links_of(victim))
    assert f"Would kill the {len(honest)} neighbours of" in told
    swarm.do(Attack("eclipse", peers=victim, word="song"))
    swarm.advance(50 * SECOND)
    near = swarm.links_of(victim)
    assert near
    operators = swarm.snapshot().fixed.operator
    assert {operators[peer] for peer in near} == {"eclipse"}
    assert honest <= set(dead(swarm))
    assert swarm.peer(victim) is not None
    assert len(dead(swarm)) < 40, "the rest of the network is left alone"
    swarm.do(AskFor(victim, "song"))
    swarm.advance(60 * SECOND)
    assert swarm.record(1).reached == 0, "what it asks about the word comes nowhere"


def test_what_sybils_do_is_said_in_terms_of_the_network() -> None:
    assert "take connections" in made().preview(Attack("sybil", word="song")).sentence
    assert "do not pass it on" in made("gossip").preview(Attack("sybil", word="song")).sentence
    assert "Nothing is relayed" in made("napster").preview(Attack("sybil", word="song")).sentence


# --- refusals ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attack", "words"),
    [
        (Attack("ranom"), 'no attack is called "ranom"; did you mean "random"'),
        (Attack(""), "no attack is called"),
        (Attack("random", share=1.5), "share"),
        (Attack("random", share=float("nan")), "share"),
        (Attack("random", share="half"), "share"),  # type: ignore[arg-type]
        (Attack("random", word="song"), 'attack "random" takes no "word"'),
        (Attack("random", means="kil"), 'did you mean "kill"'),
        (Attack("random", over_s=-1.0), "over_s"),
        (Attack("sybil", count=0), "count"),
        (Attack("sybil", count=1.5), "whole number"),  # type: ignore[arg-type]
        (Attack("sybil", word="!"), "should be words"),
        (Attack("sybil", operator='a"b'), "should be words"),
        (Attack("city", whom="Atlantis"), 'which city\\? Not "Atlantis"'),
        (Attack("operator", whom="Napster"), "no peer that is up has an operator"),
        (Attack("eclipse", peers="p099"), "no peer is called"),
        (Attack("eclipse", peers="state=dead"), "the victim is no peer that is up"),
    ],
)
def test_an_impossible_attack_is_refused_and_changes_nothing(attack: Attack, words: str) -> None:
    swarm, other = made(), made()
    for act in (swarm.preview, swarm.do):
        with pytest.raises(InputError, match=words) as error:
            act(attack)
        assert "\n" not in str(error.value)
    for one in (swarm, other):
        one.do(Attack("random"))
        one.advance(5 * SECOND)
    assert swarm.fingerprint() == other.fingerprint()


def test_a_scenario_may_attack_and_be_written_back() -> None:
    text = """
    peers = 40
    [[at]]
    s = 2
    do = "attack"
    name = "collusion"
    share = 0.3
    word = "song"
    [[at]]
    s = 4
    do = "attack"
    name = "eclipse"
    peers = "p003"
    count = 6
    over_s = 10
    """
    scenario = scenario_files.parse(text, "story")
    assert scenario.setup.schedule[0][1] == Attack("collusion", share=0.3, word="song")
    assert scenario_files.parse(to_toml(scenario.setup, "again"), "again").setup == scenario.setup
    report = run(scenario, until=20)
    assert not report.warnings
    assert report.fingerprint == run(scenario, until=20).fingerprint


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = 'degre'", 'did you mean "degree"'),
        ("name = 'degree'\nshare = 7", "share"),
        ("name = 'degree'\nwrod = 'x'", 'has no field "wrod"; did you mean "word"'),
        ("name = 'degree'\ncount = 7", 'takes no "count"'),
        ("share = 0.1", 'needs "name"'),
        ("name = 'eclipse'\npeers = 'degree>'", "selector"),
    ],
)
def test_a_mistake_in_a_scenario_is_reported_before_it_runs(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        scenario_files.parse(f"[[at]]\ns = 1\ndo = 'attack'\n{text}", "story")


@pytest.mark.uncounted
def test_slicing_changes_no_attack() -> None:
    whole, sliced = made(asks_per_s=2.0), made(asks_per_s=2.0)
    for name in ("sybil", "eclipse", "collusion", "exodus"):
        for swarm in (whole, sliced):
            swarm.do(Attack(name))
        until_us = whole.now_us + 5 * SECOND
        whole.advance(until_us)
        while sliced.advance(until_us, 13) >= 13:
            sliced.snapshot()
    assert whole.fingerprint() == sliced.fingerprint()
    assert isinstance(by_the_attack(whole)[1].command, Collude)


# --- what a panel is told --------------------------------------------------------------------------------------


LACKS = {
    "gossip": {
        "operator": "no company to order",
        "whack-a-mole": "runs a service",
        "degree": "none stands out",
        "betweenness": "none stands out",
        "eclipse": "no links to each other",
        "poison": "share no files",
        "links": "has a link to another",
    },
    "gnutella": {"operator": "no company to order", "whack-a-mole": "runs a service"},
    "bitcoin": {"eclipse": "choose their links themselves", "poison": "share no files"},
    "napster": {"degree": "none stands out", "betweenness": "none stands out", "eclipse": "no links to each other"},
}


@pytest.mark.parametrize("protocol", LACKS)
def test_an_attack_that_is_not_possible_says_why_and_is_refused_in_the_same_words(protocol: str) -> None:
    swarm = made(protocol)
    swarm.advance(SECOND)
    whys = {preset.name: preset.why_not for preset in swarm.attacks() if preset.why_not}
    assert set(whys) == set(LACKS[protocol])
    for name, why in whys.items():
        assert LACKS[protocol][name] in why
        assert why.endswith(".")
        for act in (swarm.preview, swarm.do):
            with pytest.raises(InputError, match=f'attack "{name}": .*{LACKS[protocol][name]}'):
                act(Attack(name))


def test_the_word_of_an_attack_need_not_be_in_any_library() -> None:
    swarm = made("gossip")
    assert swarm.preview(Attack("collusion", word="a rumour")).steps


def test_in_an_empty_swarm_only_the_crowd_can_be_chosen() -> None:
    swarm = made()
    swarm.do(Kill("state=alive"))
    assert [preset.name for preset in swarm.attacks() if not preset.why_not] == ["crowd"]


def test_a_plan_names_whom_it_takes_and_takes_them() -> None:
    swarm = made()
    plan = swarm.preview(Attack("degree", share=0.2))
    assert len(plan.peers) == 12
    assert set(swarm.do(Attack("degree", share=0.2))) == set(plan.peers)
    assert not swarm.preview(Attack("crowd")).peers
