"""The program with a screen: themes, the keys that work everywhere, and one door to open it.

It knows nothing of peers: `driver.py` holds the swarm, `screens/main.py` shows it.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from textual.app import App, ReturnType
from textual.dom import DOMNode
from textual.theme import BUILTIN_THEMES

from engine import Scenario, help_of, network, title_of

from . import themes, themes_textual
from .draw.glyphs import Mode
from .driver import Driver
from .keys import bindings
from .screens.main import MainScreen

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.command import Provider

    from engine import Report, Until

FPS = 30.0


def _palette() -> type[Provider]:
    """Fetched when the palette is first opened, as a tenth of the start would go into it."""
    from .palette import Palette

    return Palette


class SwarmApp(App[int]):
    """Hand it a driver. Exits with 0, or with 1 when something of ours broke."""

    TITLE = "swarmtop"
    CSS_PATH = "swarmtop.tcss"
    COMMANDS = {_palette}
    BINDINGS = bindings("app")
    ENABLE_COMMAND_PALETTE = True

    def __init__(
        self, driver: Driver, *, theme: str | None = None, fps: float | None = None, glyphs: Mode = "braille"
    ) -> None:
        """Raises InputError for a theme that is not there."""
        self.glyph_mode: Mode = glyphs
        self.driver = driver
        self._fps = fps or FPS
        super().__init__()
        self._ours: list[str] = []
        name = theme or themes.DEFAULT
        if name not in BUILTIN_THEMES:
            palette = themes.find(name)
            self.register_theme(themes_textual.to_textual(palette))
            name = palette.name
        self.theme = name

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Roles for themes that have none."""
        return themes_textual.variable_defaults(self.current_theme)

    def get_default_screen(self) -> MainScreen:
        """The dashboard."""
        return MainScreen(self.driver, fps=self._fps)

    def on_ready(self) -> None:
        """The first picture is up: time for all other themes, and to tell of those that could not be read.

        What exists by now stays, so the collector need not look at it again.
        """
        palettes, complaints = themes.load_all()
        for palette in palettes:
            if palette.name != self.theme:
                self.register_theme(themes_textual.to_textual(palette))
        # The key goes through our own, not through Textual's.
        self._ours = [palette.name for palette in palettes]
        for sentence in complaints:
            self.notify(sentence, severity="warning", markup=False)
        if not gc.isenabled():
            gc.freeze()
            gc.enable()

    async def run_action(
        self,
        action: str | tuple[str, str, tuple[object, ...]],
        default_namespace: DOMNode | None = None,
        namespaces: object = None,
    ) -> bool:
        """As Textual's, but a greyed action tells why it cannot be had instead of doing nothing."""
        target, name, parameters = self._parse_action(action, default_namespace or self, namespaces)  # type: ignore[arg-type]
        why = target.why_not(name, parameters) if isinstance(target, MainScreen) else ""
        if why:
            self.notify(why, severity="warning", markup=False, timeout=4)
            return True
        return await super().run_action(action, default_namespace, namespaces)  # type: ignore[arg-type]

    def action_theme(self) -> None:
        """The next of our themes."""
        at = self._ours.index(self.theme) if self.theme in self._ours else -1
        self.theme = self._ours[(at + 1) % len(self._ours)]
        self.notify(self.theme, title="theme", markup=False, timeout=2)

    def action_help(self) -> None:
        """Keys, shapes, and what this network is."""
        from .screens.help import HelpScreen

        name = self.driver.setup.protocol
        kind = network(name)
        self.push_screen(HelpScreen(name, title_of(kind), help_of(kind), self.glyph_mode))

    async def action_quit(self) -> None:
        """Leave."""
        self.driver.stop()
        self.exit(0)


def open_dashboard(
    scenario: Scenario,
    *,
    theme: str | None = None,
    fps: float | None = None,
    speed: float = 1.0,
    glyphs: Mode = "braille",
    until: Until = None,
    last_word: Callable[[Report], None] | None = None,
) -> int:
    """Open the dashboard on a scenario and run it until the person leaves. Returns the exit code.

    speed: virtual seconds per wall second; fps: most frames a second; until: see `Driver`; last_word: is handed the
    report of the run when the person has left. Raises InputError before anything is drawn.
    """
    import anyio

    gc.disable()  # until the first picture: a tenth of the start went into looking for garbage there is none of yet
    app = SwarmApp(Driver(scenario, speed=speed, until=until), theme=theme, fps=fps, glyphs=glyphs)

    async def run() -> ReturnType | int | None:
        return await app.run_async()

    code = anyio.run(run)
    if last_word is not None:
        last_word(app.driver.report())
    return int(code) if isinstance(code, int) else (app.return_code or 0)
