"""Speed of each path that a message may take through the engine, in deliveries a second of processor time.

    flat      floods with one delay for all: the fast path of a multicast
    table     floods with delays between cities: the fast path of each receiver
    checked   floods with a censor and loss: each delivery is decided by `Network.fate`
    transfer  downloads over limited lines, some behind a NAT: `Bandwidth`
    asks      many small asks of a small swarm: records, verdicts, samples

Each measurement is a process of its own. It runs its load several times on one swarm each; the first run (cold) and the
median of the later ones (warm) are told apart. With `--against DIRECTORY`, another checkout of swarmtop runs the same
loads in turn with this one, and the ratios are printed (above 1: this one is faster). Nothing is asserted but that both
have the same fingerprints.

    python tests/bench/bench_paths.py [--pairs 3] [--runs 4] [--paths flat,checked] [--against ../other]
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]


def flood(latency: str, loss: float = 0.0, censored: str = "") -> tuple[float, int, str]:
    """Three floods through 3,000 servents of mean degree 20."""
    from engine import AskFor, Censor, Setup, Swarm

    options = {"ttl": 20, "download": False, "ping_s": 3600.0}
    swarm = Swarm(Setup(peers=3_000, topology="random:20", latency=latency, loss=loss, asks_per_s=0.0, options=options))
    swarm.advance(10_000)
    if censored:
        swarm.do(Censor(censored))
    gc.collect()
    before = swarm.snapshot().totals.delivered
    start = time.process_time()
    for origin in range(3):
        swarm.do(AskFor(origin, "nobody has this"))
        swarm.advance_quiet(1 << 40)
    print_ = swarm.fingerprint()
    took = time.process_time() - start
    return took, swarm.snapshot().totals.delivered - before, print_


def busy(
    peers: int, asks_per_s: float, until_s: int, capacity: str = "none", nat: float = 0.0
) -> tuple[float, int, str]:
    """A swarm that asks by itself, and downloads what it finds."""
    from engine import LinkSpec, Setup, Swarm

    links = LinkSpec(capacity=capacity, jitter_ms=5.0 if nat else 0.0, nat=nat)
    swarm = Swarm(Setup(peers=peers, asks_per_s=asks_per_s, links=links))
    gc.collect()
    start = time.process_time()
    swarm.advance(until_s * 1_000_000)
    print_ = swarm.fingerprint()
    took = time.process_time() - start
    return took, swarm.snapshot().totals.delivered, print_


PATHS: dict[str, Callable[[], tuple[float, int, str]]] = {
    "flat": lambda: flood("constant:50"),
    "table": lambda: flood("world"),
    "checked": lambda: flood("world", loss=0.05, censored="random 5%"),
    "transfer": lambda: busy(100, 2.0, 60, capacity="saroiu", nat=0.2),
    "asks": lambda: busy(64, 40.0, 60),
}


def measure(path: str, runs: int) -> tuple[float, float, list[str]]:
    """Deliveries a second, cold and warm, and the fingerprints."""
    speeds, prints = [], []
    for _ in range(runs):
        took, deliveries, fingerprint = PATHS[path]()
        speeds.append(deliveries / took)
        prints.append(fingerprint)
    return speeds[0], statistics.median(speeds[1:] or speeds), prints


def child(tree: Path, path: str, runs: int) -> tuple[float, float, list[str]]:
    """`measure` in a process that imports the engine of this checkout."""
    command = [sys.executable, __file__, "--one", path, "--runs", str(runs)]
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    done = subprocess.run(command, env=environment, cwd=tree, check=True, capture_output=True, text=True)
    cold, warm, prints = json.loads(done.stdout)
    return cold, warm, prints


def main() -> None:
    """Measure and print."""
    ask = argparse.ArgumentParser()
    ask.add_argument("--pairs", type=int, default=3)
    ask.add_argument("--runs", type=int, default=4)
    ask.add_argument("--paths", default=",".join(PATHS))
    ask.add_argument("--against", type=Path)
    ask.add_argument("--one", choices=PATHS, help=argparse.SUPPRESS)
    args = ask.parse_args()
    if args.one:
        print(json.dumps(measure(args.one, args.runs)))
        return
    for path in args.paths.split(","):
        ours, theirs = [], []
        for pair in range(args.pairs):
            trees = [ROOT] if args.against is None else [ROOT, args.against.resolve()]
            # The other one goes first every second time, since the clock of a busy processor drifts.
            for tree in reversed(trees) if pair % 2 else trees:
                (ours if tree == ROOT else theirs).append(child(tree, path, args.runs))
        cold, warm = (statistics.median(one[at] for one in ours) for at in (0, 1))
        told = f"{path:10}cold {cold:>10,.0f}/s   warm {warm:>10,.0f}/s"
        if theirs:
            assert ours[0][2] == theirs[0][2], f"{path}: the fingerprints differ"
            ratios = [[mine[at] / other[at] for mine, other in zip(ours, theirs, strict=True)] for at in (0, 1)]
            told += "   ratio cold {:.3f}  warm {:.3f}".format(*map(statistics.median, ratios))
            told += f"  ({', '.join(f'{each:.2f}' for each in ratios[1])})"
        print(told, flush=True)


if __name__ == "__main__":
    main()
