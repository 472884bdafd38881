"""The inks of the picture: small numbers that stand for roles of a theme, so that drawing knows no colour.

Neighbouring cells of one ink are sent to the terminal as one run: how many inks a picture has is what a frame costs.
So gradients have few steps. An ink may be `bold`, or `solid`: on a background of its own, for what must not be
overlooked. It may be `faded` towards the background, or a step of the theme's gradient for heat.

A cell's ink is a byte: six bits of ink, and above them the side of a partition that the cell lies on, which is shown
as a ground under it. The picture of a partition thereby costs drawing nothing but a bitwise or.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InkOf:
    """An ink: the role whose colour it has, and how it is set."""

    role: str
    bold: bool = False
    solid: bool = False
    faded: float = 0.0
    """How far it goes towards the background, 0 to 1."""
    heat: float | None = None
    """0 to 1: a place on the gradient heat-start, heat-mid, heat-end of the theme, instead of the role."""


STEPS = 5
"""Steps of a gradient."""
SIDE_BITS = 6
SIDES: tuple[str, ...] = ("", "chart-4", "chart-2", "chart-1")
"""Roles that tint the ground of the sides of a partition; the first side keeps its ground."""


TABLE: dict[str, InkOf] = {
    "void": InkOf("dim"),
    "coast": InkOf("map-coastline"),
    "ring": InkOf("map-coastline"),
    "link": InkOf("link"),
    "link-selected": InkOf("link-active"),
    "cut": InkOf("lost", faded=0.55),
    "tree": InkOf("link-tree"),
    "way": InkOf("answered", bold=True),
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
    "tag": InkOf("caption", bold=True, solid=True),
    "unknown": InkOf("dim", faded=0.45),
    "stale": InkOf("meter-mid"),
    "wrong": InkOf("lost", bold=True),
    "role-1": InkOf("chart-1"),
    "role-2": InkOf("chart-2", bold=True),
    "role-3": InkOf("chart-3", bold=True),
    "role-4": InkOf("chart-4", bold=True),
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
DYING: tuple[int, ...] = tuple(INK[name] for name in ("dead-now", "dead-fresh", "dead-fading", "dead"))
"""What a peer that was killed is drawn in, one after the other."""
PART_INK: tuple[int, ...] = tuple(INK[part] for part in ("question", "answer", "transfer", "upkeep"))
"""Ink of a message by the code of its part."""
