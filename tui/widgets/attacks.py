"""Attacks to choose from: a description of each, its parameters, a preview, and the button that starts it.

The panel has no access to the swarm. It posts `PreviewAttack` to ask which attacks there are and what the selected one
would do, and gets the answers by `offer` and `tell`. A preview makes the same random choices as the attack, so it names
the peers that the attack takes. It is asked for again after each change, and otherwise once a second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
from textual import events, on
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget

from engine import (
    UNDO,
    Act,
    Attack,
    CallOff,
    Command,
    Cut,
    Defect,
    Mend,
    Param,
    Plan,
    Preset,
    Reopen,
    RunningAttack,
    Shutdown,
    Snapshot,
    dataclass,
    plain,
)
from tui.config.keys import keyed, within
from tui.session.frame import Frame
from tui.session.units import clock
from tui.widgets.messages import Attacked, PreviewAttack, RunCommand

from ..session.verbs import calling_off, make
from .panel import ActionButton, LatePanel, TextRows, name_panel, panel_css
from .slider import Dial, Slider
from .table import MOVING, VirtualTable
from .text import Row, wrap

# Every parameter is set on a slider over named stops: the choices, the most wanted titles for a word, and for a victim
# the selected peer and the one that the engine proposes. So all of them have the same keys.

SHARES = (0.0, 0.01, 0.02, 0.04, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
COUNTS = (1, 2, 5, 10, 16, 24, 30, 50, 75, 100, 150, 200, 300, 500, 750, 1000, 1500, 2000)
SECONDS = (0.0, 1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 60.0, 90.0, 120.0, 300.0, 600.0)
MOST_CHOICES = 60
"""Stops of one slider; of more cities the largest."""
NAMES: Mapping[str, str] = {
    "share": "how many",
    "means": "how",
    "over_s": "within",
    "word": "word",
    "whom": "which",
    "leak": "leak",
    "count": "how many",
    "peers": "victim",
}
"""Labels of the sliders, by parameter; a parameter that is not here has no slider and keeps its default."""
NAMED = 12


def dial_of(param: Param, labels: Sequence[str], selected: int | None) -> Dial | None:
    """The slider of a parameter; None where there is nothing to choose. selected: the peer that a person selected."""
    if param.name not in NAMES or param.default is None:
        return None
    values: tuple[Any, ...]
    if param.kind == "peers":
        values = tuple(dict.fromkeys(peer for peer in (selected, param.default) if peer is not None))
        words = tuple(labels[peer] if peer < len(labels) else f"#{peer}" for peer in values)
        return _dial(param, values, words, values[0])
    if param.kind in ("choice", "word"):
        values = tuple(dict.fromkeys((*param.choices[:MOST_CHOICES], param.default)))
        return _dial(param, values, values, param.default)
    table: tuple[float, ...] = {"share": SHARES, "count": COUNTS, "seconds": SECONDS}[param.kind]
    low, high = param.low or 0, param.high or 0
    # An attack on a share of 0 does nothing, but a leak of 0 is possible.
    kept = {stop for stop in table if low <= stop <= high and (stop or param.name != "share")}
    values = tuple(sorted(kept | {param.default}))
    words = tuple(_words(param, value) for value in values)
    return _dial(param, values, words, param.default)


def _dial(param: Param, values: tuple[Any, ...], words: tuple[str, ...], start: object) -> Dial:
    about = f"{param.about[:1].upper()}{param.about[1:]}."
    safe = tuple(plain(word, limit=40) for word in words)
    return Dial(param.name, NAMES[param.name], values, safe, values.index(start), about)


def _words(param: Param, value: float) -> str:
    if param.kind == "share":
        return f"{value:.0%}"
    if param.kind == "count":
        return f"{value:,}"
    return f"{value:g} s" if value else "at once"


def command_of(name: str, dials: Sequence[Dial], chosen: Mapping[str, object]) -> Attack:
    """The attack as it is set. chosen: values by parameter; what is not in it has its default."""
    values = {dial.name: dial.values[dial.at(chosen.get(dial.name))] for dial in dials}
    return Attack(name, **values)


def whom_text(plan: Plan, labels: Sequence[str]) -> str:
    """`p003 p012 p031 …`, or of links `p003-p012 p012-p031 …`: what a plan takes; empty where that is not known yet."""
    ends = [step.peers for _, step in plan.steps if isinstance(step, Cut | Mend)]
    groups = [each for each in ends if isinstance(each, tuple)] or [(peer,) for peer in plan.peers]
    named = " ".join("-".join(labels[peer] for peer in each if peer < len(labels)) for each in groups[:NAMED])
    return f"{named} …" if len(groups) > NAMED else named


def many_text(plan: Plan) -> str:
    """`12 peers`, `5 links`: how many a plan takes; empty where that is not known yet."""
    links = sum(isinstance(step, Cut | Mend) for _, step in plan.steps)
    many, what = (links, "link") if links else (len(plan.peers), "peer")
    return f"{many:,} {what}{'' if many == 1 else 's'}" if many else ""


@dataclass(frozen=True, slots=True)
class StartedAttack:
    """An attack that was begun. done_us: when its last step is due; undo: the command that undoes it, or None; tip:
    what that command does, or why there is none."""

    title: str
    done_us: int
    undo: Command | None
    tip: str


def started_attack(title: str, plan: Plan, now_us: int, opposite: Act | None = None) -> StartedAttack:
    """The record of an attack that begins now. opposite: what takes back the verb of the network that the attack
    does."""
    last_s = max((at_s for at_s, _ in plan.steps), default=0.0)
    undo, tip = _undo(plan)
    if any(isinstance(step, Act) for _, step in plan.steps):
        undo, tip = opposite, "What was done to them cannot be taken back."
        if opposite is not None:
            tip = f"“{plain(opposite.name)}” for {len(plan.peers):,} peers."
    return StartedAttack(title, now_us + round(last_s * 1e6), undo, tip)


def _undo(plan: Plan) -> tuple[Command | None, str]:
    commands = [step for _, step in plan.steps]
    verbs = list(dict.fromkeys(command.verb for command in commands))
    for command in commands:
        if isinstance(command, Shutdown):
            return Reopen(command.operator), f"Start again what {plain(command.operator)} ran."
    if verbs == ["cut"]:
        return Mend(plan.peers), f"Mend all links that are cut between {len(plan.peers):,} peers."
    if verbs == ["mend"]:
        return None, "To cut a link again that was mended, choose both of its ends."
    named = all(isinstance(getattr(command, "peers", None), tuple) for command in commands)
    if len(verbs) == 1 and verbs[0] in UNDO and named and plan.peers:
        many = len(plan.peers)
        back = make(UNDO[verbs[0]], peers=plan.peers)
        return (
            back,
            f"{back.verb.capitalize()} {'the peer' if many == 1 else f'the {many:,} peers'} of this attack.",
        )
    ban = next((c for c in commands if c.verb == "collude"), None)
    if ban is not None:
        rest = [verb for verb in verbs if verb not in ("collude", "arrive")]
        stays = " What else the attack did stays." if rest else ""
        values = {f.name: getattr(ban, f.name) for f in fields(ban)}
        return Defect(values["peers"]), f"Its identities stop hiding the word, and stay in the network.{stays}"
    if "depart" in verbs:
        return None, "These peers have left for good and cannot be brought back."
    return None, "New peers stay until they leave by themselves."


def undo_why_not(started: StartedAttack | None, now_us: int) -> str:
    """Why there is nothing to undo now; empty if there is."""
    if started is None:
        return "There is no attack to undo."
    if started.undo is None:
        return started.tip
    if now_us < started.done_us:
        return f"The attack goes on until {clock(started.done_us, millis=False)}; then it can be undone."
    return ""


class PresetList(VirtualTable[Sequence[Preset]]):
    """One line a preset. Posts `Marked` when the cursor moves, `Turned` for the first parameter, and `Taken`."""

    DEFAULT_CSS = "PresetList { height: 1fr; min-height: 3; background: $background; }"
    HEADER = 0
    BINDINGS = within(MOVING | {"dial.less": "turn(-1)", "dial.more": "turn(1)", "list.choose": "take"})

    class Marked(Message):
        """The cursor is on another preset."""

    class Turned(Message):
        """The first parameter is to move by so many stops."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    class Taken(Message):
        """Start the attack under the cursor."""

    class Passed(Message):
        """The cursor is to go below the last preset: to the parameters."""

    @property
    def presets(self) -> Sequence[Preset]:
        return self.data or ()

    @property
    def preset(self) -> Preset | None:
        """The one under the cursor."""
        return next((preset for preset in self.presets if preset.name == self.cursor), None)

    def offer(self, presets: tuple[Preset, ...]) -> None:
        """List these. Where the preset under the cursor is gone, the cursor is on the first one."""
        if presets != self.data:
            self.take(presets, np.array([preset.name for preset in presets]))
            if self.preset is None:
                self.cursor = presets[0].name if presets else None
            self.rows_came(0)

    def row(self, index: int, width: int) -> Row:
        """A line. A preset that is not possible is dim, and crossed out, since without colours nothing is dim."""
        preset, current = self.presets[index], self.is_cursor(index)
        mark = ("▸ " if current else "  ", "key bold")
        if preset.why_not:
            return (mark, (f"{preset.title:<20}", "dim strike"), (" not here", "dim"))
        return (mark, (preset.title, "text bold" if current else "text"))

    def picked(self, key: str, click: events.Click | None = None) -> None:
        if key != self.cursor:
            self.cursor = key
            self._reveal_cursor()
            self.refresh()
            self.post_message(self.Marked())

    def _reveal_cursor(self) -> None:
        index = self.row_of(self.cursor)
        if index is not None:
            self.reveal(index)

    def action_move(self, by: int) -> None:
        """Another preset; below the last are the parameters."""
        if by == 1 and self.row_of(self.cursor) == self.row_count() - 1:
            self.post_message(self.Passed())
        else:
            super().action_move(by)

    def action_turn(self, by: int) -> None:
        """Move the first parameter by so many stops."""
        self.post_message(self.Turned(by))

    def action_take(self) -> None:
        """Start the attack."""
        self.post_message(self.Taken())

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        self._reveal_cursor()


DIALS = 6
"""Parameters of the preset that has the most."""
AGAIN_S, ANEW_S = 1.0, 5.0
"""Wall seconds between two previews while nobody changes anything, and between two requests for the presets."""
SLOW_PEERS = 1_500
"""Above so many peers the shortest ways between all of them take a good part of a second to find."""
UNKNOWN_YET = (
    "Which peers they are is computed when the attack starts, since that takes a while in a swarm of this size."
)
HINT = "{list.choose} do it · {dial.less} {dial.more} change · {list.last} {list.down} more"
TAKEN = "{attack.undo} undoes it · {list.last} {list.down} more"
GOING = "{attack.undo} cancels it · {list.last} {list.down} more"
EARLIER = "{time.undo} undoes what was done before, the latest first."


class Attacks(LatePanel):
    """The panel. Posts `PreviewAttack`, `Attacked`, and `RunCommand` for what cancels or undoes an attack."""

    DEFAULT_CSS = (
        panel_css("Attacks")
        + """
    Attacks {
        padding: 0 0 0 1;
        Slider.-unused { display: none; }
        #attack-buttons { height: 1; width: 1fr; }
        #attack-buttons ActionButton { margin: 0 1 0 0; }
        #attack-about, #attack-plan { max-height: 4; }
    }
    """
    )
    BINDINGS = within({"list.up": "dial(-1)", "list.down": "dial(1)", "list.choose": "attack", "attack.undo": "undo"})

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(self._parts, PresetList, id=id, classes=classes)
        self._asked_s = self._offered_s = -1e9
        self._asked: Attack | None = None
        self._selected: int | None = None
        self._mark = ""
        self.chosen: dict[str, dict[str, Any]] = {}
        """Values that a person set, by preset and parameter: they are kept when another preset is chosen."""
        self.dials: tuple[Dial, ...] = ()
        self.plan: Plan | None = None
        self.started: StartedAttack | None = None

    def on_mount(self) -> None:
        """Set the title."""
        name_panel(self, "attacks", HINT)

    @property
    def ready(self) -> bool:
        """Whether there are presets: enter in an empty list would do nothing."""
        return self.preset is not None

    def _parts(self) -> list[Widget]:
        return [
            PresetList(id="presets"),
            TextRows(id="attack-about"),
            *(Slider("", ("",), value_cells=13, id=f"dial-{n}") for n in range(DIALS)),
            TextRows(id="attack-plan"),
            Horizontal(
                ActionButton("do it", id="attack-do"), ActionButton("undo", id="attack-undo"), id="attack-buttons"
            ),
        ]

    # --- data for the panel --------------------------------------------------------------------------------------

    def show(self, frame: Frame) -> bool:
        """Take the newest frame, and ask for another preview if the last one is old."""
        before = self._frame
        if not super().show(frame):
            return False
        if before is not None and before.snapshot.fixed.run is not frame.snapshot.fixed.run:
            self.chosen.clear()
            self.started = self._asked = None
            self._offered_s = -1e9
        if frame.selected != self._selected:
            self._selected = frame.selected
            self._update()
        aged = not 0 <= frame.wall_s - self._asked_s < AGAIN_S
        moved = before is None or before.snapshot.now_us != frame.snapshot.now_us
        if self._asked is None or (aged and (moved or self.plan is None)):
            self._ask()
        self._update_buttons()
        return True

    def on_resize(self) -> None:
        """Another width: the texts are wrapped again."""
        if self._complete:
            self._update()
            self._ask()

    def offer(self, presets: tuple[Preset, ...]) -> None:
        """Show these presets: the answer to `PreviewAttack`."""
        listed = self.query_one(PresetList)
        before = self.preset
        listed.offer(presets)
        if self._mark:
            self.mark(self._mark)
        if self.preset != before:
            self._update()
            self._ask()

    def tell(self, attack: Attack, plan: Plan | None, why_not: str = "") -> None:
        """Show what an attack would do, or why it is not possible: the answer to `PreviewAttack`."""
        if attack != self._asked:
            return
        self.plan = plan
        width = max(8, self.content_size.width - 1)
        rows: list[Row] = []
        if plan is not None and self._frame is not None:
            rows += [((line, "text bold"),) for line in wrap(plan.sentence, width)[:4]]
            whom = whom_text(plan, self._frame.snapshot.fixed.labels)
            rows += [((line, "dim"),) for line in wrap(whom, width)[: max(1, 4 - len(rows))]] if whom else []
        elif why_not:
            rows = [((line, "warn"),) for line in wrap(why_not, width)]
        self.query_one("#attack-plan", TextRows).show_rows(rows)
        self._update_buttons()

    def begun(self, started: StartedAttack) -> None:
        """An attack has started: it can be undone from here."""
        self.started = started
        self._ask()
        self._update_buttons()

    def mark(self, name: str) -> None:
        """Highlight the preset of this name, now or when it is offered."""
        self._mark = name
        if not self._complete:
            return
        listed = self.query_one(PresetList)
        names = [preset.name for preset in listed.presets]
        if name in names:
            self._mark = ""
            listed.picked(name)

    # --- what is set ---------------------------------------------------------------------------------------------

    @property
    def preset(self) -> Preset | None:
        """The highlighted preset."""
        return self.query_one(PresetList).preset if self._complete else None

    @property
    def going(self) -> tuple[RunningAttack, ...]:
        """What would be cancelled now: the highlighted attack if it is under way, else all that are."""
        going = self._frame.snapshot.attacks if self._frame is not None else ()
        preset = self.preset
        return tuple(one for one in going if preset is not None and one.name == preset.name) or going

    @property
    def command(self) -> Attack | None:
        """The attack as it is set."""
        preset = self.preset
        return None if preset is None else command_of(preset.name, self.dials, self.chosen.get(preset.name, {}))

    def _update(self) -> None:
        """Update the sliders and the description to the highlighted preset."""
        preset, frame = self.preset, self._frame
        if preset is None or frame is None:
            return
        victim = frame.selected if _may_be_victim(frame.snapshot, frame.selected) else None
        labels = frame.snapshot.fixed.labels
        made = (dial_of(param, labels, victim) for param in preset.params)
        self.dials = tuple(dial for dial in made if dial is not None)
        chosen = self.chosen.get(preset.name, {})
        for number in range(DIALS):
            slider = self.query_one(f"#dial-{number}", Slider)
            used = number < len(self.dials)
            slider.set_class(not used, "-unused")
            slider.disabled = not used or bool(preset.why_not)
            if used:
                dial = self.dials[number]
                slider.update(dial.label, dial.words, dial.at(chosen.get(dial.name)), tip=dial.tip)
        width = max(8, self.content_size.width - 1)
        self.query_one("#attack-about", TextRows).show_rows([((line, "dim"),) for line in wrap(preset.about, width)])

    def _ask(self) -> None:
        """Ask for a preview."""
        frame, command, preset = self._frame, self.command, self.preset
        if frame is None:
            return
        self._asked, self._asked_s = command, frame.wall_s
        anew = preset is None or not 0 <= frame.wall_s - self._offered_s < ANEW_S
        if anew:
            self._offered_s = frame.wall_s
        slow = preset is not None and preset.name == "betweenness" and len(frame.snapshot.state) > SLOW_PEERS
        known = preset is None or bool(preset.why_not) or slow
        if anew or not known:
            self.post_message(PreviewAttack(None if known else command, anew=anew))
        if preset is not None and command is not None and known:
            self.tell(command, None, preset.why_not or UNKNOWN_YET)

    def _update_buttons(self) -> None:
        preset, frame, started = self.preset, self._frame, self.started
        if preset is None or frame is None:
            return
        do, back = self.query_one("#attack-do", ActionButton), self.query_one("#attack-undo", ActionButton)
        tip = preset.why_not or (self.plan.sentence if self.plan is not None else preset.about)
        do.update(f"do it: {preset.title.lower()}", tip, disabled=bool(preset.why_not))
        going = self.going
        if going:
            back.update(*calling_off(going))
            name_panel(self, "attacks", GOING)
            return
        why = undo_why_not(started, frame.snapshot.now_us)
        tip = started.tip if started is not None and not why else why
        back.update("undo" if started is None else f"undo: {started.title.lower()}", tip, disabled=bool(why))
        name_panel(self, "attacks", HINT if started is None or why else TAKEN)

    # --- what a person does --------------------------------------------------------------------------------------

    @on(PresetList.Marked)
    def _preset_highlighted(self, event: PresetList.Marked) -> None:
        event.stop()
        self.plan = None
        self._update()
        self._ask()
        self._update_buttons()

    @on(PresetList.Turned)
    def _turned(self, event: PresetList.Turned) -> None:
        event.stop()
        slider = self.query_one("#dial-0", Slider)
        if self.dials and not slider.disabled:
            slider.action_move(event.by)

    @on(PresetList.Passed)
    def _passed(self, event: PresetList.Passed) -> None:
        event.stop()
        self.action_dial(1)

    @on(PresetList.Taken)
    def _taken(self, event: PresetList.Taken) -> None:
        event.stop()
        self.action_attack()

    @on(Slider.Moved)
    def _moved(self, event: Slider.Moved) -> None:
        event.stop()
        preset, number = self.preset, int(str(event.slider.id).rpartition("-")[2])
        if preset is not None and number < len(self.dials):
            dial = self.dials[number]
            self.chosen.setdefault(preset.name, {})[dial.name] = dial.values[event.index]
            self._ask()

    @on(ActionButton.Pressed)
    def _pressed(self, event: ActionButton.Pressed) -> None:
        event.stop()
        if event.button.id == "attack-do":
            self.action_attack()
        else:
            self.action_undo()

    def action_dial(self, by: int) -> None:
        """From one slider to the next; above the first is the list."""
        stops: Sequence[Widget] = [self.query_one(PresetList), *self.query(Slider), *self.query(ActionButton)]
        there = [widget for widget in stops if widget.focusable]
        focused = self.screen.focused
        if focused in there:
            there[min(max(there.index(focused) + by, 0), len(there) - 1)].focus()

    def action_attack(self) -> None:
        """Start the attack."""
        preset, command = self.preset, self.command
        if preset is not None and command is not None and not preset.why_not:
            self.post_message(Attacked(preset.title, command))

    def action_undo(self) -> None:
        """Cancel what is under way; if nothing is, undo the latest attack."""
        started, frame, going = self.started, self._frame, self.going
        if going and frame is not None:
            names = {one.name for one in going}
            self.post_message(RunCommand(CallOff(names.pop() if len(names) == 1 else None)))
            if started is not None:
                # Steps that were cancelled are not waited for.
                self.started = replace(started, done_us=min(started.done_us, frame.snapshot.now_us))
            return
        if frame is None:
            return
        why = undo_why_not(started, frame.snapshot.now_us)
        if why or started is None or started.undo is None:
            self.notify(keyed(self.app, why if started is not None else f"{why} {EARLIER}"), markup=False)
            return
        self.started = None
        self.post_message(RunCommand(started.undo))
        self._update_buttons()


def _may_be_victim(snapshot: Snapshot, peer: int | None) -> bool:
    """Whether the selected peer runs and is a user."""
    known = peer is not None and peer < len(snapshot.state)
    return known and snapshot.state[peer] == 0 and not snapshot.fixed.infrastructure[peer]
