"""Which panels are shown and how large, as pure functions of the size of the terminal and of the user's choices.

The picture is always shown; then, by importance: the inspector (as a drawer where there is no room beside the picture),
asks, charts, feed, controls. The user's own choice precedes this order.

Some panels share a place (`PLACES`): the one chosen last is shown, and its border names the digits of the others. A
terminal that is wide enough shows them side by side.

A layout is a set of panels and sizes under a name (`LAYOUTS`); what the user changes in it stays with it, also for the
next start (`load`, `save`).
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any, TypeAlias

from engine import dataclass

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
"""Panels by the digit of each."""
OPTIONS, HISTORY = "options", "history"
OTHERS: tuple[str, ...] = (OPTIONS, HISTORY)
"""Panels that have a letter."""
NAMES: tuple[str, ...] = (*PANELS.values(), *OTHERS)
DIGITS: dict[str, int] = {name: digit for digit, name in PANELS.items()}
PICTURE = "swarm"

LEAST_W, LEAST_H = 60, 18
WIDE, TALL = 100, 30
TIMELINE_H = 20
"""With fewer lines there is no timeline, and the picture takes its line; the keys for time work all the same."""
HUGE_W, HUGE_H = 160, 44

PLACES: tuple[tuple[tuple[str, ...], int], ...] = (
    (("inspector", "attacks", OPTIONS), 2),
    (("peers", "kinds", HISTORY, "asks"), 2),
    (("story", "controls"), 2),
)
"""Panels that share a place, in order of precedence; and how many of them are side by side in a terminal of `HUGE_W`
or wider. In a narrower one it is one."""
DRAWERS = ("attacks", OPTIONS)
"""Panels that cover a part of the picture in a narrow terminal, as the inspector does; one at a time."""

ROWS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "top": (frozenset({PICTURE}), frozenset({"inspector", "attacks", OPTIONS})),
    "middle": (frozenset({"asks", "peers", "kinds", HISTORY}), frozenset({"controls", "story"})),
    "bottom": (frozenset({"charts"}), frozenset({"feed"})),
}
"""Panels of each row: those at the left, and those in the column at the right."""

Sizes: TypeAlias = dict[str, int]
"""Cells of the column at the right (`side`) and lines of the rows `middle` and `bottom`, where the user chose them."""
SIDE_LEAST, LEFT_LEAST, ROW_LEAST, TOP_LEAST = 26, 40, 3, 6
"""The smallest sizes: columns in cells, rows in lines."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A layout to begin with. wishes: panels that are on or off, see `shown_panels`."""

    about: str
    wishes: Mapping[str, bool] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)


STANDARD, WATCH, ANALYSE, PRESENT = "standard", "watch", "analyse", "present"
_NONE = dict.fromkeys(("inspector", "asks", "controls", "charts", "feed"), False)
LAYOUTS: dict[str, Layout] = {
    STANDARD: Layout("As many panels as there is room for."),
    WATCH: Layout("A large picture, and the table of asks.", _NONE | {"asks": True}, {"middle": 6}),
    ANALYSE: Layout(
        "Tables, large charts, the feed and the inspector.",
        {"controls": False} | dict.fromkeys(("inspector", "charts", "feed", "peers", "asks"), True),
        {"middle": 11, "bottom": 11},
    ),
    PRESENT: Layout(
        "For an audience: few panels, large figures, names of as many peers as possible, and pressed keys.",
        dict(_NONE),
    ),
}


def too_small(width: int, height: int) -> bool:
    """Whether a terminal is too small for the panels, so that only one sentence is shown."""
    return width < LEAST_W or height < LEAST_H


def drawer(width: int, height: int) -> bool:
    """Whether the inspector covers a part of the picture, instead of being beside it."""
    return width < WIDE


def shown_panels(
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
) -> dict[str, tuple[str, ...]]:
    """For each shown panel that shares its place: those that could be shown there instead."""
    wanted = _wanted(width, height, wishes, False, story)
    return {
        name: tuple(other for other in NAMES if other in place and other in wanted and other not in shown)
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
class Arrangement:
    """What a person made of a layout."""

    wishes: dict[str, bool] = field(default_factory=dict)
    """Panels that were switched on or off, in the order of switching."""
    sizes: Sizes = field(default_factory=dict)


def arrangement_of(layout: str) -> Arrangement:
    """A layout as it is at first."""
    return Arrangement(dict(LAYOUTS[layout].wishes), dict(LAYOUTS[layout].sizes))


@dataclass(slots=True)
class PanelLayout:
    """What a person switched on and off, and the panels that are shown because of it in a terminal of some size."""

    name: str = STANDARD
    """The layout that is shown."""
    arrangements: dict[str, Arrangement] = field(default_factory=dict)
    """Those that were used, by layout."""
    drawer_shut: bool = False
    """The inspector, which is a drawer in a narrow terminal, was closed since the last selection."""
    whole: str = ""
    """The panel that has the whole screen, or the picture; empty for none."""
    shown: frozenset[str] = frozenset()

    @property
    def arrangement(self) -> Arrangement:
        """What the person made of the layout that is shown."""
        if self.name not in self.arrangements:
            self.arrangements[self.name] = arrangement_of(self.name)
        return self.arrangements[self.name]

    @property
    def wishes(self) -> dict[str, bool]:
        """Panels that were switched on or off, in the order of switching."""
        return self.arrangement.wishes

    @property
    def sizes(self) -> Sizes:
        """Sizes that the person chose."""
        return self.arrangement.sizes

    def use(self, layout: str) -> bool:
        """Show a layout. Where it is shown already, undo what was changed in it. Returns whether it did that."""
        again = layout == self.name
        if again:
            self.arrangements[layout] = arrangement_of(layout)
        self.name, self.whole = layout, ""
        return again

    def arrange(self, width: int, height: int, *, selected: bool, story: bool) -> bool:
        """Decide anew what is shown. Whether that changes anything."""
        opened = selected and not self.drawer_shut
        shown = shown_panels(width, height, self.wishes, selected=opened, story=story, whole=self.whole)
        changed, self.shown = shown != self.shown, shown
        return changed

    def behind(self, width: int, height: int, *, story: bool) -> dict[str, tuple[str, ...]]:
        """For each shown panel that shares its place: those that could be shown there instead."""
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
                for other in DRAWERS:  # one drawer at a time
                    self.wishes.pop(other, None)
        else:
            self.wishes[name] = wanted
        return wanted

    def expand(self, name: str) -> None:
        """Give a panel the whole screen, or take that back."""
        self.whole = "" if self.whole else name

    def side_of(self, name: str) -> str:
        """The row that a panel is in; empty for none."""
        return next((row for row, (left, right) in ROWS.items() if name in left | right), "")

    # --- for the next start ---------------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """What is kept: plain values."""
        kept = {
            name: {"panels": dict(one.wishes), "sizes": dict(one.sizes)}
            for name, one in self.arrangements.items()
            if one != arrangement_of(name)
        }
        return {"layout": self.name, "arrangements": kept}


def _is_size(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= 1_000


def layout_from(data: object) -> PanelLayout:
    """The layout of which `to_json` made `data`. What is not understood is left out: the file may be of another
    version."""
    made = PanelLayout()
    if not isinstance(data, dict):
        return made
    name, kept = data.get("layout"), data.get("arrangements")
    if isinstance(name, str) and name in LAYOUTS:
        made.name = name
    for layout, saved in kept.items() if isinstance(kept, dict) else ():
        if layout not in LAYOUTS or not isinstance(saved, dict):
            continue
        panels, sizes = saved.get("panels"), saved.get("sizes")
        wishes = panels if isinstance(panels, dict) else {}
        chosen = sizes if isinstance(sizes, dict) else {}
        made.arrangements[layout] = Arrangement(
            {panel: wish for panel, wish in wishes.items() if panel in NAMES and isinstance(wish, bool)},
            {part: size for part, size in chosen.items() if part in LEAST and _is_size(size, LEAST[part])},
        )
    return made


LEAST: Mapping[str, int] = {"side": SIDE_LEAST, "middle": ROW_LEAST, "bottom": ROW_LEAST}
FILE_MOST = 65_536
LAYOUT_FILE = "layout.json"


def layout_file(config: Path) -> Path:
    """Where the layout is kept: beside the configuration."""
    return config.resolve().with_name(LAYOUT_FILE)


def load(path: Path) -> PanelLayout:
    """The layout that was kept in a file; the standard one where there is none that can be read. Raises nothing."""
    with contextlib.suppress(OSError, ValueError, RecursionError):
        if path.is_file() and path.stat().st_size <= FILE_MOST:
            return layout_from(json.loads(path.read_text(encoding="utf-8")))
    return PanelLayout()


def save(path: Path, layout: Mapping[str, Any]) -> None:
    """Write what `to_json` returned, so that the file is complete or unchanged. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(layout, file, indent=1)
        os.replace(name, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


# --- sizes ----------------------------------------------------------------------------------------------------------


def fitted(sizes: Mapping[str, int], width: int, height: int, shown: frozenset[str]) -> Sizes:
    """The sizes that a terminal has room for: the picture keeps a third of the lines, and each column and row its least
    size. Rows that are too high together shrink alike. A column has a size only in a terminal that is wide enough for
    two."""
    made: Sizes = {}
    if "side" in sizes and width >= WIDE:
        made["side"] = min(max(sizes["side"], SIDE_LEAST), width - LEFT_LEAST)
    room = height - 3 - max(TOP_LEAST, height // 3)
    rows = [row for row in ("middle", "bottom") if shown & (ROWS[row][0] | ROWS[row][1])]
    chosen = {row: max(sizes[row], ROW_LEAST) for row in rows if row in sizes}
    room -= ROW_LEAST * (len(rows) - len(chosen))
    total = sum(chosen.values())
    for row, size in chosen.items():
        made[row] = max(ROW_LEAST, size if total <= room else size * room // total)
    return made
