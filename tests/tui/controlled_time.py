"""Time that moves only when a test says so: for the pilot that presses keys, and for the dashboard's frame clock.

Textual's pilot waits until the process has used little processor time for 20 ms, at least twice a key. On a busy
machine that is a guess. Where the frame clock draws meanwhile, it may take up to a second for each key.
Here the pilot waits until the event loop has nothing left to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.pilot import Pilot
from textual.screen import Screen

from tui.screens.frame_clock import FrameClock, FramePace
from tui.textual_compat import LeanStylesheet

MOST_ROUNDS = 20
"""A screen is laid out and painted so often at most before a test looks at it, since it may ask for that each time."""

MOST_LOOKS = 2_000
"""A test goes on after so many looks, a millisecond apart, at whether input is still held back. The program holds input
back for two seconds at most. Looks are counted, and wall time is not, so that a busy machine has as many of them."""


class FixedPace(FramePace):
    """A pace of 30 frames a second: the rate is shown on the screen, and must not depend on the machine."""

    @property
    def fps(self) -> float:
        return 30.0


class FramesOnDemand(FrameClock):
    """Shows the first frame; each further one is asked for with `at_once`."""

    def start(self) -> None:
        self._tick()

    def soon(self, what: Callable[[], object]) -> None:
        what()


async def idle(*_: object, **__: object) -> None:
    """Wait until all other tasks of the loop wait for a time, a file or a thread."""
    ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
    turns = 0
    while turns < 2:
        await asyncio.sleep(0)
        turns = 0 if ready else turns + 1


_paint = Screen._compositor_refresh


def painted_later(screen: Screen) -> None:
    """Paint nothing now. `pause` paints at its end: what is painted over between two keys is seen by nobody."""
    screen.app._update_mouse_over(screen)


async def pause(pilot: Pilot[Any], delay: float | None = None, *, paint: bool = True) -> None:
    """Wait until all that was sent is handled, and what has changed is laid out and, with `paint`, painted."""
    if delay is not None:
        await asyncio.sleep(delay)
    looks, inputs = 0, getattr(pilot.app, "inputs", None)
    for _ in range(MOST_ROUNDS):
        await idle()
        if pilot.app._resize_event is not None:
            pilot.app._check_resize()
            await idle()
        while inputs is not None and inputs.busy and looks < MOST_LOOKS:
            looks += 1
            await asyncio.sleep(0.001)
            await idle()
        screen = pilot.app.screen
        if not (
            screen._layout_required
            or screen._scroll_required
            or screen._repaint_required
            or screen._recompose_required
            or screen._dirty_widgets
            or screen._callbacks
        ):
            break
        screen._on_timer_update()
        screen._dirty_widgets.clear()
    if paint:
        for shown in pilot.app.screen_stack:
            if shown._compositor._dirty_regions:
                _paint(shown)
        await idle()


async def press(pilot: Pilot[Any], *keys: str) -> None:
    """Press keys one after the other, each when the one before has been dealt with."""
    for number, key in enumerate(keys, 1):
        await pilot.app._press_keys([key])
        await pause(pilot, paint=number == len(keys))


_VARIABLES: dict[frozenset[object], frozenset[object]] = {}
_PARSED: dict[tuple[object, ...], Any] = {}
_SHEETS: dict[tuple[object, ...], list[RuleSet]] = {}
_MAPS: dict[int, dict[str, list[RuleSet]]] = {}
_MEMORIES: dict[int, Any] = {}
_parse_rules = Stylesheet._parse_rules


def variables_of(sheet: Any) -> frozenset[object]:
    """The variables of a style sheet. Equal sets are one object, since two objects would be compared item by item."""
    variables, known = getattr(sheet, "_known_variables", (None, None))
    if variables is not sheet._variables or known is None:
        known = frozenset(sheet._variables.items())
        known = _VARIABLES.setdefault(known, known)
        sheet._known_variables = sheet._variables, known
    return known


def parsed_once(sheet: Any, *words: Any, **more: Any) -> Any:
    """Rules of a style sheet, parsed once for all apps of this process that have the same variables."""
    key = (variables_of(sheet), words, tuple(more.items()))
    if key not in _PARSED:
        _PARSED[key] = _parse_rules(sheet, *words, **more)
    return _PARSED[key]


class SilentLog:
    """A log that drops what it is given. Textual logs each handler of each event for a console, which no test has, and
    makes two objects and a text for it."""

    @property
    def event(self) -> SilentLog:
        return self

    def verbosity(self, verbose: bool) -> SilentLog:
        return self

    def __call__(self, *_: object, **__: object) -> None:
        pass


class SharedStylesheet(LeanStylesheet):
    """A style sheet that is parsed once for all apps of this process that have the same sources and variables."""

    def parse(self) -> None:
        key = (variables_of(self), tuple(self.source.items()))
        known = _SHEETS.get(key)
        if known is None:
            super().parse()
            assert self._rules is not None
            _SHEETS[key] = self._rules
        else:
            self._rules, self._rules_map, self._require_parse = known, None, False

    @property
    def rules_map(self) -> dict[str, list[RuleSet]]:
        if self._rules_map is None:
            # `_SHEETS` keeps each list of rules, so no other list can get its address.
            self._rules_map = _MAPS.get(id(self.rules))
            if self._rules_map is None:
                _MAPS[id(self.rules)] = super().rules_map
        return super().rules_map

    def tables_for(self, rules: list[RuleSet]) -> Any:
        return _MEMORIES.setdefault(id(rules), ({}, {}))


def control(patch: pytest.MonkeyPatch) -> None:
    """Replace the pilot's waiting and the dashboard's frame clock and style sheets, until `patch` is undone."""
    patch.setattr("textual.app.wait_for_idle", idle)
    patch.setattr("textual.pilot.wait_for_idle", idle)
    patch.setattr(Stylesheet, "_parse_rules", parsed_once)
    patch.setattr("textual.app.Stylesheet", SharedStylesheet)
    patch.setattr("tui.textual_compat.LeanStylesheet", SharedStylesheet)
    patch.setattr("textual.message_pump.log", SilentLog())
    patch.setattr(Screen, "_compositor_refresh", painted_later)
    patch.setattr(Pilot, "pause", pause)
    patch.setattr(Pilot, "press", press)
    patch.setattr(Pilot, "_wait_for_screen", idle)
    patch.setattr("tui.screens.main.FrameClock", FramesOnDemand)
    patch.setattr("tui.screens.main.FramePace", FixedPace)


def paint_at_once(patch: pytest.MonkeyPatch) -> None:
    """Paint each change when it happens, as in the program, and not once a pause."""
    patch.setattr(Screen, "_compositor_refresh", _paint)
