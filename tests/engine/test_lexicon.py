"""The words of all names, said once for all shelves of a world."""

from __future__ import annotations

import pickle
import zlib

from hypothesis import given
from hypothesis import strategies as st

from engine import Setup, Swarm
from engine.api import File, words_of
from engine.record.checkpoints import Frozen, freeze, thaw
from engine.world import content
from engine.world.content import Lexicon, Shelf, file_of

TEXTS = st.lists(st.sampled_from(("blue", "night", "train", "Owl", "!", "é")), max_size=4).map(" ".join)


@given(st.lists(st.lists(TEXTS, max_size=6), min_size=1, max_size=4), st.lists(TEXTS, min_size=1, max_size=6))
def test_a_shelf_finds_what_reading_every_name_would(shelves: list[list[str]], asked: list[str]) -> None:
    """Whatever else the lexicon knows, in the order the files came, also when names come between the questions."""
    shared = Lexicon()
    made = [Shelf((), shared) for _ in shelves]
    for step in range(6):
        for shelf, names in zip(made, shelves, strict=True):
            if step < len(names):
                shelf.add(File(names[step], step, step + 1))
            for text in asked:
                words = set(words_of(text))
                found = [file for file in shelf.files() if words and words <= set(words_of(file.name))]
                assert shelf.matching(text) == tuple(found)


def test_copies_of_a_file_are_one_object_and_another_of_that_name_is_not() -> None:
    shared = Lexicon()
    here, there, odd = Shelf((), shared), Shelf((), shared), Shelf((), shared)
    here.add(File("blue train", 4, 1))
    there.add(File("blue train", 4, 1))
    odd.add(File("blue train", 4, 2))
    assert here.files()[0] is there.files()[0]
    assert odd.matching("train") == (File("blue train", 4, 2),)


def test_it_forgets_questions_and_not_names() -> None:
    shared = Lexicon()
    shelf = Shelf([File("blue train", 4, 1)], shared)
    for number in range(content.TEXTS_MAX + 10):
        assert shelf.matching(f"train {number}") == ()
    assert len(shared._asked) <= content.TEXTS_MAX
    assert len(shelf.matching("train")) == 1


def test_shelves_pickled_together_still_share_one() -> None:
    shared = Lexicon()
    one, two = pickle.loads(pickle.dumps([Shelf([File("blue train", 4, 1)], shared), Shelf((), shared)]))
    assert one._lexicon is two._lexicon is not shared
    assert len(one.matching("blue")) == 1


def test_a_download_costs_a_checkpoint_no_file() -> None:
    """What is in the catalogue already is told by its number there."""
    swarm = Swarm(Setup(peers=20))
    before = freeze(swarm, {})[0]
    file = swarm.world.catalogue.files[0]
    without = [shelf for shelf in swarm.simulation.shelves if file.name not in shelf]
    for shelf in without:
        shelf.add(File(file.name, file.size, file.digest))
    after = freeze(swarm, {})[0]
    assert file.name.encode() not in pickle_of(after)
    assert len(pickle_of(after)) - len(pickle_of(before)) < 40 * len(without)
    again = thaw(after, swarm, {})
    assert all(shelf.matching(file.name) == (file,) for shelf in again.simulation.shelves)
    assert again.simulation.shelves[0]._lexicon is swarm.world.catalogue.lexicon


def test_a_publication_comes_back_from_a_checkpoint_and_is_found() -> None:
    swarm = Swarm(Setup(peers=20))
    swarm.simulation.shelves[3].add(file_of("a song nobody had", 7))
    again = thaw(freeze(swarm, {})[0], Swarm(Setup(peers=20)), {})
    assert [file.name for file in again.simulation.shelves[3].matching("nobody")] == ["a song nobody had"]


def pickle_of(frozen: Frozen) -> bytes:
    """What a checkpoint packed."""
    return zlib.decompress(frozen.body)
