"""Commands without a screen: `swarmtop run`, which also draws resilience curves (`--sweep`), `replay` and `bench`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..config.collector import rarely_collected
from .common import (
    DONE,
    FAILED,
    Parser,
    WrongError,
    adder,
    as_json,
    json_of,
    load_engine,
    read_until,
    read_whole,
    say,
    scenario_of,
    screen_flags,
    swarm_flags,
    warn,
)
from .dashboard import open_on_screen
from .files import check_apart, read_csv_file, write
from .streams import stdout_properties

if TYPE_CHECKING:
    from rich.table import Table

    from engine import BenchCost, BenchRow, Curve, Scenario, Sweep, Until

ABOUT = """\
Run a swarm without a screen, and print a report.

SCENARIO is the name of a shipped scenario or of a network, or a file of one (.toml, .py). Flags override it.
A run ends at 60 s of virtual time, or later if its scenario needs it.

--sweep runs it once for each share of peers that an attack takes, on all cores, and draws how well it still answers:
kill:0:0.9:10 kills 0, 10, 20 ... 90 %; likewise leave, censor, and collude, or collude:WORD:FROM:TO:STEPS. With poison
it draws how many of the users who opened what they found got the real file."""

CHART_ROWS = 12
CHART_COLUMNS = 64
PROGRESS_CELLS = 24
LOST_SHOWN = 10
"""So many failed runs are reported one by one, at most."""
MEASURES = {
    "success": "asks answered within {} s",
    "reach": "living peers that it reaches",
    "genuine": "asks that ended with the real file, of those whose user opened something",
}


def run_flags(parser: Parser) -> None:
    """Add the flags of `swarmtop run`."""
    swarm_flags(parser)
    group = parser.add_argument_group("the run")
    add = adder(group)
    add("--until", read_until, "SECONDS|quiet", "virtual time; quiet: when all asks are closed (60)")
    group.add_argument("--json", action="store_true", help="print one JSON object")
    group.add_argument("--picture", action="store_true", help="print a picture of the swarm at the end")
    add("--size", read_picture_size, "WxH", "with --picture: columns and rows (those of the terminal, else 100x30)")
    group.add_argument("--series", action="store_true", help="with --json: samples over time as well")
    add("--csv", read_csv_file, "FILE", "write the samples over time, or the runs of a sweep, to a file")
    add(
        "--sweep",
        read_sweep,
        "VERB:FROM:TO:STEPS",
        "one run for each share of peers that is attacked: how many asks are answered",
    )
    add("--repeat", read_whole(1, 1_000), "N", "with --sweep: runs for each share, each with the next seed (1)")
    add("--jobs", read_whole(1, 1_000), "N", "with --sweep: runs at a time (as many as there are cores)")


def read_picture_size(text: str, where: str) -> tuple[int, int]:
    """The size of a picture."""
    from .picture import read_size

    return read_size(text, where)


def read_sweep(text: str, where: str) -> Sweep:
    """A sweep."""
    from engine import parse_sweep

    return parse_sweep(text, where)


def run_run(space: argparse.Namespace) -> int:
    """Run, and print. Returns the exit code."""
    if space.series and not space.json:
        raise WrongError("--series needs --json")
    if space.series and space.sweep is not None:
        raise WrongError("--series is about one run, and --sweep makes many: leave one out")
    if space.record is not None and space.sweep is not None:
        raise WrongError("--record writes one run, and --sweep makes many: leave one out")
    for flag in ("repeat", "jobs"):
        if getattr(space, flag) is not None and space.sweep is None:
            raise WrongError(f"--{flag} needs --sweep")
    if space.picture and (space.json or space.sweep is not None):
        raise WrongError(f"--picture and {'--json' if space.json else '--sweep'} both print on stdout: leave one out")
    if space.size is not None and not space.picture:
        raise WrongError("--size needs --picture")
    scenario = scenario_of(space)
    check_apart(space, scenario)
    if space.sweep is not None:
        return _sweep(space, scenario, space.until)
    from engine import run, series_csv

    from .picture import Picture

    progress = Progress() if sys.stderr.isatty() else None
    samples = space.series or space.csv is not None
    picture = Picture(space.size) if space.picture else None
    at_end = None if picture is None else picture.take
    try:
        with rarely_collected():
            report = run(
                scenario, until=space.until, series=samples, progress=progress, record=space.record, at_end=at_end
            )
    finally:
        if progress is not None:
            progress.clear()
    for sentence in report.warnings:
        warn(sentence)
    if space.csv is not None and report.series is not None:
        write(space.csv, series_csv(report.series))
    if picture is not None:
        say(picture.text())
    else:
        say(json_of(report, series=space.series) if space.json else report.text())
    return DONE if report.ok else FAILED


def _sweep(space: argparse.Namespace, scenario: Scenario, until: Until) -> int:
    if until == "quiet":
        raise WrongError("--sweep needs runs of one length: --until should be a number of seconds")
    from engine import SweepHalted, sweep

    progress = Progress() if sys.stderr.isatty() else None
    halted: SweepHalted | None = None
    try:
        curve = sweep(
            scenario,
            space.sweep,
            until_s=until,
            repeat=space.repeat or 1,
            workers=space.jobs,
            progress=None if progress is None else progress.runs,
        )
    except SweepHalted as error:
        halted, curve = error, error.curve
    finally:
        if progress is not None:
            progress.clear()
    for sentence in curve.warnings:
        warn(sentence)
    for sentence in curve.lost[:LOST_SHOWN]:
        warn(sentence)
    if len(curve.lost) > LOST_SHOWN:
        warn(f"and {len(curve.lost) - LOST_SHOWN:,} more runs failed")
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
    from ..session.verbs import PAST

    plan, setup = curve.sweep, curve.scenario.setup
    done, what = PAST[plan.verb].are, MEASURES[curve.metric].format(f"{curve.scenario.success_s:g}")
    against = f" against “{plan.word}”" if plan.word else ""
    runs = max(len(point.runs) for point in curve.points)
    each = f", {runs} runs for each share" if runs > 1 else ""
    each += f", {curve.missing:,} of {curve.done + curve.missing:,} runs missing" if curve.missing else ""
    lines = [f"{what}, by the share {done}{against}  ({setup.protocol}, seed {setup.seed}{each})", ""]
    lines += _picture([point.value for point in curve.points], plan.low, plan.high)
    spread = "  least to most  " if runs > 1 else ""
    # A decoy is a hit: under poison, success shows that the network does not notice it.
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
    """The curve in dots, with its axes; nothing for one point alone."""
    if len(values) < 2:
        return []
    import shutil

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


class Progress:
    """One line on stderr, after the first second, updated at most five times a second."""

    def __init__(self) -> None:
        self.begun_s = time.monotonic()
        self.shown_s = 0.0

    def __call__(self, now_s: float, end_s: float | None, deliveries: int) -> None:
        """Show how far a run is."""
        end = "" if end_s is None else f" of {end_s:g}"
        count = f"  {deliveries:,} deliveries" if deliveries else ""
        self._show(f"{now_s:.1f}{end} s{count}")

    def runs(self, done: int, there: int) -> None:
        """Show how many runs of a sweep are done."""
        from ..draw.chart import meter

        wall_s = time.monotonic() - self.begun_s
        rest = f", some {wall_s / done * (there - done):.0f} s to go" if 0 < done < there else ""
        self._show(f"{meter(done / there, PROGRESS_CELLS)} {done} of {there} runs{rest}", done > 0)

    def _show(self, text: str, at_once: bool = False) -> None:
        wall_s = time.monotonic()
        if not at_once and (wall_s - self.begun_s < 1.0 or wall_s - self.shown_s < 0.2):
            return
        self.shown_s = wall_s
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()

    def clear(self) -> None:
        """Remove the line."""
        if self.shown_s:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


# --- replay -------------------------------------------------------------------------------------------------------

REPLAY_ABOUT = """\
Open a recording (swarmtop --record FILE, swarmtop run --record FILE) and watch it from its beginning: all recorded
commands are given again at their times. If you act on the swarm, a new branch starts there.

With --json it runs again without a screen, and prints what swarmtop run printed."""

REPLAY_EXIT_CODES = """\
exit codes: 0 done, 1 it was another run than the recorded one, 2 the file was wrong, 130 interrupted"""


def replay_flags(parser: Parser) -> None:
    """Add the flags of `swarmtop replay`."""
    parser.add_argument("file", nargs="?", metavar="FILE", help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="without a screen: run it and print one JSON object")
    parser.add_argument("--series", action="store_true", help="with --json: samples over time as well")
    parser.add_argument(
        "--protocol", metavar="FILE", help="the file of its network, where that is none of swarmtop's own: my_net.py"
    )
    screen_flags(parser)


def run_replay(space: argparse.Namespace) -> int:
    """Replay a recording on screen, or without one and compare. Returns the exit code."""
    if space.file is None:
        raise WrongError("replay what? swarmtop replay FILE opens a recording")
    if space.series and not space.json:
        raise WrongError("--series needs --json")
    load_engine()
    if space.protocol is not None:
        from engine import plain, use_file

        if not space.protocol.endswith(".py"):
            raise WrongError(
                f"--protocol should be the file of a network, as my_net.py, not {plain(space.protocol, 40)}: "
                "the recording has the name of its network"
            )
        use_file(space.protocol)
    if not space.json:
        from engine import load_recording

        scenario, recording = load_recording(space.file)
        if recording.note:
            warn(recording.note)
        return open_on_screen(space, scenario, None, recording=recording)
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


# --- bench --------------------------------------------------------------------------------------------------------

BENCH_PEERS = (1_000, 10_000, 100_000)
BENCH_ABOUT = """\
Measure the kernel on this machine: floods at 1,000, 10,000 and 100,000 peers, recorded meanwhile, beside a bare loop
over buckets without peers; memory, small asks, recording, checkpoints, seeks. The two run in turn in one process, so
the ratio holds on a busy machine; the speeds depend on what else runs."""

NOT_COMPARED = {"simpy_per_s": None, "ratio": None}
"""Keys of the JSON for the comparison with SimPy, which is now made by `tests/bench/bench_rivals.py`. They are null, as
they were before where SimPy was not installed."""


def bench_flags(parser: Parser) -> None:
    """Add the flags of `swarmtop bench`."""
    parser.add_argument("--quick", action="store_true", help="without 100,000 peers: half a minute instead of several")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run_bench(space: argparse.Namespace) -> int:
    """Measure, and print at the end. Returns the exit code: 1 if a load did not do what theory says."""
    load_engine()
    from dataclasses import asdict

    from rich.console import Console

    from engine import bench, bench_costs

    sizes = BENCH_PEERS[:-1] if space.quick else BENCH_PEERS
    with Console(stderr=True).status("") as status:

        def show(what: str) -> None:
            status.update(f"measuring: {what}")

        rows = list(bench(sizes, show))
        costs = list(bench_costs(sizes, show))
    if space.json:
        told = [{**asdict(row), **NOT_COMPARED} for row in rows]
        say(as_json({"rows": told, "costs": [asdict(cost) for cost in costs]}))
    else:
        out = Console(file=stdout_properties())
        with out.capture() as captured:
            out.print(speeds_table(rows))
            out.print(theory_lines(rows), highlight=False)
            out.print(costs_table(costs))
        say(captured.get().rstrip("\n"))
    return DONE if all(row.held for row in rows) else FAILED


def speeds_table(rows: Sequence[BenchRow]) -> Table:
    """A table of the speeds, in thousands of deliveries a second, and of the ratio."""
    table = _table("deliveries a second of processor time, recorded, and their ratio to those of a bare loop")
    for name in ("load", "peers", "swarmtop", "bare loop", "ratio"):
        table.add_column(name, justify="left" if name == "load" else "right")
    for row in rows:
        cells = [row.load, f"{row.peers:,}", f"{row.ours_per_s / 1e3:,.0f} k/s"]
        table.add_row(*cells, f"{row.bare_per_s / 1e3:,.0f} k/s", f"{row.of_bare:.2f}")
    table.caption = "k/s: thousand deliveries a second. One delivery: one message handed to one peer. Collector on."
    table.caption_justify = "left"
    return table


def theory_lines(rows: Sequence[BenchRow]) -> str:
    """A line for each load: whether it did what theory says, as the speed of a wrong run means nothing."""
    return "\n".join(f"{'✓' if row.held else '✕'} {row.load}, {row.peers:,} peers: {row.theory}" for row in rows)


def costs_table(costs: Sequence[BenchCost]) -> Table:
    """The table of costs."""
    table = _table("costs")
    table.add_column("what")
    table.add_column("figure", justify="right")
    table.add_column("measured on")
    for cost in costs:
        table.add_row(cost.name, cost.figure, cost.about)
    return table


def _table(title: str) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    return Table(title=title, title_justify="left", box=SIMPLE_HEAD)
