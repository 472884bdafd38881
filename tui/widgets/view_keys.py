"""What keys do to the picture: whom an arrow goes to, zoom, pan, and the next placement. A mixin of `SwarmView`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import PeerId
from tui.draw import layout, raster
from tui.draw.colours import COLOURS, ColourBy
from tui.draw.layout import Direction
from tui.draw.scene import in_sight
from tui.draw.stage import PLACEMENTS, Placement, Stage, why_not
from tui.session.frame import Frame

ZOOM_STEP = 1.5
PAN_STEP = 0.2


class ViewKeys:
    """Needs a stage, the canvas that is shown and the frame it shows."""

    stage: Stage
    colour_by: ColourBy
    _frame: Frame | None
    _canvas: raster.Canvas

    if TYPE_CHECKING:  # what SwarmView has

        def redraw(self) -> None: ...

    def toward(self, direction: Direction) -> PeerId | None:
        """The nearest peer in that direction; the one nearest the middle when none is selected; None for nobody.

        It is returned and not posted: a key that follows at once should find it selected.
        """
        if self._frame is None:
            return None
        x, y = self.stage.dots(self._frame.wall_s)
        seen = in_sight(self._canvas, x, y)
        if not seen.any():
            return None
        if self._frame.selected is None:
            far = (x - self._canvas.dots_w / 2) ** 2 + (y - self._canvas.dots_h / 2) ** 2
            far[~seen] = float("inf")
            return int(far.argmin())
        aspect = self._canvas.dot_aspect
        return layout.nearest(list(zip(x, y, strict=True)), self._frame.selected, direction, seen, aspect)

    def cell_of(self, peer: PeerId) -> tuple[int, int]:
        """Column and row of a peer in the picture, which may lie outside of it."""
        if self._frame is None:
            return 0, 0
        x, y = self.stage.dots(self._frame.wall_s)
        col, row = raster.cells(self._canvas, x[peer], y[peer])
        return int(col), int(row)

    def next_placement(self) -> Placement:
        """The next placement that says something about this swarm."""
        at = PLACEMENTS.index(self.stage.placed)
        for placed in (*PLACEMENTS[at + 1 :], *PLACEMENTS[:at]):
            if not self.no_placement(placed):
                self.place(placed)
                break
        return self.stage.placed

    def no_placement(self, placed: Placement) -> str:
        """Why a placement cannot be had just now, or empty."""
        return "" if self._frame is None else why_not(placed, self._frame.snapshot, self._frame.trace)

    def place(self, placed: Placement) -> None:
        """Go over to a placement."""
        self.stage.place(placed)
        self.redraw()

    def next_colour(self, by: int = 1) -> ColourBy:
        """The next thing that colour may tell, or the one before (-1)."""
        self.colour(COLOURS[(COLOURS.index(self.colour_by) + by) % len(COLOURS)])
        return self.colour_by

    def colour(self, by: ColourBy) -> None:
        """Colour peers by something."""
        self.colour_by = by
        self.redraw()

    def zoom(self, by: int) -> None:
        """In (1) or out (-1) about the selected peer or the middle; 0 shows everything."""
        if by == 0:
            self.stage.look(layout.View())
        else:
            at = self._unit_of(self._frame.selected) if self._frame is not None else None
            self._zoom_at(by, at)
        self.redraw()

    def _zoom_at(self, by: int, at: tuple[float, float] | None) -> None:
        view = self.stage.view
        x, y = at if at is not None else (view.cx, view.cy)
        self.stage.look(view.zoomed_at(x, y, ZOOM_STEP**by))

    def _unit_of(self, peer: PeerId | None) -> tuple[float, float] | None:
        if peer is None or self._frame is None:
            return None
        x, y = self.stage.dots(self._frame.wall_s)
        return self.stage.view.to_unit(float(x[peer]), float(y[peer]), self.stage.box)

    def pan(self, direction: Direction) -> None:
        """Look a fifth of the picture further that way."""
        dx, dy = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}[direction]
        self.stage.look(self.stage.view.panned(dx * PAN_STEP, dy * PAN_STEP))
        self.redraw()
