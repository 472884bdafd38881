"""`swarmtop replay`: a recording on screen, or run again without one and held against what was written down."""

from __future__ import annotations

import argparse
import sys

from .main import DONE, FAILED, Parser, WrongError, json_of, load_engine, on_screen, say, screen_flags, warn
from .run import Progress

ABOUT = """\
Open a recording (swarmtop --record FILE, swarmtop run --record FILE) and watch it from its beginning: what was done
to the swarm then is done again when its time comes. Do something else, and another future begins there.

With --json it is run again without a screen, and what swarmtop run prints is printed."""

TAIL = """\
exit codes: 0 done, 1 it was another run than the one that was recorded, 2 the file was wrong, 130 interrupted"""


def replay_parser() -> Parser:
    """What may follow the word."""
    parser = Parser(prog="swarmtop replay", usage="swarmtop replay FILE [flags]", description=ABOUT, epilog=TAIL)
    parser.add_argument("file", nargs="?", metavar="FILE", help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="without a screen: run it and print one JSON object")
    parser.add_argument("--series", action="store_true", help="with --json: samples over time as well")
    screen_flags(parser)
    return parser


def run_replay(space: argparse.Namespace) -> int:
    """Replay, and return the exit code."""
    if space.file is None:
        raise WrongError("replay what? swarmtop replay FILE opens a recording")
    if space.series and not space.json:
        raise WrongError("--series needs --json")
    load_engine()
    if not space.json:
        from engine import load_recording

        scenario, recording = load_recording(space.file)
        if recording.note:
            warn(recording.note)
        return on_screen(space, scenario, None, recording=recording)
    from engine import replay

    progress = Progress() if sys.stderr.isatty() else None
    try:
        again = replay(space.file, series=space.series, progress=progress)
    finally:
        if progress is not None:
            progress.clear()
    for sentence in again.report.warnings:
        warn(sentence)
    say(json_of(again.report, series=space.series))
    if again.diverged:
        warn(again.diverged)
    return FAILED if again.diverged else DONE
