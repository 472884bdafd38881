"""What stands for a peer in one cell, in three alphabets.

Shape repeats state for those who see no colour, so no two states share a glyph. Braille and blocks share their
symbols, since a font that lacks braille seldom lacks geometric shapes; ASCII is for terminals that have neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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
    """Something stands still on a link of it."""
    infrastructure: str
    selected: str
    asked: str
    """A question reached it."""
    hit: str
    """It answered."""
    origin: str
    """It asked."""
    question: str
    """A message under way, by its part."""
    answer: str
    transfer: str
    upkeep: str
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
    """Text was cut here."""


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
    question="•",
    answer="◦",
    transfer="▪",
    upkeep="·",
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
    question="+",
    answer="=",
    transfer="~",
    upkeep=",",
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
"""From little to much, for what is told by a gradient: the eye reads size where it sees no colour."""
SHADES: dict[Mode, str] = {"braille": "·░▒▓█", "block": "·░▒▓█", "ascii": ".:oO@"}
"""How many peers share a cell, from one to the fullest."""

# Peers of these states may stand side by side on one picture and must differ in shape.
STATES = (
    *("alive", "dead", "left", "censored", "colluding", "poisoned", "held"),
    *("infrastructure", "selected", "asked", "hit", "origin"),
)
