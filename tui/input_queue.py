"""A queue of input: each key, paste and mouse event is handled before the next one is dispatched.

Textual sends a key to the widget that has the focus when the key is read. Keys that arrive together (over a slow line,
from a macro, a script, a paste without brackets) would all go to the same widget, though the first of them opens
another one. So here an event is dispatched, and a message (`Passed`) follows it through the same queues. When that has
reached the app, and nothing that the event started is unfinished (a change of focus, a screen that is being mounted,
a list that is being filled), the next event is dispatched.

Input that comes faster than frames is not queued: the latest move of the pointer replaces those before, turns of the
wheel are added up to one event a frame, and of repeated keys that move a picture only a few are kept.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from textual import events
from textual.app import App
from textual.message import Message
from textual.message_pump import MessagePump

from .config.keys import pressed
from .textual_compat import Passed, add_move, follow, is_at_rest, points_at_nothing

SLOT_S = 1 / 30
"""Wall seconds between two moves of the pointer, or turns of the wheel, that are handed out."""
LOST_S, LOOK_S, REST_S, PATIENCE_S = 0.25, 0.01, 1.8, 10.0
"""Seconds: after which a `Passed` is taken for lost together with the widget that had it; between two checks whether
all is at rest; how long the queue waits for that; and how long a screen may delay an event.

The last two are sums of the waits between checks, not wall time. On a busy machine a check comes later than it is due,
and so does what is waited for; a key that was dispatched meanwhile would go to the wrong widget."""
CALM = 2
"""Checks in a row that have to find all at rest: by the second one, what was posted to the app (a change of the focus)
has been done."""
NOTCHES_MOST = 8
"""Turns of the wheel that one event may stand for."""
LINES = 2.0
"""Lines that one turn of the wheel scrolls, as in Textual."""
REPEATS_MOST = 8
"""Repeated keys that move a picture, of which at most so many wait; further ones are dropped."""
WAITING_MOST = 500
"""Events that may wait. More come from something other than typing, and are dropped."""
FLUSHED = 50
"""If more events than this wait, ctrl+c drops them, as a terminal drops what was typed before it."""
MOVES = (
    *("peer.up", "peer.down", "peer.left", "peer.right", "view.in", "view.out"),
    *("view.pan_up", "view.pan_down", "view.pan_left", "view.pan_right"),
    *("time.back", "time.on", "time.far_back", "time.far_on", "time.unstep", "time.unnudge"),
)
"""Keys, by their ids, that move something as long as they are held."""
SCROLLS = (events.MouseScrollUp, events.MouseScrollDown, events.MouseScrollLeft, events.MouseScrollRight)


class InputQueue:
    """Belongs to an app, which calls `put` with input that it has not yet forwarded and `passed` with a `Passed`;
    `dispatch` hands an event out. All of this happens in the app's own task."""

    def __init__(self, app: App[Any], dispatch: Callable[[events.Event], Awaitable[None]]) -> None:
        self._app, self._dispatch = app, dispatch
        self._waiting: deque[events.Event] = deque()
        self._notches: dict[int, int] = {}
        self._number = 0
        self._out = False
        """Whether an event is dispatched and not yet handled."""
        self._calm = 0
        self._since_s = self._paced_s = -1e9
        self._waited_s = self._delayed_s = 0.0
        """The waits between looks, summed: since an event was dispatched, and since the screen delays the next one."""
        self._expected: Callable[[], bool] | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def more_waits(self) -> bool:
        """Whether more input waits, so that not each event needs a frame. Not while something is being opened: it may
        need a frame for that."""
        return bool(self._waiting) and self._expected is None

    @property
    def busy(self) -> bool:
        """Whether input waits, or the last event is still being handled."""
        return self._out or bool(self._waiting)

    def expect(self, arrived: Callable[[], bool]) -> None:
        """Something is being opened that takes the keys when `arrived` returns True; keys wait until then."""
        self._expected = arrived

    async def put(self, event: events.Event) -> None:
        """Queue an event, and dispatch it if none is before it."""
        if isinstance(event, events.Key) and event.key == "ctrl+c" and len(self._waiting) > FLUSHED:
            self._waiting.clear()
        if not self._merged(event) and len(self._waiting) < WAITING_MOST:
            self._waiting.append(event)
        await self._go_on()

    async def passed(self, message: Passed) -> None:
        """A `Passed` has come back."""
        if message.number == self._number and self._out:
            await self._settle()

    async def look(self, number: int, after_s: float) -> None:
        """Check again, after a wait."""
        if number != self._number:
            return
        if self._out:
            self._waited_s += after_s
            await self._settle()
        else:
            self._delayed_s += after_s
            await self._go_on()

    # --- one after the other --------------------------------------------------------------------------------------

    async def _go_on(self) -> None:
        while self._waiting and not self._out:
            event = self._waiting[0]
            now_s = time.monotonic()
            wait_s = self._paced_s + SLOT_S - now_s
            if _is_continuous(event) and wait_s > 0 and all(_is_continuous(other) for other in self._waiting):
                self._call(wait_s)
                return
            delays = getattr(self._app.screen, "delays", None)
            if delays is not None and delays(event) and self._delayed_s < PATIENCE_S:
                self._call(LOOK_S)
                return
            self._waiting.popleft()
            self._delayed_s = 0.0
            if _is_continuous(event):
                self._paced_s = now_s
            if isinstance(event, SCROLLS):  # lists scroll by all of them, a picture zooms a step a frame
                self._app.scroll_sensitivity_y = LINES * self.notches(event)
            if isinstance(event, events.MouseEvent) and points_at_nothing(self._app, event):
                self._notches.pop(id(event), None)
                continue
            self._out, self._calm, self._since_s, self._expected = True, 0, now_s, None
            self._waited_s = 0.0
            try:
                await self._dispatch(event)
            finally:
                self._notches.pop(id(event), None)
                self._follow(_target(self._app, event))

    async def _settle(self) -> None:
        """The last event was handled; check whether something that it started is unfinished."""
        app = self._app
        if not app.is_running or not app.screen_stack:
            self._out = False
            self._waiting.clear()
            return
        late = self._waited_s > REST_S
        self._calm = self._calm + 1 if is_at_rest(app) and (self._expected is None or self._expected()) else 0
        if self._calm >= CALM or late:
            self._out, self._expected = False, None
            self._cancel_timer()
            await self._go_on()
        elif self._calm:
            self._follow(None)
        else:
            self._call(0.0 if time.monotonic() - self._since_s < LOOK_S else LOOK_S)

    def _follow(self, pump: MessagePump | None) -> None:
        self._number += 1
        self._call(LOST_S if follow(self._app, self._number, pump) else 0.0)

    def _call(self, in_s: float) -> None:
        """Have `look` called in the app's task."""
        self._cancel_timer()
        number = self._number
        self._timer = asyncio.get_running_loop().call_later(
            in_s, lambda: self._app.call_later(self.look, number, in_s) if self._app.is_running else None
        )

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # --- input that comes faster than frames ------------------------------------------------------------------------

    def notches(self, event: Message) -> int:
        """How many turns of the wheel an event stands for."""
        return self._notches.get(id(event), 1)

    def _merged(self, event: events.Event) -> bool:
        """Whether the event was added to one that waits, or dropped."""
        if isinstance(event, events.Key):
            last = list(self._waiting)[-REPEATS_MOST:]
            if len(last) < REPEATS_MOST or not getattr(self._app.focused, "MOVES_BY_KEYS", False):
                return False
            return all(isinstance(one, events.Key) and self._moves(one.key) for one in (event, *last))
        if not _is_continuous(event):
            return False
        for index in range(len(self._waiting) - 1, -1, -1):
            before = self._waiting[index]
            if not _is_continuous(before):
                return False
            if isinstance(event, events.MouseMove) and isinstance(before, events.MouseMove):
                if (before.button, before.shift, before.ctrl) != (event.button, event.shift, event.ctrl):
                    return False
                add_move(event, before)
                self._waiting[index] = event
                return True
            if isinstance(event, SCROLLS) and isinstance(before, SCROLLS):
                if type(event) is type(before):
                    self._notches[id(before)] = min(self.notches(before) + 1, NOTCHES_MOST)
                elif self.notches(before) > 1:
                    self._notches[id(before)] = self.notches(before) - 1
                else:
                    self._waiting[index] = event
                    self._notches.pop(id(before), None)
                return True
        return False

    def _moves(self, key: str) -> bool:
        return any(pressed(self._app, id_, key) for id_ in MOVES)


def queue_of(app: App[Any]) -> InputQueue | None:
    """The queue of an app, None if it has none."""
    found = getattr(app, "inputs", None)
    return found if isinstance(found, InputQueue) else None


def _is_continuous(event: events.Event) -> bool:
    """Whether it is a move of the pointer or a turn of the wheel, of which only the sum counts."""
    return isinstance(event, (events.MouseMove, *SCROLLS))


def _target(app: App[Any], event: events.Event) -> MessagePump | None:
    """The widget that a mouse event was dispatched to; None for a key, which goes to the widget with the focus."""
    if not isinstance(event, events.MouseEvent):
        return None
    if app.mouse_captured is not None:
        return app.mouse_captured
    try:
        return app.get_widget_at(event.x, event.y)[0]
    except Exception:  # outside of everything
        return None
