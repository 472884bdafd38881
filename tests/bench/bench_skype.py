"""Figures of the skype network: calls that need a relay, and its two failures. It takes minutes, so it is not in the
gate.

    python tests/bench/bench_skype.py [--peers N] [--calls N (0: only the failures)]

1. The share of calls between random users that is relayed, for three divisions of kinds of NAT, with and without
   sending at the same time, against s² + 2sp + b² + 2b(1 - o - b) and (1 - o)².
2. 16 August 2007 and 22 December 2010 on a true scale of time: hours until nine in ten are on line again, with what
   ended the failure and without.

The exit code is 1 when a share differs by more than three standard errors.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TypeAlias

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from lines import say

from engine import AskFor, Command, Kill, LinkSpec, NatKind, Noted, Revive, Set, Setup, Swarm
from engine.kit import relay_share
from engine.protocols.skype import Client
from engine.sim.rng import Stream

SECOND = 1_000_000
DIVISIONS = (
    "full:0.12,address:0.06,port:0.43,symmetric:0.10,blocked:0.04",
    "full:0.15,address:0.10,port:0.20,symmetric:0.25,blocked:0.10",
    "port:0.3",
)
APART_US = SECOND // 10


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


# --- the two failures, in hours -----------------------------------------------------------------------------------

HOUR = 3_600 * SECOND
USERS = 100
"""Machines: each stands for 60,000 of the six million users of 2007."""
SLOW = {
    "retry_s": 60.0,
    "retry_most_s": 120.0,
    "grace_s": 600.0,
    "uptime_s": 600.0,
    "backoff_s": 1_200.0,
    "alone_s": 0.0,
    "logins_per_s": 0.1,
    "built_in_logins_per_s": 0.1,
    "built_in_clients": 24,
}
"""Clients that try again every one or two minutes, and super nodes that handle one of them in ten seconds."""
NINE_IN_TEN = 0.9
Failure: TypeAlias = tuple[list[tuple[float, int]], float]


def online(made: Swarm) -> int:
    """Users' machines that are attached to a super node, or are one."""
    programs = (made.peer(user) for user in range(USERS))
    return sum(isinstance(one, Client) and one.state() in ("on line", "super node") for one in programs)


def hours(
    made: Swarm, remedy: Command | None, remedy_h: float, until_h: float
) -> tuple[list[tuple[float, int]], float]:
    """(hours, users on line) every quarter of an hour, and after how many hours nine in ten were on line again: nan if
    they never were."""
    began_us, rows, healed = made.now_us, [], math.nan
    for quarter in range(1, int(until_h * 4) + 1):
        if remedy is not None and quarter / 4 > remedy_h:
            made.do(remedy)
            remedy = None
        made.advance(began_us + quarter * HOUR // 4)
        rows.append((quarter / 4, online(made)))
        if rows[-1][1] >= NINE_IN_TEN * USERS and math.isnan(healed):
            healed = quarter / 4
    return rows, healed


def august_2007(limited: bool) -> Failure:
    """Nine in ten machines restart within a minute; after 24 hours logins are limited to 4 an hour."""
    made = Swarm(Setup("skype", USERS, 5, asks_per_s=0, sample_s=60.0, options={**SLOW, "built_in": 1}))
    made.advance(60 * SECOND)
    made.do(Kill('not role="login server" and not role="built-in super node" and random 90%'))
    made.advance(120 * SECOND)
    made.do(Revive("state=dead"))
    return hours(made, Set("admit_per_s", 4 / 3_600) if limited else None, 24, 60)


def december_2010(dedicated: bool) -> Failure:
    """Three in ten super nodes crash; after 23 hours Skype puts up six of its own."""
    made = Swarm(
        Setup("skype", USERS, 1, asks_per_s=0, sample_s=60.0, options={**SLOW, "grace_s": 86_400.0, "built_in": 7})
    )
    made.do(Kill('role="built-in super node" and not node0'))
    made.advance(60 * SECOND)
    made.do(Kill('role="super node" and random 30%'))
    return hours(made, Revive('role="built-in super node" and state=dead') if dedicated else None, 23, 30)


def failures() -> None:
    """The second table."""
    say(f"\n{USERS} users' machines; users on line after so many hours, and when nine in ten were again")
    runs = (
        ("2007, logins limited after 24 h", lambda: august_2007(True)),
        ("2007, nothing done", lambda: august_2007(False)),
        ("2010, six more after 23 h", lambda: december_2010(True)),
        ("2010, nothing done", lambda: december_2010(False)),
    )
    for name, run in runs:
        began_s = time.process_time()
        rows, healed = run()
        told = ", ".join(f"{at:g} h {count}" for at, count in rows if at in (1, 6, 12, 18, 23, 24, 30, 36, 48, 60))
        end = "never" if math.isnan(healed) else f"after {healed:g} h"
        say(f"{name:<32} {told}; nine in ten: {end} ({time.process_time() - began_s:.0f} s of processor time)")


def main() -> int:
    """Print all. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Figures of the skype network.")
    parser.add_argument("--peers", type=int, default=2_000)
    parser.add_argument("--calls", type=int, default=4_000, help="0: only the failures")
    given = parser.parse_args()
    right = relays(given.peers, given.calls) if given.calls else True
    failures()
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
