"""KaZaA as a swarm: what a search costs, how super nodes are replaced, and what pollution does with and without the
hash."""

from __future__ import annotations

import pickle

import pytest
from kazaas import SECOND, swarm

from engine import AskFor, Attack, ContentSpec, Cure, InputError, Kill, Poison, Publish, Swarm
from engine.api import weak_of
from engine.protocols.kazaa import Node
from engine.record.codec import command_from_fields, command_to_fields
from engine.setup import LinkSpec
from engine.world.decoys import PoisonedLibrary, alike, is_decoy

TITLE = "a title that nobody else has"
COMPANY = tuple(range(8))
SONG = ContentSpec(items=1, replicas=10, free_riders=0.7, file_mib=4)


def at(made: Swarm, one: int) -> Node:
    program = made.peer(one)
    assert isinstance(program, Node)
    return program


def supers(made: Swarm) -> list[int]:
    return [one for one in made.simulation.users() if (peer := made.peer(one)) is not None and peer.super_node]


def test_a_network_that_has_been_running_has_its_links_and_indexes() -> None:
    made = swarm()
    chosen = supers(made)
    assert len(chosen) == 4
    copies = sum(len(made.library(one)) for one in made.simulation.users())
    assert sum(at(made, one).count for one in chosen) == copies
    for one in made.simulation.users():
        peer = at(made, one)
        assert sorted(peer.connections()) == sorted(made.links_of(one))
        assert peer.super_node or one in at(made, peer.parent).children


def test_a_search_comes_to_super_nodes_only() -> None:
    made = swarm(download=False)
    nodes = [one for one in made.simulation.users() if one not in supers(made)]
    for number in range(6):
        made.do(AskFor(nodes[number], made.catalogue_titles(12)[2 * number]))
    made.advance(3 * SECOND)
    assert all(row.hits == 4 and row.reached == 4 for row in made.asks())
    made.do(Publish(nodes[0], TITLE))
    made.advance(5 * SECOND)
    made.do(AskFor(nodes[9], TITLE))
    made.advance(8 * SECOND)
    assert made.asks()[-1].hits == 1


def test_of_newcomers_few_become_super_nodes_and_all_find_one() -> None:
    made = swarm(peers=60, converged=False)
    assert not supers(made)
    made.advance(25 * SECOND)
    assert 1 <= len(supers(made)) <= 6
    assert all(at(made, one).joined(()) for one in made.simulation.users())


def test_without_any_super_node_others_are_found() -> None:
    made = swarm(peers=60)
    made.do(Kill("role=super node"))
    made.advance(25 * SECOND)
    found = supers(made)
    assert 1 <= len(found) <= 8
    living = [one for one in made.simulation.users() if made.peer(one) is not None]
    assert all(at(made, one).joined(()) for one in living)
    made.do(AskFor(living[0], made.catalogue_titles(1)[0]))
    made.advance(30 * SECOND)
    assert made.asks()[-1].hits >= 3


def fetched(*, weak: bool, **options: object) -> tuple[int, int]:
    """How many of 10 users get a song genuinely, and how many get a decoy, where 8 of 40 peers are a company's."""
    made = swarm(content=SONG, links=LinkSpec("3000:8000"), metadata_s=5, look_s=1, careless=0.0, **options)
    made.do(Poison(COMPANY, weak=weak))
    made.advance(6 * SECOND)
    [song] = made.catalogue_titles(1)
    askers = [one for one in made.simulation.users() if one not in COMPANY and not made.library(one).matching(song)]
    for one in askers[:10]:
        made.do(AskFor(one, song, "fetch"))
    made.advance_quiet(made.now_us + 900 * SECOND)
    rows = made.asks()
    assert all(row.hits >= 12 for row in rows)
    return sum(row.fetched > 0 for row in rows), sum(row.decoys > 0 for row in rows)


def test_decoys_with_hashes_of_their_own_hardly_disturb_and_those_with_the_right_hash_spoil_nearly_all() -> None:
    genuine, _ = fetched(weak=False)
    assert genuine >= 8
    genuine, decoys = fetched(weak=True)
    assert genuine <= 2
    assert decoys >= 8


def test_the_verdict_says_that_a_decoy_was_not_opened() -> None:
    made = swarm(content=SONG, links=LinkSpec("3000:8000"), metadata_s=5, careless=1.0)
    made.do(Poison(COMPANY, weak=True))
    made.advance(6 * SECOND)
    [song] = made.catalogue_titles(1)
    asker = next(one for one in made.simulation.users() if one not in COMPANY and not made.library(one).matching(song))
    made.do(AskFor(asker, song, "fetch"))
    made.advance(100 * SECOND)
    assert at(made, asker).unopened
    assert "All bytes came, and the hash is right, but it is a decoy" in made.asks()[-1].verdict


def test_a_copy_goes_on_as_the_original_in_the_middle_of_a_polluted_download() -> None:
    made = swarm(content=SONG, metadata_s=5)
    made.do(Poison(COMPANY, weak=True))
    made.advance(6 * SECOND)
    made.do(AskFor("random 5", made.catalogue_titles(1)[0], "fetch"))
    made.advance(11 * SECOND)
    assert any(at(made, one).downloads for one in made.simulation.users())
    copy = pickle.loads(pickle.dumps(made))
    for each in (made, copy):
        each.advance(25 * SECOND)
    assert copy.fingerprint() == made.fingerprint()


# --- File.weak, and decoys that have it ------------------------------------------------------------------------------


def test_a_decoy_may_have_size_and_weak_hash_of_the_genuine_file() -> None:
    made = swarm(content=ContentSpec(items=3, replicas=1))
    titles = made.catalogue_titles(3)
    genuine = {file.name: file for file in made.world.catalogue.files}
    assert all(file.weak == weak_of(file.digest) for file in genuine.values())
    assert made.do(Poison((1, 2), weak=True)) == (1, 2)
    assert made.do(Poison(2, weak=True)) == ()
    assert made.do(Poison(2)) == (2,), "decoys of another kind"
    assert made.do(Poison(2, weak=True)) == (2,)
    for library in (made.library(1), made.simulation.peer_hosts[1].library):
        found = {file.name: file for file in library.files()}
        assert list(found)[:3] == titles
        for name, file in found.items():
            assert (file.size, file.weak) == (genuine[name].size, genuine[name].weak)
            assert is_decoy(file.digest)
            assert library.matching(name) == (file,)
            assert library.serves(genuine[name]).digest == file.digest
    assert not made.library(1).files()[0].genuine
    [other] = made.library(1).matching("words of no title")
    assert other.weak == weak_of(other.digest), "there is no genuine file of that name"
    assert alike(1, genuine[titles[0]]) != alike(2, genuine[titles[0]])
    assert made.do(Cure("all")) == (1, 2)


def test_an_attack_poisons_with_the_right_hash() -> None:
    for means, weak in ((None, False), ("own", False), ("right", True)):
        made = swarm(peers=20)
        [one] = made.do(Attack("poison", share=0.05, means=means))
        assert all((file.weak == weak_of(file.digest)) is not weak for file in made.library(one).files())
    with pytest.raises(InputError, match='should not be "wrong"'):
        made.do(Attack("poison", means="wrong"))


def test_one_part_of_a_decoy_makes_the_whole_file_wrong() -> None:
    made = swarm(peers=8, content=ContentSpec(items=1, replicas=1))
    file, *_ = made.world.catalogue.files
    bad = alike(1, file).digest
    for library in (made.library(5), PoisonedLibrary(1, made.library(5), [])):
        assert library.spoilt([file.digest, bad]) == (bad,)
        assert library.spoilt([file.digest]) == ()


def test_a_recorded_command_says_which_decoys() -> None:
    for weak in (False, True):
        assert command_from_fields(*command_to_fields(Poison((3, 4), weak=weak))) == Poison((3, 4), weak=weak)
    assert command_from_fields("poison", {"peers": "all"}) == Poison("all")
    with pytest.raises(InputError, match=r"true or false"):
        swarm(peers=8).do(Poison("all", weak="yes"))  # type: ignore[arg-type]
