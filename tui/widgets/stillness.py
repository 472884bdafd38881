"""Whether a picture would come out as the last one did, so that it need not be drawn to find that out.

More than half of the time nothing is on the way in a small swarm. Drawing ten pictures a second then, only to see that
no cell of them differs, was a sixth of what the dashboard took.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from engine import PARTS, Trace
from tui.draw import telling
from tui.draw.scene import FRESH_US
from tui.session.frame import Frame

if TYPE_CHECKING:
    from .swarm_view import SwarmView

UPKEEP = PARTS.index("upkeep")
NEVER = -1_000_000_000
Still: TypeAlias = tuple[object, ...]


def still(view: SwarmView, frame: Frame) -> Still | None:
    """All that decides the picture of this moment: pictures of which this is equal look the same. None where something
    in it goes on by itself, from one moment to the next."""
    snapshot = frame.snapshot
    if view.moving or view.over or view.lasso is not None or in_motion(view, frame):
        return None
    # What the selected peer believes and when each was heard grows older all the time.
    if frame.believing or view.colour_by in ("belief", "heard") or news(frame.trace, snapshot.now_us):
        return None
    flags = snapshot.censored, snapshot.colluding, snapshot.poisoned, snapshot.held
    load = snapshot.load.tobytes() if view.colour_by == "load" else b""
    return (
        # The objects themselves: numbers of those that are gone are given to others.
        _Same(snapshot.fixed),
        _Same(frame.trace),
        snapshot.links.version,
        view.stage.version,
        (view.content_size, view.glyphs, view.colour_by, view.names, view.legend, view.upkeep),
        (frame.selected, view.hover, frame.marked, frame.silencing and frame.silencing.peers),
        (frame.alarm, not snapshot.asks_total and snapshot.now_us > view.HOPE_US, snapshot.settings.get("asks")),
        view.app.animation_level,
        (snapshot.state.tobytes(), snapshot.group.tobytes(), load, *(each.tobytes() for each in flags)),
    )


class _Same:
    """Equal to nothing but another of the same object, which it keeps."""

    __slots__ = ("of",)

    def __init__(self, of: object) -> None:
        self.of = of

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.of is self.of

    __hash__ = None  # type: ignore[assignment]


def in_motion(view: SwarmView, frame: Frame) -> int:
    """How many messages are to be seen under way."""
    part = frame.snapshot.flight.part
    return len(part) if view.upkeep else int(np.count_nonzero(part != UPKEEP))


def news(trace: Trace | None, now_us: int) -> bool:
    """Whether something of the chosen ask happened so lately that it is shown for that."""
    if trace is None:
        return False
    reached, lost = int(trace.at_us.max(initial=NEVER)), int(trace.lost.at_us.max(initial=NEVER))
    return now_us - reached <= FRESH_US or now_us - lost <= telling.LOSS_US
