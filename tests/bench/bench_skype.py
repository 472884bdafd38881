"""Figures of the skype network: calls that need a relay, and its two failures. Minutes, so no part of the gate.

    python tests/bench/bench_skype.py [--peers N] [--calls N]

1. The share of calls between random users that is relayed, for three divisions of kinds of NAT, with and without
   sending at the same time, against s² + 2sp + b² + 2b(1 - o - b) and (1 - o)².
2. 16 August 2007 and 22 December 2010 on a true scale of time: hours until nine in ten are on line again, with what
   ended the failure and without.

The exit code is 1 when a share differs by more than three standard errors.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from engine import AskFor, LinkSpec, NatKind, Noted, Setup, Swarm
from engine.kit import relay_share
from engine.sim.rng import Stream

SECOND = 1_000_000
DIVISIONS = (
    "full:0.12,address:0.06,port:0.43,symmetric:0.10,blocked:0.04",
    "full:0.15,address:0.10,port:0.20,symmetric:0.25,blocked:0.10",
    "port:0.3",
)
APART_US = SECOND // 10


def say(line: str) -> None:
    """A line as soon as it is known."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def relayed_share(nat: str, peers: int, calls: int, punching: bool, seed: int = 1) -> tuple[float, float, int]:
    """(share of calls that were relayed, share expected, calls that came about), between random users. Expected: by
    the formula, with the shares of kinds as they were drawn for these peers."""
    options = {"call_s": 1.0, "relayed_most": 1_000, "punching": punching}
    made = Swarm(Setup("skype", peers, seed, asks_per_s=0, options=options, links=LinkSpec(nat=nat)))
    rng = Stream(f"{seed}/pairs")
    made.advance(5 * SECOND)
    ways: Counter[str] = Counter()
    seen = 0
    for number in range(calls + 300):
        if number < calls:
            caller, callee = rng.sample(range(peers), 2)
            made.do(AskFor(caller, f"user{callee}"))
        made.advance(made.now_us + APART_US)
        for each in made.events(seen):
            seen = each.seq
            if isinstance(each, Noted) and each.kind == "call":
                ways[each.facts["way"]] += 1
    kinds = Counter(made.snapshot().fixed.nat[:peers].tolist())
    drawn = {NatKind(kind): count / peers for kind, count in kinds.items()}
    return ways["relayed"] / max(1, ways.total()), relay_share(drawn, punching), ways.total()


def relays(peers: int, calls: int) -> bool:
    """The first table. Returns whether all shares are within three standard errors."""
    say(f"{calls:,} calls between random users of {peers:,}")
    say(f"{'kinds of NAT':<64} {'punching':>8} {'calls':>6} {'relayed':>8} {'formula':>8} {'error':>6}")
    right = True
    for nat in DIVISIONS:
        for punching in (True, False):
            share, expected, made = relayed_share(nat, peers, calls, punching)
            error = (expected * (1 - expected) / max(1, made)) ** 0.5
            off = (share - expected) / error if error else 0.0
            say(f"{nat:<64} {punching!s:>8} {made:>6,} {share:>8.4f} {expected:>8.4f} {off:>+5.1f}s")
            right &= abs(off) <= 3
    return right


def main() -> int:
    """Print all. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Figures of the skype network.")
    parser.add_argument("--peers", type=int, default=2_000)
    parser.add_argument("--calls", type=int, default=4_000)
    given = parser.parse_args()
    right = relays(given.peers, given.calls)
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
