"""A `Host` that only writes down, so that a protocol is tested without a network.

    tape = Tape(me=3, options=GossipOptions(fanout=1))
    tape.give(peer, Rumour(7, "fire"), sender=1)
    assert tape.take() == [(2, Rumour(7, "fire"))]

Handlers call a narrow host instead of returning lists of effects, because that is half again as fast; the tape
gives the tests what returned effects would have given them: `assert tape.sent == [...]`. Nothing here has latency
and nothing is lost. Time stands still unless a test sets `now_us` or calls `wait`, which rings what falls due.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .api import DUPLICATE, INHERIT, Ask, Cause, CauseLike, File, Line, Peer, PeerId, words_of
from .sim.rng import Stream


@dataclass(slots=True, eq=False)
class TapeTimer:
    """A tick to come at `at_us`; `period_us` is 0 for one that rings once. Two are never equal."""

    at_us: int
    tick: Any
    cause: CauseLike
    period_us: int = 0


class FakeLibrary:
    """The smallest `Library`: a list of files. Its user throws away what has one of the digests in `unwanted`."""

    def __init__(self, files: Iterable[File] = (), unwanted: Iterable[int] = ()) -> None:
        self._files = {file.name: file for file in files}
        self._unwanted = dict.fromkeys(unwanted)

    def matching(self, text: str) -> Sequence[File]:
        """Files whose name has every word of `text`; nothing for a text without words."""
        wanted = words_of(text)
        return [f for f in self._files.values() if wanted and set(wanted) <= set(words_of(f.name))]

    def files(self) -> Sequence[File]:
        """All of them, in the order they came."""
        return list(self._files.values())

    def add(self, file: File) -> bool:
        """Share one more; the same name twice is one file. Says whether it was kept."""
        if file.digest in self._unwanted:
            return False
        self._files[file.name] = file
        return True

    def __len__(self) -> int:
        return len(self._files)


class FakeHost:
    """Satisfies `engine.api.Host`. All that a peer does is in plain attributes, in the order it was done:

    sent      (to, message); a multicast is one entry a receiver
    causes    beside `sent`, what each message descends from; 0 for upkeep, which carries none
    timers    those set and neither rung nor cancelled
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
        self.timers: list[TapeTimer] = []
        self.linked: list[PeerId] = []
        self.unlinked: list[PeerId] = []
        self.notes: list[tuple[str, dict[str, Any]]] = []

    # --- what a peer may call ----------------------------------------------------------------------------

    def send(self, to: PeerId, message: object, *, cause: CauseLike = INHERIT) -> None:
        """Write down a message."""
        self.sent.append((to, message))
        self.causes.append(0 if getattr(message, "part", "") == "upkeep" else self._resolved(cause))

    def multicast(self, to: Iterable[PeerId], message: object, *, cause: CauseLike = INHERIT) -> None:
        """Write down a message for each of them."""
        for one in to:
            self.send(one, message, cause=cause)

    def after(self, delay_us: int, tick: object, *, cause: CauseLike = INHERIT) -> TapeTimer:
        """Set a timer that rings once."""
        timer = TapeTimer(self.now_us + max(0, int(delay_us)), tick, self._resolved(cause))
        self.timers.append(timer)
        return timer

    def every(self, period_us: int, tick: object) -> TapeTimer:
        """Set a timer that rings each period; here the first rings after one whole period."""
        timer = TapeTimer(self.now_us + int(period_us), tick, 0, max(1, int(period_us)))
        self.timers.append(timer)
        return timer

    def cancel(self, timer: Any) -> None:
        """Take a timer back; twice is once."""
        if timer in self.timers:
            self.timers.remove(timer)

    def link(self, to: PeerId) -> None:
        """Write down an opened stream."""
        self.linked.append(to)

    def unlink(self, to: PeerId) -> None:
        """Write down a closed one."""
        self.unlinked.append(to)

    def note(self, kind: str, **facts: Any) -> None:
        """Write down a note."""
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
        """A timer rings, whether it was set or not. Raises KeyError when the peer has no handler for it."""
        type(peer).handlers[type(tick)](peer, self, tick)

    def ask(self, peer: Peer, ask: Ask) -> None:
        """A user wants something: the cause becomes the number of the ask."""
        self.cause = ask.id
        peer.ask(self, ask)

    def refuse(self, peer: Peer, to: PeerId, message: object) -> None:
        """What the peer sent found nobody."""
        peer.refused(self, to, message)

    def wait(self, peer: Peer, for_us: int) -> None:
        """Let time pass and ring what falls due on the way, each with the cause it was set with."""
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
        """What was sent since the last time, which is then forgotten."""
        taken, self.sent, self.causes = self.sent, [], []
        return taken

    def noted(self, kind: str) -> list[dict[str, Any]]:
        """The facts of each note of one kind."""
        return [facts for each, facts in self.notes if each == kind]

    def _resolved(self, cause: CauseLike) -> CauseLike:
        if cause == INHERIT:
            return self.cause
        return 0 if cause is None else cause
