"""The help screen: symbols of the picture, all keys, and the network that runs, from the tables of the program."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from tui.config.keys import Key, grouped, key_for, keyed, within
from tui.draw.colours import LOOK, STATE
from tui.draw.legend import WORDS
from tui.draw.styles import GLYPHS, Mode
from tui.draw.styles import TABLE as INKS
from tui.textual_compat import TextLine, dismiss_once
from tui.widgets.matching import found, marked_with, words_of
from tui.widgets.panel import Reading, TextRows, name_panel
from tui.widgets.text import Row, fit, wrap

from .picker import paragraphs

MEANS = {
    "alive": "alive; or, while an ask is looked at, not reached by it",
    "origin": "the peer that asked",
    "asked": "the question has reached it",
    "answered": "named as a holder of what was asked for",
    "answerer": "told the asker of a holder, without having the thing itself",
    "keeper": "keeps a record that points to holders",
    "infrastructure": "a server, index or tracker",
    "dead": "its process was killed; its disk remains",
    "censored": "runs, but all its traffic is blocked",
    "colluding": "suppresses what mentions a banned word",
    "poisoned": "claims to have every file, and serves decoys",
    "held": "messages on one of its links are frozen",
    "left": "left the network by its own protocol",
    "question": "a message that looks for something",
    "answer": "a message that says where it is",
    "transfer": "a message that carries the thing itself",
    "notice": "a message that tells that something exists",
    "upkeep": "a message that keeps the network together ({view.upkeep} shows them)",
    "key": "the place of what was asked for among the identifiers of peers",
}


KEYS = "{help.search} search · {list.leave} or {app.quit} back · {list.up} {list.down} read"
TOUR = "{help.tour} starts the tour again: five steps; {app.back} ends it."


class HelpScreen(ModalScreen[bool]):
    """Hands back True to start the tour. A search shows only the entries that have all typed words, under their
    headings."""

    DEFAULT_CSS = """
    HelpScreen {
        align: center middle;
        background: $background 60%;
        #window { width: 90%; max-width: 100; height: 90%; padding: 0 1; }
        #window { border: round $accent; background: $background; }
        #window.-letters { border: ascii $accent; }
        #window { border-title-color: $foreground; border-title-style: bold; border-subtitle-color: $foreground 60%; }
        #search { display: none; height: 1; border: none; padding: 0; background: $foreground 8%; }
        #search.-open { display: block; }
        VerticalScroll { scrollbar-size-vertical: 1; scrollbar-gutter: stable; }
    }
    """
    BINDINGS = within(
        {"list.leave": "leave", "app.quit": "leave", "app.help": "leave", "help.tour": "tour", "help.search": "search"}
    )

    def __init__(self, network: str, title: str, text: str, mode: Mode, table: Sequence[Key]) -> None:
        super().__init__()
        self._table = table
        self._network, self._title, self._text, self._mode = network, title, text, mode

    def compose(self) -> ComposeResult:
        """One text that scrolls."""
        with Vertical(id="window"):
            yield TextLine(id="search", placeholder="search help")
            with Reading():
                yield TextRows(id="help")

    def on_mount(self) -> None:
        """Fill it when its width is known."""
        name_panel(self.query_one("#window"), "help", KEYS)
        self.query_one(Reading).focus()
        self.call_after_refresh(self._fill)

    def on_resize(self) -> None:
        """Wrap the text to the new width."""
        self.call_after_refresh(self._fill)

    def _fill(self) -> None:
        width = max(20, self.query_one(Reading).scrollable_content_region.width)
        typed = self.query_one("#search", Input).value
        rows = self.rows(width)
        self.query_one("#help", TextRows).show_rows(self._found(rows, typed, width) if typed.strip() else rows)

    def _found(self, rows: Sequence[Row], typed: str, width: int) -> list[Row]:
        """What is found by its text; then the actions that other words for them find, or that have no key."""
        made, also = (
            searched(rows, typed),
            found_by_synonym(self._table, typed, key_for(self.app, "app.palette"), width),
        )
        if made and also:
            made.append(())
        return (made + also) or [((f"nothing matches “{typed.strip()[: max(1, width - 20)]}”", "dim"),)]

    @on(Input.Changed, "#search")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._fill()
        self.query_one(Reading).scroll_home(animate=False)

    @on(Input.Submitted, "#search")
    def _searched(self, event: Input.Submitted) -> None:
        event.stop()
        self.query_one(Reading).focus()

    def action_search(self) -> None:
        """Open the field to search in."""
        field = self.query_one("#search", Input)
        field.add_class("-open")
        field.focus()

    def rows(self, width: int) -> list[Row]:
        """The text, in lines of at most `width` cells."""
        shapes = GLYPHS[self._mode]
        rows: list[Row] = [(("The picture", "caption bold"),), ()]
        for name, means in MEANS.items():
            word = WORDS.get(name, name)
            ink = INKS[name].role
            shape = STATE[LOOK[name]].glyph(self._mode) if name in LOOK else getattr(shapes, name)
            rows += _entry(((f" {shape} ", f"{ink} bold"), (fit(word, 12), "text")), keyed(self.app, means), width)
        group = ""
        rows += [(), ((keyed(self.app, TOUR), "text"),)]
        for of, keys, tip in grouped(self._table):
            if of != group:
                rows += [(), ((of, "caption bold"),), ()]
                group = of
            rows += _entry(((f" {fit(keys, 34 if cell_len(keys) > 12 else 12)} ", "key bold"),), tip, width)
        rows += [(), ((f"{self._network}: {self._title}", "caption bold"),)]
        for paragraph in paragraphs(self._text):
            rows.append(())
            kept = wrap(paragraph, width) if isinstance(paragraph, str) else paragraph
            rows += [((line, "text"),) for line in kept]
        return rows

    def action_leave(self) -> None:
        """End a search; else close it."""
        field = self.query_one("#search", Input)
        if field.has_class("-open"):
            field.value = ""
            field.remove_class("-open")
            self.query_one(Reading).focus()
            self._fill()
        else:
            dismiss_once(self, False)

    def action_tour(self) -> None:
        """Close it and start the tour."""
        dismiss_once(self, True)


def found_by_synonym(table: Sequence[Key], typed: str, palette: str, width: int) -> list[Row]:
    """Actions that a search of the text does not find: by their synonyms, and those without a key, with the key of the
    palette that finds them by name."""
    words = words_of(typed)
    rows: list[Row] = []
    for key in table:
        if not key.label or (key.shown and found(words, f"{key.group} {key.listed}") is not None):
            continue
        hit = found(words, f"{key.group} {key.listed}", [word for word in key.synonyms.split(", ") if word])
        if hit is None:
            continue
        press = key.shown or f"{palette} {key.label}"
        head = ((f" {fit(press, 34 if cell_len(press) > 12 else 12)} ", "key bold"),)
        tip = f"{key.listed} ({hit.synonym})" if hit.synonym else key.listed
        for row in _entry(head, tip, width):
            rows.append(tuple(piece for part, style in row for piece in _with_marks(part, style, words)))
    return [(("Found by another word, or by name", "caption bold"),), (), *rows] if rows else []


def searched(rows: Sequence[Row], typed: str) -> list[Row]:
    """The entries with all typed words, those letters marked, each under its heading.

    An entry is a line with the indented lines below it, or a paragraph; an entry also fits by its heading.
    """
    words = words_of(typed)
    made: list[Row] = []
    heading: Row = ()
    shown_heading: Row = ()
    for entry in _entries(rows):
        first = entry[0]
        if len(first) == 1 and "caption" in first[0][1]:
            heading = first
            continue
        text = " ".join(" ".join(part for part, _ in row) for row in entry)
        title = " ".join(part for part, _ in heading)
        if found(words, f"{title} {text}") is None:
            continue
        if heading and heading is not shown_heading:
            made += [(), heading, ()] if made else [heading, ()]
            shown_heading = heading
        for row in entry:
            made.append(tuple(piece for part, style in row for piece in _with_marks(part, style, words)))
    return made


def _with_marks(part: str, style: str, words: Sequence[str]) -> Row:
    """A part with the typed letters marked."""
    spans = [span for word in words if (hit := found([word], part)) is not None for span in hit.spans]
    return tuple(marked_with(part, spans, style, "caption bold"))


def _entries(rows: Sequence[Row]) -> list[list[Row]]:
    """The rows in groups: a heading alone, an entry of a table with its further lines, a paragraph."""
    made: list[list[Row]] = []
    apart = True
    for row in rows:
        if not row:
            apart = True
            continue
        more = row[0][0].startswith("  ") and len(row) == 1
        if apart or not made or len(row) > 1 or not (more or len(made[-1][0]) == 1):
            made.append([])
        made[-1].append(row)
        apart = "caption" in row[0][1] and len(row) == 1
    return made


def _entry(head: Row, text: str, width: int) -> list[Row]:
    """A head, and a text that wraps beside it."""
    indent = sum(cell_len(part) for part, _ in head)
    first, *rest = wrap(text, max(10, width - indent))
    return [(*head, (first, "text")), *(((" " * indent + line, "text"),) for line in rest)]
