"""Palettes as themes of Textual, and Textual's themes as palettes.

Separate from `themes.py`, so that listing themes, or running without a screen, imports no Textual. Roles are variables
of a theme: `$swarm-alive` and so on. Textual's built-in themes have no roles; for them the roles are derived from the
colours of the theme:

    class SwarmApp(App[None]):
        def get_theme_variable_defaults(self) -> dict[str, str]:
            return variable_defaults(self.current_theme)
"""

from __future__ import annotations

from textual.color import Color
from textual.theme import Theme

from . import themes
from .themes import DEFAULT, FIELDS, ROLE_NAMES, Palette, contrast, mix, readable

PREFIX = "swarm-"
ROLE_VARIABLES = tuple(PREFIX + name for name in ROLE_NAMES)


def to_textual(palette: Palette) -> Theme:
    """The palette as a theme to register; its roles are variables named `swarm-` and the role."""
    colours = palette.theme
    return Theme(
        name=palette.name,
        dark=palette.dark,
        primary=colours["primary"],
        secondary=colours["secondary"],
        accent=colours["accent"],
        warning=colours["warning"],
        error=colours["error"],
        success=colours["success"],
        foreground=colours["foreground"],
        background=colours["background"],
        surface=colours["surface"],
        panel=colours["panel"],
        boost=colours["boost"],
        variables=_chrome(palette) | _roles(palette),
    )


def palette_of(theme: Theme) -> Palette:
    """The palette of any theme: roles it states are kept, the others derived from its colours.

    Colours that Textual itself would fill in are taken from Textual. A theme that leaves them to the terminal
    ("ansi_default") is read as white on black, or black on white when it is not dark.
    """
    generated = theme.to_color_system().generate()
    ground = "#000000" if theme.dark else "#ffffff"
    background = _opaque(theme.background or generated["background"], ground, ground)
    ink = "#ffffff" if theme.dark else "#000000"
    foreground = _opaque(theme.foreground or generated["foreground"], background, ink)
    fields = {"background": background, "foreground": foreground}
    for field in FIELDS:
        if field not in fields:
            fields[field] = _opaque(getattr(theme, field) or generated[field], background, background)
    stated = {name: theme.variables.get(PREFIX + name) for name in ROLE_NAMES}
    roles = {name: _opaque(value, background, ink) for name, value in stated.items() if value is not None}
    return themes.complete(theme.name, "", theme.dark, fields, roles)


def variable_defaults(theme: Theme | None = None) -> dict[str, str]:
    """A value for each role variable, for `App.get_theme_variable_defaults`: those of `theme`, or of our default.

    Without them a stylesheet with `$swarm-alive` cannot be parsed under a theme that is not ours.
    """
    if theme is None:
        return _roles(themes.find(DEFAULT))
    stated = {name: theme.variables[name] for name in ROLE_VARIABLES if name in theme.variables}
    return stated if len(stated) == len(ROLE_VARIABLES) else _roles(palette_of(theme))


def _roles(palette: Palette) -> dict[str, str]:
    return {PREFIX + name: colour for name, colour in palette.swarm.items()}


def _chrome(palette: Palette) -> dict[str, str]:
    """Colours that Textual derives badly: it would hide frames without focus and print white on yellow."""
    colours = palette.theme
    background, foreground, primary = colours["background"], colours["foreground"], colours["primary"]
    on_primary = max("#000000", "#ffffff", background, foreground, key=lambda ink: contrast(ink, primary))
    return {
        "boost": colours["boost"],  # Textual ignores this field in a theme that sets a panel
        "border": primary,
        "border-blurred": palette.swarm["map-coastline"],  # also a line of little importance
        "block-cursor-background": primary,
        "block-cursor-foreground": on_primary,
        "block-cursor-blurred-background": mix(background, primary, 0.3),
        "block-cursor-blurred-foreground": foreground,
        "block-hover-background": mix(background, foreground, 0.12),
        "button-color-foreground": on_primary,
        "footer-key-foreground": colours["accent"],
        "input-selection-background": mix(background, primary, 0.45),
        "scrollbar": readable(mix(background, foreground, 0.28), background, 1.8),
        "scrollbar-hover": mix(background, foreground, 0.4),
        "scrollbar-active": primary,
        "scrollbar-background": background,
        "scrollbar-background-hover": background,
        "scrollbar-background-active": background,
        "scrollbar-corner-color": background,
    }


def _opaque(value: str, ground: str, otherwise: str) -> str:
    """A colour of Textual as `#rrggbb` on `ground`; `otherwise` where it is the terminal's own or transparent."""
    colour = Color.parse(value)
    if colour.ansi == -1 or colour.a == 0:
        return otherwise
    red, green, blue = colour.rgb  # a numbered colour becomes what Textual has for it
    return Color.parse(ground).blend(Color(red, green, blue), colour.a, alpha=1).hex6.lower()
