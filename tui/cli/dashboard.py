"""The dashboard from the command line: its flags, the settings of the person, and what the terminal can do."""

from __future__ import annotations

import argparse
import contextlib
from typing import TYPE_CHECKING

from .common import (
    DONE,
    Parser,
    adder,
    is_usual_swarm,
    json_of,
    read_until,
    say,
    scenario_of,
    screen_flags,
    swarm_flags,
)
from .files import check_apart
from .streams import on_terminal

if TYPE_CHECKING:
    from engine import Recording, Report, Scenario, Until

    from ..config.settings import Settings
    from ..first_frame import FirstFrame


def flags(parser: Parser) -> None:
    """Add the flags of `swarmtop`."""
    swarm_flags(parser)
    screen_flags(parser)
    adder(parser)("--until", read_until, "SECONDS|quiet", "pause there (virtual time), or when all asks are closed")
    parser.add_argument("--json", action="store_true", help="on leaving, print one JSON object of the run so far")
    parser.add_argument("--version", "-V", action="store_true", help="print the version")


def run_dashboard(space: argparse.Namespace) -> int:
    """`swarmtop`: open the dashboard. Returns the exit code."""
    if space.version:
        from importlib.metadata import PackageNotFoundError, version

        try:
            say(f"swarmtop {version('swarmtop')}")
        except PackageNotFoundError:
            say("swarmtop, not installed")
        return DONE
    if is_usual_swarm(space):
        return open_on_screen(space, None, space.until)
    scenario = scenario_of(space)
    check_apart(space, scenario)
    return open_on_screen(space, scenario, space.until, record=space.record)


def open_on_screen(
    space: argparse.Namespace,
    scenario: Scenario | None,
    until: Until,
    *,
    recording: Recording | None = None,
    record: str | None = None,
) -> int:
    """Open the dashboard, with the flags of `screen_flags`; replay `recording`, or write the run into a file `record`.

    scenario: None is the usual one; the engine is then imported after the frame is painted.
    Returns the exit code. Raises InputError, before anything is drawn, for a theme or a terminal that cannot be used.
    """
    import gc
    import os

    from engine import InputError

    def print_report(report: Report) -> None:
        say(json_of(report))

    # Until the first picture is up: looking for garbage takes a tenth of the start, and there is none yet.
    gc.disable()
    try:
        with on_terminal() as there:
            if not there:
                raise InputError("the dashboard needs a terminal; swarmtop run works without one")
            from ..config import settings, terminal

            if refused := terminal.refusal(os.environ):
                raise InputError(refused)
            settled = settings.load()
            env = terminal.given_environment()
            missing = terminal.lacks(env, terminal.encoding_of(env))
            glyphs = space.glyphs
            # The locale says what the terminal can show, unless the person names other glyphs.
            ascii_only = "unicode" in missing and glyphs in (None, "ascii")
            if ascii_only:
                glyphs = "ascii"
            first = _first_frame(scenario, recording, space.theme, settled, glyphs or settled.glyphs)
            try:
                if scenario is None:
                    scenario = scenario_of(space)
                from ..app import open_dashboard

                return open_dashboard(
                    scenario,
                    theme=space.theme,
                    fps=space.fps,
                    speed=space.speed,
                    glyphs=glyphs,
                    until=until,
                    on_report=print_report if space.json else None,
                    recording=recording,
                    record=record,
                    settings=settled,
                    lacks=terminal.not_shown_before(missing, terminal.note_file()) if missing else (),
                    ascii_only=ascii_only,
                    first=first,
                )
            finally:
                first.clear()
    finally:
        gc.enable()


def _first_frame(
    scenario: Scenario | None, recording: Recording | None, theme: str | None, settled: Settings, glyphs: str | None
) -> FirstFrame:
    """The frame of the dashboard, painted before Textual is loaded. It is not painted yet if its colours are not known:
    for a theme of Textual, or for one that is refused later."""
    import os

    from engine import InputError, Setup

    from ..config import themes
    from ..first_frame import FirstFrame
    from ..session.panels import layout_file, load

    made = scenario if recording is None else recording
    first = FirstFrame(
        (Setup() if made is None else made.setup).protocol,
        story=scenario is not None and bool(scenario.about or scenario.captions or scenario.expects),
        ascii_only=glyphs == "ascii",
        layout=None if settled.path is None else load(layout_file(settled.path)),
    )
    with contextlib.suppress(InputError):
        palette = themes.find(theme or settled.theme or themes.DEFAULT)
        first.paint(None if "NO_COLOR" in os.environ else palette)
    return first
