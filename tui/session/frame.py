"""A frame: all data that widgets draw from.

A widget receives a `Frame` through its `show(frame)` method and has no access to the swarm. `events` holds all events
since the frame before, so each frame that is made must be shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from engine import (
    AskId,
    Beliefs,
    Event,
    File,
    LoggedMessage,
    MinimumCut,
    OpenCall,
    PeerId,
    Shown,
    Snapshot,
    Theory,
    Trace,
    VerbOffer,
    dataclass,
)

from .ask_filter import AskFilter

if TYPE_CHECKING:
    from engine import Mark

    from .done import Done


@dataclass(frozen=True, slots=True)
class PeerFacts:
    """The selected peer, read a few times a second: its files, beliefs, links and latest messages."""

    peer: PeerId
    files: tuple[File, ...]
    beliefs: Beliefs
    links: tuple[PeerId, ...]
    """The other ends of its open streams; where no stream is open, its contacts and peers that have it as one."""
    ban: str
    """The phrase it colludes against, or empty."""
    last: tuple[LoggedMessage, ...] = ()
    """Messages it sent and received, the latest first."""
    shown: tuple[tuple[Shown, float | str], ...] = ()
    """The columns that its network shows of it."""
    calls: tuple[OpenCall, ...] = ()
    """Its calls that wait for an answer, the oldest first."""
    marks: tuple[tuple[PeerId, str, str], ...] = ()
    """What it says of its links: (other end, topic, word)."""
    contacts: bool = False
    """Its links are contacts."""
    paths: tuple[tuple[tuple[PeerId, ...], str], ...] = ()
    """The ways over several peers that begin at it: (the peers after it, word)."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """A question of a scenario to the user, asked before its answer is known.

    at_s: virtual seconds at which it was asked; measured: the result in words, empty until it is known."""

    at_s: float
    question: str
    measured: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """wall_s: monotonic seconds; speed: virtual seconds per wall second as set (inf: as fast as possible); pace: the
    same as measured; fps: frames per second as measured; slowed: slow motion is on; selected: the selected peer; ask:
    the chosen ask; trace: of that ask; facts: about the selected peer."""

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
    told: tuple[str, ...] = ()
    """What happened, in a sentence for the picture, and shorter ones for where it does not fit; empty: nothing yet."""
    captions: tuple[str, ...] = ()
    expectations: Mapping[str, bool] | None = None
    followed: bool = False
    """The user chose no ask: `ask` is the latest one, and the next will take its place."""
    answered: frozenset[PeerId] = frozenset()
    """Peers that answered an ask which the user has looked at, or were named in an answer."""
    asks_of: AskFilter = field(default_factory=AskFilter)
    """Which asks the table and the feed show."""
    marked: tuple[PeerId, ...] = ()
    """Peers that the user marked."""
    alarm: str = ""
    """A peer's program failed, in one sentence: time is stopped until the user plays."""
    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Name of a goal -> texts that can be asked for in this run, the best first: suggestions for an ask."""
    predictions: tuple[Prediction, ...] = ()
    """Questions of the scenario that were asked so far, oldest first."""
    keepers: tuple[PeerId, ...] = ()
    """Living peers that keep a record of what the chosen ask is about, in a network that has such records."""
    theory: tuple[Theory, ...] = ()
    """Values that closed formulas predict for the chosen ask."""
    show_belief: bool = False
    """The picture shows what the selected peer believes."""
    min_cut: MinimumCut | None = None
    """The fewest peers whose loss makes a search fail, if the user asked for them."""
    offers: tuple[VerbOffer, ...] = ()
    """What can be done to the chosen peers that only this network has."""
    filter: str = ""
    """The selector that the table of peers is filtered by; empty for all."""
    filtered: tuple[PeerId, ...] | None = None
    """The peers that `filter` names; None when it is empty."""

    live: bool = True
    """The cursor is at the live end of the run, and not in its past."""
    end_us: int = 0
    """How far this run has come, in virtual time: where a timeline ends."""
    marks: tuple[Mark, ...] = ()
    """Commands, kills, asks and alarms of the whole run, in order of time; the same object until there are others."""
    seeking: float | None = None
    """Progress of the seek under way, 0 to 1, or None; this frame is from before it."""
    seek_target_us: int | None = None
    """Where the seek under way leads, in virtual time."""
    recording: str = ""
    """The file that this run is being written into, or empty."""
    begun_with: Mapping[str, object] = field(default_factory=dict)
    """Options that the setup of this run names, with their values."""
    done: tuple[Done, ...] = ()
    """Commands of the whole run, in order of time; the same object until there are others."""
    jumps: int = 0
    """How often the cursor moved to another moment. When it did, `events` are those before the cursor."""

    @property
    def chosen(self) -> tuple[PeerId, ...]:
        """The peers that actions apply to: the marked ones, else the selected one."""
        return self.marked or (() if self.selected is None else (self.selected,))
