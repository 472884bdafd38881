"""What there is to find, who has it, and what people want.

Copies are spread without regard to what is popular (the "uniform" replication of Cohen and Shenker, SIGCOMM
2002): each title has the same number of copies, give or take one, while asks follow Zipf's law. That parts the
two questions a viewer mixes up, how well the network searches and how common the thing is.

Most peers share nothing: two thirds of them in Gnutella (Adar and Huberman, First Monday 5:10, 2000). So an
empty shelf must cost next to nothing, in memory and when a flooded query asks it, which is most of the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from ..api import File, words_of
from ..core.rand import Stream, cumulate
from ..errors import InputError, plain
from ..setup import ContentSpec
from .titles import COUNT_MAX, draw_titles

COPIES_MAX = 2_000_000
ZIPF_MAX = 5.0
SIZE_BYTES = 4_100_000
"""A song of four minutes at 128 kbit/s: the middle of the sizes drawn."""
NAME_MAX = 200

# A query visits a thousand shelves with the same text: its words are worth remembering.
_words = lru_cache(maxsize=1 << 14)(words_of)


class Shelf:
    """A peer's `Library`. Words are indexed on the first question, so that who is never asked never pays."""

    __slots__ = ("_files", "_index")

    def __init__(self, files: Sequence[File] = ()) -> None:
        self._files: dict[str, File] | None = None
        self._index: dict[str, dict[str, File]] | None = None
        for file in files:
            self.add(file)

    def __reduce__(self) -> tuple[type[Shelf], tuple[tuple[File, ...]]]:
        # The index can be had again, so a checkpoint does not carry it.
        return Shelf, (self.files(),)

    def __len__(self) -> int:
        return len(self._files) if self._files else 0

    def __contains__(self, name: str) -> bool:
        return self._files is not None and name in self._files

    def files(self) -> tuple[File, ...]:
        """All of them, in the order they came."""
        return tuple(self._files.values()) if self._files else ()

    def add(self, file: File) -> None:
        """Share one more. A name that is here already changes nothing: the same name twice is one file."""
        if self._files is None:
            self._files = {}
        elif file.name in self._files:
            return
        self._files[file.name] = file
        if self._index is not None:
            self._enter(file, self._index)

    def matching(self, text: str) -> tuple[File, ...]:
        """Files whose name has every word of `text`, in the order they came; none for a text without words."""
        if not self._files:
            return ()
        index = self._index
        if index is None:
            index = self._index = {}
            for file in self._files.values():
                self._enter(file, index)
        entries: list[dict[str, File]] = []
        for word in _words(text):
            entry = index.get(word)
            if entry is None:
                return ()
            entries.append(entry)
        if len(entries) < 2:
            return tuple(entries[0].values()) if entries else ()
        shortest = min(entries, key=len)
        return tuple(file for name, file in shortest.items() if all(name in entry for entry in entries))

    @staticmethod
    def _enter(file: File, index: dict[str, dict[str, File]]) -> None:
        for word in _words(file.name):
            index.setdefault(word, {})[file.name] = file


@dataclass(slots=True)
class Catalogue:
    """Everything that exists at the start. titles: the most wanted first; files: one for each title;
    shelves: one for each peer; shares: running sums of the titles' popularity."""

    titles: list[str]
    files: list[File]
    shelves: list[Shelf]
    shares: list[float]

    @classmethod
    def draw(cls, spec: ContentSpec, peers: int, seed: int) -> Catalogue:
        """Titles, files and shelves for peers 0..peers-1. Raises InputError for a spec out of range.

        items x replicas copies are spread over the peers that are no free riders, each copy of a title at
        another one; where there are fewer sharers than replicas, each of them has a copy.
        """
        _check(spec)
        riders = round(peers * spec.free_riders)
        if spec.free_riders < 1:
            riders = min(riders, peers - 1)
        rng = Stream(f"{seed}/content")
        sharers = rng.sample(range(peers), peers - riders)
        titles = draw_titles(spec.items, rng)
        files = [file_of(title, seed) for title in titles]
        shelves = [Shelf() for _ in range(peers)]
        each, over = divmod(round(spec.items * spec.replicas), spec.items)
        extra = set(rng.sample(range(spec.items), over))
        for at, file in enumerate(files):
            copies = each + (at in extra)
            for peer in rng.sample(sharers, min(copies, len(sharers))):
                shelves[peer].add(file)
        shares = cumulate(rank**-spec.zipf for rank in range(1, spec.items + 1))
        return cls(titles, files, shelves, shares)

    def draw_ask(self, rng: Stream) -> str:
        """What somebody wants next: the title of rank r in proportion to r ** -zipf."""
        return self.titles[rng.weighted(self.shares)]

    def popular(self, limit: int) -> list[str]:
        """The most wanted titles, best first."""
        return self.titles[: max(0, limit)]


def file_of(text: str, seed: int) -> File:
    """The file that goes by this name: a few megabytes, and a digest that is the same whoever publishes it.

    Raises InputError for a name without words, which nobody could ever find.
    """
    name = plain(text, limit=NAME_MAX).strip()
    words = words_of(name)
    if not words:
        raise InputError(f'a file needs a name with at least one letter or digit, not "{name}"')
    rng = Stream(f"{seed}/file/{' '.join(words)}")
    # A product of even draws leans to the right as sizes of songs do. Multiplying rounds alike on every
    # machine; a logarithm need not.
    size = float(SIZE_BYTES)
    for _ in range(4):
        size *= rng.uniform(0.8, 1.25)
    return File(name, int(size), rng.bits64())


def _check(spec: ContentSpec) -> None:
    where = "content"
    if isinstance(spec.items, bool) or not isinstance(spec.items, int) or not 1 <= spec.items <= COUNT_MAX:
        raise InputError(f"{where}: items should be a whole number from 1 to {COUNT_MAX:,}, not {plain(spec.items)}")
    limits = (("replicas", 1.0, 1e6), ("zipf", 0.0, ZIPF_MAX), ("free_riders", 0.0, 1.0))
    for name, low, high in limits:
        value = getattr(spec, name)
        # Nothing compares true with nan, so that this refuses it too.
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise InputError(f"{where}: {name} should be a number from {low:g} to {high:,g}, not {plain(value)}")
    if spec.items * spec.replicas > COPIES_MAX:
        raise InputError(f"{where}: items times replicas should be at most {COPIES_MAX:,} copies")
