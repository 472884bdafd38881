"""The part of the app that keeps to what a person has settled: config, keys, themes, density, motion.

Apart from `app.py`, which opens and closes the program. Files are looked at once a second and read again when one was
saved, so that whoever writes a theme sees it while writing. What is wrong in one is told, and the last that was right
stays in use.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from textual import on
from textual.command import Command, CommandPalette
from textual.scrollbar import ScrollBar, ScrollBarRender
from textual.theme import BUILTIN_THEMES

from engine import InputError, nearest, plain

from .config import settings as settings_file
from .config import textual_themes, themes
from .config.keys import ALL, Key
from .config.settings import Watch
from .textual_compat import TerminalApp
from .widgets.panel import AsciiScrollBar

if TYPE_CHECKING:
    from .config.settings import Density, Settings
    from .draw.styles import Mode

LOOK_S = 1.0
THEME = "Theme: "
"""How the palette names a theme; while one is marked there, it is shown."""
CALM = frozenset({"1", "true", "yes", "on"})


def calm_surroundings() -> bool:
    """Whether the surroundings ask for little motion: SWARMTOP_REDUCED_MOTION=1, or Textual's own variable."""
    if os.environ.get("SWARMTOP_REDUCED_MOTION", "").strip().lower() in CALM:
        return True
    return os.environ.get("TEXTUAL_ANIMATIONS", "").strip().lower() in ("none", "basic")


class Settled(TerminalApp):
    """What `SwarmApp` is made on. Call `settle` before the first picture, `watch_files` after it."""

    settings: Settings
    keys_now: tuple[Key, ...] = ALL
    """The table of keys as this person has it: key bar, help and palette are made of it."""
    density: Density = "comfortable"
    reduced_motion: bool = False
    untold: list[str]
    """Complaints that wait for the first picture."""
    _ours: list[str]
    _watch: Watch
    _previewed: str | None = None

    def settle(self, settings: Settings, theme: str | None, glyphs: Mode | None) -> str:
        """Take the settings, flags before them. Returns the name of the theme; raises InputError for the flag's."""
        self.settings, self.untold, self._ours = settings, [*settings.complaints], []
        self.glyph_mode: Mode = glyphs or settings.glyphs or "braille"
        # Textual asks the class what a scroll bar looks like, so all that are drawn from now on follow this app.
        ScrollBar.renderer = AsciiScrollBar if self.glyph_mode == "ascii" else ScrollBarRender
        self.density = settings.density
        self.reduced_motion = settings.reduced_motion or calm_surroundings()
        self.animation_level = "none" if self.reduced_motion else self.animation_level
        self._map_keys()
        if theme is not None or settings.theme is None:
            return self._take(theme or themes.DEFAULT)
        try:
            return self._take(settings.theme)
        except InputError as error:
            self.untold.append(f"{settings.path}: theme: {error} ({themes.DEFAULT} is used)")
            return self._take(themes.DEFAULT)

    def _take(self, name: str) -> str:
        if name in BUILTIN_THEMES:
            return name
        palette = themes.find(name)
        self.register_theme(textual_themes.to_textual(palette))
        return palette.name

    def _map_keys(self) -> None:
        if not self.settings.keys:
            self.keys_now = ALL
            self.set_keymap({})
            return
        from .config.keymap import keymap_of, laid_over

        self.keys_now, said = laid_over(self.settings.keys, self.settings.path or "config.toml")
        self.untold += said
        self.set_keymap(keymap_of(self.keys_now))

    @property
    def our_themes(self) -> list[str]:
        """Names of our themes and of the person's own, then those that Textual brings."""
        return [*self._ours, *(name for name in sorted(self.available_themes) if name not in self._ours)]

    def all_themes(self) -> None:
        """Register every theme, and tell of those that could not be read."""
        palettes, complaints = themes.load_all()
        for palette in palettes:
            if palette.name != self.theme:
                self.register_theme(textual_themes.to_textual(palette))
        self._ours = [palette.name for palette in palettes]
        if self.theme not in (*self._ours, *BUILTIN_THEMES):
            self._ours.append(self.theme)  # from a file that was named on the command line
        self.untold += complaints

    def notify(self, message: str, *, title: str = "", **how: Any) -> None:
        """As Textual's, and what it tells may name a file or quote somebody: it is shown as text."""
        super().notify(plain(message, limit=400), title=plain(title), **how)

    def tell_untold(self) -> None:
        """Say what has been found wrong so far."""
        said, self.untold = self.untold, []
        for sentence in said:
            self.notify(sentence, severity="warning", markup=False, timeout=12)

    # --- reloading ------------------------------------------------------------------------------------------

    def watch_files(self) -> None:
        """From now on, read config and themes again when they are saved."""
        self._themes_watch = Watch(themes.user_folder())
        self._config_watch = Watch(*([self.settings.path] if self.settings.path is not None else []))
        self.set_interval(LOOK_S, self.look_at_files)

    def look_at_files(self) -> None:
        """What was saved since the last look is used from now on."""
        if self._themes_watch.changed():
            self._reload_themes()
        if self._config_watch.changed():
            self._reload_config()

    def _reload_themes(self) -> None:
        palettes, complaints = themes.load_all()
        for palette in palettes:
            made = textual_themes.to_textual(palette)
            known = self.available_themes.get(palette.name)
            if known is None or known != made:
                self.register_theme(made)
                if palette.name == self.theme:
                    self._watch_theme(self.theme)  # the same name in other colours: Textual sees no change
        names = [palette.name for palette in palettes]
        # A file that broke while it was being written keeps the looks it had; one that is gone, is gone.
        gone = [name for name in self._ours if name not in names and name != self.theme]
        for name in gone:
            if not any(f"{name}.toml" in sentence for sentence in complaints):
                self.unregister_theme(name)
        self._ours = [*names, *([self.theme] if self.theme not in (*names, *BUILTIN_THEMES) else [])]
        self.untold += complaints
        self.tell_untold()

    def _reload_config(self) -> None:
        before = self.settings
        self.settings = settings_file.load(before.path)
        self.untold += self.settings.complaints
        self._map_keys()
        if self.settings.theme not in (None, before.theme):
            self.use_theme(str(self.settings.theme))
        if self.settings.density != before.density:
            self.use_density(self.settings.density)
        if self.settings.reduced_motion != before.reduced_motion:
            self.use_reduced_motion(self.settings.reduced_motion)
        self.tell_untold()
        self.dressed()

    # --- what can be switched -------------------------------------------------------------------------------

    def keep(self, name: str, value: str | bool, title: str = "") -> None:
        """Write what was chosen on screen into the person's configuration, and say so, or why it cannot be kept.

        Only one that was read is written: whoever made the app without a configuration has none.
        """
        path = self.settings.path
        if path is None:
            return
        from .config.settings import keep

        try:
            keep(path, name, value)
        except InputError as error:
            said, grave = f"Only until you leave: {error}", "warning"
        else:
            said, grave = f"Kept for next time, in {path}", "information"
            self.settings = replace(self.settings, **{name: value})  # type: ignore[arg-type]
            self._config_watch.changed()  # our own doing is no news
        self.notify(plain(said, limit=300), title=title, severity=grave, markup=False, timeout=5)

    def choose_theme(self, name: str) -> None:
        """Wear a theme from now on, and the next time too."""
        self._previewed = None
        if not self.use_theme(name) or self.settings.theme == name:
            return
        try:
            known = name in BUILTIN_THEMES or themes.find(name).name == name
        except InputError:
            known = False
        if known:
            self.keep("theme", name, name)
        elif self.settings.path is not None:
            said = f"Only until you leave: {name} is not in {themes.user_folder()}"
            self.notify(said, title=name, severity="warning", markup=False, timeout=5)

    def choose_glyphs(self, mode: Mode) -> None:
        """Draw pictures in another alphabet from now on."""
        self.glyph_mode = mode
        ScrollBar.renderer = AsciiScrollBar if mode == "ascii" else ScrollBarRender
        self.dressed()
        self.keep("glyphs", mode, f"glyphs: {mode}")

    def use_theme(self, name: str) -> bool:
        """Wear a theme by its name. False, and said why, when there is none."""
        if name not in self.available_themes:
            self.untold.append(f'there is no theme "{name}"{nearest(name, self.available_themes)}')
            self.tell_untold()
            return False
        self.theme = name
        return True

    def use_density(self, density: Density) -> None:
        """Frames and air, or neither."""
        self.density = density
        self.settings = replace(self.settings, density=density)
        self.dressed()

    def use_reduced_motion(self, reduced: bool) -> None:
        """Whether things glide and pulse."""
        self.reduced_motion = reduced
        self.dressed()

    def dressed(self) -> None:
        """Density, motion or keys changed: every screen is to look so."""
        self.animation_level = "none" if self.reduced_motion else "full"
        for screen in self.screen_stack if self.is_running else []:
            screen.set_class(self.density == "compact", "-dense")
            redress = getattr(screen, "redress", None)
            if redress is not None:
                redress()

    # --- a theme that is marked in the palette is shown ---------------------------------------------------------

    @on(CommandPalette.OptionHighlighted)
    def _preview(self, event: CommandPalette.OptionHighlighted) -> None:
        option = event.highlighted_event.option
        name = (option.hit.text or "") if isinstance(option, Command) else ""
        if name.startswith(THEME):
            if self._previewed is None:
                self._previewed = self.theme
            if name.removeprefix(THEME) in self.available_themes:
                self.theme = name.removeprefix(THEME)
        elif self._previewed is not None:
            self.theme, self._previewed = self._previewed, None

    @on(CommandPalette.Closed)
    def _previewed_enough(self, event: CommandPalette.Closed) -> None:
        if self._previewed is not None and not event.option_selected:
            self.theme = self._previewed
        self._previewed = None
