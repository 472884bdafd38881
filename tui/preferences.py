"""A person's settings: config, keys, themes, density, motion; and their use in the running program.

Files are checked once a second and read again after they were saved, so that the author of a theme sees each change. A
mistake in a file is reported, and the last correct version stays in use.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from textual.app import App
from textual.scrollbar import ScrollBar, ScrollBarRender
from textual.theme import BUILTIN_THEMES

from engine import InputError, nearest, plain

from .config import settings as settings_file
from .config import textual_themes, themes
from .config.keys import Key
from .config.settings import Density, Settings, Watch
from .draw.styles import Mode
from .session import panels
from .session.panels import PanelLayout
from .textual_compat import restyle
from .widgets.panel import AsciiScrollBar

LOOK_S = 1.0
THEME = "Theme: "
"""Prefix of a theme's name in the palette; a theme that is highlighted there is shown."""
TRUE_WORDS = frozenset({"1", "true", "yes", "on"})


def environment_reduces_motion() -> bool:
    """Whether the environment asks for reduced motion: SWARMTOP_REDUCED_MOTION=1, or Textual's own variable."""
    if os.environ.get("SWARMTOP_REDUCED_MOTION", "").strip().lower() in TRUE_WORDS:
        return True
    return os.environ.get("TEXTUAL_ANIMATIONS", "").strip().lower() in ("none", "basic")


class Preferences:
    """Belongs to an app. Call `apply_settings` before its first picture, `watch_files` after it."""

    def __init__(self, app: App[Any], table: Sequence[Key], settings: Settings, glyphs: Mode | None) -> None:
        """table: all keys without a person's own; glyphs: those of the flag, which override the settings."""
        self._app, self._defaults = app, tuple(table)
        self.settings = settings
        self.pending_warnings: list[str] = [*settings.complaints]
        """Messages that wait for the first picture."""
        self._use_keys(self._defaults)
        self.glyph_mode: Mode = glyphs or settings.glyphs or "braille"
        self.density: Density = settings.density
        self.reduced_motion = settings.reduced_motion or environment_reduces_motion()
        self.layout = PanelLayout() if self.layout_file is None else panels.load(self.layout_file)
        """Which panels are shown and how large: as they were left the last time."""
        self._ours: list[str] = []
        self._previewed: str | None = None
        self._cannot_keep = False
        self._themes_watch, self._config_watch = Watch(), Watch()

    def apply_settings(self, theme: str | None) -> str:
        """Apply the settings. theme: the one of the flag, if any. Returns the name of the theme to use; raises
        InputError if there is no theme `theme`."""
        # Textual asks the class how a scroll bar is drawn, so this applies to all scroll bars of this app.
        ScrollBar.renderer = AsciiScrollBar if self.glyph_mode == "ascii" else ScrollBarRender
        if self.reduced_motion:
            self._app.animation_level = "none"
        self._map_keys()
        if theme is not None or self.settings.theme is None:
            return self._take(theme or themes.DEFAULT)
        try:
            return self._take(self.settings.theme)
        except InputError as error:
            self.pending_warnings.append(f"{self.settings.path}: theme: {error} ({themes.DEFAULT} is used)")
            return self._take(themes.DEFAULT)

    def _take(self, name: str) -> str:
        if name in BUILTIN_THEMES:
            return name
        palette = themes.find(name)
        self._app.register_theme(textual_themes.to_textual(palette))
        return palette.name

    def _map_keys(self) -> None:
        if not self.settings.keys:
            self._use_keys(self._defaults)
            self._app.set_keymap({})
            return
        from .config.keymap import keymap_of, remapped

        keys, said = remapped(self._defaults, self.settings.keys, self.settings.path or "config.toml")
        self._use_keys(keys)
        self.pending_warnings += said
        self._app.set_keymap(keymap_of(self.keys_now, self._defaults))

    def _use_keys(self, keys: tuple[Key, ...]) -> None:
        """The table of keys with the person's own: key bar, help and palette are made from it."""
        self.keys_now, self.keys_by_id = keys, {key.id: key for key in keys}

    def write_default(self, path: Path) -> bool:
        """Write a configuration in which every line is a comment, unless there is one. Returns whether one was written.

        Raises OSError.
        """
        return settings_file.write_default(path, self._defaults)

    @property
    def our_themes(self) -> list[str]:
        """Names of swarmtop's themes and of the person's own, then those of Textual."""
        return [*self._ours, *(name for name in sorted(self._app.available_themes) if name not in self._ours)]

    def all_themes(self) -> None:
        """Register every theme, and report those that could not be read."""
        palettes, complaints = themes.load_all()
        for palette in palettes:
            if palette.name != self._app.theme:
                self._app.register_theme(textual_themes.to_textual(palette))
        self._ours = [palette.name for palette in palettes]
        if self._app.theme not in (*self._ours, *BUILTIN_THEMES):
            self._ours.append(self._app.theme)  # from a file that was named on the command line
        self.pending_warnings += complaints

    def show_pending_warnings(self) -> None:
        """Show the messages that waited."""
        said, self.pending_warnings = self.pending_warnings, []
        for sentence in said:
            self._app.notify(sentence, severity="warning", markup=False, timeout=12)

    # --- reloading ------------------------------------------------------------------------------------------

    def watch_files(self) -> None:
        """From now on, read config and themes again when they are saved."""
        self._themes_watch = Watch(themes.user_folder())
        self._config_watch = Watch(*([self.settings.path] if self.settings.path is not None else []))
        self._app.set_interval(LOOK_S, self.look_at_files)

    def look_at_files(self) -> None:
        """Read files that were saved since the last call."""
        if self._themes_watch.changed():
            self._reload_themes()
        if self._config_watch.changed():
            self._reload_config()

    def _reload_themes(self) -> None:
        palettes, complaints = themes.load_all()
        for palette in palettes:
            made = textual_themes.to_textual(palette)
            known = self._app.available_themes.get(palette.name)
            if known is None or known != made:
                self._app.register_theme(made)
                if palette.name == self._app.theme:
                    restyle(self._app)  # the same name in other colours: Textual sees no change
        names = [palette.name for palette in palettes]
        # A theme whose file has a mistake now keeps its last correct version; one whose file is gone is removed.
        gone = [name for name in self._ours if name not in names and name != self._app.theme]
        for name in gone:
            if not any(f"{name}.toml" in sentence for sentence in complaints):
                self._app.unregister_theme(name)
        self._ours = [*names, *([self._app.theme] if self._app.theme not in (*names, *BUILTIN_THEMES) else [])]
        self.pending_warnings += complaints
        self.show_pending_warnings()

    def _reload_config(self) -> None:
        before = self.settings
        self.settings = settings_file.load(before.path)
        self.pending_warnings += self.settings.complaints
        self._map_keys()
        if self.settings.theme not in (None, before.theme):
            self.use_theme(str(self.settings.theme))
        if self.settings.density != before.density:
            self.use_density(self.settings.density)
        if self.settings.reduced_motion != before.reduced_motion:
            self.use_reduced_motion(self.settings.reduced_motion)
        self.show_pending_warnings()
        self.update_screens()

    # --- the layout -----------------------------------------------------------------------------------------

    @property
    def layout_file(self) -> Path | None:
        """Where the layout is kept: beside the configuration. None for an app that was made without one."""
        return None if self.settings.path is None else panels.layout_file(self.settings.path)

    def keep_layout(self, layout: Mapping[str, Any]) -> None:
        """Keep the layout for the next start; says once why it cannot be kept."""
        path = self.layout_file
        if path is None or self._cannot_keep:
            return
        try:
            panels.save(path, layout)
        except OSError as error:
            self._cannot_keep = True
            self.pending_warnings.append(f"The layout is kept only until you leave: {path}: {error.strerror or error}")
            self.show_pending_warnings()

    # --- what can be switched -------------------------------------------------------------------------------

    def keep(self, name: str, value: str | bool, title: str = "") -> None:
        """Write a setting that was chosen on screen into the configuration, and say so, or why it cannot be saved.

        Only a configuration that was read is written: an app made without one has none.
        """
        path = self.settings.path
        if path is None:
            return
        from .config.settings import keep

        try:
            keep(path, name, value, self._defaults)
        except InputError as error:
            said, kept = f"Kept only until you leave: {error}", False
        else:
            said, kept = f"Saved for the next start, in {path}", True
            self.settings = replace(self.settings, **{name: value})  # type: ignore[arg-type]
            self._config_watch.changed()  # a change of our own is not reported
        self._app.notify(
            plain(said, limit=300), title=title, severity="information" if kept else "warning", markup=False, timeout=5
        )

    def choose_theme(self, name: str) -> None:
        """Use a theme from now on, also after the next start."""
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
            said = f"Kept only until you leave: {name} is not in {themes.user_folder()}"
            self._app.notify(said, title=name, severity="warning", markup=False, timeout=5)

    def choose_glyphs(self, mode: Mode) -> None:
        """Draw pictures with other characters from now on."""
        self.glyph_mode = mode
        ScrollBar.renderer = AsciiScrollBar if mode == "ascii" else ScrollBarRender
        self.update_screens()
        self.keep("glyphs", mode, f"glyphs: {mode}")

    def use_theme(self, name: str) -> bool:
        """Use a theme by its name. If there is none, says so and returns False."""
        if name not in self._app.available_themes:
            self.pending_warnings.append(f'there is no theme "{name}"{nearest(name, self._app.available_themes)}')
            self.show_pending_warnings()
            return False
        self._app.theme = name
        return True

    def use_density(self, density: Density) -> None:
        """With borders and space between panels, or without."""
        self.density = density
        self.settings = replace(self.settings, density=density)
        self.update_screens()

    def use_reduced_motion(self, reduced: bool) -> None:
        """Reduced or full motion."""
        self.reduced_motion = reduced
        self.update_screens()

    def update_screens(self) -> None:
        """Density, motion or keys changed: update all screens."""
        self._app.animation_level = "none" if self.reduced_motion else "full"
        for screen in self._app.screen_stack if self._app.is_running else []:
            screen.set_class(self.density == "compact", "-dense")
            restyle = getattr(screen, "restyle", None)
            if restyle is not None:
                restyle()

    # --- preview of the theme that is highlighted in the palette --------------------------------------------

    def preview(self, marked: str) -> None:
        """The palette highlights this line: if it is a theme, show it for now."""
        app = self._app
        if marked.startswith(THEME):
            if self._previewed is None:
                self._previewed = app.theme
            if marked.removeprefix(THEME) in app.available_themes:
                app.theme = marked.removeprefix(THEME)
        elif self._previewed is not None:
            app.theme, self._previewed = self._previewed, None

    def end_preview(self, *, chosen: bool) -> None:
        """The palette is closed."""
        if self._previewed is not None and not chosen:
            self._app.theme = self._previewed
        self._previewed = None
