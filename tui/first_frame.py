"""The frames of the panels and their names, painted before Textual is loaded, and the keys once their table is there.

Loading Textual and building the dashboard takes three times as long as reading the command line. Until it is done this
is shown where the panels will be, in their colours. The sizes are those of `swarmtop.tcss`; where the dashboard decides
on others, its first picture is drawn over this one.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import sys
from typing import TYPE_CHECKING, Any

from .config.terminal import ENDING, TRUE
from .config.themes import mix
from .session.panels import (
    HUGE_H,
    HUGE_W,
    NAMES,
    PICTURE,
    PRESENT,
    ROWS,
    TIMELINE_H,
    WIDE,
    PanelLayout,
    fitted,
    shown_panels,
    too_small,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .config.keys import Key
    from .config.themes import Palette

ENTER, LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?1049l\x1b[?25h"
"""The alternate screen without a cursor, as the dashboard has it, and back."""
SUSPENDING = getattr(signal, "SIGTSTP", 0)
"""The signal of ctrl+z; 0 where there is none."""
BACKGROUNDS_MOST = 100
"""How often a program that is continued in the background stops itself again before it goes on there all the same: a
process that no shell watches is not stopped by the signal."""
EDGE = 0.4
"""How much of the foreground is in what is drawn: edges have less, names and keys more."""


def lines(
    width: int,
    height: int,
    network: str,
    keys: Sequence[Key],
    *,
    story: bool = False,
    layout: PanelLayout | None = None,
) -> list[str]:
    """The whole screen as text, `height` lines of `width` cells. Empty where the dashboard has no room.

    layout: what the person left open the last time.
    """
    if too_small(width, height):
        return []
    kept = layout or PanelLayout()
    shown = shown_panels(width, height, kept.wishes, story=story)
    sizes = fitted(kept.sizes, width, height, shown)
    wide, huge = width >= WIDE, width >= HUGE_W and height >= HUGE_H
    side = sizes.get("side", min(56 if huge else 43, width // 2)) if wide else 0
    usual = {"middle": 13 if huge else 10 if wide else 8, "bottom": 9 if huge else 6}
    high = {row: sizes.get(row, usual[row]) if shown & (ROWS[row][0] | ROWS[row][1]) else 0 for row in usual}
    foot = (1 if height >= TIMELINE_H else 0) + 1
    # In the layout `present` large figures above the picture replace the small ones below it.
    banner = 4 if kept.name == PRESENT else 0
    figures = 2 if "figures" in shown and not banner else 0
    high["top"] = height - 1 - sum(high.values()) - figures - banner - foot
    made = [f" swarmtop  {network}".ljust(width)[:width], *[" " * width] * banner]
    for row, (left, right) in ROWS.items():
        beside = [name for name in NAMES if name in right & shown]
        # In a narrow terminal the panels beside the picture are drawers over it, which are not drawn here.
        names = [name for name in (PICTURE, *NAMES) if name in left & shown] + (beside if wide or row != "top" else [])
        if high[row] and names:
            here = side if wide and len(names) > 1 and beside else 0
            one = names[0]
            boxes = [_box(one, width - here, high[row])] + ([_box(beside[0], here, high[row])] if here else [])
            made += map("".join, zip(*boxes, strict=True))
    made += [" " * width] * (height - 1 - len(made))
    offered = sorted((key for key in keys if key.rank and key.shown), key=lambda key: key.rank)
    bar = ""
    for key in offered:
        more = f" {key.shown} {key.label} "
        bar += more if len(bar) + len(more) <= width else ""
    return [*made, bar.ljust(width)[:width]]


def _box(name: str, wide: int, high: int) -> list[str]:
    head = f"╭─ {name} "
    return [f"{head:─<{wide - 1}}╮", *[f"│{' ' * (wide - 2)}│"] * (high - 2), f"╰{'─' * (wide - 2)}╯"]


class FirstFrame:
    """The frame on the terminal: `paint` it, then either the dashboard takes it over or `clear` removes it.

    network: the name of the network; story: whether the scenario has a panel for what it tells; layout: what the person
    left open the last time.
    """

    def __init__(self, network: str, *, story: bool, ascii_only: bool, layout: PanelLayout | None = None) -> None:
        self._network, self._story, self._ascii_only, self._layout = network, story, ascii_only, layout
        self._palette: Palette | None = None
        self._size = (0, 0)
        self._handlers: dict[int, Any] = {}
        self._keys: Sequence[Key] = ()
        self._switching, self._pending_signal = False, 0
        self.shown = False
        """Whether the alternate screen was entered, and nobody has left it yet or taken it over."""

    def paint(self, palette: Palette | None) -> None:
        """Enter the alternate screen and show the frame, without keys. Nothing is done where there is no terminal, or
        where another program uses it, as when this one is started in the background. A signal that ends the program
        leaves the alternate screen first, until `hand_over_signals`, and so does one that suspends it, until the
        dashboard takes the screen.

        palette: its colours are used; None where they should be the terminal's own.
        """
        file = sys.__stderr__
        self._palette = palette
        try:
            if file is None or not file.isatty() or not _takes_text(file.fileno()) or not _in_foreground(file.fileno()):
                return
            self._size = _size_of(file.fileno())
        except (OSError, ValueError):
            return
        text = self._text()
        self._take_signals()
        self._switch(ENTER, shown=True)
        file.write(text)
        file.flush()

    def paint_keys(self, keys: Sequence[Key]) -> None:
        """Show the bar of keys too."""
        self._keys = keys
        made = self._lines(keys)
        if self.shown and made and sys.__stderr__ is not None:
            sys.__stderr__.write(f"\x1b[{len(made)};1H{self._colours()}{made[-1]}\x1b[0m\x1b[1;1H")
            sys.__stderr__.flush()

    def clear(self) -> None:
        """Leave the alternate screen again, when the dashboard did not start."""
        self.leave()
        for number, handler in self.hand_over_signals().items():
            signal.signal(number, handler)
        if SUSPENDING and signal.getsignal(SUSPENDING) == self._suspend:
            signal.signal(SUSPENDING, signal.SIG_DFL)

    def leave(self) -> None:
        """Leave the alternate screen. May be called from any thread."""
        if self.shown and sys.__stderr__ is not None:
            self._switch(LEAVE, shown=False)

    def _switch(self, text: str, *, shown: bool) -> None:
        """Enter or leave the alternate screen; a signal that comes meanwhile ends the program after that, so that what
        was entered is left, and only that."""
        self._switching = True
        with contextlib.suppress(OSError):
            # Not by the stream: a signal handler may leave while the main thread writes to it, which Python refuses.
            os.write(2 if sys.__stderr__ is None else sys.__stderr__.fileno(), text.encode())
        self.shown = shown
        self._switching = False
        pending, self._pending_signal = self._pending_signal, 0
        if pending:
            (self._suspend if pending == SUSPENDING else self._end)(pending, None)

    def hand_over_signals(self) -> dict[int, Any]:
        """The signals that are handled here, with the handlers that they had before. Whoever calls this sets others."""
        handlers, self._handlers = self._handlers, {}
        return handlers

    def _take_signals(self) -> None:
        for number in ENDING:
            with contextlib.suppress(ValueError, OSError):  # only the main thread may
                if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
                    self._handlers[number] = signal.signal(number, self._end)
        with contextlib.suppress(ValueError, OSError):
            if SUSPENDING and signal.getsignal(SUSPENDING) == signal.SIG_DFL:
                signal.signal(SUSPENDING, self._suspend)

    def _end(self, number: int, _: object) -> None:
        """Leave the alternate screen, and end as without this handler."""
        if self._switching:
            self._pending_signal = number
            return
        if self.shown:
            with contextlib.suppress(OSError):
                os.write(2 if sys.__stderr__ is None else sys.__stderr__.fileno(), LEAVE.encode())
        os._exit(128 + number)

    def _suspend(self, number: int, _: object) -> None:
        """Leave the alternate screen, stop as without this handler, and show the frame again when continued."""
        if self._switching:
            self._pending_signal = self._pending_signal or number
            return
        shown = self.shown
        if shown:
            self._switch(LEAVE, shown=False)
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)
        signal.signal(number, self._suspend)
        file = sys.__stderr__
        if shown and file is not None:
            for _ in range(BACKGROUNDS_MOST):
                if _in_foreground(file.fileno()):
                    break
                signal.raise_signal(signal.SIGTTOU)  # as the system does with a program that writes from there
            with contextlib.suppress(OSError, ValueError):
                self._size = _size_of(file.fileno())
            self._switch(ENTER, shown=True)
            with contextlib.suppress(OSError):
                os.write(file.fileno(), self._text().encode(file.encoding, "replace"))

    def _text(self) -> str:
        """The whole frame, as it is written."""
        rows = "".join(f"\x1b[{y};1H{line}" for y, line in enumerate(self._lines(self._keys), 1))
        return f"{self._colours()}\x1b[2J{rows}\x1b[0m\x1b[1;1H"

    def _lines(self, keys: Sequence[Key]) -> list[str]:
        made = lines(*self._size, self._network, keys, story=self._story, layout=self._layout)
        if not self._ascii_only:
            return made
        from .widgets.text import ASCII

        return [line.translate(ASCII | str.maketrans("╭╮╰╯", "++++")) for line in made]

    def _colours(self) -> str:
        """The sequence for the colours of edges and background; empty where they are the terminal's own."""
        if self._palette is None:
            return ""
        ground, ink = self._palette.theme["background"], self._palette.theme["foreground"]
        edge = mix(ground, ink, EDGE)
        if os.environ.get("COLORTERM", "").strip().lower() in TRUE:
            return f"\x1b[38;2;{_parameters(edge)};48;2;{_parameters(ground)}m"
        from rich.console import Console
        from rich.style import Style

        # Rich finds out how many colours there are, as it does for the dashboard.
        console = Console(file=sys.__stderr__)
        with console.capture() as captured:
            console.print("x", style=Style(color=edge, bgcolor=ground), end="")
        return captured.get().partition("x")[0]


def _size_of(fd: int) -> tuple[int, int]:
    """Columns and lines of a terminal; those of the environment where the terminal reports no size."""
    width, height = os.get_terminal_size(fd)
    if not width or not height:
        width, height = shutil.get_terminal_size()
    return width, height


def _in_foreground(fd: int) -> bool:
    """Whether this process is in the foreground of the terminal. True where the terminal does not control this process:
    there is no job control then."""
    try:
        return os.tcgetpgrp(fd) == os.getpgrp()
    except (AttributeError, OSError):
        return True


def _takes_text(fd: int) -> bool:
    """Whether a terminal reads what is written; if it does not, a write would wait without end."""
    return bool(select.select([], [fd], [], 0)[1])


def _parameters(colour: str) -> str:
    """`r;g;b` of `#rrggbb`."""
    return ";".join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))
