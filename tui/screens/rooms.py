"""Which panels there is room for, as a pure function of the terminal and of what a person asked for.

Importance decides, not place: the picture always stays, the inspector comes next (as a drawer where there is no room
beside the picture), then asks, charts, feed, controls. A person's own wish goes before all of that.
"""

from __future__ import annotations

from collections.abc import Mapping

PANELS: dict[int, str] = {1: "inspector", 2: "asks", 3: "controls", 4: "charts", 5: "feed", 6: "story"}
"""By the digit that toggles each."""

LEAST_W, LEAST_H = 60, 18
WIDE, TALL = 100, 30
HUGE_W, HUGE_H = 160, 44


def too_small(width: int, height: int) -> bool:
    """Whether nothing can be shown but a sentence."""
    return width < LEAST_W or height < LEAST_H


def drawer(width: int, height: int) -> bool:
    """Whether the inspector lies over the picture instead of beside it."""
    return width < WIDE


def rooms(
    width: int, height: int, wishes: Mapping[str, bool], *, selected: bool = False, story: bool = False
) -> frozenset[str]:
    """Names of what is shown, of PANELS and `figures`.

    wishes: panels a person switched on or off; selected: a peer or ask is chosen, which opens the drawer.
    """
    shown = {"asks", "charts"} if height >= TALL else set()
    if width >= WIDE:
        shown.add("inspector")
        if height >= TALL:
            shown |= {"controls", "feed"}
    elif selected:
        shown.add("inspector")
    if story:
        shown.add("story")
        if width < HUGE_W:
            shown.discard("controls")  # The story needs their place.
    for name, wish in wishes.items():
        if name == "inspector" and width < WIDE and wish:
            continue  # The drawer opens and closes with the selection.
        if wish:
            shown.add(name)
        else:
            shown.discard(name)
    if not {"asks", "charts"} & shown:
        shown.add("figures")
    return frozenset(shown)
