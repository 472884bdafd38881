"""Lines of text in roles: how every panel writes, and why none of them uses markup.

A row is a tuple of spans, a span is a text and an *ink*: a role (`alive`, `dim`, `chart-2` …) with, if wanted,
`bold`, `italic`, `underline` or `reverse` after it. Roles become colours only when a line is drawn, from the theme as
it is then. So a theme switch needs no work in any panel, only rows in sight are ever styled, and a file name with
square brackets in it is a file name with square brackets in it.

Every role has a fallback among Textual's own variables, so a panel also stands in an app without our themes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from rich.style import Style
from textual.color import Color, ColorParseError
from textual.content import Content
from textual.strip import Strip
from textual.style import Style as ContentStyle
from textual.widget import Widget

from engine import STATES, PeerId, Snapshot, plain
from tui.draw.styles import LETTERS, SYMBOLS
from tui.session.frame import Frame

# How a peer is, in a word: its state, or the gravest of what was done to it.


def state_word(frame: Frame, peer: PeerId) -> str:
    """`alive`, `dead` or `left`; of one that is up and censored, colluding, poisoned or held, that."""
    snapshot = frame.snapshot
    word = STATES[int(snapshot.state[peer])]
    if word != "alive":
        return word
    return next(iter(plights(snapshot, peer)), word)


def plights(snapshot: Snapshot, peer: PeerId) -> list[str]:
    """What was done to a peer beside its state, the gravest first: censored, colluding, poisoned, held."""
    names = ("censored", "colluding", "poisoned", "held")
    columns = ((name, getattr(snapshot, name)) for name in names)
    return [name for name, column in columns if peer < len(column) and column[peer]]


Span: TypeAlias = tuple[str, str]
Row: TypeAlias = tuple[Span, ...]

FALLBACK: dict[str, str] = {
    "alive": "success",
    "dead": "error",
    "censored": "warning",
    "colluding": "accent",
    "poisoned": "warning",
    "held": "warning",
    "question": "primary",
    "answer": "success",
    "transfer": "secondary",
    "chart-1": "primary",
    "chart-2": "accent",
    "chart-3": "success",
    "chart-4": "warning",
    "meter-low": "success",
    "meter-mid": "warning",
    "meter-high": "error",
    "heat-start": "primary",
    "heat-mid": "warning",
    "heat-end": "error",
    "caption": "accent",
    "infrastructure": "secondary",
    "asked": "primary",
    "answered": "success",
    "lost": "error",
    "duplicate": "warning",
    "key": "accent",
    "selected": "accent",
    "good": "success",
    "bad": "error",
    "warn": "warning",
}
"""Role -> the variable of Textual's that stands in when a theme has no `$swarm-ROLE`. Those not named here (`left`,
`upkeep`, `dim`) fall back to the text colour, faded."""

STATE: dict[str, str] = {
    "alive": SYMBOLS.alive,
    "dead": SYMBOLS.dead,
    "left": SYMBOLS.left,
    "censored": SYMBOLS.censored,
    "colluding": SYMBOLS.colluding,
    "poisoned": SYMBOLS.poisoned,
    "held": SYMBOLS.held,
}
"""The glyph of each state, beside its word everywhere: shape repeats what the colour says."""

_PLAIN = {getattr(SYMBOLS, name): getattr(LETTERS, name) for name in reversed(SYMBOLS.__slots__)}
ASCII = str.maketrans(
    _PLAIN
    | dict(zip("▁▂▃▄▅▆▇█", "_.-:=+*#", strict=True))
    | dict(zip("▏▎▍▌▋▊▉", "|||||||", strict=True))
    | dict(zip("“”‘’–—·…≈×✓✗─│↑↓←→❯", "\"\"''---~~x+x-|^v<>>", strict=True))
    | dict.fromkeys("├┤", "|")
    | {chr(code): ":" for code in range(0x2801, 0x2900)}
)
"""One cell for one cell. Panels always write symbols; in a terminal that shows letters only, this is done to each line
as it is painted, names of files included: what cannot be shown is better replaced than left to the font."""

AS_ROLE: dict[str, str] = {"key": "caption", "good": "meter-low", "bad": "meter-high", "warn": "meter-mid"}
"""Inks of panels that are no role of a theme, and the role whose colour they take: themes keep roles readable on their
background, and do not promise that for Textual's own `$accent` or `$warning`."""

MODIFIERS = frozenset({"bold", "italic", "underline", "reverse", "strike"})
FADE = 0.45
"""How far a faded text goes towards its background; about 4.5:1 of contrast remains on the stock themes."""


_made: tuple[object, dict[tuple[Color, Color], dict[str, Style]]] = (None, {})
"""The variables of a theme, and the styles that were made of them, by background and text colour."""


def _styles_of(variables: object, background: Color, text: Color) -> dict[str, Style]:
    """Styles are made once a theme and not once a paint. Variables are another object whenever they are others."""
    global _made
    if _made[0] is not variables:
        _made = variables, {}
    return _made[1].setdefault((background, text), {})


class Inks:
    """Styles by ink for one widget as it is now: build one a paint, it looks colours up only when asked for."""

    def __init__(self, widget: Widget, *, cursor: bool = False) -> None:
        self._variables = widget.app.theme_variables or widget.app.get_css_variables()
        self._background, self._text = widget.background_colors[1], widget.colors[3]
        if cursor:
            self._background = self._tinted()
        self._styles = _styles_of(self._variables, self._background, self._text)
        self.ascii = letters_only(widget)

    def __getitem__(self, ink: str) -> Style:
        style = self._styles.get(ink)
        if style is None:
            style = self._styles[ink] = self._style(ink)
        return style

    def _style(self, ink: str) -> Style:
        words = ink.split()
        role = next((word for word in words if word not in MODIFIERS), "text")
        colour = self.colour(role)
        faded = role == "dim" and self._text.ansi is not None
        return Style(
            color=colour.rich_color,
            bgcolor=self._background.rich_color,
            bold="bold" in words or None,
            italic="italic" in words or None,
            underline="underline" in words or None,
            reverse="reverse" in words or None,
            strike="strike" in words or None,
            dim=faded or None,
        )

    def colour(self, role: str) -> Color:
        """The colour of a role: the theme's, else Textual's nearest, else the text's (faded for `dim` and its like)."""
        if role in ("text", ""):
            return self._text
        for name in (f"swarm-{AS_ROLE.get(role, role)}", FALLBACK.get(role, "")):
            found = self._parsed(self._variables.get(name))
            if found is not None:
                return found if found.a == 1 or found.ansi is not None else self._background + found
        return self._text if self._text.ansi is not None else self._text.blend(self._background, FADE)

    @staticmethod
    def _parsed(value: str | None) -> Color | None:
        try:
            return Color.parse(value) if value else None
        except ColorParseError:
            return None

    def _tinted(self) -> Color:
        if self._background.ansi is not None:
            return self._parsed("ansi_bright_black") or self._background
        accent = self._parsed(self._variables.get("primary")) or self._text
        return self._background.blend(accent, 0.28)


def letters_only(widget: Widget) -> bool:
    """Whether the app was told to draw with letters (`app.glyph_mode` is "ascii")."""
    return getattr(widget.app, "glyph_mode", "braille") == "ascii"


def strip(row: Iterable[Span], width: int, inks: Inks) -> Strip:
    """One line of exactly `width` cells: cut with an ellipsis when longer, filled with the background when shorter."""
    segments: list[Segment] = []
    left = width
    for text, ink in row:
        if not text:
            continue
        safe = text if text.isprintable() else plain(text, limit=400)
        if inks.ascii:
            safe = safe.translate(ASCII)
        cells = cell_len(safe)
        if cells > left:
            # Room for the ellipsis may have to come out of this span; a wide character may leave one cell over.
            short = chop_cells(safe, left - 1)[0] if left > 1 else ""
            more = (LETTERS.more if inks.ascii else SYMBOLS.more) if left > 0 else ""
            segments.append(Segment(short + more, inks[ink]))
            left -= cell_len(short + more)
            break
        segments.append(Segment(safe, inks[ink]))
        left -= cells
    if left > 0:
        segments.append(Segment(" " * left, inks["text"]))
    return Strip(segments, width)


def content_of(row: Iterable[Span], inks: Inks) -> Content:
    """A row for a widget of Textual's that takes a `Content`: as `strip`, on whatever background the widget has."""
    parts: list[tuple[str, ContentStyle]] = []
    for text, ink in row:
        style, words = inks[ink], ink.split()
        safe = text if text.isprintable() else plain(text, limit=400)
        role = next((word for word in words if word not in MODIFIERS), "text")
        made = ContentStyle(foreground=inks.colour(role), bold=style.bold, dim=style.dim, underline=style.underline)
        parts.append((safe.translate(ASCII) if inks.ascii else safe, made))
    return Content.assemble(*parts)


def width_of(row: Iterable[Span]) -> int:
    """Cells a row takes."""
    return sum(cell_len(text) for text, _ in row)


def between(left: Row, right: Row, width: int) -> Row:
    """`left`, then blanks, then `right` flush with the edge; at least one blank between them."""
    return (*left, (" " * max(1, width - width_of(left) - width_of(right)), "text"), *right)


def fit(text: str, width: int, *, right: bool = False) -> str:
    """`text` in exactly `width` cells: cut with an ellipsis or filled with blanks, flush right if asked."""
    safe = text if text.isprintable() else plain(text, limit=400)
    cells = cell_len(safe)
    if cells > width:
        safe = (chop_cells(safe, width - 1)[0] if width > 1 else "") + "…" if width > 0 else ""
        cells = cell_len(safe)
    blanks = " " * (width - cells)
    return blanks + safe if right else safe + blanks


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most `width` cells, broken at blanks where there are any. Never empty."""
    lines: list[str] = []
    line = ""
    for word in (text if text.isprintable() else plain(text, limit=4000)).split():
        for piece in chop_cells(word, max(1, width)):
            if line and cell_len(line) + 1 + cell_len(piece) > width:
                lines.append(line)
                line = piece
            else:
                line = f"{line} {piece}" if line else piece
    return [*lines, line] if line or not lines else lines


# Names of peers in a text, each of which a click selects.


class Name(str):
    """The name of a peer as a part of a row: whoever is clicked on it learns who is meant."""

    peer: PeerId

    @classmethod
    def of(cls, snapshot: Snapshot, peer: PeerId) -> Name:
        """A peer's label."""
        name = cls(snapshot.fixed.labels[peer])
        name.peer = peer
        return name


def names(snapshot: Snapshot, peers: Iterable[PeerId], room: int, ink: str = "text") -> list[Span]:
    """As many names as fit into so many cells, each in the ink of its state where that is not alive."""
    spans: list[Span] = []
    for peer in peers:
        name = Name.of(snapshot, peer)
        if width_of(spans) + len(name) + 1 > room - 2:
            return [*spans, (" …", "dim")]
        state = STATES[int(snapshot.state[peer])]
        spans += [(" ", "text"), (name, ink if state == "alive" else state)]
    return spans


def peer_at(row: Row, x: int) -> PeerId | None:
    """Whose name stands at a cell of a row, if anybody's does."""
    for text, _ in row:
        wide = width_of([(text, "")])
        if 0 <= x < wide:
            return text.peer if isinstance(text, Name) else None
        x -= wide
    return None
