"""Captions and questions of a scenario.

A question asks for a guess before the answer is known. The guess is kept as it was typed, and shown beside the measured
value.
"""

from __future__ import annotations

from textual import on
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Input

from engine import Run
from tui.config.keys import SCROLLING, within
from tui.session.frame import Frame, Prediction
from tui.textual_compat import TextLine

from .panel import STEPPING, ActionButton, TextRows, name_panel, panel_css, step_within
from .text import Row, wrap

GUESSES = ("none", "few", "half", "most", "all")
"""Guesses with a button; any other can be typed."""
LONGEST_GUESS = 60
BRIEF = 7
"""With fewer lines than this there is no place to type a guess; the buttons are left."""


class Story(VerticalScroll, inherit_bindings=False):
    """The panel, hidden without a scenario."""

    DEFAULT_CSS = (
        panel_css("Story")
        + """
    Story {
        padding: 0 0 0 1;
        scrollbar-gutter: stable;
        &.-hidden { display: none; }
        /* A question must not be missed: it stays at the bottom while what was said scrolls. */
        #guess { dock: bottom; height: auto; background: $background; }
        #guess.-hidden { display: none; }
        #buttons { height: 1; width: 1fr; }
        #buttons ActionButton { margin: 0 1 0 0; }
        Input { width: 1fr; height: 1; border: none; padding: 0 1; background: $foreground 8%; }
        Input:focus { background: $foreground 16%; }
        &.-brief #guess Input { display: none; }
    }
    """
    )
    BINDINGS = within(SCROLLING | STEPPING | {"list.up": "line(-1)", "list.down": "line(1)"})

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=f"{classes or ''} -hidden")
        self._frame: Frame | None = None
        self._run: Run | None = None
        self._guesses: dict[tuple[float, str], str] = {}
        self._captions_shown = 0
        self._adding = self._complete = False

    async def _add_widgets(self) -> None:
        """Make the widgets for captions, the question and the results, once a scenario has some of these. Most runs
        have no scenario, and would start later with these widgets."""
        if self._adding or not self.is_attached:
            return
        self._adding = True
        await self.mount(
            TextRows(id="told"),
            Vertical(
                TextRows(id="question"),
                Horizontal(*(ActionButton(word, id=f"guess-{word}") for word in GUESSES), id="buttons"),
                TextLine(placeholder="or in your own words", compact=True, max_length=LONGEST_GUESS),
                id="guess",
                classes="-hidden",
            ),
            TextRows(id="results"),
            TextRows(id="earlier"),
        )
        self._complete = True
        self._fill()

    def action_step(self, across: int, down: int) -> None:
        """To the next button in this direction."""
        step_within(self, across, down)

    def action_line(self, by: int) -> None:
        """Scroll a line; from a button, to the line of parts above or below."""
        if self.has_focus:
            self.scroll_relative(y=by, animate=False)
        else:
            step_within(self, 0, by)

    def show(self, frame: Frame) -> None:
        """Take the captions, questions and results up to now."""
        self._frame = frame
        if frame.snapshot.fixed.run is not self._run:
            self._run = frame.snapshot.fixed.run
            self._guesses.clear()
            self._captions_shown = 0
        told = bool(frame.captions or frame.predictions or frame.expectations)
        self.set_class(not told, "-hidden")
        if told and not self._adding:
            self.call_later(self._add_widgets)
        self._fill()
        if len(frame.captions) > self._captions_shown:
            self._captions_shown = len(frame.captions)
            self.call_after_refresh(self.scroll_home, animate=False)

    def on_mount(self) -> None:
        """Set the title."""
        name_panel(self, "story")

    def on_resize(self) -> None:
        """Wrap the text again."""
        self._fill()

    def pending(self) -> Prediction | None:
        """The question that waits for a guess: the newest whose answer is not out yet."""
        if self._frame is None:
            return None
        return next(
            (p for p in reversed(self._frame.predictions) if not p.measured and _key(p) not in self._guesses), None
        )

    def _fill(self) -> None:
        frame = self._frame
        if frame is None or not self.is_mounted or not self.size.width or not self._complete:
            return  # hidden, it has no width to wrap to; when it is shown again, it gets a Resize event
        width = max(8, self.scrollable_content_region.width)
        self.set_class(self.size.height < BRIEF, "-brief")
        # The newest caption is above the results, and earlier ones are below them.
        told: list[Row] = [((line, "caption bold"),) for text in frame.captions[-1:] for line in wrap(text, width)]
        self.query_one("#told", TextRows).show_rows(told)
        before: list[Row] = []
        for text in reversed(frame.captions[:-1]):
            before += [((line, "dim"),) for line in wrap(text, width)]
        self.query_one("#earlier", TextRows).show_rows(before)
        asked = self.pending()
        self.query_one("#guess").set_class(asked is None, "-hidden")
        if asked is not None:
            rows: list[Row] = [((line, "text bold"),) for line in wrap(f"Your guess: {asked.question}", width)]
            self.query_one("#question", TextRows).show_rows(rows)
        self.query_one("#results", TextRows).show_rows(self._results(frame, width))

    def _results(self, frame: Frame, width: int) -> list[Row]:
        rows: list[Row] = []
        for one in reversed(frame.predictions):
            guess = self._guesses.get(_key(one), "")
            if not guess and not one.measured:
                continue
            rows += [((line, "text"),) for line in wrap(one.question, width)]
            rows.append((("  you said  ", "dim"), (guess or "nothing", "text bold" if guess else "dim")))
            rows.append(
                (("  it was    ", "dim"), (one.measured or "not known yet", "good bold" if one.measured else "dim"))
            )
        for sentence, held in (frame.expectations or {}).items():
            mark, ink = ("✓", "good") if held else ("✗", "bad")
            lines = wrap(sentence, max(8, width - 2))
            rows.append(((f"{mark} ", f"{ink} bold"), (lines[0], "text" if held else ink)))
            rows += [((f"  {line}", "text" if held else ink),) for line in lines[1:]]
        return rows

    @on(ActionButton.Pressed)
    def _chose(self, event: ActionButton.Pressed) -> None:
        event.stop()
        self._guess(event.button.label)

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip():
            self._guess(event.value.strip())
            event.input.value = ""

    def _guess(self, guess: str) -> None:
        asked = self.pending()
        if asked is None:
            return
        self._guesses[_key(asked)] = guess
        self._fill()


def _key(prediction: Prediction) -> tuple[float, str]:
    return (prediction.at_s, prediction.question)
