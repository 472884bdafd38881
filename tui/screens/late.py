"""The parts of the dashboard that its first picture does not show, by their ids. They are imported after that
picture."""

from __future__ import annotations

from textual.widget import Widget

from tui.session.panels import HISTORY, OPTIONS
from tui.widgets.ask_bar import AskBar
from tui.widgets.attacks import Attacks
from tui.widgets.banner import Banner
from tui.widgets.history import History
from tui.widgets.menu import Menu
from tui.widgets.message_table import MessageTable
from tui.widgets.options_panel import Options
from tui.widgets.peers_table import PeersTable
from tui.widgets.story import Story
from tui.widgets.theme_drawer import ThemeDrawer

from .tour import TourBox

KINDS: dict[str, type[Widget]] = {
    "banner": Banner,
    "attacks": Attacks,
    OPTIONS: Options,
    "peers": PeersTable,
    "kinds": MessageTable,
    HISTORY: History,
    "story": Story,
    "themes": ThemeDrawer,
    "ask-bar": AskBar,
    "menu": Menu,
    "tour": TourBox,
}
