"""Keys in the frame of a panel, each one click away: what else this picture can show, and what stands behind it.

A line of keys at the bottom of the screen has room for a dozen, and what belongs to one picture is looked for at that
picture. So the lower edge of its frame, which is drawn anyway, carries the keys that go with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.style import Style
from textual.widget import Widget

GAP = "  "


@dataclass(frozen=True, slots=True)
class FrameKey:
    """What to press, what it brings, the action of the screen, and whether it can be had now."""

    key: str
    word: str
    action: str
    possible: bool = True

    @property
    def text(self) -> str:
        """As it is read."""
        return f"{self.key} {self.word}"


def fitting(keys: Sequence[FrameKey], room: int) -> list[FrameKey]:
    """As many from the front as fit into so many cells."""
    kept: list[FrameKey] = []
    for key in keys:
        room -= len(key.text) + (len(GAP) if kept else 0)
        if room < 0:
            break
        kept.append(key)
    return kept


def written(keys: Sequence[FrameKey]) -> Content:
    """One after the other; a click on one does its action, which also tells why when it cannot be had."""
    parts: list[Content | str] = []
    for key in keys:
        parts += [GAP] if parts else []
        click = Style.from_meta({"@click": f"screen.{key.action}"})
        lit, ink = ("bold $accent", "") if key.possible else ("dim", "dim")
        parts.append(Content.assemble((key.key, lit), (f" {key.word}", ink)).stylize(click))
    return Content.assemble(*parts)


def pressed(event: events.MouseEvent) -> bool:
    """Whether a mouse event is on such a key: then it is no click on what the panel shows."""
    return "@click" in event.style.meta


def keys_of(widget: Widget) -> tuple[FrameKey, ...]:
    """The keys that a panel's frame carries."""
    found: tuple[FrameKey, ...] = getattr(widget, "_frame_keys", ())
    return found


def remember(widget: Widget, keys: Sequence[FrameKey]) -> bool:
    """Have a panel's frame carry these; False when it does already."""
    if tuple(keys) == keys_of(widget):
        return False
    widget._frame_keys = tuple(keys)  # type: ignore[attr-defined]
    return True
