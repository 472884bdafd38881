"""The legend on the picture: each shape with its word, in its colour, and only those that are to be seen now."""

from __future__ import annotations

import numpy as np

from . import raster
from .glyphs import GLYPHS
from .inks import INK, PART_INK
from .raster import Canvas
from .scene import GLYPH_OF, LOOKS, Scene

WORDS = {
    "alive": "alive",
    "origin": "asker",
    "asked": "asked",
    "answered": "has it",
    "infrastructure": "server",
    "dead": "dead",
    "censored": "censored",
    "colluding": "colluding",
    "left": "left",
}
PARTS = ("question", "answer", "transfer", "upkeep")


def entries(scene: Scene, canvas: Canvas) -> list[tuple[str, str, int]]:
    """(shape, word, ink) of what is in the picture, peers before messages."""
    shapes = GLYPHS[canvas.mode]
    counts = np.bincount(scene.looks, minlength=len(LOOKS)).tolist()
    told = []
    for name, word in WORDS.items():
        if counts[LOOKS.index(name)] or name in ("alive", "dead"):
            shown = "not reached" if name == "alive" and scene.trace is not None else word
            told.append((getattr(shapes, GLYPH_OF.get(name, name)), shown, INK[name]))
    present = set(np.unique(scene.snapshot.flight.part).tolist())
    present |= {0, 1} if scene.trace is not None else {0}
    if not scene.upkeep:
        present.discard(PARTS.index("upkeep"))
    told += [(getattr(shapes, part), part, PART_INK[code]) for code, part in enumerate(PARTS) if code in present]
    return told


def draw(canvas: Canvas, scene: Scene) -> None:
    """Write it on the last line, or the last two, of the canvas; what does not fit is left out, the rarest first."""
    lines: list[list[tuple[str, str, int]]] = [[]]
    used = 1
    for shape, word, ink in entries(scene, canvas):
        wide = len(word) + 4
        if used + wide > canvas.width:
            if len(lines) == 2:
                break
            lines.append([])
            used = 1
        lines[-1].append((shape, word, ink))
        used += wide
    top = canvas.height - len(lines)
    if canvas.height < 8:
        return
    for number, line in enumerate(lines):
        col = 1
        for shape, word, ink in line:
            col = raster.text(canvas, col, top + number, shape, ink)
            col = raster.text(canvas, col, top + number, f" {word}  ", INK["dim"])
