"""Titles, files and libraries: what exists in a swarm, which peer shares it, and what users ask for.

By default (`sharing = "even"`, `replication = "uniform"`) each title has the same number of copies, or one more, while
asks follow Zipf's law. Copies that do not depend on popularity are the "uniform" replication of Cohen and Shenker
(SIGCOMM 2002); with it, the effect of how a network searches can be told from the effect of how common a title is.

Most peers share nothing: two thirds of them in Gnutella (Adar and Huberman, First Monday 5:10, 2000). So an empty
library has to cost almost nothing, in memory and when a flooded query searches it.

The share of peers with an empty library is `free_riders` in a swarm of any size: each other peer has at least one copy.
In a swarm with more sharers than copies, titles are added until there is a copy for each sharer, and the number of
copies of a title stays as it was set (`grown`).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import field, replace
from functools import lru_cache

from ..api import File, PeerId, words_of
from ..errors import InputError, nearest, plain
from ..setup import ContentSpec
from ..sim.rng import Stream, cumulate
from ..values import dataclass
from . import popularity
from .decoys import is_decoy
from .popularity import COUNT_MAX, generate_titles

QUERIES_MAX = 1 << 12
"""Query texts whose results a `WordIndex` caches. When there are more, the cache is emptied."""
COPIES_MAX = 2_000_000
SHARINGS = ("even", "adar-huberman")
UNWANTED_COPIES = 10
"""Mean copies of a title that is never asked for, where there are enough titles."""
ITEMS_MEASURED = COUNT_MAX // 2
"""Most wanted titles with `sharing = "adar-huberman"`: the other half of the titles is for files that are never asked
for."""
ZIPF_MAX = 5.0
SIZE_BYTES = 4_100_000
"""A song of four minutes at 128 kbit/s: the middle of the sizes that are generated."""
FILE_MIB_MAX = 1_048_576.0
"""A file of 1 TiB."""
NAME_MAX = 200
TRIES_PER_FILE = 20
"""Most draws for each file of a newcomer's library; after these it has fewer files."""
NONE: frozenset[str] = frozenset()


class WordIndex:
    """An inverted index from words to file names, common to all libraries of a world.

    Copies of one file are in many libraries, and a flooded query searches a thousand of them for the same words. An
    index in each library would repeat the same entries for each copy, about 1 kB a download, and downloads are most of
    the memory that a run of an hour takes. So there is one index; a library looks up which of the names found are its
    own.

    The index always holds a superset of the names in the libraries. So it is no part of a run's state: it is not
    pickled, it may outlive a checkpoint, a seek or a peer, and swarms of one world share it.
    """

    __slots__ = ("_files", "_found", "_index", "_new")

    def __init__(self) -> None:
        self._files: dict[str, File] = {}
        self._new: list[str] = []
        """Names that are not in the index yet. It is built at the first query: a run without queries needs none."""
        self._index: dict[str, set[str]] = {}
        self._found: dict[str, AbstractSet[str]] = {}

    def __reduce__(self) -> tuple[type[WordIndex], tuple[()]]:
        # The libraries add their files again when they are unpickled.
        return WordIndex, ()

    def add(self, file: File) -> File:
        """Add a file's name. Returns the first file that was added with equal values, so that copies are one object."""
        known = self._files.get(file.name)
        if known is None:
            self._files[file.name] = file
            self._new.append(file.name)
            return file
        return known if known == file else file

    def names_with(self, text: str) -> AbstractSet[str]:
        """Names that have every word of `text`; an empty set for a text without words."""
        if self._new:
            self._index_new_names()
        found = self._found.get(text)
        if found is None:
            if len(self._found) >= QUERIES_MAX:
                self._found.clear()
            found = self._found[text] = self._find(text)
        return found

    def _find(self, text: str) -> AbstractSet[str]:
        entries = [self._index.get(word, NONE) for word in dict.fromkeys(words_of(text))]
        if not entries:
            return NONE
        entries.sort(key=len)
        return entries[0].intersection(*entries[1:]) or NONE

    def _index_new_names(self) -> None:
        for name in self._new:
            for word in words_of(name):
                self._index.setdefault(word, set()).add(name)
        self._new.clear()
        self._found.clear()


class SharedFiles:
    """The `Library` of a peer: its files by name. `word_index` is that of the peer's world."""

    __slots__ = ("_files", "_holders", "_peer", "_word_index")

    def __init__(self, files: Sequence[File] = (), word_index: WordIndex | None = None) -> None:
        self._files: dict[str, File] | None = None
        self._holders: HolderIndex | None = None
        self._peer = -1
        self._word_index = WordIndex() if word_index is None else word_index
        for file in files:
            self.add(file)

    def __reduce__(self) -> tuple[type[SharedFiles], tuple[tuple[File, ...], WordIndex]]:
        return SharedFiles, (self.files(), self._word_index)

    def serves(self, file: File) -> File:
        """The file itself."""
        return file

    def copy(self) -> SharedFiles:
        """The same files in another library, which reports to no index."""
        made = SharedFiles((), self._word_index)
        made._files = None if self._files is None else dict(self._files)
        return made

    def __len__(self) -> int:
        return len(self._files) if self._files else 0

    def __contains__(self, name: str) -> bool:
        return self._files is not None and name in self._files

    def files(self) -> tuple[File, ...]:
        """All files, in the order in which they were added."""
        return tuple(self._files.values()) if self._files else ()

    def spoilt(self, digests: Iterable[int]) -> tuple[int, ...]:
        """The digests that are those of decoys."""
        return tuple(filter(is_decoy, digests))

    def add(self, file: File) -> bool:
        """Share one more file. Returns whether it is shared now.

        A name that is there already changes nothing: one name is one file. A decoy is not kept: its user has opened
        it and seen that it is not what its name says.
        """
        if is_decoy(file.digest):
            return False
        if self._files is None:
            self._files = {}
        elif file.name in self._files:
            return True
        self._files[file.name] = self._word_index.add(file)
        if self._holders is not None:
            self._holders.added(self._peer, file.name)
        return True

    def report_to(self, holders: HolderIndex, peer: PeerId) -> None:
        """From now on, report to an index what is added to this library, which is that of `peer`."""
        self._holders, self._peer = holders, peer

    def matching(self, text: str) -> tuple[File, ...]:
        """Files whose name has every word of `text`, in the order in which they were added; empty for a text without
        words."""
        files = self._files
        if not files:
            return ()
        names = self._word_index.names_with(text)
        if len(names) < len(files):
            here = [name for name in names if name in files]
            if len(here) < 2:
                return (files[here[0]],) if here else ()
        return tuple(file for name, file in files.items() if name in names)


class HolderIndex:
    """An inverted index from file names to the peers that have the file: which peers hold what an ask is about, without
    a search of all libraries.

    It is filled when it is first used and kept up to date by the libraries, which only grow: what a peer holds does not
    depend on whether it is alive. As the `WordIndex`, it is no part of a run's state.
    """

    __slots__ = ("_by_name", "_libraries", "word_index")

    def __init__(self, libraries: Sequence[SharedFiles], word_index: WordIndex) -> None:
        """libraries: index = PeerId; those of newcomers may be appended later, see `enter`."""
        self._libraries = libraries
        self.word_index = word_index
        self._by_name: dict[str, list[PeerId]] | None = None
        self.enter(range(len(libraries)))

    def __reduce__(self) -> tuple[type[HolderIndex], tuple[Sequence[SharedFiles], WordIndex]]:
        return HolderIndex, ((), self.word_index)

    def enter(self, peers: Sequence[PeerId]) -> None:
        """Add the libraries of these peers."""
        for peer in peers:
            library = self._libraries[peer]
            library.report_to(self, peer)
            if self._by_name is not None:
                for file in library.files():
                    self.added(peer, file.name)

    def added(self, peer: PeerId, name: str) -> None:
        """A peer has a file that it did not have before."""
        if self._by_name is not None:
            self._by_name.setdefault(name, []).append(peer)

    def of(self, text: str) -> list[PeerId]:
        """The peers that hold a file whose name has every word of `text`, in ascending order: those whose library
        has a file `matching` it."""
        by_name = self._filled()
        names = self.word_index.names_with(text)
        if len(names) == 1:
            return sorted(by_name.get(next(iter(names)), ()))
        found: set[PeerId] = set()
        for name in names:
            found.update(by_name.get(name, ()))
        return sorted(found)

    def names(self, text: str) -> list[str]:
        """Names of files that some peer holds and that have every word of `text`, in ascending order."""
        by_name = self._filled()
        return sorted(name for name in self.word_index.names_with(text) if name in by_name)

    def _filled(self) -> dict[str, list[PeerId]]:
        """The index, which the first call fills."""
        by_name = self._by_name
        if by_name is None:
            by_name = self._by_name = {}
            for peer, library in enumerate(self._libraries):
                if len(library):
                    for file in library.files():
                        by_name.setdefault(file.name, []).append(peer)
        return by_name


@dataclass(slots=True)
class Catalogue:
    """All titles and libraries at the start of a run.

    titles       those that are asked for, the most popular first
    files        one for each title
    libraries    one for each peer
    shares       running sums of the titles' popularity, as `Stream.weighted` takes them
    word_index   of this world, common to all its libraries in all its swarms
    notes        sentences for the user: where the catalogue is not exactly what the spec says
    """

    titles: list[str]
    files: list[File]
    libraries: list[SharedFiles]
    shares: list[float]
    word_index: WordIndex = field(compare=False)
    notes: tuple[str, ...] = field(default=(), compare=False)

    @classmethod
    def generate(cls, spec: ContentSpec, peers: int, seed: int) -> Catalogue:
        """Generate titles, files and libraries for peers 0..peers-1. Raises InputError for a spec out of range.

        With even sharing, items * replicas copies are distributed among the peers that are not free riders, at most
        one copy of a title to a peer and at least one copy to each of them; if there are fewer sharers than replicas,
        each of them has a copy of each title. If there are fewer copies than sharers, there are more titles, see
        `grown`, and a note says so.
        """
        _check(spec, peers)
        rng = Stream(f"{seed}/content")
        if spec.sharing == "adar-huberman":
            return cls._measured(spec, peers, seed, rng)
        count = sharers_of(spec, peers)
        sharers = rng.sample(range(peers), count)
        asked, spec = spec, grown(spec, count)
        titles = generate_titles(spec.items, rng)
        files = [file_of(title, seed, spec.file_mib) for title in titles]
        weights = [rank**-spec.zipf for rank in range(1, spec.items + 1)]
        held: list[list[File]] = [[] for _ in range(peers)]
        for file, copies in zip(files, _copies(spec, spec.replicas, weights, max(1, count), rng), strict=True):
            for peer in rng.sample(sharers, min(copies, count)):
                held[peer].append(file)
        popularity.give_each_one(held, sharers, rng)
        word_index = WordIndex()
        libraries = [SharedFiles(of_peer, word_index) for of_peer in held]
        return cls(titles, files, libraries, cumulate(weights), word_index, _growth_note(asked, spec, count))

    @classmethod
    def _measured(cls, spec: ContentSpec, peers: int, seed: int, rng: Stream) -> Catalogue:
        """Libraries as Adar and Huberman measured them: wanted titles first; the other titles are never asked for."""
        sizes = [size for size in popularity.library_sizes(peers) if size]
        sharers = rng.sample(range(peers), len(sizes))
        unwanted = min(COUNT_MAX - spec.items, max([1, *sizes, sum(sizes) // UNWANTED_COPIES]))
        titles = generate_titles(spec.items + unwanted, rng)
        files = [file_of(title, seed, spec.file_mib) for title in titles]
        zipf = popularity.zipf_exponent(spec.items)
        weights = [rank**-zipf for rank in range(1, spec.items + 1)]
        replicas = popularity.mean_copies(spec.items, spec.replicas, peers)
        copies = _copies(spec, replicas, weights, popularity.answering_of(len(sizes)), rng)
        word_index = WordIndex()
        libraries = [SharedFiles((), word_index) for _ in range(peers)]
        placed = popularity.place_titles(copies, sizes, rng) if sizes else ()
        for peer, size, wanted in zip(sharers, sizes, placed, strict=True):
            more = rng.sample(range(unwanted), min(unwanted, size - len(wanted)))
            libraries[peer] = SharedFiles(
                [files[at] for at in (*wanted, *(spec.items + at for at in more))], word_index
            )
        return cls(titles[: spec.items], files[: spec.items], libraries, cumulate(weights), word_index)

    def sample_title(self, rng: Stream) -> str:
        """A title that a user asks for next: the one of rank r with a probability in proportion to r ** -zipf."""
        return self.titles[rng.weighted(self.shares)]

    def popular(self, limit: int) -> list[str]:
        """At most `limit` titles, the most popular first."""
        return self.titles[: max(0, limit)]


@dataclass(frozen=True, slots=True)
class NewcomerLibraries:
    """Generates the libraries of newcomers, like those at the start of the run.

    The number of files is that of a peer drawn from the start, for most of them zero. The files are drawn from all
    copies at the start, so that common titles stay common and rare ones rare, whatever the law of replication was.

    sizes        files of each peer at the start
    files        each title once
    copies       running sums of their copies
    word_index   of the world
    """

    sizes: tuple[int, ...]
    files: tuple[File, ...]
    copies: tuple[int, ...]
    word_index: WordIndex

    @classmethod
    def of(cls, libraries: Sequence[SharedFiles], word_index: WordIndex) -> NewcomerLibraries:
        """From the libraries of the peers at the start, infrastructure left out."""
        counts: dict[File, int] = {}
        for library in libraries:
            for file in library.files():
                if file.genuine:
                    counts[file] = counts.get(file, 0) + 1
        total, sums = 0, []
        for count in counts.values():
            total += count
            sums.append(total)
        return cls(tuple(map(len, libraries)), tuple(counts), tuple(sums), word_index)

    def generate(self, peer: PeerId, seed: int) -> SharedFiles:
        """The library of one newcomer. It depends on the seed and the peer's id alone."""
        rng = Stream(f"{seed}/content/{peer}")
        wanted = min(rng.choice(self.sizes), len(self.files))
        taken: dict[File, None] = {}
        # If the library needs nearly all titles, the rarest may not be drawn: it is then a little smaller.
        for _ in range(TRIES_PER_FILE * wanted if self.copies else 0):
            if len(taken) == wanted:
                break
            taken[self.files[bisect_right(self.copies, rng.randrange(self.copies[-1]))]] = None
        return SharedFiles(tuple(taken), self.word_index)


@lru_cache(maxsize=1 << 12)
def file_of(text: str, seed: int, mib: float = 0.0) -> File:
    """The file with this name, of `mib` MiB, or of a few megabytes if that is 0. Its digest is the same whichever peer
    publishes it.

    Raises InputError for a name without words, which no search could find.
    """
    name = plain(text, limit=NAME_MAX).strip()
    words = words_of(name)
    if not words:
        raise InputError(f'a file needs a name with at least one letter or digit, not "{name}"')
    rng = Stream(f"{seed}/file/{' '.join(words)}")
    # A product of uniform draws is skewed to the right, as sizes of songs are. Multiplication rounds alike on every
    # machine; a logarithm may not.
    size = float(SIZE_BYTES)
    for _ in range(4):
        size *= rng.uniform(0.8, 1.25)
    digest = rng.bits64()
    while is_decoy(digest):
        digest = rng.bits64()
    return File(name, max(1, round(mib * (1 << 20))) if mib else int(size), digest)


def sharers_of(spec: ContentSpec, peers: int) -> int:
    """How many of so many peers share files, with even sharing: at least one, unless `free_riders` is 1."""
    riders = round(peers * spec.free_riders)
    return peers - (riders if spec.free_riders == 1 else min(riders, peers - 1))


def grown(spec: ContentSpec, sharers: int) -> ContentSpec:
    """The spec with enough titles that each sharer has a copy, at `replicas` copies a title.

    Equal to `spec` if its titles are enough. In a swarm so large that `COUNT_MAX` titles are not enough, each title has
    more copies.
    """
    if spec.items * min(spec.replicas, sharers) >= sharers:
        return spec
    items = math.ceil(sharers / spec.replicas)
    if items <= COUNT_MAX:
        return replace(spec, items=items)
    return replace(spec, items=COUNT_MAX, replicas=sharers / COUNT_MAX)


def _growth_note(asked: ContentSpec, made: ContentSpec, sharers: int) -> tuple[str, ...]:
    if made == asked:
        return ()
    copies = f"{made.replicas:.3g} {'copy' if made.replicas == 1 else 'copies'} of each"
    if made.replicas != asked.replicas:
        copies += f" instead of {asked.replicas:.3g}"
    return (
        f"content: {made.items:,} titles instead of {asked.items:,}, with {copies}, "
        f"so that each of the {sharers:,} peers that share has a file",
    )


def _copies(spec: ContentSpec, replicas: float, weights: Sequence[float], most: int, rng: Stream) -> list[int]:
    """Copies of each title by the spec's law of replication; `weights` are the titles' shares of the asks."""
    if spec.replication == "uniform":
        each, over = divmod(round(spec.items * replicas), spec.items)
        extra = set(rng.sample(range(spec.items), over))
        return [each + (at in extra) for at in range(spec.items)]
    return popularity.copies(spec.replication, weights, spec.items * replicas, most, rng)


def _check(spec: ContentSpec, peers: int) -> None:
    where = "content"
    if isinstance(spec.items, bool) or not isinstance(spec.items, int) or not 1 <= spec.items <= COUNT_MAX:
        raise InputError(f"{where}: items should be a whole number from 1 to {COUNT_MAX:,}, not {plain(spec.items)}")
    limits = (
        *(("replicas", 1.0, 1e6), ("zipf", 0.0, ZIPF_MAX), ("free_riders", 0.0, 1.0)),
        ("file_mib", 0.0, FILE_MIB_MAX),
    )
    for name, low, high in limits:
        value = getattr(spec, name)
        # Every comparison with nan is false, so that this refuses it too.
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
