"""Actions on many peers at once, and the parameters of the network between them.

The default of a slider is its left end, and its right end disturbs the network most; latency and capacity have it in
the middle. The tooltip of a button says what it does, to how many peers, and how to undo it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Select, Static

from engine import (
    ALIVE,
    DEAD,
    Command,
    Heal,
    InputError,
    Kill,
    Partition,
    Revive,
    Set,
    Snapshot,
    command_from,
    plain,
    sorted_once,
)
from tui.config.keys import SCROLLING, within
from tui.session.frame import Frame
from tui.textual_compat import TextLine
from tui.widgets.messages import PreviewSelector, RunAction, RunCommand

from .filter_bar import WHERE, Complete, Completed
from .panel import STEPPING, ActionButton, TextRows, name_panel, panel_css, step_within
from .slider import Dial, Slider
from .text import letters_only, wrap

SESSIONS_S = (math.inf, 3600.0, 1800.0, 900.0, 480.0, 240.0, 120.0, 60.0, 30.0)
LOSSES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)
FACTORS = (0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0)
JITTERS_MS = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)
CAPACITIES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
NO_LINES = "Lines have no capacity in this run: everything is sent at once. A run that begins with --capacity has one."
ASKS_PER_S = (0.0, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)


def _session_words(seconds: float) -> str:
    if math.isinf(seconds):
        return "off"
    return (
        f"{seconds / 3600:.0f} h"
        if seconds >= 3600
        else f"{seconds / 60:.0f} min"
        if seconds >= 60
        else f"{seconds:.0f} s"
    )


KNOBS: tuple[Dial, ...] = (
    Dial(
        "churn",
        "churn",
        SESSIONS_S,
        tuple(map(_session_words, SESSIONS_S)),
        0,
        "How long a peer stays online on average before it goes offline. Off: no peer goes by itself.",
    ),
    Dial("loss", "loss", LOSSES, tuple(f"{x:.0%}" for x in LOSSES), 0, "The share of messages that the network loses."),
    Dial(
        "latency",
        "latency",
        FACTORS,
        tuple(f"x{x:g}" for x in FACTORS),
        FACTORS.index(1.0),
        "By which factor latencies are longer or shorter than the latency model gives.",
    ),
    Dial(
        "asks",
        "asks",
        ASKS_PER_S,
        tuple(f"{x:g}/s" for x in ASKS_PER_S),
        0,
        "How many background asks all peers together issue in a second of virtual time.",
    ),
    Dial(
        "jitter",
        "jitter",
        JITTERS_MS,
        tuple(f"{x:g} ms" for x in JITTERS_MS),
        0,
        "The longest random delay that is added to each message.",
    ),
    Dial(
        "capacity",
        "lines",
        CAPACITIES,
        tuple(f"x{x:g}" for x in CAPACITIES),
        CAPACITIES.index(1.0),
        "By which factor the access lines of peers are faster or slower.",
    ),
)
"""The last two are shown only in a large terminal, or with the panel on the whole screen."""

ON_PEERS = (
    *("kill", "revive", "leave", "join", "censor", "uncensor", "partition", "hold", "release", "cut", "mend"),
    "defect",
)
WITH_WORD: Mapping[str, str] = {"collude": "word", "ask": "text", "publish": "text"}
ON_OPERATOR = ("shutdown", "reopen")
VERBS_SHOWN = (*ON_PEERS, *WITH_WORD, *ON_OPERATOR)
WHOM = "whom? e.g. degree>10, random 5%"


class VerbChoice(Select[str], inherit_bindings=False):
    """The verbs to choose from. Arrow keys do not change the choice; they move to other parts of the panel."""

    BINDINGS = within({"button.press": "show_overlay"})


class Controls(VerticalScroll, can_focus=False, inherit_bindings=False):
    """The panel: arrow keys move from one part to another. Posts `RunCommand`, and `PreviewSelector` while a selector
    is typed; `tell` shows whom it means."""

    DEFAULT_CSS = (
        panel_css("Controls")
        + """
    Controls {
        padding: 0 0 0 1;
        scrollbar-gutter: stable;
        .row { height: 1; width: 1fr; }
        .row ActionButton { margin: 0 1 0 0; }
        #verb { width: 15; height: 1; }
        #verb SelectOverlay { width: 22; max-height: 14; }
        Input { width: 1fr; height: 1; border: none; padding: 0 1; background: $foreground 8%; }
        Input:focus { background: $foreground 16%; }
        #word { width: 0.7fr; margin-left: 1; }
        #word.-hidden { display: none; }
        #do { margin: 0 0 0 1; }
    }
    """
    )
    BINDINGS = within(SCROLLING | STEPPING)

    def __init__(
        self,
        *,
        complete: Complete | None = None,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._frame: Frame | None = None
        self._complete = False
        self._suggest = Completed(complete) if complete is not None else None

    def compose(self) -> ComposeResult:
        """Only the line for answers: the other widgets are made after the first frame, see `_add_widgets`."""
        yield TextRows(id="told")

    def on_mount(self) -> None:
        """Set the title."""
        name_panel(self, "controls")
        self.call_after_refresh(self._add_widgets)

    async def _add_widgets(self) -> None:
        """Make sliders, buttons and fields: two dozen widgets, a tenth of the time of the program's start."""
        verbs = [(verb, verb) for verb in VERBS_SHOWN]
        parts: list[Widget] = [
            *(Slider(k.label, k.words, start=k.rest, tip=k.tip, id=f"knob-{k.name}") for k in KNOBS),
            Horizontal(
                ActionButton("kill 10 %", id="kill-some"),
                ActionButton("kill top 5", id="kill-top"),
                classes="row",
                id="groups",
            ),
            Horizontal(
                ActionButton("split in two", id="split"),
                ActionButton("heal", id="heal"),
                ActionButton("revive all", id="revive-all"),
                classes="row",
            ),
            Horizontal(
                VerbChoice(verbs, value="kill", allow_blank=False, compact=True, id="verb"),
                ActionButton("do it", id="do", tip="Do it to all peers that the selector names."),
                ActionButton(
                    "options", "panel.options", id="options-button", tip="The options of the network: change them."
                ),
                classes="row",
                id="any",
            ),
            Horizontal(
                TextLine(placeholder=WHOM, compact=True, id="selector", suggester=self._suggest),
                TextLine(placeholder="which word?", compact=True, id="word", classes="-hidden"),
                classes="row",
            ),
        ]
        if self.is_attached:
            await self.mount_all(parts, before="#told")
            self._complete = True
            if letters_only(self):
                for arrow in self.query(".arrow").results(Static):
                    arrow.update("v")
            if self._frame is not None:
                self.show(self._frame)

    def show(self, frame: Frame) -> None:
        """Take the newest settings and counts."""
        self._frame = frame
        if not self._complete:
            return
        snapshot = frame.snapshot
        for knob in KNOBS:
            index, words = nearest_stop(knob, snapshot.settings.get(knob.name))
            self.query_one(f"#knob-{knob.name}", Slider).set_value(index, words)
        lines = self.query_one("#knob-capacity", Slider)
        why_not = "" if "capacity" in snapshot.settings else NO_LINES
        if lines.disabled != bool(why_not):
            lines.disabled = bool(why_not)
            lines.tooltip = Content(why_not or next(k.tip for k in KNOBS if k.name == "capacity"))
        for id_, (label, tip, possible) in group_tips(snapshot).items():
            self.query_one(f"#{id_}", ActionButton).update(label, tip, disabled=not possible)

    def action_step(self, across: int, down: int) -> None:
        """To the next part in this direction."""
        step_within(self, across, down)

    def tell(self, sentence: str, *, bad: bool = False) -> None:
        """Show which peers the typed selector names, or what is wrong with it: the answer to `PreviewSelector`."""
        width = max(8, self.scrollable_content_region.width)
        # The selector itself is in the field above.
        lines = wrap(WHERE.sub("", sentence), width) if sentence else []
        told = self.query_one("#told", TextRows)
        told.show_rows([((line, "bad" if bad else "dim"),) for line in lines])
        if lines:
            self.call_after_refresh(told.scroll_visible, animate=False)

    @on(Slider.Moved)
    def _moved(self, event: Slider.Moved) -> None:
        event.stop()
        knob = next(k for k in KNOBS if event.slider.id == f"knob-{k.name}")
        self.post_message(RunCommand(set_to(knob, event.index)))

    @on(ActionButton.Pressed)
    def _pressed(self, event: ActionButton.Pressed) -> None:
        event.stop()
        if event.button.id == "do":
            self._do()
        elif event.button.id == "options-button":
            self.post_message(RunAction("panel.options"))
        else:
            self.post_message(RunCommand(GROUPS[str(event.button.id)]))

    @on(Input.Changed, "#selector")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.tell("")
        if event.value.strip() and self._verb() not in ON_OPERATOR:
            self.post_message(PreviewSelector(event.value.strip()))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._do()

    @on(Select.Changed)
    def _chose(self, event: Select.Changed) -> None:
        event.stop()
        verb = self._verb()
        word = self.query_one("#word", Input)
        word.set_class(verb not in WITH_WORD, "-hidden")
        word.placeholder = "hide what?" if verb == "collude" else "for what?" if verb == "ask" else "called what?"
        hint = "which operator?" if verb in ON_OPERATOR else WHOM
        self.query_one("#selector", Input).placeholder = hint
        self.tell("")

    def _verb(self) -> str:
        return str(self.query_one("#verb", Select).value)

    def _do(self) -> None:
        try:
            command = command_of(
                self._verb(), self.query_one("#selector", Input).value, self.query_one("#word", Input).value
            )
        except InputError as error:
            self.tell(str(error), bad=True)
            return
        self.tell("")
        self.post_message(RunCommand(command))


GROUPS: Mapping[str, Command] = {
    "kill-some": Kill("random 10%"),
    "kill-top": Kill("top 5 degree"),
    "split": Partition("random 50%"),
    "heal": Heal(),
    "revive-all": Revive("state=dead"),
}


def set_to(knob: Dial, index: int) -> Set:
    """The command that a stop of a slider stands for."""
    value: object = knob.values[index]
    if knob.name == "churn":
        value = "none" if index == 0 else f"exponential:{knob.values[index]:g}"
    return Set(knob.name, value)


def command_of(verb: str, selector: str, word: str) -> Command:
    """The command for a verb and the peers that a selector names. Raises InputError, in words for the person who
    typed."""
    selector, word = selector.strip(), word.strip()
    if verb in ON_OPERATOR:
        if not selector:
            raise InputError(f"{verb}: which operator? Type its name as the inspector shows it")
        return command_from(verb, {"operator": selector}, "controls")
    if not selector:
        raise InputError(f'{verb}: whom? Type a selector such as "degree>10", "city=Lisbon" or "random 5%"')
    values: dict[str, object] = {"peers": selector}
    if verb in WITH_WORD:
        if not word:
            raise InputError(f"{verb}: which word? Type it into the second field")
        values[WITH_WORD[verb]] = word
    return command_from(verb, values, "controls")


def nearest_stop(knob: Dial, setting: object) -> tuple[int, str | None]:
    """The stop nearest to what is set, and the setting in words where it is not that stop."""
    value = _number(knob, setting)
    if value is None:
        return knob.rest, plain(setting, limit=20) if setting is not None else None
    if value in knob.values:
        return knob.values.index(value), None
    if not math.isfinite(value) or knob.name in ("loss", "jitter"):
        index = min(range(len(knob.values)), key=lambda i: abs(knob.values[i] - value))
    else:
        index = min(range(len(knob.values)), key=lambda i: _apart(knob.values[i], value))
    words = {"churn": _session_words(value), "loss": f"{value:.1%}", "latency": f"x{value:g}", "asks": f"{value:g}/s"}
    words |= {"jitter": f"{value:g} ms", "capacity": f"x{value:g}"}
    return index, words[knob.name]


def _apart(one: float, other: float) -> float:
    """How far two positive figures are apart as a ratio; zero and infinity are far from everything."""
    if one <= 0 or other <= 0 or math.isinf(one):
        return math.inf if one != other else 1.0
    return max(one / other, other / one)


def _number(knob: Dial, setting: object) -> float | None:
    """The setting as a figure of the knob, or None when it is none: a churn spec of another kind, say."""
    if knob.name == "churn":
        if setting in (None, "none"):
            return math.inf
        kind, _, rest = str(setting).partition(":")
        try:
            return float(rest) if kind == "exponential" else None
        except ValueError:
            return None
    return float(setting) if isinstance(setting, (int, float)) and not isinstance(setting, bool) else None


def group_tips(snapshot: Snapshot) -> dict[str, tuple[str, str, bool]]:
    """ActionButton id -> (label, what it does and to how many, whether there is anything to do)."""
    n = len(snapshot.state)
    alive, dead = int((snapshot.state == ALIVE).sum()), int((snapshot.state == DEAD).sum())
    sides = len(sorted_once(snapshot.group)) if n else 1
    back = "“revive all” brings them back."
    return {
        "kill-some": (
            "kill 10 %",
            f"Kill about {max(1, round(n / 10))} of {n} peers, chosen at random. {back}",
            alive > 0,
        ),
        "kill-top": ("kill top 5", f"Kill the {min(5, n)} peers with the most links. {back}", alive > 0),
        "split": (
            "split in two",
            f"Split the swarm into two sides of about {n // 2} peers: no message passes between them. “heal” ends it.",
            n > 1,
        ),
        "heal": (
            "heal",
            f"End the partition: messages pass between the {sides} sides again."
            if sides > 1
            else "There is no partition.",
            sides > 1,
        ),
        "revive-all": (
            f"revive {dead:,}" if dead else "revive all",
            f"Start the {dead:,} dead peers of {n:,} again, with the files on their disks."
            if dead
            else "No peer is dead.",
            dead > 0,
        ),
    }
