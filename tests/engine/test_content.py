"""Titles, files and libraries of a swarm, and what users ask for."""

from __future__ import annotations

import math
import pickle
from collections import Counter

import pytest

from engine.api import File, Library, words_of
from engine.errors import InputError
from engine.setup import ContentSpec
from engine.sim.rng import Stream
from engine.world.content import Catalogue, SharedFiles, file_of
from engine.world.popularity import COUNT_MAX, FIRST, FIXED_TITLES, SECOND, generate_titles

TRAIN, OWL, LATE = File("Blue Train", 4, 1), File("night owl", 5, 2), File("the night train.mp3", 6, 3)


def test_a_library_finds_files_that_have_all_words() -> None:
    library: Library = SharedFiles([TRAIN, OWL, LATE])
    assert library.matching("train") == (TRAIN, LATE)
    assert library.matching("NIGHT train!") == (LATE,)
    assert library.matching("train night") == (LATE,)
    assert library.matching("night night") == (OWL, LATE)
    assert (
        library.matching("trai")
        == library.matching("blue owl")
        == library.matching("...")
        == library.matching("")
        == ()
    )


def test_an_empty_library_has_nothing_and_can_be_filled() -> None:
    library = SharedFiles()
    assert (len(library), library.files(), library.matching("train"), "Blue Train" in library) == (0, (), (), False)
    library.add(TRAIN)
    assert library.matching("train") == (TRAIN,)
    library.add(LATE)
    assert library.matching("train") == (TRAIN, LATE)
    assert "Blue Train" in library


def test_what_is_added_to_a_copy_of_a_library_is_not_in_the_library() -> None:
    library, empty = SharedFiles([file_of("blue train", 1)]), SharedFiles()
    for one in (library, empty):
        copy, before = one.copy(), one.files()
        assert copy.files() == before
        assert copy.add(file_of("blue moon", 1))
        assert [file.name for file in copy.matching("blue")] == [*(file.name for file in before), "blue moon"]
        assert one.files() == before
        assert "blue moon" not in one
        assert one.matching("moon") == ()


def test_the_same_name_twice_is_one_file() -> None:
    library = SharedFiles([TRAIN])
    library.add(File("Blue Train", 9, 9))
    assert library.files() == (TRAIN,)
    assert len(library) == 1
    assert library.matching("blue") == (TRAIN,)


@pytest.mark.parametrize("files", [(), (TRAIN, OWL)])
def test_a_library_is_pickled_without_its_index(files: tuple[File, ...]) -> None:
    library = SharedFiles(files)
    before = pickle.dumps(library)
    library.matching("train")
    assert pickle.dumps(library) == before
    copy = pickle.loads(before)
    assert copy.files() == files
    assert copy.matching("owl") == library.matching("owl")


def test_titles_are_distinct_and_differ_in_their_words() -> None:
    assert not set(FIRST) & set(SECOND)
    assert (len(set(FIRST)), len(set(SECOND))) == (len(FIRST), len(SECOND))
    titles = generate_titles(5_000, Stream("titles"))
    assert titles[:3] == list(FIXED_TITLES)
    assert len({words_of(title) for title in titles}) == 5_000
    assert all(len(words_of(title)) == 2 and title == title.lower() for title in titles)
    assert generate_titles(2, Stream("titles")) == list(FIXED_TITLES[:2])
    assert len(generate_titles(COUNT_MAX, Stream("titles"))) == COUNT_MAX


def test_copies_are_distributed_among_the_sharers() -> None:
    made = Catalogue.generate(ContentSpec(items=200, replicas=4, free_riders=0.66), 64, 7)
    assert (len(made.titles), len(made.files), len(made.libraries)) == (200, 200, 64)
    assert sum(len(library) == 0 for library in made.libraries) == round(64 * 0.66)
    copies = Counter(file.name for library in made.libraries for file in library.files())
    assert set(copies) == set(made.titles)
    assert set(copies.values()) == {4}


def test_a_fractional_number_of_replicas_is_right_on_average() -> None:
    made = Catalogue.generate(ContentSpec(items=100, replicas=2.5, free_riders=0), 50, 7)
    copies = Counter(file.name for library in made.libraries for file in library.files())
    assert Counter(copies.values()) == {2: 50, 3: 50}


def test_small_swarms_share_what_they_can() -> None:
    alone = Catalogue.generate(ContentSpec(), 1, 7)
    assert len(alone.libraries[0]) == 200
    assert sum(map(len, Catalogue.generate(ContentSpec(replicas=9, free_riders=0.5), 4, 7).libraries)) == 400
    assert sum(map(len, Catalogue.generate(ContentSpec(free_riders=1), 4, 7).libraries)) == 0


def test_the_same_seed_gives_the_same_world() -> None:
    one, same, other = (Catalogue.generate(ContentSpec(), 64, seed) for seed in (7, 7, 8))
    assert pickle.dumps(one) == pickle.dumps(same)
    assert one.titles != other.titles


def test_asks_follow_zipf() -> None:
    made = Catalogue.generate(ContentSpec(items=50, zipf=1.0), 64, 7)
    rng = Stream("asks")
    asked = Counter(made.sample_title(rng) for _ in range(20_000))
    total = sum(1 / rank for rank in range(1, 51))
    for rank in (1, 2, 5, 20):
        expected = 20_000 / rank / total
        assert abs(asked[made.titles[rank - 1]] - expected) < 4 * math.sqrt(expected)
    assert made.popular(3) == made.titles[:3] == list(FIXED_TITLES)
    assert made.popular(-1) == []
    even = Catalogue.generate(ContentSpec(items=50, zipf=0), 64, 7)
    assert max(Counter(even.sample_title(rng) for _ in range(20_000)).values()) < 500


def test_a_file_is_a_few_megabytes_and_the_same_from_every_publisher() -> None:
    made = Catalogue.generate(ContentSpec(), 64, 7)
    sizes = sorted(file.size for file in made.files)
    assert 3_500_000 < sizes[100] < 5_000_000
    assert 1_500_000 < sizes[0] < sizes[-1] < 11_000_000
    assert file_of("blue train", 7) == made.files[0]
    assert file_of("Blue  TRAIN!", 7).digest == made.files[0].digest
    assert file_of("blue train", 8).digest != made.files[0].digest
    assert file_of(" a\x1b[31m song ", 7).name == "a[31m song"
    assert len(file_of("word " * 1_000, 7).name) <= 200
    for text in ("", "...", "\x1b"):
        with pytest.raises(InputError, match="letter or digit"):
            file_of(text, 7)


@pytest.mark.parametrize(
    ("spec", "word"),
    [
        (ContentSpec(items=0), "items"),
        (ContentSpec(items=10**9), "items"),
        (ContentSpec(items=2.5), "items"),  # type: ignore[arg-type]
        (ContentSpec(replicas=0.5), "replicas"),
        (ContentSpec(replicas=math.nan), "replicas"),
        (ContentSpec(zipf=-1), "zipf"),
        (ContentSpec(zipf=math.inf), "zipf"),
        (ContentSpec(free_riders=1.1), "free_riders"),
        (ContentSpec(free_riders="most"), "free_riders"),  # type: ignore[arg-type]
        (ContentSpec(items=40_000, replicas=100), "items times replicas"),
    ],
)
def test_a_bad_spec_is_refused_in_one_sentence(spec: ContentSpec, word: str) -> None:
    with pytest.raises(InputError, match=f"content: {word}"):
        Catalogue.generate(spec, 64, 7)
