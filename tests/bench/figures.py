"""All figures of flooding, compared with the closed forms and printed as tables. It takes minutes, so it is not in the
gate.

    python tests/bench/figures.py [--data FOLDER] [--sources N] [--reach N]

FOLDER has gnutella/p2p-Gnutella04.txt, 08 and 31 (default: SWARMTOP_DATA, else shared/data beside the checkout).
Every flood is compared with its own closed form, exactly; the means over the sources are for reading. The exit code is
1 when anything differs.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[2]), str(HERE.parents[1] / "engine")]

from floods import Crawl, flood, ritter, still  # noqa: E402
from lines import say  # noqa: E402

CRAWLS = ("08", "04", "31")
TTLS = (*range(1, 8), 12)


def crawls(folder: Path, sources: int) -> int:
    """Floods of the three crawls. Returns how many cells differ."""
    wrong = 0
    for number in CRAWLS:
        path = folder / "gnutella" / f"p2p-Gnutella{number}.txt"
        if not path.exists():
            say(f"\np2p-Gnutella{number}: not in {folder}, left out")
            continue
        begun_s = time.perf_counter()
        graph = Crawl.read(path)
        swarm = still(path)
        some = list(dict.fromkeys((*graph.busiest(2), *graph.spread(sources - 2))))
        sums = [[0, 0] for _ in TTLS]
        differ = 0
        for source in some:
            got = flood(swarm, source, TTLS)
            for ttl, mine, right, total in zip(TTLS, got, graph.expected(source, TTLS), sums, strict=True):
                total[0] += mine[0]
                total[1] += mine[1]
                if mine != right or (ttl == TTLS[-1] and mine != graph.whole()):
                    differ += 1
                    say(f"p2p-Gnutella{number} from #{source}, TTL {ttl}: {mine} should be {right}")
        wrong += differ
        took_s = time.perf_counter() - begun_s
        say(
            f"\np2p-Gnutella{number}: {len(graph.near):,} peers, {len(some)} sources (the 2 of most links, the rest "
            f"evenly spread), {len(some) * len(TTLS)} floods, {differ} differ ({took_s:.0f} s)"
        )
        say(f"{'TTL':>4} {'mean reached':>14} {'mean messages':>14}")
        for ttl, (reached, messages) in zip(TTLS, sums, strict=True):
            say(f"{ttl:>4} {reached / len(some):>14,.1f} {messages / len(some):>14,.1f}")
        say(f"{'':>4} {graph.whole()[0]:>14,} {graph.whole()[1]:>14,}  N - 1 and 2E - N + 1 of the largest component")
    return wrong


def trees(most: int) -> int:
    """Ritter's table up to `most` peers. Returns how many cells differ."""
    wrong = 0
    say(f"\nRitter's reach f(N, T), in tree:N; cells above {most:,} are computed and not run (in brackets)")
    say("N\\T " + "".join(f"{ttl:>13}" for ttl in range(1, 9)))
    for degree in range(2, 9):
        right = [ritter(degree, ttl) for ttl in range(1, 9)]
        ttls = [ttl for ttl in range(1, 9) if right[ttl - 1] <= most]
        got = flood(still(f"tree:{degree}", right[len(ttls) - 1] + 1), 0, ttls)
        row = [f"{reached:,}" for reached, _ in got] + [f"({reach:,})" for reach in right[len(ttls) :]]
        say(f"{degree:>3} " + "".join(f"{cell:>13}" for cell in row))
        differ = [ttl for ttl, mine in zip(ttls, got, strict=True) if mine != (right[ttl - 1], right[ttl - 1])]
        if differ:
            say(f"    differs at TTL {differ}: (reached, messages) {got}")
        wrong += len(differ)
    return wrong


def main() -> int:
    """Run both. Returns the exit code."""
    beside = HERE.parents[3] / "shared" / "data"
    parser = argparse.ArgumentParser(description="Floods against their closed forms.")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SWARMTOP_DATA") or beside))
    parser.add_argument("--sources", type=int, default=12, help="sources in each crawl (12)")
    parser.add_argument("--reach", type=int, default=200_000, help="largest tree, in peers (200,000)")
    space = parser.parse_args()
    wrong = trees(space.reach) + crawls(space.data, max(3, space.sources))
    say(f"\n{wrong} figures differ" if wrong else "\nevery figure that was run is right, to the letter")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
