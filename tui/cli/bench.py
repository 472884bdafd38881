"""`swarmtop bench`: the kernel on this machine, as a table of ratios."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from .main import DONE, FAILED, Parser, say

if TYPE_CHECKING:
    from engine import BenchCost, BenchRow

SIZES = (1_000, 10_000, 100_000)
ABOUT = """\
Measure the kernel on this machine: floods at 1,000, 10,000 and 100,000 peers, recorded meanwhile, beside a bare loop
over buckets without peers; memory, recording, checkpoints, seeks. The two run in turn in one process, so the ratio
holds on a busy machine; the speeds depend on what else runs."""


NOT_COMPARED = {"simpy_per_s": None, "ratio": None}
"""Keys of the JSON that had the comparison with SimPy, which is now `tests/bench/bench_rivals.py`: null, as they were
where SimPy was not installed."""


def bench_parser() -> Parser:
    """The flags of `swarmtop bench`."""
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
        say(
            json.dumps(
                {"rows": [{**asdict(row), **NOT_COMPARED} for row in rows], "costs": [asdict(cost) for cost in costs]}
            )
        )
    else:
        out = Console()
        with out.capture() as told:
            out.print(speeds(rows))
            out.print(theory(rows), highlight=False)
            out.print(takes(costs))
        say(told.get().rstrip("\n"))
    return DONE if all(row.held for row in rows) else FAILED


def speeds(rows: Sequence[BenchRow]) -> Table:
    """Thousands of deliveries a second, and the ratio."""
    table = Table(
        title="thousand deliveries a second of processor time, recorded", title_justify="left", box=SIMPLE_HEAD
    )
    for name in ("load", "peers", "swarmtop", "bare loop", "ratio"):
        table.add_column(name, justify="left" if name == "load" else "right")
    for row in rows:
        cells = [row.load, f"{row.peers:,}", f"{row.ours_per_s / 1e3:,.0f}"]
        table.add_row(*cells, f"{row.bare_per_s / 1e3:,.0f}", f"{row.of_bare:.2f}")
    return table


def theory(rows: Sequence[BenchRow]) -> str:
    """Whether each load did what theory says: the speed of a wrong run means nothing."""
    return "\n".join(f"{'✓' if row.held else '✕'} {row.load}, {row.peers:,} peers: {row.theory}" for row in rows)


def takes(costs: Sequence[BenchCost]) -> Table:
    """The table of costs."""
    table = Table(title="what it takes", title_justify="left", box=SIMPLE_HEAD)
    table.add_column("what")
    table.add_column("figure", justify="right")
    table.add_column("measured on")
    for cost in costs:
        table.add_row(cost.name, cost.figure, cost.about)
    return table
