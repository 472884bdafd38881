"""The inks of the picture: small numbers that stand for roles of a theme, so that drawing does not depend on colours.

Neighbouring cells of one ink are sent to the terminal as one run, so the time and bytes of a frame depend on the number
of inks, and gradients have few steps. An ink may be `bold`, or `solid`: on a background of its own, for what must not
be overlooked. It may be `faded` towards the background, or a step of the theme's gradient for heat.

A cell's ink is a byte: six bits of ink, and above them the side of a partition that the cell is on, which is shown
as a background. So drawing a partition takes only a bitwise or.
"""

from __future__ import annotations

from typing import Literal

from engine import dataclass

# The glyphs of a peer in one cell, in three modes.
#
# The shape shows the state too, for people who see no colours, so no two states share a glyph. Braille and blocks have
# the same symbols, since most fonts without braille have geometric shapes; ASCII is for terminals that have neither.

Mode = Literal["braille", "block", "ascii"]
MODES: tuple[Mode, ...] = ("braille", "block", "ascii")


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One character each, exactly one cell wide."""

    alive: str
    dead: str
    left: str
    censored: str
    colluding: str
    poisoned: str
    """It serves decoys."""
    held: str
    """Messages on one of its links are frozen."""
    infrastructure: str
    selected: str
    asked: str
    """A question reached it."""
    hit: str
    """It answered."""
    origin: str
    """It asked."""
    answerer: str
    """It named who has the thing, and does not have it itself."""
    keeper: str
    """It keeps a record that points to who has the thing."""
    key: str
    """Where the key of what was asked for is among the identifiers."""
    question: str
    """A message under way, by its part."""
    answer: str
    transfer: str
    upkeep: str
    notice: str
    dot: str
    """A peer where there is no room for shapes."""
    play: str
    pause: str
    live: str
    bar_on: str
    """A slider: its filled and its empty part, and its knob."""
    bar_off: str
    knob: str
    more: str
    """Marks text that was cut."""


SYMBOLS = Glyphs(
    alive="●",
    dead="✕",
    left="○",
    censored="⊘",
    colluding="◆",
    poisoned="▲",
    held="◧",
    infrastructure="■",
    selected="◎",
    asked="◉",
    hit="★",
    origin="◈",
    answerer="✦",
    keeper="☆",
    key="◇",
    question="•",
    answer="◦",
    transfer="▪",
    upkeep="·",
    notice="‣",
    dot="·",
    play="▶",
    pause="‖",
    live="▸",
    bar_on="━",
    bar_off="─",
    knob="●",
    more="…",
)

LETTERS = Glyphs(
    alive="o",
    dead="x",
    left=".",
    censored="%",
    colluding="&",
    poisoned="!",
    held="]",
    infrastructure="#",
    selected="@",
    asked="O",
    hit="*",
    origin="$",
    answerer="^",
    keeper="?",
    key="<",
    question="+",
    answer="=",
    transfer="~",
    upkeep=",",
    notice="`",
    dot=".",
    play=">",
    pause="|",
    live=">",
    bar_on="=",
    bar_off="-",
    knob="O",
    more="~",
)

GLYPHS: dict[Mode, Glyphs] = {"braille": SYMBOLS, "block": SYMBOLS, "ascii": LETTERS}

LEVELS: dict[Mode, str] = {"braille": "·∙•●◉", "block": "·∙•●◉", "ascii": ".:oO@"}
"""From little to much, for gradients: the size shows the value where colours are not seen."""
SHADES: dict[Mode, str] = {"braille": "·░▒▓█", "block": "·░▒▓█", "ascii": ".:oO@"}
"""How many peers share a cell, from one to the fullest."""

# Peers of these states may be side by side in one picture and must differ in shape.
STATES = (
    *("alive", "dead", "left", "censored", "colluding", "poisoned", "held"),
    *("infrastructure", "selected", "asked", "hit", "origin", "answerer", "keeper"),
)


@dataclass(frozen=True, slots=True)
class InkOf:
    """An ink: the role whose colour it has, and its attributes."""

    role: str
    bold: bool = False
    solid: bool = False
    faded: float = 0.0
    """How much of the background is mixed in, 0 to 1."""
    heat: float | None = None
    """0 to 1: a place on the gradient heat-start, heat-mid, heat-end of the theme, instead of the role."""


STEPS = 5
"""Steps of a gradient."""
SIDE_BITS = 6
SIDES: tuple[str, ...] = ("", "chart-4", "chart-2", "chart-1")
"""Roles that tint the background of the sides of a partition; the first side has no tint."""
SIDE_TINT = 0.3
"""How much of that colour is in the background."""


TABLE: dict[str, InkOf] = {
    "void": InkOf("dim"),
    "coast": InkOf("map-coastline"),
    "ring": InkOf("map-coastline"),
    "link": InkOf("link"),
    "contact": InkOf("link", faded=0.45),
    "link-selected": InkOf("link-active"),
    "mark-1": InkOf("chart-1", faded=0.35),
    "mark-2": InkOf("chart-2", faded=0.35),
    "mark-3": InkOf("chart-3", faded=0.35),
    "mark-4": InkOf("chart-4", faded=0.35),
    "mark-other": InkOf("label", faded=0.4),
    "cut": InkOf("lost", faded=0.55),
    "tree": InkOf("link-tree"),
    "way": InkOf("answered", bold=True),
    "path": InkOf("caption", bold=True),
    "loop": InkOf("lost", bold=True),
    "alive": InkOf("alive"),
    "dead": InkOf("dead", faded=0.35),
    "dead-now": InkOf("dead", bold=True, solid=True),
    "dead-fresh": InkOf("dead", bold=True),
    "dead-fading": InkOf("dead", faded=0.15),
    "left": InkOf("left"),
    "censored": InkOf("censored"),
    "colluding": InkOf("colluding"),
    "poisoned": InkOf("poisoned", bold=True),
    "held": InkOf("censored", bold=True),
    "infrastructure": InkOf("infrastructure", bold=True),
    "asked": InkOf("asked"),
    "answered": InkOf("answered", bold=True),
    "origin": InkOf("origin", bold=True),
    "answerer": InkOf("answer", bold=True),
    "keeper": InkOf("answer"),
    "key": InkOf("origin", bold=True),
    "question": InkOf("question", bold=True),
    "answer": InkOf("answer", bold=True),
    "transfer": InkOf("transfer", bold=True),
    "upkeep": InkOf("upkeep"),
    "notice": InkOf("duplicate"),
    "selected": InkOf("selected", bold=True),
    "marked": InkOf("selected", solid=True),
    "hover": InkOf("label", bold=True),
    "label": InkOf("label"),
    "dim": InkOf("dim"),
    "echo": InkOf("lost", bold=True),
    "say": InkOf("label", bold=True),
    "tag": InkOf("caption", bold=True, solid=True),
    "unknown": InkOf("dim", faded=0.45),
    "stale": InkOf("meter-mid"),
    "wrong": InkOf("lost", bold=True),
    "role-1": InkOf("chart-1"),
    "role-2": InkOf("chart-2", bold=True),
    "role-3": InkOf("chart-3", bold=True),
    "role-4": InkOf("chart-4", bold=True),
    "role-5": InkOf("transfer", bold=True),
    "role-6": InkOf("answer", bold=True),
    "role-other": InkOf("left"),
    **{f"heat-{step}": InkOf("heat-mid", heat=step / (STEPS - 1), bold=step > STEPS // 2) for step in range(STEPS)},
    "duplicate": InkOf("duplicate"),
    "lost": InkOf("lost", bold=True),
}

INK: dict[str, int] = {name: number for number, name in enumerate(TABLE)}
SOLID: tuple[int, ...] = (
    *(INK[name] for name, ink in TABLE.items() if ink.solid),
    *range(1 << SIDE_BITS, len(SIDES) << SIDE_BITS),
)
HEAT: tuple[int, ...] = tuple(INK[f"heat-{step}"] for step in range(STEPS))
MARKS: tuple[int, ...] = tuple(INK[f"mark-{number}"] for number in (1, 2, 3, 4, "other"))
"""Inks of links by the word that an end says of the link; the last one is for all further words."""
STROKES: dict[Mode, str] = {"braille": "─╌┈━┄", "block": "─╌┈━┄", "ascii": "-_:\"'"}
"""The lines of these words in the legend, which differ also without colours."""
WAY_STROKES: dict[Mode, str] = {"braille": "═╍┉", "block": "═╍┉", "ascii": "/(["}
"""The same of the words of ways over several peers; the last one for all further words."""
LOOP_STROKE: dict[Mode, str] = {"braille": "┅", "block": "┅", "ascii": "\\"}
"""The same of a loop."""
WAY_DOTS: tuple[tuple[int, int], ...] = ((1, 1), (10, 7), (4, 2))
LOOP_DOTS = (8, 5)
QUIET_DOTS: tuple[tuple[int, int], ...] = ((3, 1), (12, 4), (6, 1), (16, 12), (8, 2))
LOUD_DOTS: tuple[tuple[int, int], ...] = ((1, 1), (12, 8), (3, 1), (16, 13), (8, 4))
"""How many dots of such lines are drawn: (every, kept), see `raster.thin_out`; those of the selected peer have more."""
DYING: tuple[int, ...] = tuple(INK[name] for name in ("dead-now", "dead-fresh", "dead-fading", "dead"))
"""The inks of a peer that was killed, one after the other."""
PART_INKS: dict[str, str] = {"notice": "duplicate"}
"""The role of a part in a theme, where it is called otherwise."""
PART_INK: tuple[int, ...] = tuple(INK[part] for part in ("question", "answer", "transfer", "upkeep", "notice"))
"""Ink of a message by the code of its part."""
