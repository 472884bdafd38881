"""`swarmtop run`: a swarm without a screen. One run, or with `--sweep` a resilience curve."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from .files import check_apart
from .main import (
    DONE,
    FAILED,
    TAIL,
    Parser,
    WrongError,
    as_json,
    json_of,
    say,
    scenario_of,
    swarm_flags,
    until_of,
    warn,
)

if TYPE_CHECKING:
    from engine import Curve, Scenario, Until

ABOUT = """\
Run a swarm without a screen, and print what came of it.

SCENARIO is the name of one that is shipped, or a TOML file. Flags override it.
A run ends at 60 s of virtual time, or later if its scenario has more to tell.

--sweep runs it once for each share of peers that an attack takes, on all cores, and draws how well it still answers:
kill:0:0.9:10 kills 0, 10, 20 ... 90 %; likewise leave, censor, and collude, or collude:WORD:FROM:TO:STEPS. With poison
it draws how many of those who opened what they had found got the real thing."""

CHART_ROWS = 12
CHART_COLUMNS = 64
PROGRESS_CELLS = 24
LOST_TOLD = 10
"""Runs that could not be done, each with a sentence of its own."""
DONE_TO = {"kill": "killed", "leave": "gone", "censor": "censored", "collude": "colluding", "poison": "poisoned"}
MEASURES = {
    "success": "asks answered within 10 s",
    "reach": "living peers that hear of it",
    "genuine": "asks that ended with the real thing, of those whose user opened something",
}


def run_parser() -> Parser:
    """What may follow the word."""
    parser = Parser(prog="swarmtop run", usage="swarmtop run [SCENARIO] [flags]", description=ABOUT, epilog=TAIL)
    swarm_flags(parser)
    add = parser.add_argument_group("the run").add_argument
    add("--until", metavar="SECONDS|quiet", help="virtual time; quiet: when all asks are closed (60)")
    add("--json", action="store_true", help="print one JSON object")
    add("--series", action="store_true", help="with --json: samples over time as well")
    add("--csv", metavar="FILE", help="write the samples over time, or the runs of a sweep, to a file")
    add("--sweep", metavar="VERB:FROM:TO:STEPS", help="one run a point: success against the share attacked")
    add("--repeat", metavar="N", help="with --sweep: runs a point, with seeds that follow each other (1)")
    add("--jobs", metavar="N", help="with --sweep: runs at a time (as many as there are cores)")
    return parser


def run_run(space: argparse.Namespace) -> int:
    """Run, and print. Returns the exit code."""
    if space.series and not space.json:
        raise WrongError("--series needs --json")
    if space.series and space.sweep is not None:
        raise WrongError("--series tells of one run, and --sweep makes many: leave one out")
    if space.record is not None and space.sweep is not None:
        raise WrongError("--record writes down one run, and --sweep makes many: leave one out")
    for flag in ("repeat", "jobs"):
        if getattr(space, flag) is not None and space.sweep is None:
            raise WrongError(f"--{flag} needs --sweep")
    if space.csv is not None:
        check_writable(space.csv)
    scenario, until = scenario_of(space), until_of(space.until)
    check_apart(space, scenario)
    if space.sweep is not None:
        return _sweep(space, scenario, until)
    from engine import run, series_csv

    progress = Progress() if sys.stderr.isatty() else None
    samples = space.series or space.csv is not None
    try:
        report = run(scenario, until=until, series=samples, progress=progress, record=space.record)
    finally:
        if progress is not None:
            progress.clear()
    for sentence in report.warnings:
        warn(sentence)
    if space.csv is not None and report.series is not None:
        write(space.csv, series_csv(report.series))
    say(json_of(report, series=space.series) if space.json else report.text())
    return DONE if report.ok else FAILED


def _sweep(space: argparse.Namespace, scenario: Scenario, until: Until) -> int:
    if until == "quiet":
        raise WrongError("--sweep needs runs of one length: --until should be a number of seconds")
    from engine import SweepHalted, as_whole, parse_sweep, sweep

    plan = parse_sweep(space.sweep)
    repeat = 1 if space.repeat is None else as_whole(space.repeat, "--repeat", 1, 1_000, texts=True)
    jobs = None if space.jobs is None else as_whole(space.jobs, "--jobs", 1, 1_000, texts=True)
    progress = Progress() if sys.stderr.isatty() else None
    halted: SweepHalted | None = None
    try:
        curve = sweep(
            scenario,
            plan,
            until_s=until,
            repeat=repeat,
            workers=jobs,
            progress=None if progress is None else progress.runs,
        )
    except SweepHalted as error:
        halted, curve = error, error.curve
    finally:
        if progress is not None:
            progress.clear()
    for sentence in curve.warnings:
        warn(sentence)
    for sentence in curve.lost[:LOST_TOLD]:
        warn(sentence)
    if len(curve.lost) > LOST_TOLD:
        warn(f"and {len(curve.lost) - LOST_TOLD:,} more runs could not be done")
    if curve.done:
        if space.csv is not None:
            write(space.csv, curve.to_csv())
        say(as_json(curve.to_json()) if space.json else curve_text(curve))
    if halted is not None:
        there = curve.done + curve.missing
        raise type(halted)(halted.number, curve, f"{halted} when {curve.done:,} of {there:,} runs were done")
    return FAILED if curve.lost else DONE


def curve_text(curve: Curve) -> str:
    """A chart of the curve and the figures below it, without a last newline."""
    plan, setup = curve.sweep, curve.scenario.setup
    done, what = DONE_TO[plan.verb], MEASURES[curve.metric]
    against = f" against “{plan.word}”" if plan.word else ""
    runs = max(len(point.runs) for point in curve.points)
    each = f", {runs} runs a point" if runs > 1 else ""
    each += f", {curve.missing:,} of {curve.done + curve.missing:,} runs missing" if curve.missing else ""
    lines = [f"{what}, by the share {done}{against}  ({setup.protocol}, seed {setup.seed}{each})", ""]
    lines += _picture([point.value for point in curve.points], plan.low, plan.high)
    spread = "  least to most  " if runs > 1 else ""
    # A decoy is a hit: what success says under poison is that the network does not see it.
    last = ("success", "decoys") if curve.metric == "genuine" else ("largest part",)
    heads = "".join(f" {head:>13}" for head in last)
    lines += ["", f"  {done:>9} {curve.metric:>9}{spread} {'first hit':>10} {'reach':>7}{heads}"]
    for point in curve.points:
        if not point.runs:
            continue
        first_s, decoys = point.mean("first_hit_s"), point.mean("decoys")
        first = "-" if first_s is None else f"{first_s:.3f} s"
        spread = f"  {_percent(point.least):>5} to {_percent(point.most):<5}" if runs > 1 else ""
        told = {
            "largest part": _percent(point.mean("largest_component")),
            "success": _percent(point.mean("success")),
            "decoys": "-" if decoys is None else f"{decoys:,.0f}",
        }
        lines.append(
            f"  {point.share:>9.1%} {_percent(point.value):>9}{spread} {first:>10} {_percent(point.mean('reach')):>7}"
            + "".join(f" {told[head]:>13}" for head in last)
        )
    return "\n".join(lines)


def _picture(values: list[float | None], low: float, high: float) -> list[str]:
    """The curve in dots, with its axes. One point alone is no curve."""
    if len(values) < 2:
        return []
    from ..draw.chart import chart
    from ..draw.raster import to_text

    plain = not (sys.stdout.encoding or "").lower().startswith("utf")
    wide = max(10, min(CHART_COLUMNS, shutil.get_terminal_size().columns - 8))
    ys = [float("nan") if value is None else value for value in values]
    rows = to_text(chart([ys], wide, CHART_ROWS, "ascii" if plain else "braille", 0.0, 1.0)).splitlines()
    marks = {0: "100 %", CHART_ROWS // 2: " 50 %", CHART_ROWS - 1: "  0 %"}
    bar, corner, floor = ("|", "+", "-") if plain else ("│", "└", "─")
    lines = [f"{marks.get(at, ''):>5} {bar}{row}".rstrip() for at, row in enumerate(rows)]
    lines.append(" " * 6 + corner + floor * wide)
    left, right = f"{low:.0%}", f"{high:.0%}"
    return [*lines, " " * 7 + left + right.rjust(wide - len(left))]


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def check_writable(name: str) -> None:
    """Raise WrongError now rather than after a long run, if a file of that name could not be written."""
    path = Path(name)
    if path.is_dir():
        raise WrongError(f'--csv: "{name}" is a folder')
    if not path.parent.is_dir():
        raise WrongError(f'--csv: there is no folder "{path.parent}"')
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise WrongError(f'--csv: "{name}" may not be written')


def write(name: str, text: str) -> None:
    """Write a file, or raise WrongError."""
    try:
        Path(name).write_text(text, encoding="utf-8", errors="replace", newline="")
    except (OSError, ValueError) as error:
        error = error if isinstance(error, OSError) else OSError(0, "it is no name of a file")
        raise WrongError(f'--csv: "{name}" could not be written: {error.strerror}') from None


class Progress:
    """One line on a terminal's stderr, from the second second on, five times a second."""

    def __init__(self) -> None:
        self.begun_s = time.monotonic()
        self.told_s = 0.0

    def __call__(self, now_s: float, end_s: float | None, deliveries: int) -> None:
        """Tell how far a run is."""
        end = "" if end_s is None else f" of {end_s:g}"
        count = f"  {deliveries:,} deliveries" if deliveries else ""
        self._tell(f"{now_s:.1f}{end} s{count}")

    def runs(self, done: int, there: int) -> None:
        """Tell how many runs of a sweep are done."""
        from ..draw.chart import meter

        wall_s = time.monotonic() - self.begun_s
        rest = f", some {wall_s / done * (there - done):.0f} s to go" if 0 < done < there else ""
        self._tell(f"{meter(done / there, PROGRESS_CELLS)} {done} of {there} runs{rest}", done > 0)

    def _tell(self, text: str, at_once: bool = False) -> None:
        wall_s = time.monotonic()
        if not at_once and (wall_s - self.begun_s < 1.0 or wall_s - self.told_s < 0.2):
            return
        self.told_s = wall_s
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()

    def clear(self) -> None:
        """Take the line away."""
        if self.told_s:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
