"""Held links: messages on them stop until they are released.

A hold is for looking at messages and is no attack. So messages stop where they are, and not on arrival: when a link is
held, what is under way on it is taken out of the kernel's buckets and kept here with the time that it still needs, and
so is what is sent later. After the release everything goes on from where it was, in order. This costs one pass over the
buckets per command; to decide at each arrival would cost time at every delivery, and would show messages that move on
a held link.

What is held is still in flight: it is in no other count, it keeps its ask open, and it is delivered even if its sender
has stopped meanwhile. Notices (a refusal, the closing of a stream) wait as well, so that they do not overtake what was
sent before them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..api import PeerId
from .kernel import Envelope, Kernel, KernelTimer, split
from .links import LinkSet

Frozen = tuple[int, int, Envelope | None, int, KernelTimer | None]
"""(us still to go, receiver, envelope, us on the way so far, None), or for a notice (us to go, its receiver, None, 0,
timer). A receiver is negative for a lost datagram, as in the kernel's buckets."""


class HeldLinks:
    """Which links are held, and the messages on them, in the order in which these will continue."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.active = False
        """Whether any link is held: kept as a flag, since it is read for each message."""
        self.held = LinkSet()
        self.frozen: dict[tuple[PeerId, PeerId], list[Frozen]] = {}
        """By (sender, receiver)."""

    def holds(self, a: PeerId, b: PeerId) -> bool:
        """Whether the link between two peers is held."""
        return self.held.has(a, b)

    def ends(self) -> set[PeerId]:
        """Peers with a held link."""
        return self.held.ends()

    def hold(self, peers: Sequence[PeerId]) -> None:
        """From now on, the links between these peers are held; of a single one, all of its links."""
        self.held.add(peers)
        self.active = True
        messages, now = self.kernel.messages, self.kernel.now_us
        for at_us in sorted(messages):
            left: list[Any] = []
            for to, envelope in zip(*split(messages[at_us]), strict=True):
                stay = []
                for one in to if to.__class__ is tuple else (to,):
                    if self.holds(envelope[0], _peer_of(one)):
                        self.freeze(at_us - now, one, envelope, now - envelope[3])
                    else:
                        stay.append(one)
                if stay:
                    left += (tuple(stay) if to.__class__ is tuple else to, envelope)
            if left:
                messages[at_us] = left
            else:
                del messages[at_us]

    def freeze(self, left_us: int, to: int, envelope: Envelope, gone_us: int) -> None:
        """Keep a message that has `left_us` of its way to go."""
        self.frozen.setdefault((envelope[0], _peer_of(to)), []).append((left_us, to, envelope, gone_us, None))

    def freeze_notice(self, frm: PeerId, to: PeerId, notice: KernelTimer) -> None:
        """Keep a notice that had just arrived; the ask that it belongs to stays open."""
        notice.record.pending += 1
        self.frozen.setdefault((frm, to), []).append((0, to, None, 0, notice))

    def release(self, peers: Sequence[PeerId]) -> tuple[tuple[PeerId, ...], list[tuple[int, int, Envelope]]]:
        """The links between these peers go on, and all links of each of them that is held as a whole.

        Returns the peers whose links go on, and (at_us, receiver, envelope) of what moves again, in order.
        """
        freed = self.held.remove(peers)
        self.active = bool(self.held)
        moving: list[tuple[int, int, Envelope]] = []
        now = self.kernel.now_us
        for way in [way for way in self.frozen if not self.holds(*way)]:
            last_us = 0
            for left_us, to, envelope, _, notice in self.frozen.pop(way):
                if envelope is not None:
                    if envelope[1].over == "stream":
                        left_us = last_us = max(left_us, last_us)
                    moving.append((now + left_us, to, envelope))
                elif notice is not None:
                    self.kernel.arm(now + last_us, notice)
                    self.kernel.release(notice.record)
        return freed, sorted(moving, key=_arrival_of)

    def rows(self) -> Iterator[tuple[int, int, int, Envelope]]:
        """(us on the way so far, us to go, receiver, envelope) of each message on a held link."""
        for items in self.frozen.values():
            for left_us, to, envelope, gone_us, _ in items:
                if envelope is not None:
                    yield gone_us, left_us, _peer_of(to), envelope


def _peer_of(to: int) -> PeerId:
    return to if to >= 0 else -1 - to


def _arrival_of(move: tuple[int, int, Envelope]) -> int:
    return move[0]
