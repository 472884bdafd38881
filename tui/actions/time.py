"""Actions on time: pausing, stepping, speed, and going back and forth in the run.

Keys that step also stop time. Keys that jump do not: if time runs, it runs on from there, first through the past, then
beyond the end.
"""

from __future__ import annotations

import math
from functools import lru_cache, partial

from textual.css.query import NoMatches

from tui.screens.main import Action, Context, Words

from .asks import FAILED

SPEEDS: tuple[float, ...] = (*(2.0**power for power in range(-8, 7)), math.inf)
"""1/256 to 64 virtual seconds a second, and as fast as possible."""
AT_START = "This is the beginning of the run."
AT_END = "This is the end of the run so far."


def _failed(context: Context) -> str:
    return FAILED if context.session.player.alarm else ""


def pause(context: Context) -> None:
    """Stop time, or let it run."""
    context.session.player.play_or_pause()


def _words_pause(context: Context) -> Words:
    return Words("" if context.session.player.pacer.playing else "play")


def step(ms: int, context: Context) -> None:
    """Go on by an interval, and stop."""
    context.session.player.pacer.step(ms * 1000)


def rewind(ms: int, context: Context) -> None:
    """Go back by an interval, and stop."""
    context.session.player.step_by(-ms * 1000)


def travel(ms: int, context: Context) -> None:
    """Go on or back by an interval; time runs on if it ran."""
    context.session.player.seek_to(context.session.player.cursor_us + ms * 1000)


def to_start(context: Context) -> None:
    """Go to the beginning."""
    context.session.player.seek_to(0)


def to_end(context: Context) -> None:
    """Go to the live end."""
    context.session.player.seek_to(context.session.player.end_us)


def _at_start(context: Context) -> str:
    return "" if context.session.player.cursor_us > 0 else AT_START


def _at_end(context: Context) -> str:
    session = context.session
    going = session.player.seek_target_us is not None and session.player.seek_target_us < session.player.end_us
    return AT_END if session.player.at_end and not going else ""


def _mark(by: int, context: Context) -> int | None:
    try:
        timeline = context.screen.timeline
    except NoMatches:
        return None
    timeline.track.take(context.session.player.marks)
    return timeline.track.next_to(context.session.player.cursor_us, by)


def to_mark(by: int, context: Context) -> None:
    """Go to the previous mark (-1), or the next (1)."""
    where = _mark(by, context)
    if where is not None:
        context.session.player.seek_to(where)


def _no_mark(by: int, context: Context) -> str:
    there = _mark(by, context) is not None
    return "" if there else f"Nothing was done {'before' if by < 0 else 'after'} this moment."


def undo(context: Context) -> None:
    """Undo the last action of a person."""
    context.session.player.undo()


def _not_undoable(context: Context) -> str:
    return "" if context.session.player.undoable else "There is nothing to undo before this moment."


def _speed_at(context: Context) -> int:
    """The index of the nearest of SPEEDS to what is set."""
    return _nearest(context.session.player.pacer.speed)


@lru_cache(maxsize=64)
def _nearest(speed: float) -> int:
    if math.isinf(speed):
        return len(SPEEDS) - 1
    return min(range(len(SPEEDS) - 1), key=lambda at: max(SPEEDS[at] / speed, speed / SPEEDS[at]))


def change_speed(by: int, context: Context) -> None:
    """Double or halve the speed."""
    at = _speed_at(context) + by
    context.session.player.pacer.set_speed(SPEEDS[min(max(at, 0), len(SPEEDS) - 1)])


def _no_speed(by: int, context: Context) -> str:
    at = _speed_at(context) + by
    if at >= len(SPEEDS):
        return "This is the highest speed already."
    return "This is the slowest speed: {time.pause} stops time." if at < 0 else ""


def _step(id_: str, keys: str, label: str, tip: str, ms: int, rank: int = 0) -> Action:
    """A row that goes on by so many ms and stops."""
    return Action(
        *(id_, keys, label, "Time", tip, rank),
        run=partial(step, ms),
        why_not=_failed,
        synonyms="advance, single step, forward, tick, frame",
    )


def _back(id_: str, keys: str, label: str, tip: str, ms: int, rank: int = 0) -> Action:
    """A row that goes back by so many ms and stops."""
    return Action(
        *(id_, keys, label, "Time", tip, rank),
        run=partial(rewind, ms),
        why_not=_at_start,
        synonyms="rewind, reverse, step back, time travel, backwards",
    )


def _travel(id_: str, keys: str, label: str, tip: str, ms: int, rank: int = 0) -> Action:
    """A row that goes so many ms on, or back."""
    return Action(
        *(id_, keys, label, "Time", tip, rank),
        run=partial(travel, ms),
        why_not=_at_start if ms < 0 else _at_end,
        synonyms="rewind, seek, reverse, time travel, back in time, go to"
        if ms < 0
        else "seek, forward, skip ahead, fast forward",
    )


ACTIONS: tuple[Action, ...] = (
    Action(
        *("time.pause", "space", "pause", "Time", "Stop time, or let it run.", 2),
        run=pause,
        why_not=_failed,
        words=_words_pause,
        synonyms="play, stop, start, run, freeze, resume, continue, halt, unpause",
    ),
    _step("time.nudge", "comma", "step 10 ms", "Go on by 10 ms of virtual time, then stop.", 10),
    _step("time.step", "full_stop", "step 0.1 s", "Go on by 0.1 s of virtual time, then stop.", 100, 11),
    _back("time.unnudge", "semicolon", "back 10 ms", "Go back by 10 ms, and stop.", 10),
    _back("time.unstep", "colon", "back 0.1 s", "Go back by 0.1 s, and stop.", 100, 22),
    _travel("time.back", "pageup", "back 1 s", "Go back by a second.", -1000, 23),
    _travel("time.on", "pagedown", "on 1 s", "Go on by a second, as far as the end.", 1000),
    _travel("time.far_back", "shift+pageup,ctrl+pageup", "back 10 s", "Go back by 10 s.", -10_000),
    _travel("time.far_on", "shift+pagedown,ctrl+pagedown", "on 10 s", "Go on by 10 s.", 10_000),
    Action(
        *("time.mark_before", "left_curly_bracket", "previous mark", "Time"),
        "Go back to the last action of a person or the scenario, or to the last alarm.",
        run=partial(to_mark, -1),
        why_not=partial(_no_mark, -1),
        synonyms="previous event, rewind, time travel, last action, bookmark",
    ),
    Action(
        *("time.mark_after", "right_curly_bracket", "next mark", "Time"),
        "Go on to the next action of a person or the scenario, or to the next alarm.",
        run=partial(to_mark, 1),
        why_not=partial(_no_mark, 1),
        synonyms="next event, skip to, bookmark",
    ),
    Action(
        *("time.start", "home", "to the start", "Time", "Go to the beginning of the run."),
        run=to_start,
        why_not=_at_start,
        synonyms="rewind, begin, first, restart, time travel, time zero",
    ),
    Action(
        *("time.live", "end", "live", "Time", "Go to the live end of the run."),
        run=to_end,
        why_not=_at_end,
        synonyms="now, last, present, latest, catch up, real time",
    ),
    Action(
        *("time.undo", "z", "undo", "Time", "Go to just before your last action, and discard it.", 15),
        run=undo,
        why_not=_not_undoable,
        synonyms="revert, take back, ctrl+z, roll back, rollback, cancel action",
    ),
    Action(
        *("time.slower", "left_square_bracket", "slower", "Time", "Halve the speed.", 7),
        run=partial(change_speed, -1),
        why_not=partial(_no_speed, -1),
        synonyms="speed, slow down, decelerate, playback rate",
    ),
    Action(
        *("time.faster", "right_square_bracket", "faster", "Time", "Double the speed.", 8),
        run=partial(change_speed, 1),
        why_not=partial(_no_speed, 1),
        synonyms="speed, speed up, fast forward, accelerate, playback rate",
    ),
)
