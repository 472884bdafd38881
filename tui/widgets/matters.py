"""What is before the court, and who stands between an asker and what it wants: two lines that are there only when
there is something to tell, each with the buttons that go with it."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from engine import Adjourn, Censor, Court, CourtStatus
from tui.session.frame import Frame
from tui.widgets.messages import Act, Wish

from .panel import Chip, Lines
from .text import Row, wrap

PACES_S = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""How long after an answer the court may act."""


class Matters(Vertical):
    """The two lines. Posts `Act`, and `Wish` for what is a key of the screen."""

    DEFAULT_CSS = """
    Matters { height: auto; width: 1fr; }
    Matters > Horizontal { height: auto; width: 1fr; padding: 0 1; background: $panel; }
    Matters > Horizontal.-hidden { display: none; }
    Matters Lines { background: $panel; }
    Matters Chip { margin: 0 0 0 1; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._frame: Frame | None = None

    def compose(self) -> ComposeResult:
        """The court above, the silencing set below."""
        with Horizontal(id="court", classes="-hidden"):
            yield Lines(id="score")
            yield Chip("-", id="sooner")
            yield Chip("+", id="later")
            yield Chip(
                "adjourn", "run.court", id="adjourn", tip="The court rises: its orders stand, those under way lapse."
            )
        with Horizontal(id="silencing", classes="-hidden"):
            yield Lines(id="set")
            yield Chip("censor these", "ask.censor_set", id="censor-these")
            yield Chip("put away", "ask.silence", id="put-away", tip="No longer ring these peers.")

    def show(self, frame: Frame) -> None:
        """Take the newest."""
        self._frame = frame
        court_status = frame.snapshot.court
        self.query_one("#court").set_class(court_status is None, "-hidden")
        if court_status is not None:
            self.query_one("#score", Lines).show_rows([((score(court_status), "censored bold"),)])
            after_s = court_status.after_us / 1e6
            for id_, pace, word in (("sooner", _next(after_s, -1), "sooner"), ("later", _next(after_s, 1), "later")):
                tip = f"Act {word}: {pace:g} s after an answer." if pace else f"It cannot act any {word}."
                self.query_one(f"#{id_}", Chip).dress("-" if word == "sooner" else "+", tip, disabled=pace is None)
        found = frame.silencing
        self.query_one("#silencing").set_class(found is None, "-hidden")
        if found is not None:
            room = max(20, self.size.width - 31)
            rows: list[Row] = [((line, "warn" if found.peers else "text"),) for line in wrap(found.sentence, room)]
            self.query_one("#set", Lines).show_rows(rows)
            free = tuple(p for p in found.peers if not frame.snapshot.censored[p])
            tip = (
                f"Block all traffic of {len(free)} peers. The same button takes it back."
                if free
                else f"Lift the block of {len(found.peers)}."
            )
            these = self.query_one("#censor-these", Chip)
            these.dress(f"censor {len(free)}" if free else f"uncensor {len(found.peers)}", tip)
            these.display = bool(found.peers)

    @on(Chip.Pressed)
    def _pressed(self, event: Chip.Pressed) -> None:
        event.stop()
        frame = self._frame
        match event.chip.id:
            case "adjourn":
                self.post_message(Act(Adjourn()))
            case "put-away":
                self.post_message(Wish("silence"))
            case "censor-these":
                self.post_message(Wish("censor_set"))
            case "sooner" | "later" if frame is not None and frame.snapshot.court is not None:
                pace = _next(frame.snapshot.court.after_us / 1e6, -1 if event.chip.id == "sooner" else 1)
                if pace is not None:
                    self.post_message(Act(Court(pace)))


def score(court_status: CourtStatus) -> str:
    """`court (2 s): 14 orders, 31 answers, 9 after the first order`."""
    orders = f"{court_status.orders:,} order{'' if court_status.orders == 1 else 's'}"
    answers = f"{court_status.answers:,} answer{'' if court_status.answers == 1 else 's'}"
    after = f", {court_status.answers_after:,} after the first order" if court_status.orders else ""
    return f"court ({court_status.after_us / 1e6:g} s): {orders}, {answers}{after}"


def _next(after_s: float, by: int) -> float | None:
    """The next shorter or longer pace, or None at the end."""
    some = [pace for pace in PACES_S if (pace > after_s if by > 0 else pace < after_s)]
    return (some[0] if by > 0 else some[-1]) if some else None


def censor_set(frame: Frame) -> Censor | None:
    """Censor those of the set that are not, or None where there is no set."""
    found = frame.silencing
    return Censor(found.peers) if found is not None and found.peers else None
