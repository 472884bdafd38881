"""What a form for attacks knows, without a form: stops for each parameter, the command, and how to take it back.

A parameter is set on a slider over named stops, whatever its kind: a choice has its choices for stops, a word the most
wanted titles, a victim the selected peer and the one that the engine proposes. So all of them answer to the same keys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from engine import UNDO, Attack, Command, Defect, Param, Plan, Reopen, Shutdown, plain

from ..session.verbs import make
from .text import clock

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
"""What a parameter is called before its slider; one that is not here keeps its default."""
NAMED = 12


@dataclass(frozen=True, slots=True)
class Dial:
    """A parameter on a slider: values as `Attack` takes them, with their words; start: the stop of the default."""

    name: str
    label: str
    tip: str
    values: tuple[Any, ...]
    words: tuple[str, ...]
    start: int = 0

    def at(self, value: object) -> int:
        """The stop of a value, or that of the default when it is none."""
        return self.values.index(value) if value in self.values else self.start


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
    # To do it to nobody is no attack, but a leak of nothing is one.
    kept = {stop for stop in table if low <= stop <= high and (stop or param.name != "share")}
    values = tuple(sorted(kept | {param.default}))
    words = tuple(_words(param, value) for value in values)
    return _dial(param, values, words, param.default)


def _dial(param: Param, values: tuple[Any, ...], words: tuple[str, ...], start: object) -> Dial:
    about = f"{param.about[:1].upper()}{param.about[1:]}."
    safe = tuple(plain(word, limit=40) for word in words)
    return Dial(param.name, NAMES[param.name], about, values, safe, values.index(start))


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
    """`p003 p012 p031 …`: whom a plan takes; empty where that is not known yet."""
    named = " ".join(labels[peer] for peer in plan.peers[:NAMED] if peer < len(labels))
    return f"{named} …" if len(plan.peers) > NAMED else named


@dataclass(frozen=True, slots=True)
class Deed:
    """An attack that was begun. done_us: when its last step is due; undo: what takes it back, or None; told: what that
    does, or why nothing does."""

    title: str
    done_us: int
    undo: Command | None
    told: str


def deed_of(title: str, plan: Plan, now_us: int) -> Deed:
    """What to remember of an attack that begins now."""
    last_s = max((at_s for at_s, _ in plan.steps), default=0.0)
    undo, told = _undo(plan)
    return Deed(title, now_us + round(last_s * 1e6), undo, told)


def _undo(plan: Plan) -> tuple[Command | None, str]:
    commands = [step for _, step in plan.steps]
    verbs = list(dict.fromkeys(command.verb for command in commands))
    for command in commands:
        if isinstance(command, Shutdown):
            return Reopen(command.operator), f"Start again what {plain(command.operator)} ran."
    named = all(isinstance(getattr(command, "peers", None), tuple) for command in commands)
    if len(verbs) == 1 and verbs[0] in UNDO and named and plan.peers:
        many = len(plan.peers)
        back = make(UNDO[verbs[0]], peers=plan.peers)
        return (
            back,
            f"{back.verb.capitalize()} {'the peer' if many == 1 else f'the {many:,} peers'} that it took.",
        )
    ban = next((c for c in commands if c.verb == "collude"), None)
    if ban is not None:
        rest = [verb for verb in verbs if verb not in ("collude", "arrive")]
        stays = " Whom it took away stays away." if rest else ""
        values = {f.name: getattr(ban, f.name) for f in fields(ban)}
        return Defect(values["peers"]), f"Its identities stop hiding the word; they stay.{stays}"
    if "depart" in verbs:
        return None, "They went for good: nothing brings them back."
    return None, "Newcomers stay, until they leave like anybody else."


def undo_why_not(deed: Deed | None, now_us: int) -> str:
    """Why there is nothing to take back just now; empty when there is."""
    if deed is None:
        return "Nothing is left to take back here."
    if deed.undo is None:
        return deed.told
    if now_us < deed.done_us:
        return f"It goes on until {clock(deed.done_us, millis=False)}; then it can be taken back."
    return ""
