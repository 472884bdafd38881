"""One frame: all that widgets are handed, and all they may draw from.

A widget receives a `Frame` through its `show(frame)` method and never reaches for the swarm. Frames may be
dropped; events may not, so `events` holds all since the frame before that was shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine import AskId, Beliefs, Event, File, LoggedMessage, MinimumCut, PeerId, Snapshot, Theory, Trace

if TYPE_CHECKING:
    from engine import Mark


@dataclass(frozen=True, slots=True)
class PeerFacts:
    """The selected peer, looked at a few times a second: what it shares, believes, and whom it is linked to."""

    peer: PeerId
    files: tuple[File, ...]
    beliefs: Beliefs
    links: tuple[PeerId, ...]
    ban: str
    """The phrase it colludes against, or empty."""
    last: tuple[LoggedMessage, ...] = ()
    """What it sent and was sent last, the latest first."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """A question that a scenario puts to the viewer, asked before its answer is known.

    at_s: virtual seconds at which it was asked; measured: what came out, in words, or empty until then."""

    at_s: float
    question: str
    measured: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """wall_s: monotonic seconds; speed: virtual seconds asked for per wall second (inf: as fast as it goes);
    pace: virtual seconds per wall second as measured; fps: frames a second as measured; slowed: time is slow because
    a person asked; selected, ask: what the person chose; trace: of the chosen ask; facts: of the chosen peer."""

    snapshot: Snapshot
    wall_s: float
    playing: bool
    speed: float
    pace: float
    fps: float
    slowed: bool
    selected: PeerId | None
    ask: AskId | None
    trace: Trace | None
    facts: PeerFacts | None
    events: tuple[Event, ...]
    notice: str = ""
    captions: tuple[str, ...] = ()
    expectations: Mapping[str, bool] | None = None
    followed: bool = False
    """Nobody chose `ask`: it is the latest one, and the next will take its place."""
    marked: tuple[PeerId, ...] = ()
    """Peers that the person's selector named."""
    alarm: str = ""
    """A peer's program failed, in one sentence: time is stopped until the person plays on."""
    titles: tuple[str, ...] = ()
    """Popular titles of the catalogue, the most wanted first: what a person might ask for."""
    predictions: tuple[Prediction, ...] = ()
    """Questions of the scenario that have come due, oldest first."""
    theory: tuple[Theory, ...] = ()
    """What a textbook foretells for the chosen ask."""
    show_belief: bool = False
    """The picture shows what the selected peer believes."""
    min_cut: MinimumCut | None = None
    """The fewest peers whose loss makes a search fail, if the user asked for them."""
    filter: str = ""
    """The selector that the table of peers is filtered by; empty for all."""
    filtered: tuple[PeerId, ...] | None = None
    """The peers that `filter` names; None when it is empty."""

    live: bool = True
    """What happens happens for the first time: this is the end of the run, and not its past."""
    end_us: int = 0
    """How far this run has ever come: where a timeline ends."""
    marks: tuple[Mark, ...] = ()
    """Commands, kills, asks and alarms of the whole run, in order of time; the same object until there are others."""
    seeking: float | None = None
    """How far a seek is, 0 to 1; this frame is from before it."""
    seek_target_us: int | None = None
    """Where the seek under way leads, in virtual time."""
    recording: str = ""
    """The file that this run is being written into."""
    jumps: int = 0
    """How often time has jumped. When it has, `events` are those before the cursor, told again."""

    @property
    def chosen(self) -> tuple[PeerId, ...]:
        """Whom a verb is meant for: the marked peers, else the selected one."""
        return self.marked or (() if self.selected is None else (self.selected,))
