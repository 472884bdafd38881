"""Jump mode: shows letters on the peers in sight, and on each panel its key; typing one goes there.

A modal screen through which the dashboard is seen: the picture goes on meanwhile, and the letters move with their
peers. It hands back a `Target`, or None after escape, a click, a resize or a key that means nothing here, and then
nothing has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from textual import events
from textual.app import ComposeResult
from textual.geometry import Offset, Region, Size
from textual.widgets import Static

from engine import PeerId, dataclass
from tui.config.keys import key_for, pressed
from tui.draw import jump_tags
from tui.draw.raster import Canvas
from tui.draw.scene import Scene
from tui.textual_compat import Overlay, dismiss_once, is_foreign
from tui.widgets.panel import TextRows
from tui.widgets.swarm_view import SwarmView

ZOOMS = {"view.in": 1, "view.out": -1}
LAYER = "jump"
"""The name under which the picture draws the letters."""


@dataclass(frozen=True, slots=True)
class Target:
    """What was chosen: a peer, or else a panel by its name."""

    peer: PeerId | None = None
    panel: str = ""


class JumpScreen(Overlay[Target | None]):
    """Reads keys until one of them, or two, name a peer or a panel."""

    DEFAULT_CSS = """
    JumpScreen {
        #jump { dock: bottom; margin: 0 0 2 0; height: 1; width: 1fr; background: $panel; color: $foreground; }
        .jump-tag {
            overlay: screen; position: absolute; width: auto; height: 1;
            background: $accent; color: $background; text-style: bold;
        }
    }
    """
    AUTO_FOCUS = None

    def __init__(self, view: SwarmView, panels: Mapping[str, tuple[str, Region]], redraw: Callable[[], None]) -> None:
        """view: the picture that draws the letters; panels: name and place of each panel by its key; redraw: draws
        a frame of the dashboard now."""
        super().__init__()
        self._view, self._panels_by_key, self._redraw = view, panels, redraw
        self.tags: Mapping[str, PeerId] | None = None
        """Peer by tag; None until the next picture, which assigns the tags."""
        self._typed = ""
        self._seen = 0
        """How many peers are in sight."""
        self._line = TextRows(id="jump")
        self._opened_at: Size | None = None

    def compose(self) -> ComposeResult:
        for key, (_, place) in self._panels_by_key.items():
            tag = Static(key, classes="jump-tag", markup=False)
            tag.styles.offset = Offset(place.x + 1, place.y)
            yield tag
        yield self._line

    def on_mount(self) -> None:
        """Have the letters drawn: a letter that was typed together with the key that opened this has its peer too."""
        self._view.over[LAYER] = self._draw
        self._show_line()
        self._redraw()
        if self.tags is None:  # while more keys wait no frame is drawn
            self._view.redraw()

    def on_unmount(self) -> None:
        """No letters any more. Whoever gets the result draws the next frame."""
        self._view.over.pop(LAYER, None)

    def _draw(self, canvas: Canvas, scene: Scene) -> None:
        if self.tags is None:
            first = [p for p in (scene.selected, *(scene.trace.holders if scene.trace else ())) if p is not None]
            self.tags, self._seen = jump_tags.tag(canvas, scene, first)
            self._show_line()
        jump_tags.draw(canvas, scene, self.tags, self._typed)

    def _show_line(self) -> None:
        many, seen = len(self.tags or ()), self._seen
        zoom, back = key_for(self.app, "view.in"), key_for(self.app, "list.leave")
        some = f"{many} of {seen:,} in sight; {zoom} zooms in" if many < seen else f"{many} peers"
        keys = "digits" if all(map(str.isdigit, self._panels_by_key)) else "digits and capitals"
        typed = f"{self._typed}…" if self._typed else f"letters go to a peer, {keys} to a panel"
        self._line.show_rows([(
            (" jump ", "key bold"), (f" {typed}   ", "text"), (some, "dim"), (f"   {back} back", "dim"),
        )])  # fmt: skip

    # --- events ------------------------------------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        """A letter, the key of a panel, zoom, erase; any other key closes it. A letter of another alphabet is left to
        the app, which reports that it is no key."""
        if is_foreign(event.character) and event.key == event.character:
            return
        event.stop()
        event.prevent_default()
        key = event.key
        tags = self.tags or {}
        zoom = next((by for id_, by in ZOOMS.items() if pressed(self.app, id_, key)), 0)
        if zoom:
            self.tags, self._typed = None, ""
            self._view.zoom(zoom)
            self._redraw()
        elif pressed(self.app, "jump.erase", key):
            self._narrow("")
        elif key in self._panels_by_key:
            self._close(Target(panel=self._panels_by_key[key][0]))
        elif len(key) != 1 or not any(text.startswith(self._typed + key.lower()) for text in tags):
            self._close(None)
        elif (peer := tags.get(self._typed + key.lower())) is not None:
            self._close(Target(peer))
        else:
            self._narrow(self._typed + key.lower())

    def _narrow(self, typed: str) -> None:
        """Show the tags that begin with what was typed."""
        self._typed = typed
        self._show_line()
        self._redraw()

    def _close(self, target: Target | None) -> None:
        self._view.over.pop(LAYER, None)
        dismiss_once(self, target)

    def on_click(self, event: events.Click) -> None:
        """A click closes it."""
        event.stop()
        self._close(None)

    def on_resize(self, event: events.Resize) -> None:
        """Another size of the terminal closes it, since the panels are in other places then."""
        if self._opened_at is not None and event.size != self._opened_at:
            self._close(None)
        self._opened_at = event.size
