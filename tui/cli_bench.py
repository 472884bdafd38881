"""`swarmtop bench`: the kernel on this machine, as a table of ratios."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from .cli import DONE, FAILED, Parser, say

if TYPE_CHECKING:
    from engine import BenchCost, BenchRow

SIZES = (1_000, 10_000, 100_000)
ABOUT = """\
Measure the kernel on this machine: a flood and push-pull averaging at 1,000, 10,000 and 100,000 peers, against SimPy
(if it is installed) and against a bare loop over buckets, without peers. Floods are recorded meanwhile. Rivals run in
turn in one process, so the ratios hold on a busy machine; the speeds beside them are as they happen to be."""


def bench_parser() -> Parser:
    """What may follow the word."""
    parser = Parser(prog="swarmtop bench", usage="swarmtop bench [--quick] [--json]", description=ABOUT)
    parser.add_argument("--quick", action="store_true", help="without 100,000 peers: half a minute instead of several")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def run_bench(*, quick: bool, as_json: bool) -> int:
    """Measure, and print when it is done. Returns the exit code: 1 if a load did not do what theory says."""
    from engine import bench, bench_costs

    sizes = SIZES[:-1] if quick else SIZES
    console = Console(stderr=True)
    rows: list[BenchRow] = []
    costs: list[BenchCost] = []
    with console.status("") as status:

        def tell(what: str) -> None:
            status.update(f"measuring: {what}")

        rows.extend(bench(sizes, tell))
        costs.extend(bench_costs(sizes, tell))
    if as_json:
        say(json.dumps({"rows": [asdict(row) for row in rows], "costs": [asdict(cost) for cost in costs]}))
    else:
        out = Console()
        with out.capture() as told:
            out.print(speeds(rows))
            out.print(theory(rows), highlight=False)
            if any(row.simpy_per_s is None for row in rows):
                out.print("SimPy is not installed: pip install simpy, and it is compared with too.", highlight=False)
            out.print(takes(costs))
        say(told.get().rstrip("\n"))
    return DONE if all(row.held for row in rows) else FAILED


def speeds(rows: Sequence[BenchRow]) -> Table:
    """Thousands of deliveries a second, and the ratios."""
    table = Table(title="thousand deliveries a second, every book kept", title_justify="left", box=SIMPLE_HEAD)
    for name in ("load", "peers", "swarmtop", "SimPy", "ratio", "bare loop", "ratio"):
        table.add_column(name, justify="left" if name == "load" else "right")
    for row in rows:
        simpy = f"{row.simpy_per_s / 1e3:,.0f}" if row.simpy_per_s is not None else "-"
        ratio = f"{row.ratio:.2f}" if row.ratio is not None else "-"
        cells = [row.load, f"{row.peers:,}", f"{row.ours_per_s / 1e3:,.0f}", simpy, ratio]
        table.add_row(*cells, f"{row.bare_per_s / 1e3:,.0f}", f"{row.of_bare:.2f}")
    return table


def theory(rows: Sequence[BenchRow]) -> str:
    """Whether each load did what it should: a wrong run may be as fast as it likes."""
    return "\n".join(f"{'✓' if row.held else '✕'} {row.load}, {row.peers:,} peers: {row.theory}" for row in rows)


def takes(costs: Sequence[BenchCost]) -> Table:
    """What else is paid."""
    table = Table(title="what it takes", title_justify="left", box=SIMPLE_HEAD)
    table.add_column("what")
    table.add_column("figure", justify="right")
    table.add_column("measured on")
    for cost in costs:
        table.add_row(cost.name, cost.figure, cost.about)
    return table
