"""The inks of the picture: small numbers that stand for roles of a theme, so that drawing knows no colour.

There are fewer than 32, as neighbouring cells of one ink are sent to the terminal as one run: the number of inks is
what a frame costs. An ink may be `bold`, or `solid`: on a background of its own, for what must not be overlooked.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InkOf:
    """An ink: the role whose colour it has, and how it is set."""

    role: str
    bold: bool = False
    solid: bool = False


TABLE: dict[str, InkOf] = {
    "void": InkOf("dim"),
    "coast": InkOf("map-coastline"),
    "ring": InkOf("map-coastline"),
    "link": InkOf("link"),
    "link-selected": InkOf("link-active"),
    "cut": InkOf("lost"),
    "tree": InkOf("link-tree"),
    "way": InkOf("answered", bold=True),
    "alive": InkOf("alive"),
    "dead": InkOf("dead"),
    "left": InkOf("left"),
    "censored": InkOf("censored"),
    "colluding": InkOf("colluding"),
    "infrastructure": InkOf("infrastructure", bold=True),
    "asked": InkOf("asked"),
    "answered": InkOf("answered", bold=True),
    "origin": InkOf("origin", bold=True),
    "question": InkOf("question", bold=True),
    "answer": InkOf("answer", bold=True),
    "transfer": InkOf("transfer", bold=True),
    "upkeep": InkOf("upkeep"),
    "selected": InkOf("selected", bold=True),
    "marked": InkOf("selected", solid=True),
    "hover": InkOf("label", bold=True),
    "label": InkOf("label"),
    "dim": InkOf("dim"),
    "echo": InkOf("lost", bold=True),
    "say": InkOf("label", bold=True),
}

INK: dict[str, int] = {name: number for number, name in enumerate(TABLE)}
SOLID: tuple[int, ...] = tuple(INK[name] for name, ink in TABLE.items() if ink.solid)
PART_INK: tuple[int, ...] = tuple(INK[part] for part in ("question", "answer", "transfer", "upkeep"))
"""Ink of a message by the code of its part."""
