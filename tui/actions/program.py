"""Actions of the program: help, palette, back, quit, themes, density, motion, characters, tour, configuration."""

from __future__ import annotations

from functools import partial

from engine import help_of, network, title_of
from tui.config import settings
from tui.config.keys import SHARED
from tui.draw.styles import MODES, Mode
from tui.screens.main import Action, Context, Words
from tui.session.panels import DRAWERS, drawer
from tui.widgets.feed import Feed

GLYPHS_TOLD = {
    "braille": "Eight dots in each cell: the finest picture.",
    "block": "Four squares in each cell, for a font without braille.",
    "ascii": "Letters only, for a terminal that has no other characters.",
}


def theme(context: Context) -> None:
    """Open the list of themes."""
    screen, preferences = context.screen, context.app.preferences
    drawn = screen.theme_drawer
    if not drawn.is_open:
        screen.close_bars()
        drawn.open(preferences.our_themes, screen.app.theme)


def help_screen(context: Context) -> None:
    """Show the help."""
    from tui.screens.help import HelpScreen

    name, preferences, screen = context.session.player.setup.protocol, context.app.preferences, context.screen
    kind = network(name)
    made = HelpScreen(name, title_of(kind), help_of(kind), preferences.glyph_mode, preferences.keys_now)
    screen.app.push_screen(made, lambda tour: screen.begin_tour() if tour else None)


def palette(context: Context) -> None:
    """Find an action by its name."""
    context.app.open_palette()


def focus(by: int, context: Context) -> None:
    """To the next panel, or the one before."""
    context.screen.focus_next_panel(by)


def back(context: Context) -> None:
    """One step back: from the tour, the whole screen, a panel to the picture, an ask, marks, a peer, a zoom."""
    screen, session, panels = context.screen, context.session, context.screen.panels
    narrow = drawer(*screen.size)
    if screen.leave_tour():
        return
    if screen.ask_bar.is_open or screen.filter_bar.is_open:
        screen.close_bars()
    elif screen.focused is screen.peers_table and session.selection.filter:
        session.selection.apply_filter("")
    elif isinstance(screen.focused, Feed) and screen.focused.narrowed:
        screen.focused.widen()
    elif panels.whole:
        panels.expand("")
        screen.make_room()
    elif screen.focused is not None and screen.focused is not screen.picture:
        screen.picture.focus()
    elif narrow and (over := [name for name in DRAWERS if name in panels.shown]):
        panels.toggle(over[0], narrow=narrow)
        screen.make_room()
    elif narrow and "inspector" in panels.shown:
        panels.drawer_shut = True
        screen.make_room()
    elif not session.selection.following:
        session.selection.choose(None)
    elif session.selection.marked:
        session.selection.mark("")
    elif session.selection.selected is not None:
        session.selection.select(None)
    elif screen.enlarged > 1:
        screen.picture.zoom(0)


def suspend(context: Context) -> None:
    """Go back to the shell."""
    context.app.suspend_to_shell()


def leave(context: Context) -> None:
    """End the program."""
    context.app.leave(0)


def density(context: Context) -> None:
    """With borders and space between panels, or without."""
    preferences = context.app.preferences
    preferences.use_density("comfortable" if preferences.density == "compact" else "compact")
    compact = preferences.density == "compact"
    preferences.keep("density", preferences.density, f"{preferences.density} density")
    context.session.say("Compact: no borders, more to see." if compact else "Comfortable: with borders.")


def _words_density(context: Context) -> Words:
    return Words("", f"Screen: {'comfortable' if context.app.preferences.density == 'compact' else 'compact'} density")


def motion(context: Context) -> None:
    """Full or reduced motion."""
    preferences = context.app.preferences
    preferences.use_reduced_motion(not preferences.reduced_motion)
    calm = preferences.reduced_motion
    preferences.keep("reduced_motion", calm, f"{'reduced' if calm else 'full'} motion")
    context.session.say("Motion reduced." if calm else "Full motion: peers move gradually, actions are highlighted.")


def _words_motion(context: Context) -> Words:
    return Words("", f"Screen: {'full' if context.app.preferences.reduced_motion else 'reduced'} motion")


def glyphs(mode: Mode, context: Context) -> None:
    """Draw with other characters."""
    context.app.preferences.choose_glyphs(mode)
    context.screen.use_glyphs(mode)


def _same_glyphs(mode: Mode, context: Context) -> str:
    return f"The picture is drawn with {mode} already." if context.app.preferences.glyph_mode == mode else ""


def tour(context: Context) -> None:
    """Begin the tour."""
    context.screen.begin_tour()


def configuration(context: Context) -> None:
    """Say where the configuration is; if there is none, write one with comments."""
    path = context.app.preferences.settings.path or settings.user_file()
    try:
        fresh = context.app.preferences.write_default(path)
    except OSError as error:
        context.screen.notify(f"{path}: {error.strerror or error}", severity="error", markup=False, timeout=10)
        return
    said = f"{path}{' (new; every line is a comment)' if fresh else ''}. Themes go into {path.parent / 'themes'}."
    context.screen.notify(said, title="configuration", markup=False, timeout=15)


ACTIONS: tuple[Action, ...] = (
    Action(
        *("app.theme", SHARED["app.theme"], "theme", "Program", "Choose a theme; moving the cursor shows it.", 17),
        run=theme,
        synonyms="colours, colors, dark, dark mode, light, light mode, appearance, palette, contrast, colour blind",
    ),
    Action(
        *("app.help", SHARED["app.help"], "help", "Program", "All keys, and what this network is.", 2, "app"),
        run=help_screen,
        synonyms=(
            "keys, shortcuts, key bindings, hotkeys, cheat sheet, manual, man page, documentation, docs, about, usage"
        ),
    ),
    Action(
        *("app.palette", "ctrl+p", "palette", "Program", "Find any action by name.", 18, "app"),
        run=palette,
        synonyms="commands, command palette, search actions, menu",
    ),
    Action(
        *("app.focus", "tab", "next panel", "Program", "Move to the next panel; arrows move inside it."),
        run=partial(focus, 1),
        synonyms="focus, switch panel, window, cycle",
    ),
    Action(
        *("app.focus_back", "shift+tab", "panel before", "Program", "Move to the panel before."),
        run=partial(focus, -1),
        synonyms="focus, switch panel, previous panel, window",
    ),
    Action(
        *("app.back", "escape", "back", "Program", "One step back: close, deselect, zoom out."),
        run=back,
        synonyms="cancel, close, deselect, go back, dismiss",
    ),
    Action(
        *("app.suspend", "ctrl+z", "suspend", "Program"),
        *("Go back to the shell; there, fg comes back here. No time passes meanwhile.", 0, "app"),
        run=suspend,
        synonyms="shell, background, job, ctrl+z, terminal, stop process",
    ),
    Action(
        *("app.quit", SHARED["app.quit"], "quit", "Program"),
        *("Leave; in help, back to the swarm. Nothing is saved unless you recorded it.", 3, "app"),
        run=leave,
        synonyms="exit, leave, close, end, stop program",
    ),
    Action(
        *("app.density", "", "density", "Program", "Show panels with borders, or without."),
        run=density,
        words=_words_density,
        synonyms="borders, compact, comfortable, space, padding, spacing",
    ),
    Action(
        *("app.motion", "", "motion", "Program", "Whether peers move gradually and actions are highlighted."),
        run=motion,
        words=_words_motion,
        synonyms="animation, reduced motion, animations, blink, accessibility",
    ),
    *(
        Action(
            *(f"app.glyphs_{mode}", "", f"draw with {mode}", "Program", GLYPHS_TOLD[mode]),
            run=partial(glyphs, mode),
            why_not=partial(_same_glyphs, mode),
            says=f"Screen: draw with {mode}",
            synonyms="characters, font, unicode, glyphs, symbols",
        )
        for mode in MODES
    ),
    Action(
        *("app.tour", "", "tour", "Program", "Five things to do, each explained in turn."),
        run=tour,
        says="Help: take the tour",
        synonyms="tutorial, introduction, intro, getting started, onboarding, walkthrough, demo, lesson",
    ),
    Action(
        *(
            "app.config",
            "",
            "configuration",
            "Program",
            "Show where the configuration is; write one if there is none.",
        ),
        run=configuration,
        says="Help: where is my configuration",
        synonyms="settings, preferences, options, keys, keymap, remap keys, config file, dotfile",
    ),
)
