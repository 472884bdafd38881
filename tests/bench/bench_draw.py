"""Milliseconds a frame of what the screen draws, medians: `python tests/bench/bench_draw.py`. Nothing is asserted."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np

from engine import Scenario, Setup, Snapshot, Swarm, Trace
from tui.draw import chart, coastline, force_layout, raster
from tui.draw import layout as placement
from tui.draw.colours import COLOURS, colouring
from tui.draw.force_layout import Communities
from tui.draw.scene import Scene, base, paint
from tui.draw.stage import Stage

WIDTH, HEIGHT = 160, 45


def timed(work: Callable[[], object], least_s: float = 0.6) -> float:
    """Median milliseconds of a call, over at least 7 calls and about `least_s` seconds."""
    work()
    taken: list[float] = []
    while len(taken) < 7 or sum(taken) < least_s:
        begun = perf_counter()
        work()
        taken.append(perf_counter() - begun)
    return 1000.0 * median(taken)


Ends = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def graph(peers: int, links: int, clustered: bool) -> Ends:
    """Ends of links in dots; clustered: 85 % of them are short."""
    rng = np.random.default_rng(1)
    at = rng.random((peers, 2)) * (WIDTH * 2 - 1, HEIGHT * 4 - 1)
    a, b = rng.integers(0, peers, (2, links))
    ends = at[b].copy()
    if clustered:
        short = rng.random(links) < 0.85
        ends[short] = at[a][short] + rng.normal(0, 6, (int(short.sum()), 2))
    return at[a, 0], at[a, 1], ends[:, 0], ends[:, 1]


def drawn(ends: Ends, ink: np.ndarray | int) -> raster.Canvas:
    canvas = raster.Canvas(WIDTH, HEIGHT)
    raster.lines(canvas, *ends, ink)
    return canvas


def asked(peers: int) -> tuple[Snapshot, Trace]:
    """A swarm in the middle of a question."""
    scenario = Scenario(setup=Setup(protocol="gnutella", peers=peers, seed=7))
    swarm = Swarm(scenario.setup)
    swarm.advance(1_200_000)
    snapshot = swarm.snapshot()
    trace = swarm.trace(snapshot.asks[-1].id)
    assert trace is not None
    return snapshot, trace


def pictures(rows: list[tuple[str, float]]) -> None:
    """A frame of the picture without its ground, by number of peers and by what colour tells; and the force layout."""
    for peers in (64, 1_000, 10_000):
        snapshot, trace = asked(peers)
        stage = Stage("world")
        stage.resize(WIDTH * 2, HEIGHT * 4, 1.0)
        stage.follow(snapshot, 0, 0.0)
        x, y = stage.dots(1.0)
        for by in COLOURS:

            def frame() -> None:
                colours = colouring(by, snapshot, trace)
                scene = Scene(snapshot=snapshot, x=x, y=y, colours=colours, trace=trace)
                paint(under, scene)

            under = raster.Canvas(WIDTH, HEIGHT)
            base(under, Scene(snapshot=snapshot, x=x, y=y, colours=colouring("state", snapshot)))
            rows.append((f"frame {peers}, by {by}", timed(frame)))
        colours = colouring("state", snapshot, trace)
        scene = Scene(snapshot=snapshot, x=x, y=y, colours=colours, trace=trace, all_names=True)
        rows.append((f"frame {peers}, for an audience", timed(lambda: paint(under, scene))))
        crowd = Communities()
        begun = perf_counter()
        crowd.link(peers, snapshot.links.a, snapshot.links.b)
        rows.append((f"communities {peers}: start", 1000.0 * (perf_counter() - begun)))
        begun = perf_counter()
        crowd.settle()
        rows.append((f"communities {peers}: {crowd.steps} steps to rest", 1000.0 * (perf_counter() - begun)))
        links = force_layout.graph(peers, snapshot.links.a, snapshot.links.b)
        rows.append((f"communities {peers}: one step", timed(lambda: force_layout.step(crowd.at, links, 0.01))))
        rows.append((f"communities {peers}: at rest", timed(lambda: crowd.relax(0.004))))


def main() -> None:
    # ruff: noqa: B023 - each lambda is called at once, within its turn of the loop.
    rows: list[tuple[str, float]] = []
    for peers, links in ((100, 300), (1_000, 4_000), (5_000, 20_000), (10_000, 40_000)):
        for clustered in (False, True):
            ends = graph(peers, links, clustered)
            kind = "clustered" if clustered else "random"
            inks = np.sort(np.random.default_rng(2).integers(1, 6, links))
            rows.append((f"{peers}/{links} {kind}, one ink", timed(lambda: raster.pack(drawn(ends, 1)))))
            rows.append((f"{peers}/{links} {kind}, five inks", timed(lambda: raster.pack(drawn(ends, inks)))))
    canvas = raster.Canvas(WIDTH, HEIGHT)
    canvas.dots[:] = True
    canvas.ink[:] = np.arange(WIDTH) // 4 % 30
    rows.append(("pack", timed(lambda: raster.pack(canvas))))
    rows.append(("runs, 40 a line", timed(lambda: raster.runs(canvas))))
    rows.append(("copy", timed(canvas.copy)))
    many = np.arange(1_000) * 7 % (WIDTH * HEIGHT)
    stamped = (many % WIDTH, many // WIDTH, 0x25CF, many % 5, many)
    rows.append(("stamp 1,000", timed(lambda: raster.stamp(canvas, *stamped))))
    a, b = coastline.coast()

    def coast() -> None:
        view, box = placement.View(), placement.Box(WIDTH * 2, HEIGHT * 4)
        x0, y0 = view.to_dots(placement.project(a[:, 0], a[:, 1]), box)
        x1, y1 = view.to_dots(placement.project(b[:, 0], b[:, 1]), box)
        raster.lines(raster.Canvas(WIDTH, HEIGHT), x0, y0, x1, y1, 1)

    rows.append(("coast", timed(coast)))
    rng = np.random.default_rng(3)
    for peers, links in ((1_000, 4_000), (10_000, 40_000), (62_586, 147_892)):
        frm, to = rng.integers(0, peers, (2, links))
        rows.append((f"distances {peers}/{links}", timed(lambda: placement.distances(peers, frm, to, 0))))
        rows.append((f"hops {peers}/{links}", timed(lambda: placement.hops(peers, frm, to, 0))))
    waves = [np.sin(np.arange(600) / 30), np.cos(np.arange(600) / 20)]
    rows.append(("chart 80x15, two series", timed(lambda: raster.runs(chart.chart(waves, 80, 15, "braille")))))
    pictures(rows)
    for name, taken in rows:
        sys.stdout.write(f"{name:38} {taken:9.2f} ms\n")


if __name__ == "__main__":
    main()
