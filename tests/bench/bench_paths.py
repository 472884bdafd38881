"""Speed of each path that a message may take through the engine, in deliveries a second of processor time, and the
processor time and memory of whole processes.

    flat      floods with one delay for all: the fast path of a multicast
    table     floods with delays between cities: the fast path of each receiver
    checked   floods with a censor and loss: each delivery is decided by `Network.fate`
    transfer  downloads over limited lines, some behind a NAT: `Bandwidth`
    asks      many small asks of a small swarm: records, verdicts, samples

    help      `swarmtop --help`
    start     `swarmtop run --peers 64 --until 1`
    peers     10,000 servents of Gnutella for two seconds; with --large 100,000 for one

Each measurement is a process of its own. A load is run several times on one swarm each; the first run (cold) and the
median of the later ones (warm) are told apart. Of a process, the processor time and the peak of its resident memory
are printed, medians. With `--against DIRECTORY`, another checkout of swarmtop runs the same loads in turn with this
one, and the ratios are printed (above 1: this one is faster, or takes less memory). Nothing is asserted but that both
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
from typing import Any

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
    "asks": lambda: busy(64, 40.0, 8),
}

RUN = "import sys; from tui.cli import main; sys.exit(main(sys.argv[1:]))"
PEERS = "import sys; from engine import Setup, Swarm; Swarm(Setup(peers=int(sys.argv[1]))).advance(int(sys.argv[2]))"
PROCESSES: dict[str, list[str]] = {
    "help": [RUN, "--help"],
    "start": [RUN, "run", "--peers", "64", "--until", "1"],
    "peers": [PEERS, "10000", "2000000"],
}
LARGE = {"large": [PEERS, "100000", "1000000"]}


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


def process(tree: Path, code: str, *words: str) -> tuple[float, float]:
    """Processor seconds and peak of resident memory in MB of a process that imports this checkout."""
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    child = subprocess.Popen([sys.executable, "-c", code, *words], env=environment, cwd=tree, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0, f"{words} ended with {child.returncode}"
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def in_turn(pairs: int, against: Path | None, one: Callable[[Path], Any]) -> tuple[list[Any], list[Any]]:
    """Measurements of this checkout and of the other one, in turn. The other one goes first every second time, since
    the clock of a busy processor drifts."""
    ours: list[Any] = []
    theirs: list[Any] = []
    for pair in range(pairs):
        trees = [ROOT] if against is None else [ROOT, against.resolve()]
        for tree in reversed(trees) if pair % 2 else trees:
            (ours if tree == ROOT else theirs).append(one(tree))
    return ours, theirs


def ratios(ours: list[Any], theirs: list[Any], at: int) -> str:
    """The median of the ratios of pairs, and each of them."""
    made = [mine[at] / other[at] for mine, other in zip(ours, theirs, strict=True)]
    return f"{statistics.median(made):.3f} ({', '.join(f'{each:.2f}' for each in made)})"


def main() -> None:
    """Measure and print."""
    ask = argparse.ArgumentParser()
    ask.add_argument("--pairs", type=int, default=3)
    ask.add_argument("--runs", type=int, default=4)
    ask.add_argument("--paths", default=",".join((*PATHS, *PROCESSES)))
    ask.add_argument("--against", type=Path)
    ask.add_argument("--large", action="store_true")
    ask.add_argument("--one", choices=PATHS, help=argparse.SUPPRESS)
    args = ask.parse_args()
    if args.one:
        print(json.dumps(measure(args.one, args.runs)))
        return
    processes = PROCESSES | (LARGE if args.large else {})
    for path in [*args.paths.split(","), *LARGE] if args.large else args.paths.split(","):
        if path in processes:
            ours, theirs = in_turn(args.pairs, args.against, lambda tree: process(tree, *processes[path]))  # noqa: B023
            cpu, peak = (statistics.median(one[at] for one in ours) for at in (0, 1))
            told = f"{path:10}{cpu:>8.3f} s   peak {peak:>7,.1f} MB"
            if theirs:
                told += f"   ratio s {ratios(theirs, ours, 0)}  MB {ratios(theirs, ours, 1)}"
        else:
            ours, theirs = in_turn(args.pairs, args.against, lambda tree: child(tree, path, args.runs))  # noqa: B023
            cold, warm = (statistics.median(one[at] for one in ours) for at in (0, 1))
            told = f"{path:10}cold {cold:>10,.0f}/s   warm {warm:>10,.0f}/s"
            if theirs:
                assert ours[0][2] == theirs[0][2], f"{path}: the fingerprints differ"
                told += f"   ratio cold {ratios(ours, theirs, 0)}  warm {ratios(ours, theirs, 1)}"
        print(told, flush=True)


if __name__ == "__main__":
    main()
