"""Going back and forth in the run: what its keys do, what the timeline says, and why something cannot be had.

A mixin of `MainScreen` beside `Deeds`, which asks `why_not_travel`. Keys that step stop time, as steps do everywhere;
those that jump, and the pointer, leave it as it was: it runs on from there, through what was, until the end and beyond.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual.css.query import NoMatches

from engine import InputError, plain
from tui.session.frame import Frame
from tui.widgets.timeline import Timeline

if TYPE_CHECKING:
    from textual.screen import Screen

    from tui.session.session import Session
    from tui.widgets.ask_picture import AskPicture
    from tui.widgets.swarm_view import SwarmView

    Base = Screen[None]
else:
    Base = object

AT_START = "This is the beginning of the run: nothing was before it."
AT_END = "This is the end: what happens now happens for the first time."


class Travels(Base):
    """Actions on the cursor in time."""

    session: Session
    _played = False
    """Time ran when the pointer took the cursor."""
    _holding = False

    if TYPE_CHECKING:  # what MainScreen has

        def at_once(self) -> None: ...
        @property
        def view(self) -> SwarmView: ...
        @property
        def ask_picture(self) -> AskPicture: ...

    @property
    def timeline(self) -> Timeline:
        """The line above the keys."""
        return self.query_one(Timeline)

    def why_not_travel(self, action: str, parameters: tuple[object, ...]) -> str:
        """Why an action of this file cannot be had, or empty."""
        session = self.session
        back = bool(parameters) and isinstance(parameters[0], int) and parameters[0] < 0
        match action:
            case "rewind" | "start":
                return "" if session.player.cursor_us > 0 else AT_START
            case "travel" if back:
                return "" if session.player.cursor_us > 0 else AT_START
            case "travel" | "live":
                going = (
                    session.player.seek_target_us is not None and session.player.seek_target_us < session.player.end_us
                )
                return AT_END if session.player.at_end and not going else ""
            case "to_mark":
                where = self._mark(-1 if back else 1)
                return "" if where is not None else f"Nothing was done {'before' if back else 'after'} this moment."
            case "undo":
                return (
                    ""
                    if session.player.undoable
                    else "There is nothing to undo: nobody did anything before this moment."
                )
            case "record" if session.player.replaying and not session.player.recording:
                return "This run comes from a recording already. Do something else, and it is one that can be recorded."
        return ""

    def _mark(self, by: int) -> int | None:
        try:
            timeline = self.timeline
        except NoMatches:
            return None
        timeline.track.take(self.session.player.marks)
        return timeline.track.next_to(self.session.player.cursor_us, by)

    # --- keys --------------------------------------------------------------------------------------------------

    def action_rewind(self, ms: int) -> None:
        """Back by so much, and stop."""
        self.session.player.step_by(-ms * 1000)
        self.at_once()

    def action_travel(self, ms: int) -> None:
        """So much further on, or back; time runs on if it ran."""
        self._go(self.session.player.cursor_us + ms * 1000)

    def action_to_mark(self, by: int) -> None:
        """To the mark before (-1), or the next (1)."""
        where = self._mark(by)
        if where is not None:
            self._go(where)

    def action_start(self) -> None:
        """To the beginning."""
        self._go(0)

    def action_live(self) -> None:
        """To the end."""
        self._go(self.session.player.end_us)

    def action_undo(self) -> None:
        """Take back what a person did last."""
        self.session.player.undo()
        self.at_once()

    def action_record(self) -> None:
        """Write the run into a file where the person stands, or end that."""
        from tui.session import export

        session = self.session
        if session.player.recording:
            session.player.stop_recording()
        else:
            try:
                path = export.write(
                    export.stem_of(session.player.setup.protocol, session.player.setup.seed), {".swarm": ""}
                )[0]
            except InputError as error:
                self.notify(plain(error, limit=300), severity="error", markup=False, timeout=10)
                return
            here = path.name if path.parent == Path.cwd() else str(path)
            if not session.player.record(here):
                path.unlink(missing_ok=True)
        self.at_once()

    def _go(self, t_us: int) -> None:
        self.session.player.seek_to(t_us)
        self.at_once()

    # --- the timeline ------------------------------------------------------------------------------------------

    def on_timeline_sought(self, event: Timeline.Sought) -> None:
        """A pointer took the cursor somewhere, or let it go."""
        live = self.session.player.pacer
        if event.held and not self._holding:
            self._holding, self._played = True, live.playing
            live.pause()
        self.session.player.scrub_to(event.at_us)
        self.session.touch()
        if not event.held:
            if self._holding and self._played:
                live.play()
            self._holding = False

    def on_timeline_wheeled(self, event: Timeline.Wheeled) -> None:
        """A step."""
        session = self.session
        # A wheel is turned by chance more easily than a key is pressed: at the end it does not move time on.
        if event.ms > 0 and session.player.at_end and session.player.seek_target_us is None:
            return
        session.player.pacer.pause()
        session.player.scrub_to(session.player.pending_seek_us + event.ms * 1000)
        session.touch()

    def show_time(self, frame: Frame) -> None:
        """Hand the line its frame; the picture wears another frame while it is of the past."""
        self.timeline.show(frame)
        for view in (self.view, self.ask_picture):
            view.set_class(not frame.live, "-past")
