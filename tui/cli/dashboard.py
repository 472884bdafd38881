"""From a command line to an open dashboard: settings, flags before them, and what the terminal can do.

Apart from `cli.py`, which reads words; here they are weighed against the person's config file.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from engine import InputError, Scenario, as_number, plain

from ..config import settings, terminal
from .streams import on_terminal

if TYPE_CHECKING:
    from argparse import Namespace

    from engine import Recording, Report, Until


PATH_MAX = 4_096


def opened(
    space: Namespace,
    scenario: Scenario,
    until: Until,
    last_word: Callable[[Report], None] | None,
    recording: Recording | None = None,
    record: str | None = None,
) -> int:
    """Open the dashboard; replay `recording`, or write the run into the file `record`. Returns the exit code; raises
    InputError, before anything is drawn, for a flag or a terminal that will not do."""
    glyphs = settings.ALLOWED["glyphs"].read(space.glyphs, "--glyphs") if space.glyphs is not None else None
    speed = as_number(space.speed, "--speed", 0.001, 1e6, texts=True) if space.speed is not None else 1.0
    fps = settings.ALLOWED["fps"].read(space.fps, "--fps", texts=True) if space.fps is not None else None
    with on_terminal() as there:
        if not there:
            raise InputError("the dashboard needs a terminal; swarmtop run works without one")
        if refused := terminal.refusal(os.environ):
            raise InputError(refused)
        settled = settings.load()
        env = terminal.surroundings()
        missing = terminal.lacks(env, terminal.encoding_of(env))
        # The locale says what the terminal can show. Who names other glyphs knows better.
        ascii_only = "unicode" in missing and glyphs in (None, "ascii")
        if ascii_only:
            glyphs = "ascii"
        from ..app import open_dashboard

        return open_dashboard(
            scenario,
            theme=space.theme,
            fps=fps,
            speed=speed,
            glyphs=glyphs,
            until=until,
            last_word=last_word,
            recording=recording,
            record=record,
            settings=settled,
            lacks=terminal.untold(missing, terminal.note_file()) if missing else (),
            ascii_only=ascii_only,
        )


def config_command() -> str:
    """`swarmtop config`: tells where the file is, writes one where there is none, and says what is wrong in it.

    Raises InputError when it cannot be written.
    """
    path = settings.user_file()
    try:
        fresh = settings.write_default(path)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    lines = [f"{plain(path, limit=PATH_MAX)}{'  (new: every line in it is a comment)' if fresh else ''}"]
    settled = settings.load(path)
    wrong = list(settled.complaints)
    if settled.keys:
        from ..config.keymap import laid_over

        wrong += laid_over(settled.keys, path)[1]
    return "\n".join([*lines, *wrong])
