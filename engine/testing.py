"""A `Host` that records what a peer does, to test a protocol without a network.

    host = FakeHost(me=3, options=options)
    host.give(peer, Rumour(7, "fire"), sender=1)
    assert host.take() == [(2, Rumour(7, "fire"))]

There is no latency and no loss. Time changes only when a test sets `now_us` or calls `wait`, which runs the timers that
fall due.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .api import DUPLICATE, INHERIT, Ask, Blob, Cause, CauseLike, File, Line, Peer, PeerId, part_of, words_of
from .sim.rng import Stream


@dataclass(slots=True, eq=False)
class FakeTimer:
    """A tick that is due at `at_us`; `period_us` is 0 for one that comes once. Two timers are never equal."""

    at_us: int
    tick: Any
    cause: CauseLike
    period_us: int = 0


class FakeLibrary:
    """A `Library` of some files. Its user deletes a file that has one of the digests in `unwanted`."""

    def __init__(self, files: Iterable[File] = (), unwanted: Iterable[int] = ()) -> None:
        self._files = {file.name: file for file in files}
        self._unwanted = dict.fromkeys(unwanted)

    def matching(self, text: str) -> Sequence[File]:
        """Files whose name has every word of `text`; nothing for a text without words."""
        wanted = words_of(text)
        return [f for f in self._files.values() if wanted and set(wanted) <= set(words_of(f.name))]

    def files(self) -> Sequence[File]:
        """All files, in the order in which they were added."""
        return list(self._files.values())

    def add(self, file: File) -> bool:
        """Share one more file, or another one of the same name. Returns whether it was kept."""
        if file.digest in self._unwanted:
            return False
        self._files[file.name] = file
        return True

    def serves(self, file: File) -> File:
        """The file itself."""
        return file

    def __len__(self) -> int:
        return len(self._files)


class FakeHost:
    """Satisfies `engine.api.Host`. What a peer does is in these attributes, in the order in which it was done:

    sent      (to, message); a multicast is one entry a receiver
    causes    for each entry of `sent` its cause; 0 for upkeep, which has none
    timers    those that are set and neither run nor cancelled
    linked, unlinked
              peers to whom a stream was opened and closed
    notes     (kind, facts)

    `now_us`, `cause`, `options`, `library` and `line` may be set by the test.
    """

    def __init__(self, me: PeerId = 0, options: Any = None, library: Any = None, seed: int = 1) -> None:
        self.me = me
        self.options = options
        self.library: Any = FakeLibrary() if library is None else library
        self.line = Line()
        self.rng = Stream(f"{seed}/tape/{me}")
        self.now_us = 0
        self.cause: Cause = 0
        self.sent: list[tuple[PeerId, Any]] = []
        self.causes: list[CauseLike] = []
        self.timers: list[FakeTimer] = []
        self.linked: list[PeerId] = []
        self.unlinked: list[PeerId] = []
        self.notes: list[tuple[str, dict[str, Any]]] = []

    # --- what a peer may call ----------------------------------------------------------------------------

    def send(self, to: PeerId, message: object, *, cause: CauseLike = INHERIT) -> None:
        """Record a message."""
        self.sent.append((to, message))
        self.causes.append(0 if getattr(message, "part", "") == "upkeep" else self._resolved(cause))

    def multicast(self, to: Iterable[PeerId], message: object, *, cause: CauseLike = INHERIT) -> None:
        """Record a message to each of them."""
        for one in to:
            self.send(one, message, cause=cause)

    def after(self, delay_us: int, tick: object, *, cause: CauseLike = INHERIT) -> FakeTimer:
        """Set a timer that runs once."""
        timer = FakeTimer(self.now_us + max(0, int(delay_us)), tick, self._resolved(cause))
        self.timers.append(timer)
        return timer

    def every(self, period_us: int, tick: object) -> FakeTimer:
        """Set a timer that runs each period; here first after one whole period."""
        timer = FakeTimer(self.now_us + int(period_us), tick, 0, max(1, int(period_us)))
        self.timers.append(timer)
        return timer

    def blob(self, file: File, offset: int, size: int) -> Blob:
        """Data of a file, as its library serves it."""
        return Blob(size, part_of(self.library.serves(file).digest, offset))

    def cancel(self, timer: Any) -> None:
        """Cancel a timer; nothing happens if it has run or was cancelled."""
        if timer in self.timers:
            self.timers.remove(timer)

    def link(self, to: PeerId) -> None:
        """Record an opened stream."""
        self.linked.append(to)

    def unlink(self, to: PeerId) -> None:
        """Record a closed stream."""
        self.unlinked.append(to)

    def note(self, kind: str, *, cause: CauseLike = INHERIT, **facts: Any) -> None:
        """Record a note."""
        self.notes.append((kind, facts))

    # --- what a test may call -----------------------------------------------------------------------------

    def give(self, peer: Peer, message: object, sender: PeerId, cause: Cause | None = None) -> None:
        """A message arrives. Raises KeyError when the peer has no handler for it."""
        if cause is not None:
            self.cause = cause
        said = type(peer).handlers[type(message)](peer, self, sender, message)
        if said == DUPLICATE:
            self.note(said)
        elif said is not None:
            raise TypeError(f"a handler of {type(message).__name__} returned {said!r}: it may return DUPLICATE or None")

    def tick(self, peer: Peer, tick: object) -> None:
        """Run the handler of a tick, whether a timer was set or not. Raises KeyError when the peer has none."""
        type(peer).handlers[type(tick)](peer, self, tick)

    def ask(self, peer: Peer, ask: Ask) -> None:
        """A user wants something. The cause becomes the number of the ask."""
        self.cause = ask.id
        peer.ask(self, ask)

    def refuse(self, peer: Peer, to: PeerId, message: object) -> None:
        """A message that the peer sent is refused."""
        peer.refused(self, to, message)

    def wait(self, peer: Peer, for_us: int) -> None:
        """Let time pass and run the timers that fall due, each with the cause with which it was set."""
        until = self.now_us + for_us
        while due := [timer for timer in self.timers if timer.at_us <= until]:
            timer = min(due, key=lambda one: one.at_us)
            self.now_us = max(self.now_us, timer.at_us)
            if timer.period_us:
                timer.at_us += timer.period_us
            else:
                self.timers.remove(timer)
            self.cause = timer.cause if isinstance(timer.cause, int) else 0
            self.tick(peer, timer.tick)
        self.now_us = until
        self.cause = 0

    def take(self) -> list[tuple[PeerId, Any]]:
        """What was sent since the last call; the record is emptied."""
        taken, self.sent, self.causes = self.sent, [], []
        return taken

    def noted(self, kind: str) -> list[dict[str, Any]]:
        """The facts of each note of one kind."""
        return [facts for each, facts in self.notes if each == kind]

    def _resolved(self, cause: CauseLike) -> CauseLike:
        if cause == INHERIT:
            return self.cause
        return 0 if cause is None else cause
