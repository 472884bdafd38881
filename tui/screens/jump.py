"""Jump mode: letters on the peers in sight, digits on the panels; type what stands where one wants to be.

The picture goes on meanwhile and the letters go with their peers. Nothing is changed by it but the selection and the
focus, so escape, a click, or a key that means nothing here leaves everything as it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.css.query import NoMatches
from textual.geometry import Offset
from textual.widgets import Static

from engine import PeerId
from tui.config.keys import key_for, pressed
from tui.draw import jump_tags
from tui.draw.raster import Canvas
from tui.draw.scene import Scene
from tui.widgets.jump_bar import JumpBar

if TYPE_CHECKING:
    from textual.screen import Screen

    from tui.session.panels import PanelLayout
    from tui.session.session import Session
    from tui.widgets.swarm_view import SwarmView

    Base = Screen[None]
else:
    Base = object

ZOOMS = {"view.in": 1, "view.out": -1}


class Jumping(Base):
    """A mixin of `MainScreen`."""

    session: Session
    panels: PanelLayout
    _tags: dict[str, PeerId] | None = None
    """Peer by tag, while letters are shown; None when they have to be dealt out anew."""
    _typed = ""
    _in_sight = 0

    if TYPE_CHECKING:

        def at_once(self) -> None: ...
        def close_bars(self) -> None: ...
        def pick(self, peer: PeerId | None, *, keep: bool = False) -> None: ...
        def panel(self, name: str) -> Any: ...
        def panel_name(self, digit: int) -> str: ...
        @property
        def view(self) -> SwarmView: ...

    def action_jump(self) -> None:
        """Show the letters and listen."""
        self.close_bars()
        self._tags, self._typed = None, ""
        self.view.over["jump"] = self._draw_tags
        self.query_one(JumpBar).open(self.jump_key, self.leave_jump)
        self._tag_panels()
        self.at_once()

    def _draw_tags(self, canvas: Canvas, scene: Scene) -> None:
        if self._tags is None:
            first = [p for p in (scene.selected, *(scene.trace.holders if scene.trace else ())) if p is not None]
            self._tags, self._in_sight = jump_tags.tag(canvas, scene, first)
            self._tell()
        jump_tags.draw(canvas, scene, self._tags, self._typed)

    def _tell(self) -> None:
        many, seen = len(self._tags or ()), self._in_sight
        zoom, back = key_for(self.app, "view.in"), key_for(self.app, "list.leave")
        some = f"{many} of {seen:,} in sight; {zoom} zooms in" if many < seen else f"{many} peers"
        typed = f"{self._typed}…" if self._typed else "letters go to a peer, digits to a panel"
        self.query_one(JumpBar).tell((
            (" jump ", "key bold"), (f" {typed}   ", "text"), (some, "dim"), (f"   {back} back", "dim"),
        ))  # fmt: skip

    def _panels(self) -> dict[str, str]:
        """Panel by digit: those that are shown, by the digits that toggle them."""
        found = {str(digit): self.panel_name(digit) for digit in range(1, 10)}
        return {digit: name for digit, name in found.items() if name in self.panels.shown}

    def _tag_panels(self) -> None:
        for digit, name in self._panels().items():
            panel = self.panel(name)
            if panel.region.area:
                tag = Static(digit, classes="jump-tag", markup=False)
                tag.styles.offset = Offset(panel.region.x + 1, panel.region.y)
                self.mount(tag)

    def jump_key(self, key: str) -> bool:
        """Take a key: go somewhere, narrow down, zoom, or leave. Whether it meant something."""
        zooms = next((by for id_, by in ZOOMS.items() if pressed(self.app, id_, key)), 0)
        if zooms:
            self._tags, self._typed = None, ""
            self.view.zoom(zooms)
            self.at_once()
        elif pressed(self.app, "jump.erase", key):
            self._typed = ""
            self._tell()
            self.at_once()
        elif key in self._panels():
            name = self._panels()[key]
            self.leave_jump()
            self._focus_in(name)
        elif len(key) == 1 and any(text.startswith(self._typed + key.lower()) for text in self._tags or ()):
            self._typed += key.lower()
            peer = (self._tags or {}).get(self._typed)
            if peer is not None:
                self.leave_jump()
                self.pick(peer)
            else:
                self._tell()
                self.at_once()
        else:
            self.leave_jump()
            return len(key) == 1 or pressed(self.app, "list.leave", key)
        return True

    def _focus_in(self, name: str) -> None:
        """Into a panel: itself if it takes keys, else the first part of it that does."""
        panel = self.panel(name)
        if panel.focusable:
            panel.focus()
            return
        inner = next((part for part in panel.query("*") if part.focusable), None)
        if inner is not None:
            inner.focus()

    def leave_jump(self) -> None:
        """Put the letters away."""
        try:
            bar = self.query_one(JumpBar)
        except NoMatches:
            return
        if not bar.is_open:
            return
        focused = self.focused is bar
        bar.close()
        self.view.over.pop("jump", None)
        self._tags, self._typed = None, ""
        self.query(".jump-tag").remove()
        if focused:
            self.view.focus()
        self.at_once()
