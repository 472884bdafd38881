"""Keys that ask questions of the run: other pictures of an ask, its steps, beliefs, who stands between, the court.

A mixin beside `Deeds`, which asks `why_not_inquire` for reasons.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine import ALIVE, PeerId
from tui.config.keys import Key
from tui.widgets.ask_picture import KINDS, AskPicture
from tui.widgets.panel import FrameKey, carry_keys
from tui.widgets.swarm_view import SwarmView

if TYPE_CHECKING:
    from textual.screen import Screen

    from tui.session.session import Session

    Base = Screen[None]
else:
    Base = object

TURN = "view.picture"
OF_SWARM = (TURN, "view.belief", "ask.silence", "run.court", "view.placement", "view.colour")
OF_ASK = (TURN, "ask.next", "ask.hop", "ask.silence", "run.court")
"""Keys that the frame of each picture carries, the first ones longest."""
NO_ASK = "There is no ask yet: press {ask.here}, or choose one in the table."


class Inquiries(Base):
    """Actions on what is known."""

    session: Session

    if TYPE_CHECKING:  # what MainScreen has

        def at_once(self) -> None: ...
        def pick(self, peer: PeerId | None, *, keep: bool = False) -> None: ...

    @property
    def ask_picture(self) -> AskPicture:
        """The other pictures."""
        return self.query_one(AskPicture)

    @property
    def picture(self) -> SwarmView | AskPicture:
        """The picture that is shown."""
        other = self.ask_picture
        return self.query_one(SwarmView) if other.has_class("-away") else other

    @property
    def enlarged(self) -> float:
        """How much the picture is zoomed."""
        shown = self.picture
        return shown.looking.zoom if isinstance(shown, AskPicture) else shown.stage.view.zoom

    def why_not_inquire(self, action: str) -> str:
        """Why an action of this file cannot be had, or empty."""
        session = self.session
        if action in ("picture", "next", "silence") and session.selection.ask is None:
            return "" if action == "picture" and isinstance(self.picture, AskPicture) else NO_ASK
        if action == "answerer" and not self._answerers():
            return "Nobody has answered yet." if session.selection.ask is not None else NO_ASK
        if action == "next":
            if session.player.alarm:
                return "A peer's program failed, and this run cannot go on: {run.network} starts another."
            if session.selection.ask is not None and session.swarm.record(session.selection.ask).closed_us is not None:
                return f"Ask {session.selection.ask} is over: nothing of it is under way. Ask again with {{ask.here}}."
        if action == "belief" and not session.analysis.show_belief:
            peer = session.selection.selected
            if peer is None:
                return "Select a peer first: what does it believe? Press an arrow key, or click one."
            if session.swarm.peer(peer) is None:
                return f"{session.swarm.labels[peer]} is not up: it believes nothing."
        if action == "censor_set":
            found = session.analysis.min_cut
            if found is None:
                return "Nobody is ringed: {ask.silence} finds whom it would take."
            return "" if found.peers else found.sentence
        return ""

    def dress_picture(self, table: Sequence[Key]) -> None:
        """Write into the frame of the picture what else can be seen there, by the keys as they are now."""
        shown = self.picture
        wanted = OF_ASK if isinstance(shown, AskPicture) else OF_SWARM
        by_id = {key.id: key for key in table if key.shown}
        turns = {"diagram": "tree", "tree": "swarm"}.get(shown.kind, "") if isinstance(shown, AskPicture) else ""
        carry_keys(
            shown,
            [
                FrameKey(key.shown, turns if turns and id_ == TURN else key.does, key.action, not self._barred(key))
                for id_ in wanted
                if (key := by_id.get(id_)) is not None
            ],
        )

    def _barred(self, key: Key) -> str:
        return self.why_not_inquire(key.action.partition("(")[0])

    def _answerers(self) -> tuple[PeerId, ...]:
        """Who answered the chosen ask, in order; those who live, where there are any left."""
        frame = self.query_one(SwarmView).frame
        if frame is None or frame.trace is None or frame.trace.ask != self.session.selection.ask:
            return ()
        state = frame.snapshot.state
        known = tuple(peer for peer in frame.trace.holders if peer < len(state))
        return tuple(peer for peer in known if state[peer] == ALIVE) or known

    def action_answerer(self) -> None:
        """Select one who answered; once more, the next. The ask stays the chosen one, whatever is asked meanwhile."""
        those = self._answerers()
        if not those:
            return
        selected = self.session.selection.selected
        at = (those.index(selected) + 1) % len(those) if selected in those else 0
        self.session.selection.choose(self.session.selection.ask)
        self.pick(those[at])

    def action_picture(self) -> None:
        """Swarm, time-space diagram, tree, and round again."""
        shown, other = self.picture, self.ask_picture
        if shown is not other:
            other.remove_class("-away")
            self.query_one(SwarmView).add_class("-away")
            other.turn(KINDS[0])
        elif other.kind != KINDS[-1]:
            other.turn(KINDS[KINDS.index(other.kind) + 1])
        else:
            other.add_class("-away")
            self.query_one(SwarmView).remove_class("-away")
        self.call_after_refresh(self._turned)
        inputs = getattr(self.app, "inputs", None)
        if inputs is not None:
            inputs.expect(lambda: self.picture.has_focus)

    def _turned(self) -> None:
        self.picture.focus()
        self.at_once()

    def action_next(self, hop: bool) -> None:
        """To the next arrival of the ask, or its next hop."""
        self.session.analysis.step_until(hop)
        self.at_once()

    def action_belief(self) -> None:
        """Truth, or what the selected peer believes."""
        self.session.analysis.toggle_belief()
        self.at_once()

    def action_silence(self) -> None:
        """Who stands between."""
        self.session.analysis.toggle_min_cut()
        self.at_once()

    def action_censor_set(self) -> None:
        """Censor those, or lift it."""
        self.session.censor_min_cut()
        self.at_once()

    def action_court(self) -> None:
        """Convene, or adjourn."""
        self.session.toggle_court()
        self.at_once()
