"""The legend on the picture: what the colours mean, each shape with its word in its ink; only what the picture
contains.

It begins with the title of the colouring; a click there changes the colouring. A gradient is drawn with all its steps,
with a figure and a unit at both ends.
"""

from __future__ import annotations

import numpy as np

from engine import sorted_once

from . import raster
from .colours import STATE, Look
from .raster import Canvas
from .scene import WALL, Scene, dense, link_words, mark_ink, mark_stroke, paths_shown, sides_of, way_shape
from .styles import GLYPHS, HEAT, INK, LOOP_STROKE, PART_INK, SHADES, SIDE_BITS

WORDS = {look.name: look.word for look in reversed(STATE)}
"""Looks of the colouring by state, and their words, for the help."""
PARTS = ("question", "answer", "transfer", "upkeep", "notice")
LEAST_H = 8
"""A picture of fewer lines has no legend."""
Spans = list[tuple[str, int]]
"""Texts and their inks that stay on one line."""


def entries(scene: Scene, canvas: Canvas) -> list[tuple[str, str, int]]:
    """(shape, word, ink) of what is in the picture, peers before messages; without gradients."""
    shapes, colours = GLYPHS[canvas.mode], scene.colours
    counts = np.bincount(scene.looks, minlength=len(colours.looks)).tolist()
    made = []
    for number in _order(colours.looks):
        look = colours.looks[number]
        if look.word and (counts[number] or look.name in colours.always):
            word = "not reached" if look.name == "alive" and scene.trace is not None else look.word
            made.append((look.glyph(canvas.mode), word, look.ink))
    split = sides_of(scene.snapshot)
    if split.any():
        made += [
            (shapes.alive, f"side {side + 1}", INK["alive"] | side << SIDE_BITS) for side in sorted_once(split).tolist()
        ]
        made.append((WALL[canvas.mode], "lost between sides", INK["echo"]))
    links, severed = scene.snapshot.links, scene.snapshot.cut_links
    dash = "-" if canvas.mode == "ascii" else "─"
    if links.contacts and len(links.a):
        if not dense(scene.snapshot):
            made.append((dash, "contact", INK["contact"]))
        elif scene.selected is not None:
            made.append((dash, "contact of the selected peer", INK["link-selected"]))
    if len(severed.a) or len(severed.whole):
        made.append((WALL[canvas.mode], "cut link" if len(severed.a) else "links cut", INK["cut"]))
    marks = scene.snapshot.marks
    said = link_words(scene.snapshot)
    made += [
        (mark_stroke(code, canvas.mode), marks.words[code], mark_ink(code))
        for code in sorted_once(said).tolist()
        if code
    ]
    paths = scene.snapshot.paths
    rows = paths_shown(scene)
    looped = paths.loops[rows]
    made += [
        (way_shape(code, canvas.mode), paths.words[code] or "way", INK["path"])
        for code in sorted_once(paths.word[rows[~looped]]).tolist()
    ]
    if looped.any():
        made.append((LOOP_STROKE[canvas.mode], "loop", INK["loop"]))
    if scene.key_at is not None:
        made.append((shapes.key, "key", INK["key"]))
    present = set(sorted_once(scene.snapshot.flight.part).tolist())
    present |= {0, 1} if scene.trace is not None else {0}
    if not scene.upkeep:
        present.discard(PARTS.index("upkeep"))
    made += [(getattr(shapes, part), part, PART_INK[code]) for code, part in enumerate(PARTS) if code in present]
    return made


def _order(looks: tuple[Look, ...]) -> list[int]:
    """The most common look first, then by importance; dead peers and those that left come last."""
    return sorted(range(len(looks)), key=lambda n: (looks[n].name in ("dead", "left"), not looks[n].counted, n))


def gradient(scene: Scene, canvas: Canvas) -> Spans:
    """The gradient of the colouring with its ends, empty if it has none."""
    colours, spans = scene.colours, []
    if colours.ends is not None:
        steps = [look for look in colours.looks if look.name.startswith("heat-")]
        spans += [(f"{colours.ends[0]} ", INK["dim"])]
        spans += [(look.glyph(canvas.mode), look.ink) for look in steps]
        spans += [(f" {colours.ends[1]}  ", INK["dim"])]
    if canvas.fullest:
        spans += [("1 ", INK["dim"])]
        state = colours.by == "state"
        spans += [(ch, ink if state else INK["label"]) for ch, ink in zip(SHADES[canvas.mode], HEAT, strict=True)]
        spans += [(f" {canvas.fullest:,} peers a cell  ", INK["dim"])]
    return spans


def lines_of(canvas: Canvas, scene: Scene) -> list[Spans]:
    """The lines of the legend, one or two; what does not fit is left out, from the end. None in a low picture."""
    if canvas.height < LEAST_H:
        return []
    title = titled(canvas, scene)
    groups: list[Spans] = [[(title, INK["say"]), ("  ", INK["dim"])]]
    if spans := gradient(scene, canvas):
        groups.append(spans)
    groups += [[(shape, ink), (f" {word}  ", INK["dim"])] for shape, word, ink in entries(scene, canvas)]
    lines: list[Spans] = [[]]
    used = 1
    for group in groups:
        wide = sum(len(text) for text, _ in group)
        if used + wide > canvas.width + 2:
            if len(lines) == 2:
                break
            lines.append([])
            used = 1
        lines[-1] += group
        used += wide
    return lines


def titled(canvas: Canvas, scene: Scene) -> str:
    """The title of the colouring."""
    return f"{'' if canvas.mode == 'ascii' else '◐ '}{scene.colours.title}"


def draw(canvas: Canvas, scene: Scene) -> tuple[int, int, int]:
    """Write it on the last line, or the last two, of the canvas.

    Returns the row of the title and its first and last column, for clicks; an empty range when there is no room.
    """
    lines = lines_of(canvas, scene)
    if not lines:
        return 0, 0, -1
    top = canvas.height - len(lines)
    for number, line in enumerate(lines):
        col = 1
        for text, ink in line:
            col = raster.text(canvas, col, top + number, text, ink)
    return top, 1, len(titled(canvas, scene))
