"""The program with a screen: the keys that work everywhere, how it begins and ends, and `open_dashboard`.

It does not handle peers: the session holds the swarm, `screens/main.py` shows it, `preferences.py` has a person's
settings.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import time
import traceback
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from textual import events, on
from textual.app import ReturnType
from textual.binding import Binding
from textual.command import Command, CommandPalette
from textual.widgets import Input
from textual.widgets.input import Selection

from engine import Scenario, SwarmError, plain

from .actions.table import ACTIONS, ALL
from .config import textual_themes
from .config.collector import COLLECT
from .config.keys import Key, bindings, keyed
from .config.settings import Settings
from .config.terminal import GONE, Ending, leaving_when_hung_up, stdin_is_gone
from .draw.styles import Mode
from .input_queue import InputQueue
from .preferences import Preferences
from .screens.main import MainScreen
from .session import reproduce
from .session.session import Session
from .terminal_diff import Shown
from .textual_compat import (
    ESCAPE,
    OTHERWISE,
    AltKey,
    Passed,
    SteadyPalette,
    TerminalApp,
    driver_of,
    is_foreign,
    is_late,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import RenderableType
    from textual.command import Provider

    from engine import Recording, Report, Until

    from .first_frame import FirstFrame

FPS = 30.0
PASTE_MOST = 4_000
"""The most characters of a paste that go into a line."""
LATIN_S = 10.0
"""Wall seconds between two notices that keys are Latin letters."""
NOBODY_CONTINUES = "Not suspended: there is no shell that could continue swarmtop."
LATE_MOST = 20
"""The most errors in closed widgets that are noted in a run."""
TWICE_S = 5.0
"""Wall seconds within which a second ctrl+c ends the program."""


def _palette() -> type[Provider]:
    """Imported when the palette is first opened, as it takes a tenth of the time of the start."""
    from .actions.palette import ActionFinder

    return ActionFinder


class SwarmApp(TerminalApp, inherit_bindings=False):
    """The app of a session. Exits with 0, with 128 and the number of the signal that ended it, or with 1 after an
    error."""

    TITLE = "swarmtop"
    CSS_PATH = "swarmtop.tcss"
    COMMANDS = {_palette}
    # With priority, since it works in dialogs too. Textual's own bindings are left out: its ctrl+q would end the run
    # even while something is typed.
    BINDINGS = [*bindings(ACTIONS, "app"), Binding("ctrl+c", "interrupt", show=False, priority=True, system=True)]
    # Textual would bind ctrl+p with priority, to a palette without the guards of ours, whatever key ours has.
    ENABLE_COMMAND_PALETTE = False

    def __init__(
        self,
        session: Session,
        *,
        theme: str | None = None,
        fps: float | None = None,
        glyphs: Mode | None = None,
        settings: Settings | None = None,
        lacks: Sequence[str] = (),
        ascii_only: bool = False,
        first: FirstFrame | None = None,
    ) -> None:
        """`settings` are used where no flag is given; `lacks`: sentences on what the terminal cannot do, to be shown;
        ascii_only: write no other characters to the terminal; first: what is on the screen already.

        Raises InputError for a theme that does not exist.
        """
        settled = settings or Settings()
        self.session = session
        self._first = first
        self._fps, self._steady = fps or settled.fps or FPS, bool(fps or settled.fps)
        super().__init__()
        self.broken: Exception | None = None
        """The exception that ended the program; the first, if there were more."""
        self.inputs = InputQueue(self, super().on_event)
        self._interrupted_s = -TWICE_S
        self._shown = Shown()
        self._foreign_s = -LATIN_S
        self._picture_shown = False
        self._leaves_with: int | None = None
        self._leaving = False
        self._late = 0
        self.deadline = Ending(self.restore_terminal)
        """Ends the program by a signal, and when leaving takes too long."""
        self._ascii_only = ascii_only
        self.preferences = Preferences(self, ALL, settled, glyphs)
        self.theme = self.preferences.apply_settings(theme)
        self.stylesheet.set_variables(self.get_css_variables())  # before anything is parsed with those of another theme
        self.preferences.pending_warnings += [keyed(self, sentence) for sentence in lacks]
        self.main = MainScreen(session, ACTIONS, self, fps=self._fps, steady=self._steady)

    @property
    def keys_by_id(self) -> Mapping[str, Key]:
        """The rows of the table of keys, with the person's own. Widgets use it."""
        return self.preferences.keys_by_id

    @property
    def glyph_mode(self) -> Mode:
        """The characters that pictures are drawn with. Widgets use it."""
        return self.preferences.glyph_mode

    @property
    def ending(self) -> bool:
        """Whether the program was asked to end, by a key or by a signal."""
        return self._leaving or self._leaves_with is not None or self.deadline.begun

    @property
    def ascii_only(self) -> bool:
        """Whether the terminal takes no other characters."""
        return self._ascii_only

    async def on_event(self, event: events.Event) -> None:
        """Input waits until earlier input has been handled; everything else is handled as Textual does."""
        if isinstance(event, (events.InputEvent, events.Paste)) and not event.is_forwarded and self.screen_stack:
            if isinstance(event, events.Paste):
                event.text = self._one_line(event.text)
            for one in self._keys_meant(event) if isinstance(event, events.Key) else (event,):
                if isinstance(one, events.Key):
                    self.main.show_key(one.key)
                await self.inputs.put(one)
        else:
            await super().on_event(event)

    async def on_passed(self, message: Passed) -> None:
        """The input that was delivered last has been handled."""
        await self.inputs.passed(message)

    def _keys_meant(self, event: events.Key) -> tuple[events.Event, ...]:
        """The keys that an event stands for: the key itself, if it is in the table of keys. Else a key with alt is two
        keys that arrived together, ESC and the one after it; and a key that most terminals report as another one is
        that other one."""
        if not isinstance(event, AltKey) and event.key not in OTHERWISE:
            return (event,)
        if any(event.key in key.keys.split(",") for key in self.preferences.keys_now):
            return (event if not isinstance(event, AltKey) else events.Key(event.key, None),)
        if isinstance(event, AltKey):
            return events.Key(ESCAPE, "\x1b"), *self._keys_meant(event.plain)
        return (events.Key(*OTHERWISE[event.key]),)

    def _one_line(self, pasted: str) -> str:
        """The pasted text as one line: fields have one line, and Textual would use only the first line of the text."""
        joined = " ".join(part for line in pasted.splitlines() if (part := plain(line, limit=len(line)).strip()))
        if len(joined) > PASTE_MOST:
            said = f"A line takes {PASTE_MOST:,} characters; the paste had {len(joined):,}, and the rest was left out."
            self.notify(said, severity="warning", markup=False, timeout=6)
        return joined[:PASTE_MOST]

    def on_key(self, event: events.Key) -> None:
        """A letter of another alphabet that no widget handled: the terminal does not report which key it is on."""
        now = time.monotonic()
        if is_foreign(event.character) and event.key == event.character and now - self._foreign_s >= LATIN_S:
            self._foreign_s = now
            said = f"Keys are the Latin letters a to z, not “{event.character}”: switch the keyboard layout."
            self.notify(said, severity="warning", markup=False, timeout=6)

    def notify(self, message: str, *, title: str = "", **how: Any) -> None:
        """As Textual's, without markup, since a message may contain the name of a file or other text from outside."""
        super().notify(plain(message, limit=400), title=plain(title), **how)

    # --- actions --------------------------------------------------------------------------------------------

    def action_do(self, id: str) -> None:  # noqa: A002
        """Run an action of the table by its id."""
        self.main.action_do(id)

    def open_palette(self) -> None:
        """Find an action by its name."""
        if not isinstance(self.screen, SteadyPalette):
            self.push_screen(SteadyPalette(id="--command-palette"))

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Roles for themes that have none."""
        return textual_themes.variable_defaults(self.current_theme)

    def get_default_screen(self) -> MainScreen:
        """The dashboard."""
        return self.main

    def on_ready(self) -> None:
        """The first picture is shown: now read all other themes, and report those that could not be read.

        Objects that exist now stay, so the garbage collector does not look at them again.
        """
        self.preferences.all_themes()
        self.preferences.show_pending_warnings()
        self.preferences.watch_files()
        if self.screen is self.main:
            self.main.maybe_tour()
        if not gc.isenabled():
            gc.freeze()
            gc.set_threshold(*COLLECT)
            gc.enable()
        self._picture_shown = True
        if self._leaves_with is not None:
            self.leave(self._leaves_with)

    def to_write(self, renderable: RenderableType | None) -> RenderableType | None:
        """Only the parts that the terminal does not show yet."""
        return renderable if self.is_inline else self._shown.reduced(renderable)

    @on(CommandPalette.OptionHighlighted)
    def _line_highlighted(self, event: CommandPalette.OptionHighlighted) -> None:
        option = event.highlighted_event.option
        self.preferences.preview((option.hit.text or "") if isinstance(option, Command) else "")

    @on(CommandPalette.Closed)
    def _palette_closed(self, event: CommandPalette.Closed) -> None:
        self.preferences.end_preview(chosen=event.option_selected)

    async def action_quit(self) -> None:
        """Textual's own action for leaving."""
        self.leave(0)

    def leave(self, code: int) -> None:
        """Stop time, end the program and restore the terminal.

        Waits until the first picture is shown: a screen that is closed while its widgets are being made raises errors.
        """
        if not self._picture_shown:
            self._leaves_with = code
            return
        self._leaving = True
        self.session.stop()
        self.deadline.begin(code)
        self.exit(code)

    def terminal_gone(self) -> None:
        """The terminal is gone: leave."""
        self.leave(GONE)

    def resumed(self) -> None:
        """The process was suspended: the time that passed meanwhile is not made up for."""
        self.session.player.pacer.resync()

    def restore_terminal(self) -> None:
        """Restore the terminal. A second call does nothing; may be called from any thread."""
        driver = driver_of(self)
        if driver is not None:
            driver.close()
            getattr(driver, "restore_line", bool)()
        if self._first is not None and (driver is None or self.screen_taken):
            self._first.leave()

    def suspend_to_shell(self) -> None:
        """Suspend the program, as ctrl+z does in other programs; `fg` resumes it."""
        driver = driver_of(self)
        if not getattr(driver, "can_suspend", False) or not hasattr(driver, "suspend"):
            why = "This program cannot be suspended here"
        elif not driver.continuable:
            why = NOBODY_CONTINUES
        else:
            driver.suspend()
            return
        self.notify(why, severity="warning", markup=False, timeout=4)

    def not_suspended(self) -> None:
        self.notify(NOBODY_CONTINUES, severity="warning", markup=False, timeout=4)

    def action_interrupt(self) -> None:
        """Ctrl+C copies the marked text and removes the mark; if the mark stayed, ctrl+c could never end the program.
        Without marked text, the first one may be a mistake of a person who wanted to copy; the second one ends the
        program."""
        field = self.focused if isinstance(self.focused, Input) else None
        marked = (field.selected_text if field is not None else "") or self.screen.get_selected_text()
        if marked:
            self.copy_to_clipboard(marked)
            self.screen.clear_selection()
            if field is not None:
                field.selection = Selection.cursor(field.cursor_position)
            return
        now = time.monotonic()
        if now - self._interrupted_s < TWICE_S:
            self.leave(128 + signal.SIGINT)
            return
        self._interrupted_s = now
        self.notify(
            keyed(self, "press ctrl+c again to leave, or {app.quit}"),
            severity="warning",
            markup=False,
            timeout=TWICE_S,
        )

    def panic(self, *renderables: RenderableType) -> None:
        """Textual calls it on an error, and also when the terminal is gone, which is no error of the program."""
        if stdin_is_gone():
            self.leave(GONE)
        else:
            super().panic(*renderables)

    def handle_failure(self, error: Exception) -> bool:
        """Textual ends the program for it; `open_dashboard` reports what happened.

        Errors while the program leaves and its screens are removed are ignored. An error in a widget that is already
        removed (a dialog that was closed) is written into a file, and the run goes on. So is an error that comes after
        a signal has asked the program to end: the exit code is that of the signal.
        """
        if self._leaving:
            return True
        if self.ending:
            self._note_late(error)
            if self._leaves_with is not None:
                self._picture_shown = True  # there will be no first picture to wait for
                self.leave(self._leaves_with)
            return True
        if is_late(self, error):
            self._note_late(error)
            return True
        self.broken = self.broken or error
        return False

    def _note_late(self, error: Exception) -> None:
        self._late += 1
        if self._late <= LATE_MOST:
            with contextlib.suppress(OSError):
                path = reproduce.user_folder().parent / "late.txt"
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("w" if self._late == 1 else "a", encoding="utf-8", errors="replace") as file:
                    file.write("".join(traceback.format_exception(error)) + "\n")


def open_dashboard(
    scenario: Scenario,
    *,
    theme: str | None = None,
    fps: float | None = None,
    speed: float = 1.0,
    glyphs: Mode | None = None,
    until: Until = None,
    on_report: Callable[[Report], None] | None = None,
    settings: Settings | None = None,
    lacks: Sequence[str] = (),
    ascii_only: bool = False,
    recording: Recording | None = None,
    record: str | None = None,
    first: FirstFrame | None = None,
) -> int:
    """Open the dashboard on a scenario and run it until the person leaves. Returns the exit code.

    speed: virtual seconds per wall second; fps: most frames a second; until: see `Session`; on_report: is called
    with the report of the run when the person has left; settings, lacks, ascii_only: see `SwarmApp`; recording: is
    replayed, and the code is 1 if the run differed from it; record: a file to write the run into; first: what is on
    the screen already. A signal ends it in the same way, and the code is 128 plus its number. Raises InputError before
    anything of the dashboard is drawn, and SwarmError, after the terminal was restored, for an error of the program.
    """
    gc.disable()  # until the first picture: the collector took a tenth of the start, when there is no garbage yet
    session = Session(scenario, speed=speed, until=until, recording=recording)
    if record is not None:
        session.player.begin_recording(record)
    try:
        app = SwarmApp(
            session,
            theme=theme,
            fps=fps,
            glyphs=glyphs,
            settings=settings,
            lacks=lacks,
            ascii_only=ascii_only,
            first=first,
        )
    except SwarmError:
        raise
    except Exception as error:  # as for a variable of the environment that Textual reads
        raise SwarmError(_report_of(session, error)) from error

    async def run() -> ReturnType | int | None:
        app.deadline.app(app.leave)
        async with leaving_when_hung_up(app.leave):
            if first is not None:
                if not first.shown:
                    own = app.no_color or (app.current_theme.background or "").startswith("ansi")
                    first.paint(None if own else textual_themes.palette_of(app.current_theme))
                first.paint_keys(app.preferences.keys_now)
                app.screen_taken = first.shown
            try:
                return await app.run_async()
            finally:
                if first is not None and driver_of(app) is not None:
                    first.shown = app.screen_taken  # else the dashboard has taken the screen over, and leaves it itself

    with app.deadline:
        app.deadline.take(first.hand_over_signals() if first is not None else {})
        try:
            try:
                code = asyncio.run(run())
            except SwarmError:
                raise
            except (Exception, asyncio.CancelledError) as error:
                code = app.deadline.code
                if code is None:
                    app.broken = app.broken or (error if isinstance(error, Exception) else RuntimeError("cancelled"))
            if app.broken is not None:
                raise SwarmError(_report_of(app.session, app.broken)) from app.broken
            if on_report is not None:
                on_report(app.session.report())
        finally:
            gc.freeze()  # the garbage collector does not run any more, so that the program ends at once
            app.deadline.restore()
    code = int(code) if isinstance(code, int) else (app.return_code or 0)
    return code or int(recording is not None and session.player.machine.diverged is not None)


def _report_of(session: Session, error: Exception) -> str:
    """The error in one sentence; the traceback, and how to get to this moment again, are written to a file that it
    names."""
    said = plain(f"{type(error).__name__}: {error}".rstrip(": "), limit=200)
    path = reproduce.user_folder().parent / "crash.txt"
    again = ""
    with contextlib.suppress(Exception):  # the error may be in the session
        here = f"the cursor was at {session.swarm.now_us / 1e6:.6f} s"
        again = f"{session.command_line_of_all()}\n{here}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        said_of_it = "".join(traceback.format_exception(error))
        path.write_text(f"{again}\n\n{said_of_it}", encoding="utf-8", errors="replace")
    except OSError:
        last = traceback.extract_tb(error.__traceback__)[-1:]
        return said + "".join(f" ({spot.name}, {spot.filename}:{spot.lineno})" for spot in last)
    return f"{said}; this is an error in swarmtop: {path} says where it happened and how to get there again"
