"""Time that moves only when a test says so: for the pilot that presses keys, and for the dashboard's clock of frames.

Textual's pilot waits until the process has used little processor time for 20 ms, at least twice a key. On a busy
machine that is a guess, and with a clock of frames that draws meanwhile it is up to a second of drawing for each key.
Here the pilot waits until the event loop has nothing left to do, which takes as many turns as there are messages.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from textual.app import App
from textual.css.stylesheet import Stylesheet
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget

from tui.screens.frame_clock import FrameClock, FramePace

MOST_ROUNDS = 20
"""How often a screen is laid out and painted at most before a test looks at it: it may ask for that again and again."""

PATIENCE_S = 2.0
"""How long input may be held back before a test looks, where the screen has it wait for something."""


class EvenPace(FramePace):
    """Its rate is a figure on the screen, and should not be that of this machine."""

    @property
    def fps(self) -> float:
        return 30.0


class ToldFrames(FrameClock):
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
    """Paint what has changed at the end of the pause: what is painted and overwritten between two keys, nobody sees."""
    screen.app._update_mouse_over(screen)


async def pause(pilot: Pilot[Any], delay: float | None = None, *, paint: bool = True) -> None:
    """What was sent is handled, and what has changed is laid out and painted."""
    if delay is not None:
        await asyncio.sleep(delay)
    end_s, inputs = time.monotonic() + PATIENCE_S, getattr(pilot.app, "inputs", None)
    for _ in range(MOST_ROUNDS):
        await idle()
        if pilot.app._resize_event is not None:
            pilot.app._check_resize()
            await idle()
        while inputs is not None and inputs.busy and time.monotonic() < end_s:
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


_PARSED: dict[tuple[object, ...], Any] = {}
_MATCHED: dict[tuple[object, ...], tuple[Any, tuple[bool, ...]]] = {}
_PLACED: dict[tuple[object, ...], Any] = {}
_RULES: dict[tuple[int, ...], int] = {}
_parse_rules, _apply = Stylesheet._parse_rules, Stylesheet.apply
FOUND = ("_has_hover_style", "_has_focus_within", "_has_order_style", "_has_odd_or_even")
"""What `Stylesheet.apply` notes of a node beside its rules; the last two if rules ask for its place among siblings."""


def parsed_once(sheet: Any, *words: Any, **more: Any) -> Any:
    """Rules of a style sheet, parsed once for all apps of this process that have the same variables."""
    variables, known = getattr(sheet, "_told_variables", (None, None))
    if variables is not sheet._variables:
        known = frozenset(sheet._variables.items())
        sheet._told_variables = sheet._variables, known
    key = (known, words, tuple(more.items()))
    if key not in _PARSED:
        _PARSED[key] = _parse_rules(sheet, *words, **more)
    return _PARSED[key]


def state_of(node: Any) -> tuple[object, ...]:
    """All of a node that a selector may ask for, but for its place among its siblings and the focus within it."""
    if isinstance(node, App):
        state = (node.app_focus, node.current_theme.dark, node.is_inline, node.native_ansi_color, node.no_color)
    elif isinstance(node, Widget):
        state = (*node._pseudo_classes_cache_key, node.allow_focus())
    else:
        state = ()
    return (type(node), node._id, frozenset(node._classes), *state)


def focus_within(nodes: list[Any]) -> int:
    """How many nodes of a path from the app down have the focus within them."""
    focused = next((node.focused for node in nodes if isinstance(node, Screen)), None)
    above = [] if focused is None else focused.css_path_nodes
    return sum(one is other for one, other in zip(nodes, above, strict=False))


def place_of(node: Any) -> tuple[bool, ...]:
    """What selectors may ask of a node's place among its siblings."""
    if not isinstance(node, Widget):
        return ()
    order = (node.first_of_type, node.last_of_type, node.first_child, node.last_child)
    return (*order, node.is_odd, node.is_even, node.is_empty)


def matched_once(
    sheet: Any, node: Any, *, animate: bool = False, cache: dict[tuple[Any, ...], Any] | None = None
) -> None:
    """Apply a style sheet to a node. Which rules hold for it is found once for all nodes of this process that no rule
    can tell apart, and they are set only if they are other rules than before."""
    rules, number = getattr(sheet, "_told_rules", (None, 0))
    if rules is not sheet.rules:
        rules = sheet.rules  # as they are parsed once, and kept, each has an address of its own
        number = _RULES.setdefault(tuple(map(id, rules)), len(_RULES))
        sheet._told_rules = rules, number
    path = node.css_path_nodes
    key: tuple[object, ...] = (number, focus_within(path), *map(state_of, path))
    known = _MATCHED.get(key)
    if known is not None and any(known[1][2:]):
        key = (key, *map(place_of, path))
        found = _PLACED.get(key)
        known = None if found is None else (found, known[1])
    if known is None:
        learnt(sheet, node, key, animate)
        return
    found, noted = known
    for name, value in zip(FOUND, noted, strict=True):
        setattr(node, name, value)
    if node.styles.base._rules == found:
        node.notify_style_update()
    else:
        sheet.replace_rules(node, found, animate=animate)
    sheet._process_component_classes(node)


def learnt(sheet: Any, node: Any, key: tuple[object, ...], animate: bool) -> None:
    """Apply a style sheet to a node by Textual's own code, and keep which rules hold."""
    set_rules: list[Any] = []

    def replace_rules(node: Any, rules: Any, animate: bool = False) -> None:
        set_rules.append(rules)
        del sheet.replace_rules
        sheet.replace_rules(node, rules, animate=animate)

    sheet.replace_rules = replace_rules
    _apply(sheet, node, animate=animate, cache=None)
    vars(sheet).pop("replace_rules", None)
    if set_rules:
        noted = tuple(getattr(node, name) for name in FOUND)
        if isinstance(key[0], tuple):
            _PLACED[key] = set_rules[0]
            return
        _MATCHED[key] = set_rules[0], noted
        if any(noted[2:]):
            _PLACED[(key, *map(place_of, node.css_path_nodes))] = set_rules[0]


def told(patch: pytest.MonkeyPatch) -> None:
    """Put all of this in place."""
    patch.setattr("textual.app.wait_for_idle", idle)
    patch.setattr("textual.pilot.wait_for_idle", idle)
    patch.setattr(Stylesheet, "_parse_rules", parsed_once)
    patch.setattr(Stylesheet, "apply", matched_once)
    patch.setattr(Screen, "_compositor_refresh", painted_later)
    patch.setattr(Pilot, "pause", pause)
    patch.setattr(Pilot, "press", press)
    patch.setattr(Pilot, "_wait_for_screen", idle)
    patch.setattr("tui.screens.main.FrameClock", ToldFrames)
    patch.setattr("tui.screens.main.FramePace", EvenPace)


def paint_at_once(patch: pytest.MonkeyPatch) -> None:
    """Paint each change when it happens, as in the program, and not once a pause."""
    patch.setattr(Screen, "_compositor_refresh", _paint)
