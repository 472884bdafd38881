"""Kademlia in running swarms: where records are, asks, attacks, checkpoints."""

from __future__ import annotations

from typing import Any

import pytest
from kademlias import converged, look_up, programs, survival

from engine import (
    Act,
    AskFor,
    Attack,
    Collude,
    InputError,
    Kill,
    Leave,
    Publish,
    Revive,
    Set,
    Setup,
    Swarm,
    TimeMachine,
)
from engine.kit import key_of
from engine.protocols.kademlia import Node
from engine.record.checkpoints import pack_swarm, unpack_swarm
from engine.registry import help_of
from engine.setup import ContentSpec

SECOND = 1_000_000
HOUR = 3_600 * SECOND


def swarm_of(peers: int = 60, **changes: Any) -> Swarm:
    """Kademlia with a few titles, each at four holders; options of the table without `dht.`."""
    options = {f"dht.{name}": value for name, value in changes.pop("dht", {}).items()}
    values: dict[str, Any] = {
        "peers": peers,
        "seed": 3,
        "latency": "constant:40",
        "asks_per_s": 0.0,
        "content": ContentSpec(items=12, replicas=4.0, free_riders=0.0),
        "options": {**options, **changes.pop("options", {})},
        **changes,
    }
    return Swarm(Setup("kademlia", **values))


def node(swarm: Swarm, peer: int) -> Any:
    return programs(swarm)[peer]


def living(swarm: Swarm) -> list[int]:
    return [peer for peer, one in enumerate(programs(swarm)) if one is not None]


def keepers(swarm: Swarm, text: str) -> list[int]:
    return [peer for peer in living(swarm) if node(swarm, peer).keeps(text)]


def nearest(swarm: Swarm, text: str, k: int = 20) -> list[int]:
    """The k living peers nearest to the key of a text, by looking at all."""
    key = key_of(text) or 0
    return sorted(living(swarm), key=lambda peer: node(swarm, peer).dht.table.me.id ^ key)[:k]


def ask(swarm: Swarm, peer: int, text: str) -> Any:
    """Ask, run until the ask has closed, and return its row."""
    swarm.do(AskFor(peer, text))
    assert swarm.advance_quiet(swarm.now_us + HOUR)
    return swarm.asks()[-1]


def stranger(swarm: Swarm, text: str) -> int:
    """A living peer that keeps no record of the text."""
    kept = keepers(swarm, text)
    return next(peer for peer in living(swarm) if peer not in kept)


# --- the start -------------------------------------------------------------------------------------------------


def test_a_converged_network_is_silent_and_has_each_record_on_the_k_nearest() -> None:
    swarm = swarm_of()
    swarm.advance(SECOND // 2)
    assert swarm.snapshot().totals.sent == 0
    for title in swarm.catalogue_titles(12):
        assert sorted(keepers(swarm, title)) == sorted(nearest(swarm, title))
        holders = set(swarm.simulation.holders.of(title))
        assert set(node(swarm, keepers(swarm, title)[0]).dht.records.kept[key_of(title)]) == holders
    assert all(node(swarm, peer).joined(()) for peer in living(swarm))


def test_without_convergence_all_join_and_publish() -> None:
    swarm = swarm_of(30, options={"converge": False})
    swarm.advance(SECOND // 2)
    some = [len(node(swarm, peer).dht.table) for peer in range(30)]
    swarm.advance(60 * SECOND)
    assert min(some) == 0
    assert min(len(node(swarm, peer).dht.table) for peer in range(30)) >= 20
    assert all(node(swarm, peer).joined(()) for peer in range(30))
    for title in swarm.catalogue_titles(3):
        assert len(set(nearest(swarm, title)) & set(keepers(swarm, title))) >= 18
        asker = next(peer for peer in range(30) if peer not in swarm.simulation.holders.of(title))
        assert ask(swarm, asker, title).outcome == "answered"


def test_the_verdict_on_a_node_that_has_not_begun_to_join_blames_no_other_node() -> None:
    swarm = swarm_of(30, options={"converge": False})
    swarm.advance(SECOND // 2)
    early = next(
        peer for peer in range(30) if not node(swarm, peer).dht.lookups and not len(node(swarm, peer).dht.table)
    )
    swarm.do(AskFor(early, "blue train"))
    swarm.advance(swarm.now_us + SECOND // 10)
    told = "No answer: the asker has not joined the table: no node has answered it so far."
    assert swarm.asks()[-1].verdict == told


def test_converge_cannot_be_set_while_it_runs() -> None:
    with pytest.raises(InputError, match="read when a run begins"):
        swarm_of().do(Set("converge", False))


# --- asks -------------------------------------------------------------------------------------------------------


def test_holders_keepers_and_who_answers_are_three_things() -> None:
    swarm = swarm_of()
    title = swarm.catalogue_titles(1)[0]
    row = ask(swarm, stranger(swarm, title), title)
    [answerer] = swarm._record(row.id).answerers()
    assert answerer in keepers(swarm, title)
    assert (row.hits, row.answerers) == (4, 1)
    assert row.outcome == "answered"
    assert row.hops <= 3


def test_an_answer_that_names_only_dead_holders_is_no_success() -> None:
    swarm = swarm_of(dht={"cache": False})
    title = swarm.catalogue_titles(1)[0]
    swarm.do(Kill(f'holds "{title}"'))
    row = ask(swarm, stranger(swarm, title), title)
    assert row.hits == 4
    assert row.outcome != "answered"


def test_the_verdict_knows_that_the_k_nearest_are_dead() -> None:
    swarm = swarm_of()
    title = swarm.catalogue_titles(1)[0]
    assert swarm.select(f'keeps "{title}"') == tuple(keepers(swarm, title))
    swarm.do(Kill(f'keeps "{title}"'))
    row = ask(swarm, living(swarm)[0], title)
    assert row.hits == 0
    assert row.verdict == "No answer: the 20 nodes nearest to the key, which kept its record, are dead."


def test_a_part_of_a_name_has_another_key() -> None:
    swarm = swarm_of()
    title = swarm.catalogue_titles(1)[0]
    row = ask(swarm, 0, title.split()[0])
    assert "Only whole names that were published can be found" in row.verdict


def test_a_text_without_words_cannot_be_looked_up() -> None:
    assert ask(swarm_of(), 3, "???").verdict == "No answer: a text without words has no key."


def test_publish_tells_on_how_many_nodes_it_is_stored() -> None:
    swarm = swarm_of(dht={"k": 8})
    swarm.do(Publish(5, "open letter"))
    swarm.advance_quiet(HOUR)
    assert swarm.asks()[-1].verdict == "Published: stored on 8 of the 8 nodes nearest to its key."
    assert sorted(keepers(swarm, "open letter")) == sorted(nearest(swarm, "open letter", 8))
    assert ask(swarm, stranger(swarm, "open letter"), "Open  LETTER!").outcome == "answered"


def test_referrals_make_the_tree_of_an_ask() -> None:
    """With few contacts the way to a key has several steps, although each request is sent by the asker itself."""
    swarm = converged(200, k=2, alpha=1)
    swarm.do(AskFor(3, "nothing like it"))
    swarm.advance_quiet(HOUR)
    row, [ended] = swarm.asks()[-1], programs(swarm)[3].ended
    assert row.hops >= ended.depth > 1
    assert row.messages == ended.asked


# --- leaving, churn, copies -----------------------------------------------------------------------------------------


def test_polite_leaves_hand_records_over_and_kills_do_not() -> None:
    for command, kept in ((Leave, True), (Kill, False)):
        swarm = swarm_of(dht={"k": 4, "cache": False})
        title = swarm.catalogue_titles(1)[0]
        for peer in nearest(swarm, title, 4):
            swarm.do(command(peer))
            swarm.advance(swarm.now_us + SECOND)
        assert bool(keepers(swarm, title)) == kept


def test_a_value_that_was_found_is_copied_towards_who_asks() -> None:
    swarm = swarm_of(200, dht={"k": 4})
    title = swarm.catalogue_titles(1)[0]
    before = keepers(swarm, title)
    for peer in [peer for peer in living(swarm) if peer not in before][:12]:
        ask(swarm, peer, title)
    copies = [peer for peer in keepers(swarm, title) if peer not in before]
    assert copies
    records = [one for peer in copies for one in node(swarm, peer).dht.records.kept[key_of(title)].values()]
    assert all(one.copied for one in records)
    assert min(one.expires_us for one in records) < 86_400 * SECOND


def test_a_peer_that_comes_back_keeps_its_identifier_and_is_found_again() -> None:
    swarm = swarm_of()
    me = node(swarm, 7).dht.table.me
    swarm.do(Kill(7))
    swarm.advance(20 * SECOND)
    swarm.do(Revive(7))
    swarm.advance(40 * SECOND)
    assert node(swarm, 7).dht.table.me == me
    assert node(swarm, 7).joined(())
    title = swarm.catalogue_titles(1)[0]
    assert ask(swarm, 7, title).outcome == "answered"


# --- attacks -------------------------------------------------------------------------------------------------------


def test_an_identifier_near_a_key_is_taken_and_kept() -> None:
    swarm = swarm_of()
    swarm.do(Act(4, "move-near", {"text": "blue train"}))
    swarm.advance(20 * SECOND)
    me = node(swarm, 4).dht.table.me
    assert nearest(swarm, "blue train", 1) == [4]
    assert node(swarm, 4).joined(())
    swarm.do(Act(4, "move-near", {"text": "Blue Train"}))
    assert node(swarm, 4).dht.table.me is me


def test_there_is_nothing_near_a_text_without_words() -> None:
    with pytest.raises(InputError, match='"text" of "move-near": a text without words has no key'):
        swarm_of().do(Act(3, "move-near", {"text": "???"}))


def test_sybils_take_identifiers_next_to_the_key_and_hide_its_records() -> None:
    swarm = swarm_of(dht={"k": 4})
    swarm.advance(SECOND)
    swarm.do(Attack("sybil", word="open letter", count=8, over_s=2))
    swarm.advance(20 * SECOND)
    assert min(nearest(swarm, "open letter", 8)) >= 60
    swarm.do(Publish(5, "open letter"))
    swarm.advance_quiet(HOUR)
    row = ask(swarm, 9, "open letter")
    assert row.hits == 0
    title = swarm.catalogue_titles(1)[0]
    assert ask(swarm, 9, title).outcome == "answered", "the keys of other names are elsewhere"


def test_who_bans_a_word_recognises_the_keys_of_its_names() -> None:
    swarm = swarm_of(dht={"cache": False})
    title, other = swarm.catalogue_titles(2)
    asker = stranger(swarm, title)
    swarm.do(Collude(f"not #{asker}", title.split()[0]))
    row = ask(swarm, asker, title)
    assert row.hits == 0
    assert row.verdict == "No answer: the 20 nodes that keep its record hide it."
    assert ask(swarm, stranger(swarm, other), other).outcome == "answered"


# --- views and checkpoints --------------------------------------------------------------------------------------


def test_contacts_are_the_links_that_are_drawn() -> None:
    swarm = swarm_of()
    assert node(swarm, 5).contacts() == node(swarm, 5).dht.contacts()
    assert 0 <= node(swarm, 5).identifier() < 1


def test_a_checkpoint_in_the_middle_of_lookups_goes_on_alike() -> None:
    swarm = swarm_of(30, asks_per_s=4.0, latency="uniform:20-400", loss=0.05)
    swarm.advance(4 * SECOND)
    swarm.do(Kill("random 20%"))
    swarm.do(AskFor("random 5", "nothing like it"))
    swarm.advance(swarm.now_us + SECOND // 10)
    assert any(one is not None and one.dht.lookups for one in programs(swarm)), "nothing is under way"
    packed, parts = pack_swarm(swarm, {})
    again = unpack_swarm(packed, swarm, parts)
    for each in (swarm, again):
        each.advance(20 * SECOND)
    assert again.fingerprint() == swarm.fingerprint()


def test_a_run_goes_back_and_replays_alike() -> None:
    machine = TimeMachine(Swarm(Setup("kademlia", 30, seed=2, asks_per_s=2.0)))
    machine.advance(20 * SECOND)
    print_ = machine.swarm.fingerprint()
    for at_us in (7 * SECOND, 20 * SECOND):
        list(machine.seek(at_us))
    assert machine.swarm.fingerprint() == print_


def test_the_path_of_an_ask_tells_where_its_key_lies_among_the_identifiers() -> None:
    swarm = converged(40)
    swarm.do(AskFor(3, "nobody has this"))
    swarm.advance(5 * SECOND)
    trace = swarm.trace(1)
    assert trace is not None
    assert trace.key_place == key_of("nobody has this") / 2**160  # type: ignore[operator]
    apart = [abs(ident - trace.key_place) for ident in swarm.snapshot().ident]
    nearest = sorted(range(40), key=apart.__getitem__)[0]
    assert trace.hop[nearest] >= 0, "the lookup came to the node whose identifier is nearest"


# --- figures, small (tests/bench/bench_kademlia.py has them all) -----------------------------------------------------


def test_lookups_take_the_published_steps_and_find_the_nearest_node() -> None:
    """Rounds of three, n = 100, k = 8: depth 1.66, 9.0 requests, 3.3 rounds (standard deviations of a lookup about .6,
    .9 and .5, so of a mean of 100 .06, .09 and .05)."""
    got = look_up(converged(100, k=8, alpha=3, lookup="rounds"), 100)
    assert got.nearest == 100
    assert abs(got.depth - 1.66) < 0.15
    assert abs(got.requests - 9.0) < 0.45
    assert abs(got.rounds - 3.3) < 0.25


def test_values_survive_as_often_as_one_of_their_keepers() -> None:
    """1 - p^k for k = 2 and p = .5 is .75, with a standard error of .043 for 100 values."""
    got = survival(100, 2, 0.5, 100)
    assert abs(got.exists - 0.75) < 3 * 0.043
    assert got.found <= got.exists
    assert got.found > 0.6 * got.exists


def test_lines_of_the_help_name_the_sections_of_the_paper() -> None:
    told = help_of(Node)
    assert all(f"\n{section} " in told for section in ("2.1", "2.2", "2.3", "2.4", "2.5", "4.1", "BEP 5"))
