"""A small app that holds one or more widgets and keeps the messages that they send."""

from __future__ import annotations

from typing import Any, TypeVar

from textual.app import App, ComposeResult
from textual.message import Message
from textual.widget import Widget

from tui.actions.table import ALL
from tui.config.textual_themes import variable_defaults
from tui.draw.styles import Mode
from tui.widgets.charts import Chart
from tui.widgets.messages import (
    Asked,
    AskLeft,
    AskPicked,
    AskWanted,
    Attacked,
    MenuWanted,
    PeerPicked,
    PeersPicked,
    PreviewAttack,
    PreviewSelector,
    RunCommand,
    Searched,
)
from tui.widgets.panel import TextRows

M = TypeVar("M", bound=Message)
OURS = (
    RunCommand,
    AskLeft,
    AskPicked,
    AskWanted,
    Asked,
    Attacked,
    Chart.Picked,
    PreviewAttack,
    MenuWanted,
    PeerPicked,
    PeersPicked,
    Searched,
    PreviewSelector,
)


class Stage(App[Any]):
    """`said` holds our messages that reached the app, in order."""

    def __init__(self, *widgets: Widget, glyph_mode: Mode = "braille") -> None:
        super().__init__()
        self._widgets = widgets
        self.glyph_mode: Mode = glyph_mode
        self.keys_by_id = {key.id: key for key in ALL}
        self.said: list[Message] = []

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return variable_defaults(self.current_theme)

    def compose(self) -> ComposeResult:
        yield from self._widgets

    def _note(self, message: Message) -> None:
        self.said.append(message)

    on_run_command = on_ask_left = on_ask_picked = on_ask_wanted = on_asked = _note
    on_attacked = on_preview_attack = on_peer_picked = on_preview_selector = _note
    on_chart_picked = on_menu_wanted = on_peers_picked = on_searched = _note

    def heard(self, kind: type[M]) -> list[M]:
        return [message for message in self.said if isinstance(message, kind)]


def painted(widget: Widget) -> list[str]:
    """The lines of a widget that has `render_line`, as characters without colours."""
    return [widget.render_line(y).text.rstrip() for y in range(widget.size.height)]


def lines_of(widget: Widget, selector: str) -> str:
    """The text of one `TextRows` inside a panel."""
    return widget.query_one(selector, TextRows).text
