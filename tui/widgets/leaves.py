"""The leaves of the inspector: their names in a line, and the rows of those that are long."""

from __future__ import annotations

from textual import events
from textual.message import Message

from engine import LoggedMessage
from tui.draw.chart import si
from tui.session.frame import Frame

from .beliefs import belief_rows
from .panel import Lines
from .text import Row, Span, clock, fit, width_of, wrap

LEAVES = ("peer", "messages", "files", "beliefs")


class Leaves(Lines):
    """The names; the open one is lit. Posts `Leaves.Turned` when another is clicked."""

    class Turned(Message):
        """The person wants to see this leaf."""

        def __init__(self, leaf: str) -> None:
            super().__init__()
            self.leaf = leaf

    def show_leaf(self, leaf: str) -> None:
        """Light this name."""
        row: list[Span] = []
        for name in LEAVES:
            row += [(f" {name} ", "key bold reverse" if name == leaf else "dim"), (" ", "dim")]
        self.show_rows([tuple(row)])

    def on_click(self, event: events.Click) -> None:
        """Turn to the name under the pointer."""
        left = 0
        for name in LEAVES:
            if left <= event.x < left + len(name) + 2:
                self.post_message(self.Turned(name))
            left += len(name) + 3


def rule(title: str, width: int) -> Row:
    """A line across with a title in it."""
    row: Row = (("── ", "dim"), (title, "text bold"), (" ", "dim"))
    return (*row, ("─" * max(0, width - width_of(row)), "dim"))


def leaf_rows(leaf: str, frame: Frame, width: int) -> list[Row]:
    """A long leaf, from the facts of the selected peer."""
    facts = frame.facts
    if facts is None or facts.peer != frame.selected:
        return [(("…", "dim"),)]
    if leaf == "messages":
        rows = [_message(one, frame) for one in facts.last]
        return rows or _said("It has sent and got nothing since it is watched.", width)
    if leaf == "files":
        names: list[Row] = [
            (((fit(si(one.size) + "B", 6, right=True)), "dim"), (f"  {one.name}", "text")) for one in facts.files
        ]
        return names or _said("It shares no file.", width)
    return list(belief_rows(frame, width))


def _said(sentence: str, width: int) -> list[Row]:
    return [((line, "dim"),) for line in wrap(sentence, width)]


def _message(one: LoggedMessage, frame: Frame) -> Row:
    """`42.180 → p012  Query  #12`: when it arrived, to or from whom, what, and of which ask; or why it did not."""
    fixed = frame.snapshot.fixed
    mine = one.frm == frame.selected
    other = one.to if mine else one.frm
    label = fixed.labels[other] if 0 <= other < len(fixed.labels) else "nobody"
    kind = fixed.kinds[one.kind] if one.kind < len(fixed.kinds) else None
    ink = kind.part if kind is not None else "text"
    tail = f"  {one.lost}" if one.lost else f"  ask {one.ask}" if one.ask else ""
    return (
        (f"{clock(one.at_us)} ", "dim"),
        ("→ " if mine else "← ", "key bold" if mine else "text bold"),
        (fit(label, 6), "text"),
        (f" {kind.name if kind is not None else '?'}", "lost" if one.lost else ink),
        (tail, "lost" if one.lost else "dim"),
    )
