"""The word index that all libraries of a world share."""

from __future__ import annotations

import pickle
import zlib

from hypothesis import given
from hypothesis import strategies as st

from engine import Setup, Swarm
from engine.api import File, words_of
from engine.record.checkpoints import PackedSwarm, pack_swarm, unpack_swarm
from engine.world import content
from engine.world.content import SharedFiles, WordIndex, file_of

TEXTS = st.lists(st.sampled_from(("blue", "night", "train", "Owl", "!", "é")), max_size=4).map(" ".join)


@given(st.lists(st.lists(TEXTS, max_size=6), min_size=1, max_size=4), st.lists(TEXTS, min_size=1, max_size=6))
def test_a_library_finds_the_files_with_all_words(libraries: list[list[str]], asked: list[str]) -> None:
    """In the order of addition, with other names in the index, and with names added between queries."""
    shared = WordIndex()
    made = [SharedFiles((), shared) for _ in libraries]
    for step in range(6):
        for library, names in zip(made, libraries, strict=True):
            if step < len(names):
                library.add(File(names[step], step, step + 1))
            for text in asked:
                words = set(words_of(text))
                found = [file for file in library.files() if words and words <= set(words_of(file.name))]
                assert library.matching(text) == tuple(found)


def test_copies_of_a_file_are_one_object_and_another_file_of_that_name_is_not() -> None:
    shared = WordIndex()
    here, there, odd = SharedFiles((), shared), SharedFiles((), shared), SharedFiles((), shared)
    here.add(File("blue train", 4, 1))
    there.add(File("blue train", 4, 1))
    odd.add(File("blue train", 4, 2))
    assert here.files()[0] is there.files()[0]
    assert odd.matching("train") == (File("blue train", 4, 2),)


def test_cached_queries_are_dropped_and_names_are_kept() -> None:
    shared = WordIndex()
    library = SharedFiles([File("blue train", 4, 1)], shared)
    for number in range(content.QUERIES_MAX + 10):
        assert library.matching(f"train {number}") == ()
    assert len(shared._found) <= content.QUERIES_MAX
    assert len(library.matching("train")) == 1


def test_libraries_that_are_pickled_together_share_one_index() -> None:
    shared = WordIndex()
    one, two = pickle.loads(pickle.dumps([SharedFiles([File("blue train", 4, 1)], shared), SharedFiles((), shared)]))
    assert one._word_index is two._word_index is not shared
    assert len(one.matching("blue")) == 1


def test_a_downloaded_file_is_not_stored_in_a_checkpoint() -> None:
    """A file of the catalogue is stored as its number there."""
    swarm = Swarm(Setup(peers=20))
    before = pack_swarm(swarm, {})[0]
    file = swarm.world.catalogue.files[0]
    without = [library for library in swarm.simulation.libraries if file.name not in library]
    for library in without:
        library.add(File(file.name, file.size, file.digest))
    after = pack_swarm(swarm, {})[0]
    assert file.name.encode() not in pickle_of(after)
    assert len(pickle_of(after)) - len(pickle_of(before)) < 40 * len(without)
    again = unpack_swarm(after, swarm, {})
    assert all(library.matching(file.name) == (file,) for library in again.simulation.libraries)
    assert again.simulation.libraries[0]._word_index is swarm.world.catalogue.word_index


def test_a_published_file_is_restored_from_a_checkpoint_and_found() -> None:
    swarm = Swarm(Setup(peers=20))
    swarm.simulation.libraries[3].add(file_of("a song nobody had", 7))
    again = unpack_swarm(pack_swarm(swarm, {})[0], Swarm(Setup(peers=20)), {})
    assert [file.name for file in again.simulation.libraries[3].matching("nobody")] == ["a song nobody had"]


def pickle_of(frozen: PackedSwarm) -> bytes:
    """The unpacked pickle of a checkpoint."""
    return zlib.decompress(frozen.body)
