"""Lines of text in roles: how all panels write. No markup is used.

A row is a tuple of spans, a span is a text and a style: a role of the theme (`alive`, `dim`, `chart-2` and so on),
followed by any of the words `bold`, `italic`, `underline`, `reverse`, `strike`. Roles become colours only when a line
is painted, so a change of the theme needs no work in any panel, only rows in view are styled, and a file name with
square brackets is shown as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeAlias, cast

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.content import Content
from textual.strip import Strip
from textual.style import Style as ContentStyle
from textual.widget import Widget

from engine import STATES, PeerId, Snapshot, plain
from tui.draw.styles import LETTERS, SYMBOLS, Mode
from tui.session.frame import Frame


def state_word(frame: Frame, peer: PeerId) -> str:
    """`alive`, `dead` or `left`; of a living peer the gravest of censored, colluding, poisoned and held."""
    snapshot = frame.snapshot
    word = STATES[int(snapshot.state[peer])]
    if word != "alive":
        return word
    return next(iter(conditions(snapshot, peer)), word)


def conditions(snapshot: Snapshot, peer: PeerId) -> list[str]:
    """What else holds for a peer besides its state, the gravest first."""
    names = ("censored", "colluding", "poisoned", "held")
    columns = ((name, getattr(snapshot, name)) for name in names)
    return [name for name, column in columns if peer < len(column) and column[peer]]


Span: TypeAlias = tuple[str, str]
Row: TypeAlias = tuple[Span, ...]

STATE: dict[str, str] = {
    "alive": SYMBOLS.alive,
    "dead": SYMBOLS.dead,
    "left": SYMBOLS.left,
    "censored": SYMBOLS.censored,
    "colluding": SYMBOLS.colluding,
    "poisoned": SYMBOLS.poisoned,
    "held": SYMBOLS.held,
}
"""The glyph of each state, shown beside its word: the shape repeats what the colour says."""

_PLAIN = {getattr(SYMBOLS, name): getattr(LETTERS, name) for name in reversed(SYMBOLS.__slots__)}
ASCII = str.maketrans(
    _PLAIN
    | dict(zip("▁▂▃▄▅▆▇█", "_.-:=+*#", strict=True))
    | dict(zip("▏▎▍▌▋▊▉", "|||||||", strict=True))
    | dict(zip("“”‘’–—·…≈×✓✗─│↑↓←→❯", "\"\"''---~~x+x-|^v<>>", strict=True))
    | {"▰": "#", "▱": "."}
    | dict.fromkeys("├┤", "|")
    | {chr(code): ":" for code in range(0x2801, 0x2900)}
)
"""One character for one. Panels always write symbols; where the terminal shows ASCII only, each line is translated when
it is painted, names of files included."""

SAME_AS: dict[str, str] = {"key": "caption", "good": "meter-low", "bad": "meter-high", "warn": "meter-mid"}
"""Names of panels for what a colour means, and the role of a theme that they stand for."""

CURSOR = 0.28
"""How far the background of a row with the cursor is mixed with the theme's primary colour."""
MODIFIERS = frozenset({"bold", "italic", "underline", "reverse", "strike"})

_made: tuple[object, dict[tuple[Color, Color], dict[str, Style]]] = (None, {})
"""The variables of a theme, and the styles that were made of them, by background and text colour."""


def _styles_of(variables: object, background: Color, text: Color) -> dict[str, Style]:
    """Styles are made once a theme and not once a paint. Another theme has another object of variables."""
    global _made
    if _made[0] is not variables:
        _made = variables, {}
    return _made[1].setdefault((background, text), {})


class StyleCache:
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
        """The colour of a role in the theme; `text` is the widget's own.

        Raises KeyError for a name that is no role.
        """
        if role in ("text", ""):
            return self._text
        found = Color.parse(self._variables[f"swarm-{SAME_AS.get(role, role)}"])
        return found if found.a == 1 or found.ansi is not None else self._background + found

    def _tinted(self) -> Color:
        if self._background.ansi is not None:
            return Color.parse("ansi_bright_black")
        return self._background.blend(Color.parse(self._variables["primary"]), CURSOR)


class DashboardApp(Protocol):
    """What widgets need of the app that they are in."""

    glyph_mode: Mode


def glyph_mode(widget: Widget) -> Mode:
    """The characters that pictures are drawn with."""
    return cast("DashboardApp", widget.app).glyph_mode


def letters_only(widget: Widget) -> bool:
    """Whether the terminal shows ASCII only."""
    return glyph_mode(widget) == "ascii"


def strip(row: Iterable[Span], width: int, styles: StyleCache) -> Strip:
    """One line of exactly `width` cells: cut with an ellipsis when longer, filled with the background when shorter."""
    segments: list[Segment] = []
    left = width
    for text, ink in row:
        if not text:
            continue
        safe = text if text.isprintable() else plain(text, limit=400)
        if styles.ascii:
            safe = safe.translate(ASCII)
        cells = cell_len(safe)
        if cells > left:
            # Room for the ellipsis may have to come out of this span; a wide character may leave one cell over.
            short = chop_cells(safe, left - 1)[0] if left > 1 else ""
            more = (LETTERS.more if styles.ascii else SYMBOLS.more) if left > 0 else ""
            segments.append(Segment(short + more, styles[ink]))
            left -= cell_len(short + more)
            break
        segments.append(Segment(safe, styles[ink]))
        left -= cells
    if left > 0:
        segments.append(Segment(" " * left, styles["text"]))
    return Strip(segments, width)


def content_of(row: Iterable[Span], styles: StyleCache) -> Content:
    """A row for a widget of Textual's that takes a `Content`: as `strip`, on whatever background the widget has."""
    parts: list[tuple[str, ContentStyle]] = []
    for text, ink in row:
        style, words = styles[ink], ink.split()
        safe = text if text.isprintable() else plain(text, limit=400)
        role = next((word for word in words if word not in MODIFIERS), "text")
        made = ContentStyle(foreground=styles.colour(role), bold=style.bold, dim=style.dim, underline=style.underline)
        parts.append((safe.translate(ASCII) if styles.ascii else safe, made))
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


class PeerName(str):
    """The name of a peer as a part of a row: `peer_at` finds the peer of a click on it."""

    peer: PeerId

    @classmethod
    def of(cls, snapshot: Snapshot, peer: PeerId) -> PeerName:
        """A peer's label."""
        name = cls(snapshot.fixed.labels[peer])
        name.peer = peer
        return name


def names(snapshot: Snapshot, peers: Iterable[PeerId], room: int, ink: str = "text") -> list[Span]:
    """As many names as fit into so many cells, each in the ink of its state where that is not alive."""
    spans: list[Span] = []
    for peer in peers:
        name = PeerName.of(snapshot, peer)
        if width_of(spans) + len(name) + 1 > room - 2:
            return [*spans, (" …", "dim")]
        state = STATES[int(snapshot.state[peer])]
        spans += [(" ", "text"), (name, ink if state == "alive" else state)]
    return spans


def peer_at(row: Row, x: int) -> PeerId | None:
    """The peer whose name is at a cell of a row, or None."""
    for text, _ in row:
        wide = width_of([(text, "")])
        if 0 <= x < wide:
            return text.peer if isinstance(text, PeerName) else None
        x -= wide
    return None
