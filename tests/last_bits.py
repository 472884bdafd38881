"""Digests of what the program shows and computes, with each inexact result replaced by a neighbouring float.

    python tests/last_bits.py none|up|down|mixed|random-SEED [layouts] [figures] [runs] [swarms] [screens]

Processors and maths libraries differ in the last bit of sines, logarithms, powers and long sums. This simulates another
processor: the functions of `math` and `numpy` are replaced before any part of swarmtop is imported, so that tables made
at import have replaced values too. Prints one JSON object; `test_last_bits.py` checks that those of all modes are
equal.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import random
import sys
from collections.abc import Callable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

MATH = (
    "sin cos tan asin acos atan atan2 sinh cosh tanh exp exp2 expm1 log log2 log10 log1p hypot dist cbrt pow "
    "gamma lgamma"
)
NUMPY = (
    "sin cos tan arcsin arccos arctan arctan2 sinh cosh tanh exp exp2 expm1 log log2 log10 log1p hypot cbrt power "
    "float_power sum mean std var dot matmul einsum inner vdot trace interp"
)
FOURIER = "fft ifft rfft irfft fft2 ifft2 rfft2 irfft2"


def nudge(way: str) -> None:
    """Replace the inexact functions of `math` and `numpy` by functions that return a neighbouring float."""
    chance = random.Random(way)
    draws = np.random.default_rng(chance.randrange(1 << 32))
    nextafter, where, isfinite, array = np.nextafter, np.where, np.isfinite, np.asarray

    def steps(shape: tuple[int, ...]) -> Any:
        if way in ("up", "down"):
            return np.full(shape, 1 if way == "up" else -1)
        return draws.integers(-1, 2, shape)

    def moved(value: Any) -> Any:
        if isinstance(value, np.ndarray | np.generic) and value.dtype.kind == "c":
            return moved(value.real) + 1j * moved(value.imag)
        if isinstance(value, np.ndarray | np.generic) and value.dtype.kind == "f":
            by = steps(value.shape)
            goal = where(by > 0, value.dtype.type(np.inf), where(by < 0, value.dtype.type(-np.inf), value))
            made = where(isfinite(value), nextafter(value, array(goal, value.dtype)), value)
            return made if isinstance(value, np.ndarray) else value.dtype.type(made)
        if isinstance(value, float) and math.isfinite(value):
            by = int(steps((1,))[0])
            return math.nextafter(value, math.inf * by) if by else value
        return value

    def wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args, **named: moved(function(*args, **named))

    for module, names in ((math, MATH), (np, NUMPY), (np.fft, FOURIER)):
        for name in names.split():
            if hasattr(module, name):
                setattr(module, name, wrapped(getattr(module, name)))


def digest(*values: Any) -> str:
    """A digest: of arrays bit for bit, of other values by their repr."""
    made = blake2b(digest_size=12)
    for value in values:
        made.update(value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode())
    return made.hexdigest()


# --- layouts ---

Pairs = tuple[np.ndarray, np.ndarray]


def graphs() -> Iterator[tuple[str, int, Pairs]]:
    """Graphs with many equal distances and angles, where a last bit could decide, and others."""
    for n in (3, 12, 40):
        own = np.arange(n)
        yield f"ring of {n}", n, (own, np.roll(own, -1))
        yield f"star of {n}", n, (np.zeros(n - 1, np.int64), own[1:])
        yield f"tree of {n}", n, (own[1:], (own[1:] - 1) // 2)
        pairs = [(a, b) for a in range(n) for b in range(a)]
        yield f"all of {n}", n, (np.array(pairs).T[0], np.array(pairs).T[1])
        yield f"two on opposite sides of {n}", 2 * n + 1, _opposite(n)
    for wide in (4, 8, 15):
        yield f"grid of {wide}", wide * wide, _grid(wide)
    cube = [(v, v ^ 1 << bit) for v in range(64) for bit in range(6) if v < v ^ 1 << bit]
    yield "hypercube", 64, (np.array(cube).T[0], np.array(cube).T[1])
    for seed in range(2):
        draws = random.Random(seed)
        pairs = [(v, draws.randrange(v)) for v in range(1, 250) for _ in range(2)]
        yield f"attachment {seed}", 250, (np.array(pairs).T[0], np.array(pairs).T[1])


def _opposite(n: int) -> Pairs:
    """A hub with 2n peers around it, and one more peer for each pair, linked to both of them."""
    spokes = [(0, v) for v in range(1, n + 1)]
    beyond = [(n + v, other) for v in range(1, n + 1) for other in (v, (v - 1 + n // 2) % n + 1)]
    a, b = np.array(spokes + beyond).T
    return a, b


def _grid(wide: int) -> Pairs:
    own = np.arange(wide * wide).reshape(wide, wide)
    a = np.concatenate((own[:, :-1].ravel(), own[:-1].ravel()))
    return a, np.concatenate((own[:, 1:].ravel(), own[1:].ravel()))


def layouts() -> dict[str, str]:
    """Every placement of every graph, and the cells of the peers at three sizes."""
    from tui.draw import layout, raster
    from tui.draw.force_layout import Communities

    told = {}
    for name, n, (a, b) in graphs():
        hop = layout.distances(n, a, b, 0)
        crowd = Communities()
        crowd.link(n, a, b)
        crowd.settle()
        grown = n + 5
        crowd.link(grown, np.append(a, np.arange(n, grown)), np.append(b, np.arange(5)))
        crowd.settle()
        made = {
            "hops": layout.hops(n, a, b, 0),
            "hops of the last": layout.hops(n, a, b, n - 1),
            "ask": layout.hop_rings(n, hop, np.where(np.arange(n) > 0, np.arange(n) // 2, -1)),
            "ring": layout.ring(n),
            "identifiers": layout.identifiers(np.where(np.arange(n) % 7 == 3, np.nan, np.arange(n) * 0.37 % 1)),
            "world": layout.world([38.7, 52.5], [-9.1, 13.4], np.arange(n) % 3 - 1),
            "communities": crowd.positions,
            "from the edge": layout.from_edge(crowd.positions),
        }
        for kind, at in made.items():
            cells = []
            for width, height in ((61, 12), (120, 31)):
                canvas = raster.Canvas(width, height)
                x, y = layout.fit(at, canvas.dots_w, canvas.dots_h, 6.0, canvas.dot_aspect, 2.2)
                raster.points(canvas, x, y, 1)
                raster.ring(canvas, (width - 1) / 2, (height - 1) / 2, width / 2, height / 2, 1, gap=4.0)
                cells.append(raster.pack(canvas))
            told[f"{kind}: {name}"] = digest(at, *cells)
    return told


def figures() -> dict[str, str]:
    """Scales, shades, steps and colours: everything that maps numbers to a few values."""
    from tui.config import themes
    from tui.draw import chart, diagram
    from tui.draw.colours import colouring

    sys.path.insert(0, str(Path(__file__).parent / "tui"))
    import frames

    most = [figure * 10.0**power for power in range(-6, 12) for figure in (1.0, 2.0, 3.0, 5.0, 9.999)]
    load = np.zeros(frames.N, np.float32)
    load[:9] = [255, 15, 3, 1, 63, 7, 127, 0, 31]
    told = {
        "scales": digest([chart.nice_scale(value) for value in most]),
        "shades": digest([chart.heat(np.arange(0, 101) / 100, steps) for steps in range(2, 12)]),
        "spans": digest([diagram.round_up(k * 10**e) for e in range(4, 12) for k in range(1, 100)]),
    }
    for peers in (64, 8):
        told[f"load {peers}"] = digest(colouring("load", frames.snapshot(load=load * (peers / 64))).of)
    for path in sorted((Path(__file__).parents[1] / "themes").glob("*.toml")):
        theme = themes.find(path.stem)
        told[f"theme {path.stem}"] = digest(theme)
    for grey in ("#000000", "#7f7f7f", "#c0c0c0", "#ffffff"):
        base = {"background": "#101010", "foreground": "#e0e0e0", "primary": grey}
        told[f"theme of {grey}"] = digest(themes.complete("grey", "", True, base, {}))
    return told


# --- runs ---


def runs() -> dict[str, str]:
    """Fingerprints of runs, theoretical results for their asks, and what is generated before a run begins."""
    from engine import ArrivalSpec, AskFor, ContentSpec, Kill, LinkSpec, Setup, Swarm

    told = {}
    cases: tuple[dict[str, Any], ...] = (
        {"protocol": "gnutella", "churn": "flatout", "content": ContentSpec(replication="square-root")},
        {"protocol": "gossip", "churn": "pareto:1.5:10", "arrivals": ArrivalSpec("weibull:0.6:2")},
        {"protocol": "napster", "churn": "exponential:15", "links": LinkSpec(capacity="saroiu")},
        {"protocol": "web", "content": ContentSpec(sharing="adar-huberman")},
    )
    for number, changes in enumerate(cases):
        swarm = Swarm(Setup(**{"peers": 40, "seed": number, "asks_per_s": 3.0, "loss": 0.02} | changes))
        swarm.advance(3_000_000)
        swarm.do(AskFor("random 3", "the"))
        swarm.do(Kill("top 3 betweenness"))
        swarm.advance(6_000_000)
        frame = swarm.snapshot()
        asks = [repr(row) for row in swarm.asks()]
        theory = [repr(swarm.theory(row.id)) for row in swarm.asks()[-5:]]
        told[f"run {number}"] = digest(swarm.fingerprint(), asks, theory, frame.links.a, frame.state)
    return told


def swarms() -> dict[str, str]:
    """A short run of each network that ships: its fingerprint, and the places of its peers in every placement."""
    from engine import AskFor, Kill, Setup, Swarm, networks
    from tui.draw.stage import PLACEMENTS, Stage, why_not

    told = {}
    for protocol in networks():
        swarm = Swarm(Setup(protocol=protocol, peers=18, seed=5, asks_per_s=2.0, loss=0.01))
        swarm.advance(2_000_000)
        swarm.do(AskFor("random 2", "the"))
        swarm.do(Kill("top 2 degree"))
        swarm.advance(4_000_000)
        frame, asks = swarm.snapshot(), swarm.asks()
        told[f"run of {protocol}"] = digest(swarm.fingerprint(), [repr(row) for row in asks], frame.state)
        trace = swarm.trace(asks[-1].id) if asks else None
        stage = Stage()
        stage.animate = False
        stage.resize(2 * 121, 4 * 31, 1.0)
        for placed in PLACEMENTS:
            if why_not(placed, frame, trace):
                continue
            stage.place(placed)
            stage.follow(frame, 3, 0.0, trace)
            stage.follow(frame, 3, 1e6, trace)
            x, y = (np.floor((dots + 0.5) / per) for dots, per in zip(stage.dots(1e6), (2, 4), strict=True))
            told[f"{placed} of {protocol}"] = digest(x, y)
    return told


# --- screens ---


async def screens() -> dict[str, str]:
    """The dashboard in each placement, and the pictures of an ask, as characters and styles."""
    sys.path.insert(0, str(Path(__file__).parent / "tui"))
    import test_pictures as pictures

    steps = ("ring", "hops", "diagram", "tree")
    scene = pictures.SCENES["asking"]
    kept = tuple(step for step in scene[1] if step[0] in steps)
    more = tuple((placed, _placed(placed), pictures.nothing) for placed in ("ask", "communities"))
    pictures.SCENES["asking"] = scene[0], (*kept, *more)
    pages = (await pictures.album("asking", "small", styled=True, skip=())).split("=== ")
    return {f"screen {page.partition(' ')[0]}": digest(page) for page in pages if page}


def _placed(placed: str) -> Callable[[Any], Any]:
    async def deed(person: Any) -> None:
        person.main.view.place(placed)

    return deed


PARTS = {
    "layouts": layouts,
    "figures": figures,
    "runs": runs,
    "swarms": swarms,
    "screens": lambda: asyncio.run(screens()),
}


def main(way: str, *parts: str) -> None:
    if way != "none":
        nudge(way)
    print(json.dumps({name: digest for part in parts or PARTS for name, digest in PARTS[part]().items()}))


if __name__ == "__main__":
    os.environ.pop("NO_COLOR", None)
    main(*sys.argv[1:])
