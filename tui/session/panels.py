"""Which panels are shown, as a pure function of the size of the terminal and of the user's choices.

The picture is always shown; then, by importance: the inspector (as a drawer where there is no room beside the picture),
asks, charts, feed, controls. The user's own choice precedes this order.

Some panels share a place (`PLACES`): the one chosen last is shown, and its border names the digits of the others. A
terminal that is wide enough shows them side by side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

PANELS: dict[int, str] = {
    1: "inspector",
    2: "asks",
    3: "controls",
    4: "charts",
    5: "feed",
    6: "story",
    7: "peers",
    8: "kinds",
    9: "attacks",
}
"""Panels by the digit that toggles each."""
DIGITS: dict[str, int] = {name: digit for digit, name in PANELS.items()}
PICTURE = "swarm"

LEAST_W, LEAST_H = 60, 18
WIDE, TALL = 100, 30
TIMELINE_H = 20
"""With fewer lines there is no timeline, and the picture takes its line; the keys for time work all the same."""
HUGE_W, HUGE_H = 160, 44

PLACES: tuple[tuple[tuple[str, ...], int], ...] = (
    (("inspector", "attacks"), 2),
    (("peers", "kinds", "asks"), 2),
    (("story", "controls"), 2),
)
"""Panels that share a place, in order of precedence; and how many of them are side by side in a terminal of `HUGE_W`
or wider. In a narrower one it is one."""


def too_small(width: int, height: int) -> bool:
    """Whether there is room for one sentence only."""
    return width < LEAST_W or height < LEAST_H


def drawer(width: int, height: int) -> bool:
    """Whether the inspector lies over the picture instead of beside it."""
    return width < WIDE


def rooms(
    width: int,
    height: int,
    wishes: Mapping[str, bool],
    *,
    selected: bool = False,
    story: bool = False,
    whole: str = "",
) -> frozenset[str]:
    """Names of what is shown: of PANELS, `figures`, and the picture.

    wishes: panels that the user switched on or off, in the order of switching; selected: a peer or ask is chosen,
    which opens the drawer; whole: the panel that has the whole screen, or empty.
    """
    if whole:
        return frozenset({whole})
    shown = _wanted(width, height, wishes, selected, story)
    for place, many in PLACES:
        shown -= set(_behind(place, shown, wishes, many if width >= HUGE_W else 1))
    if not {"asks", "charts"} & shown:
        shown.add("figures")
    return frozenset(shown | {PICTURE})


def behind(
    width: int, height: int, wishes: Mapping[str, bool], shown: frozenset[str], *, story: bool = False
) -> dict[str, tuple[int, ...]]:
    """For each shown panel that shares its place: the digits of those that could be shown there instead."""
    wanted = _wanted(width, height, wishes, False, story)
    return {
        name: tuple(sorted(DIGITS[other] for other in place if other in wanted and other not in shown))
        for place, _ in PLACES
        for name in place
        if name in shown
    }


def _wanted(width: int, height: int, wishes: Mapping[str, bool], selected: bool, story: bool) -> set[str]:
    shown = {"asks", "charts"} if height >= TALL else set()
    if width >= WIDE:
        shown.add("inspector")
        if height >= TALL:
            shown |= {"controls", "feed"}
    elif selected:
        shown.add("inspector")
    if story:
        shown.add("story")
    for name, wish in wishes.items():
        if name == "inspector" and width < WIDE and wish:
            continue  # The drawer opens and closes with the selection.
        if wish:
            shown.add(name)
        else:
            shown.discard(name)
    return shown


def _behind(place: Sequence[str], shown: set[str], wishes: Mapping[str, bool], many: int) -> Sequence[str]:
    """Panels of a place that are hidden: those the user did not switch on, then those switched on the longest ago."""
    latest = list(wishes)
    here = [name for name in place if name in shown]
    here.sort(key=lambda name: -latest.index(name) if wishes.get(name) else len(latest) + place.index(name))
    return here[many:]


@dataclass(slots=True)
class PanelLayout:
    """What a person switched on and off, and the panels that are shown because of it in a terminal of some size."""

    wishes: dict[str, bool] = field(default_factory=dict)
    """Panels that were switched on or off, in the order of switching."""
    drawer_shut: bool = False
    """The inspector, which lies over the picture in a narrow terminal, was closed since the last selection."""
    whole: str = ""
    """The panel that has the whole screen, or the picture; empty for none."""
    shown: frozenset[str] = frozenset()

    def arrange(self, width: int, height: int, *, selected: bool, story: bool) -> bool:
        """Decide anew what is shown. Whether that changes anything."""
        opened = selected and not self.drawer_shut
        shown = rooms(width, height, self.wishes, selected=opened, story=story, whole=self.whole)
        changed, self.shown = shown != self.shown, shown
        return changed

    def behind(self, width: int, height: int, *, story: bool) -> dict[str, tuple[int, ...]]:
        """For each shown panel that shares its place: the digits of those that could stand there instead."""
        return {} if self.whole else behind(width, height, self.wishes, self.shown, story=story)

    def toggle(self, name: str, *, narrow: bool) -> bool:
        """Show a panel, or close it; a panel that has the whole screen gives it up. Whether it is wanted from now on.

        narrow: the inspector is a drawer, which opens and closes with the selection.
        """
        wanted = name not in self.shown or bool(self.whole)
        self.whole = ""
        self.wishes.pop(name, None)  # the latest wish goes first where two panels share a place
        if name == "inspector" and narrow:
            self.drawer_shut = not wanted
            if wanted:
                self.wishes.pop("attacks", None)  # one drawer at a time
        else:
            self.wishes[name] = wanted
        return wanted

    def expand(self, name: str) -> None:
        """Give a panel the whole screen, or take that back."""
        self.whole = "" if self.whole else name
