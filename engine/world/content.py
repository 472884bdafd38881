"""What there is to find, who has it, and what people want.

Unless told otherwise, copies are spread without regard to what is popular (the "uniform" replication of Cohen and
Shenker, SIGCOMM 2002): each title has the same number of copies, give or take one, while asks follow Zipf's law. That
parts the two questions a viewer mixes up, how well the network searches and how common the thing is.

Most peers share nothing: two thirds of them in Gnutella (Adar and Huberman, First Monday 5:10, 2000). So an
empty shelf must cost next to nothing, in memory and when a flooded query asks it, which is most of the time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from ..api import File, PeerId, words_of
from ..errors import InputError, nearest, plain
from ..setup import ContentSpec
from ..sim.rng import Stream, cumulate
from . import popularity
from .decoys import is_decoy
from .popularity import COUNT_MAX, draw_titles

# Which names have which words, for all the shelves of a world at once.
#
# Copies of one file lie on many shelves, and a flooded query visits a thousand of them with the same words. An index
# for each shelf would say the same thing again for each copy, a kilobyte a download, and downloads are most of what a
# run grows by in an hour. Here it is said once: a shelf looks up which of the names that have these words are its own.
#
# What stands here is only ever a superset of what the shelves have, so it does not matter that it outlives a
# checkpoint, a seek or a peer, and that swarms of one world share it: it is no part of a run's state and is not
# pickled.

TEXTS_MAX = 1 << 12
"""Texts whose names are remembered. When there are more, all are forgotten, and found again when asked for."""
NONE: frozenset[str] = frozenset()


class Lexicon:
    """All names of the shelves that have it in common."""

    __slots__ = ("_asked", "_files", "_fresh", "_index")

    def __init__(self) -> None:
        self._files: dict[str, File] = {}
        self._fresh: list[str] = []
        """Names not in the index yet: where nobody asks, nobody pays for one."""
        self._index: dict[str, set[str]] = {}
        self._asked: dict[str, AbstractSet[str]] = {}

    def __reduce__(self) -> tuple[type[Lexicon], tuple[()]]:
        # The shelves enter their files again.
        return Lexicon, ()

    def enter(self, file: File) -> File:
        """Know its name from now on. Returns an equal file: the first that came, so that all copies are one object."""
        known = self._files.get(file.name)
        if known is None:
            self._files[file.name] = file
            self._fresh.append(file.name)
            return file
        return known if known == file else file

    def names(self, text: str) -> AbstractSet[str]:
        """Those that have every word of `text`; none for a text without words."""
        if self._fresh:
            self._learn()
        found = self._asked.get(text)
        if found is None:
            if len(self._asked) >= TEXTS_MAX:
                self._asked.clear()
            found = self._asked[text] = self._find(text)
        return found

    def _find(self, text: str) -> AbstractSet[str]:
        entries = [self._index.get(word, NONE) for word in dict.fromkeys(words_of(text))]
        if not entries:
            return NONE
        entries.sort(key=len)
        return entries[0].intersection(*entries[1:]) or NONE

    def _learn(self) -> None:
        for name in self._fresh:
            for word in words_of(name):
                self._index.setdefault(word, set()).add(name)
        self._fresh.clear()
        self._asked.clear()


COPIES_MAX = 2_000_000
SHARINGS = ("even", "adar-huberman")
COPIES_OF_THE_UNWANTED = 10
"""Mean copies of a title that nobody asks for, where there are titles enough."""
ITEMS_MEASURED = COUNT_MAX // 2
"""Wanted titles at most where shelves are filled up with others: there must be names left for these."""
ZIPF_MAX = 5.0
SIZE_BYTES = 4_100_000
"""A song of four minutes at 128 kbit/s: the middle of the sizes drawn."""
NAME_MAX = 200


class Shelf:
    """A peer's `Library`. The words of its names are the `lexicon`'s, which the shelves of a world have in common."""

    __slots__ = ("_files", "_lexicon")

    def __init__(self, files: Sequence[File] = (), lexicon: Lexicon | None = None) -> None:
        self._files: dict[str, File] | None = None
        self._lexicon = Lexicon() if lexicon is None else lexicon
        for file in files:
            self.add(file)

    def __reduce__(self) -> tuple[type[Shelf], tuple[tuple[File, ...], Lexicon]]:
        return Shelf, (self.files(), self._lexicon)

    def __len__(self) -> int:
        return len(self._files) if self._files else 0

    def __contains__(self, name: str) -> bool:
        return self._files is not None and name in self._files

    def files(self) -> tuple[File, ...]:
        """All of them, in the order they came."""
        return tuple(self._files.values()) if self._files else ()

    def add(self, file: File) -> bool:
        """Share one more. A name that is here already changes nothing: the same name twice is one file. What is not
        what its name says is thrown away: the user has opened it."""
        if is_decoy(file.digest):
            return False
        if self._files is None:
            self._files = {}
        elif file.name in self._files:
            return True
        self._files[file.name] = self._lexicon.enter(file)
        return True

    def matching(self, text: str) -> tuple[File, ...]:
        """Files whose name has every word of `text`, in the order they came; none for a text without words."""
        files = self._files
        if not files:
            return ()
        names = self._lexicon.names(text)
        if len(names) < len(files):
            here = [name for name in names if name in files]
            if len(here) < 2:
                return (files[here[0]],) if here else ()
        return tuple(file for name, file in files.items() if name in names)


@dataclass(slots=True)
class Catalogue:
    """Everything that exists at the start. titles: the most wanted first; files: one for each title;
    shelves: one for each peer; shares: running sums of the titles' popularity;
    lexicon: what all shelves of this world have in common, in whichever swarm."""

    titles: list[str]
    files: list[File]
    shelves: list[Shelf]
    shares: list[float]
    lexicon: Lexicon = field(compare=False)

    @classmethod
    def draw(cls, spec: ContentSpec, peers: int, seed: int) -> Catalogue:
        """Titles, files and shelves for peers 0..peers-1. Raises InputError for a spec out of range.

        Shared evenly, items x replicas copies are spread over the peers that are no free riders, each copy of a title
        at another one; where there are fewer sharers than replicas, each of them has a copy.
        """
        _check(spec, peers)
        rng = Stream(f"{seed}/content")
        if spec.sharing == "adar-huberman":
            return cls._measured(spec, peers, seed, rng)
        riders = round(peers * spec.free_riders)
        if spec.free_riders < 1:
            riders = min(riders, peers - 1)
        sharers = rng.sample(range(peers), peers - riders)
        titles = draw_titles(spec.items, rng)
        files = [file_of(title, seed) for title in titles]
        lexicon = Lexicon()
        shelves = [Shelf((), lexicon) for _ in range(peers)]
        asked = [rank**-spec.zipf for rank in range(1, spec.items + 1)]
        for file, copies in zip(files, _copies(spec, spec.replicas, asked, max(1, len(sharers)), rng), strict=True):
            for peer in rng.sample(sharers, min(copies, len(sharers))):
                shelves[peer].add(file)
        return cls(titles, files, shelves, cumulate(asked), lexicon)

    @classmethod
    def _measured(cls, spec: ContentSpec, peers: int, seed: int, rng: Stream) -> Catalogue:
        """Shelves as Adar and Huberman found them: wanted titles first, and then what nobody asks for."""
        sizes = [size for size in popularity.sizes(peers) if size]
        sharers = rng.sample(range(peers), len(sizes))
        pool = min(COUNT_MAX - spec.items, max([1, *sizes, sum(sizes) // COPIES_OF_THE_UNWANTED]))
        titles = draw_titles(spec.items + pool, rng)
        files = [file_of(title, seed) for title in titles]
        asked = [rank ** -popularity.zipf_of(spec.items) for rank in range(1, spec.items + 1)]
        replicas = popularity.copies_wanted(spec.items, spec.replicas, peers)
        copies = _copies(spec, replicas, asked, max(1, len(sizes)), rng)
        lexicon = Lexicon()
        shelves = [Shelf((), lexicon) for _ in range(peers)]
        for peer, size, wanted in zip(
            sharers, sizes, popularity.place(copies, sizes, rng) if sizes else (), strict=True
        ):
            more = rng.sample(range(pool), min(pool, size - len(wanted)))
            shelves[peer] = Shelf([files[at] for at in (*wanted, *(spec.items + at for at in more))], lexicon)
        return cls(titles[: spec.items], files[: spec.items], shelves, cumulate(asked), lexicon)

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
    digest = rng.bits64()
    while is_decoy(digest):
        digest = rng.bits64()
    return File(name, int(size), digest)


def _copies(spec: ContentSpec, replicas: float, asked: Sequence[float], most: int, rng: Stream) -> list[int]:
    """Copies of each title, by the law of the spec."""
    if spec.replication == "uniform":
        each, over = divmod(round(spec.items * replicas), spec.items)
        extra = set(rng.sample(range(spec.items), over))
        return [each + (at in extra) for at in range(spec.items)]
    return popularity.copies(spec.replication, asked, spec.items * replicas, most, rng)


def _check(spec: ContentSpec, peers: int) -> None:
    where = "content"
    if isinstance(spec.items, bool) or not isinstance(spec.items, int) or not 1 <= spec.items <= COUNT_MAX:
        raise InputError(f"{where}: items should be a whole number from 1 to {COUNT_MAX:,}, not {plain(spec.items)}")
    limits = (("replicas", 1.0, 1e6), ("zipf", 0.0, ZIPF_MAX), ("free_riders", 0.0, 1.0))
    for name, low, high in limits:
        value = getattr(spec, name)
        # Nothing compares true with nan, so that this refuses it too.
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise InputError(f"{where}: {name} should be a number from {low:g} to {high:,g}, not {plain(value)}")
    for name, known in (("replication", tuple(popularity.LAWS)), ("sharing", SHARINGS)):
        value = getattr(spec, name)
        if value not in known:
            raise InputError(f'{where}: no {name} is called "{plain(value)}"{nearest(str(value), known)}')
    if spec.sharing == "adar-huberman" and popularity.MEAN_FILES * peers > COPIES_MAX:
        most = COPIES_MAX // popularity.MEAN_FILES
        raise InputError(f'{where}: sharing = "adar-huberman" is for at most {most:,} peers, not {peers:,}')
    if spec.sharing == "adar-huberman" and spec.items > ITEMS_MEASURED:
        raise InputError(f'{where}: items should be at most {ITEMS_MEASURED:,} with sharing = "adar-huberman"')
    if spec.items * spec.replicas > COPIES_MAX:
        raise InputError(f"{where}: items times replicas should be at most {COPIES_MAX:,} copies")


# What a newcomer brings along: a library like those that were there when the run began.
#
# How many files it has is what a peer drawn from the beginning had, most of them none. Which ones is drawn from all
# copies that there were, so that common titles stay common and rare ones rare, by whatever law they were spread.

TRIES = 20


@dataclass(frozen=True, slots=True)
class Stock:
    """sizes: files of each peer at the beginning; files: each title once; copies: running sums of their copies;
    lexicon: that of their world."""

    sizes: tuple[int, ...]
    files: tuple[File, ...]
    copies: tuple[int, ...]
    lexicon: Lexicon

    @classmethod
    def of(cls, shelves: Sequence[Shelf], lexicon: Lexicon) -> Stock:
        """Of the peers asked for."""
        counts: dict[File, int] = {}
        for shelf in shelves:
            for file in shelf.files():
                if file.genuine:
                    counts[file] = counts.get(file, 0) + 1
        total, sums = 0, []
        for count in counts.values():
            total += count
            sums.append(total)
        return cls(tuple(map(len, shelves)), tuple(counts), tuple(sums), lexicon)

    def shelf(self, peer: PeerId, seed: int) -> Shelf:
        """The library of a newcomer."""
        rng = Stream(f"{seed}/content/{peer}")
        wanted = min(rng.choice(self.sizes), len(self.files))
        taken: dict[File, None] = {}
        # Where nearly all titles are wanted, the rarest may not come up: the library is a little smaller then.
        for _ in range(TRIES * wanted if self.copies else 0):
            if len(taken) == wanted:
                break
            taken[self.files[bisect_right(self.copies, rng.randrange(self.copies[-1]))]] = None
        return Shelf(tuple(taken), self.lexicon)
