"""Output for the terminal: only cells that differ from what it shows, with the fewest codes for their colours.

Textual writes every dirty span whole, and for each run of a style all its codes and a reset: three quarters of the
bytes are codes. Here the cells that the terminal shows are kept. Of a partial update only cells that differ are
written, and a colour is set only where it is another than that of the cell written before.

A full update is written whole, and replaces the cells that were kept. It is asked for when the terminal may show
something else (another size, back from a shell), as Textual itself does.

A cell here is one column. Rows with characters that are not one column wide are written by whole strips, since writing
over half of a wide character erases the other half.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise
from typing import Any, TypeAlias

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from .textual_compat import ChopsUpdate, CompositorUpdate, LayoutUpdate

Look: TypeAlias = tuple[frozenset[str], str, str]
"""Attributes, foreground and background, as the parameters that switch them on; empty for the terminal's own."""

PLAIN: Look = (frozenset(), "", "")
RESET = "\x1b[0m"
OFF = {"1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "6": "25", "7": "27", "8": "28", "9": "29"}
BOLD_AND_DIM = frozenset({"1", "2"})
ON_BLANKS = frozenset({"4", "7", "9", "21", "51", "52", "53"})
"""Attributes that are visible on a blank."""
BRIDGE = 3
"""Cells that have not changed between two that have: up to so many are written again, since a move costs as much."""


@lru_cache(maxsize=4_096)
def _look(codes: str) -> Look:
    """The parameters of an SGR sequence, apart by what they set."""
    attributes, fore, back = set(), "", ""
    parts = codes.split(";") if codes else []
    at = 0
    while at < len(parts):
        part = parts[at]
        if part in ("38", "48"):
            long = 5 if parts[at + 1 : at + 2] == ["2"] else 3
            colour = ";".join(parts[at : at + long])
            at += long
        else:
            colour = part
            at += 1
        number = int(part)
        if number in (38, 39) or 30 <= number <= 37 or 90 <= number <= 97:
            fore = "" if number == 39 else colour
        elif number in (48, 49) or 40 <= number <= 47 or 100 <= number <= 107:
            back = "" if number == 49 else colour
        else:
            attributes.add(part)
    return frozenset(attributes), fore, back


@lru_cache(maxsize=4_096)
def _blank(look: Look) -> Look:
    """How a blank of this look is kept: what does not show on it is left out."""
    return look if look[0] & ON_BLANKS else (frozenset(), "", look[2])


@lru_cache(maxsize=16_384)
def _change(before: Look, after: Look) -> str:
    """The shortest sequence that turns one look into another."""
    if before == after:
        return ""
    if after == PLAIN:
        return RESET
    whole = ["0"] if before != PLAIN else []
    whole += [*sorted(after[0]), *filter(None, after[1:])]
    off = {OFF.get(each, "0") for each in before[0] - after[0]}
    if "0" in off:
        return f"\x1b[{';'.join(whole)}m"
    on = after[0] - before[0]
    if "22" in off:
        on |= after[0] & BOLD_AND_DIM
    less = [*sorted(off), *sorted(on)]
    less += [after[1] or "39"] if after[1] != before[1] else []
    less += [after[2] or "49"] if after[2] != before[2] else []
    return f"\x1b[{min(';'.join(less), ';'.join(whole), key=len)}m"


class _Narrow(dict[str, bool]):
    """Whether a character is one column wide, looked up once."""

    def __missing__(self, character: str) -> bool:
        if len(self) > 10_000:
            self.clear()
        self[character] = known = cell_len(character) == 1
        return known


_narrow = _Narrow()


class Cells:
    """The cells of a piece of a line. `simple` is False where they are not one character each."""

    __slots__ = ("letters", "looks", "simple")

    def __init__(self, segments: Iterable[Segment], colours: ColorSystem) -> None:
        self.letters: list[str] = []
        self.looks: list[Look] = []
        self.simple = True
        for text, style, control in segments:
            if control or not text:
                continue
            if not (text.isascii() and text.isprintable()) and not all(map(_narrow.__getitem__, text)):
                self.simple = False
            look = _of_style(style, colours)
            if look is None:
                self.simple = False
                return
            self.letters += text
            if text.isspace():
                self.looks += [_blank(look)] * len(text)
            elif " " in text:
                blank = _blank(look)
                self.looks += [blank if ch == " " else look for ch in text]
            else:
                self.looks += [look] * len(text)


def _of_style(style: Style | None, colours: ColorSystem) -> Look | None:
    """The look of a style; None if it has a link, which a look cannot hold."""
    if style is None:
        return PLAIN
    if style.link:
        return None
    return _look(style._ansi if style._ansi is not None else style._make_ansi_codes(colours))


class Shown:
    """The cells that the terminal shows. `update` says how to write what Textual wants to be written."""

    def __init__(self) -> None:
        self._size = (0, 0)
        self._letters: list[list[str]] = []
        """By line and column; "" where it is not known what a cell shows."""
        self._looks: list[list[Look]] = []

    def update(self, wanted: CompositorUpdate) -> CompositorUpdate:
        """The same update in fewer bytes, or itself where it is of a kind that is not known here."""
        if isinstance(wanted, (LayoutUpdate, ChopsUpdate)):
            return DiffUpdate(self, wanted)
        self.forget()
        return wanted

    def reduced(self, wanted: object) -> Any:
        """As `update`, for whatever Textual is asked to display: None stays None."""
        if isinstance(wanted, CompositorUpdate):
            return self.update(wanted)
        if wanted is not None:
            self.forget()
        return wanted

    def forget(self) -> None:
        """It is not known any more what the terminal shows."""
        self._size, self._letters, self._looks = (0, 0), [], []

    def _blank(self, width: int, height: int) -> None:
        if self._size != (width, height):
            self._size = width, height
            self._letters = [[""] * width for _ in range(height)]
            self._looks = [[PLAIN] * width for _ in range(height)]

    def whole(self, wanted: LayoutUpdate, console: Console) -> str:
        """All cells of a full update."""
        region = wanted.region
        self.forget()
        self._blank(region.right, region.bottom)
        pen = Pen(console)
        for y, strips in enumerate(wanted.strips, region.y):
            x = region.x
            for strip in strips:
                self._put(pen, x, y, strip, fresh=True)
                x += strip.cell_length
        return pen.ended()

    def changed(self, wanted: ChopsUpdate, console: Console) -> str:
        """The cells of a partial update that differ."""
        ends = wanted.chop_ends
        height = len(wanted.chops)
        self._blank(max((line[-1] for line in ends if line), default=0), height)
        pen = Pen(console)
        done: set[tuple[int, int]] = set()
        for y, first, end in wanted.spans:
            for stop, (x, strip) in zip(ends[y], wanted.chops[y].items(), strict=False):
                # A strip is up to date as a whole, so it is compared as a whole.
                if strip is not None and x < end and stop > first and (x, y) not in done:
                    done.add((x, y))
                    self._put(pen, x, y, strip.crop(0, stop - x))
        return pen.ended()

    def _put(self, pen: Pen, x: int, y: int, strip: Strip, *, fresh: bool = False) -> None:
        """Write what differs of a strip that belongs at x, y; fresh: nothing is known of what is there."""
        width = strip.cell_length
        if not width or y >= len(self._letters):
            return
        letters, looks = self._letters[y], self._looks[y]
        new = Cells(strip, pen.colours)
        end = x + width
        if not new.simple or len(new.letters) != width or end > len(letters):
            pen.strip(x, y, strip)
            letters[x:end] = [""] * (min(end, len(letters)) - x)
            return
        if fresh:
            pen.cells(x, y, new.letters, new.looks)
            letters[x:end], looks[x:end] = new.letters, new.looks
            return
        old, old_looks = letters[x:end], looks[x:end]
        if old_looks == new.looks:
            if old == new.letters:
                return
            at = [n for n, (a, b) in enumerate(zip(old, new.letters, strict=True)) if a != b]
        else:
            at = [
                n
                for n, (a, b, c, d) in enumerate(zip(old, new.letters, old_looks, new.looks, strict=True))
                if a != b or (c is not d and c != d)
            ]
        breaks = [n for n, (a, b) in enumerate(pairwise(at), 1) if b - a > BRIDGE + 1]
        for low, high in pairwise([0, *breaks, len(at)]):
            first, last = at[low], at[high - 1] + 1
            pen.cells(x + first, y, new.letters[first:last], new.looks[first:last])
        letters[x:end], looks[x:end] = new.letters, new.looks


class Pen:
    """Where the terminal writes next and in which look, and what has been written."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.colours = console._color_system or ColorSystem.TRUECOLOR
        self._out: list[str] = []
        self._x = self._y = -1
        self._look = PLAIN

    def _to(self, x: int, y: int) -> None:
        if y == self._y and x > self._x:
            # To a column, not by so many: what a terminal measures differently then displaces no further cell.
            self._out.append(f"\x1b[{x + 1}G")
        elif (x, y) != (self._x, self._y):
            self._out.append(f"\x1b[{y + 1};{x + 1}H")
        self._x, self._y = x, y

    def cells(self, x: int, y: int, letters: list[str], looks: list[Look]) -> None:
        """Write cells of one column each."""
        self._to(x, y)
        out, now = self._out, self._look
        for letter, look in zip(letters, looks, strict=True):
            if look is not now and look != now and not (letter == " " and look == _blank(now)):
                out.append(_change(now, look))
                now = look
            out.append(letter)
        self._look = now
        self._x, self._y = x + len(letters), y

    def strip(self, x: int, y: int, strip: Strip) -> None:
        """Write a strip as Textual would."""
        self._out.append(_change(self._look, PLAIN))
        self._look = PLAIN
        self._to(x, y)
        self._out.append(strip.render(self.console))
        self._x = self._y = -1

    def ended(self) -> str:
        """All that was written; the look is the terminal's own at the end."""
        self._out.append(_change(self._look, PLAIN))
        self._look = PLAIN
        return "".join(self._out)


class DiffUpdate(CompositorUpdate):
    """An update that is compared with what is shown when it is about to be written."""

    def __init__(self, shown: Shown, wanted: LayoutUpdate | ChopsUpdate) -> None:
        self.shown, self.wanted = shown, wanted

    def render_segments(self, console: Console) -> str:
        """Raw data for the terminal."""
        if isinstance(self.wanted, LayoutUpdate):
            return self.shown.whole(self.wanted, console)
        return self.shown.changed(self.wanted, console)
