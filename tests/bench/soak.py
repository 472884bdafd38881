"""An hour of virtual time with churn and attacks: does memory stay flat?

1,000 peers whose sessions are Weibull, background asks, and each minute another attack that is undone half a minute
later. Prints resident memory over the hour, and the slopes of its last three quarters and of its last quarter; nothing
is asserted. It also prints how much the peers remember, in entries of their tables: a network fills its tables up to
the limits of its options, which takes Gnutella twenty minutes for the GUIDs and more than an hour for the addresses.
With limits that are reached soon, `--set host_cache=30 --set guid_memory_s=60`, memory that still grows is a leak of
the engine.

    python tests/bench/soak.py [--protocol gnutella] [--peers 1000] [--hours 1] [--asks 1.0] [--set NAME=VALUE]
"""

from __future__ import annotations

import argparse
import gc
import time

import numpy as np

from engine import (
    Censor,
    Collude,
    Command,
    Defect,
    Heal,
    InputError,
    Join,
    Kill,
    Leave,
    Partition,
    Revive,
    Set,
    Setup,
    Swarm,
    Uncensor,
)
from engine.lab.bench import resident

ROUND: tuple[tuple[Command, Command], ...] = (
    (Kill("random 20%"), Revive("state=dead")),
    (Censor("top 5% degree"), Uncensor("state=censored")),
    (Partition("random 30%"), Heal()),
    (Collude("random 50%", "blue train"), Defect("random 100%")),
    (Set("loss", 0.1), Set("loss", 0.0)),
    (Leave("random 10%"), Join("state=left")),
)


def remembered(swarm: Swarm) -> int:
    """Entries in all tables of all peers."""
    count = 0
    for program in filter(None, map(swarm.peer, range(len(swarm.labels)))):
        names = [name for kind in type(program).__mro__ for name in getattr(kind, "__slots__", ())]
        tables = [getattr(program, name, None) for name in (*names, *getattr(program, "__dict__", ()))]
        count += sum(len(table) for table in tables if hasattr(table, "__len__") and not isinstance(table, bytes))
    return count


def soak(protocol: str, peers: int, hours: float, asks_per_s: float, options: dict[str, object]) -> None:
    """Run, and print figures every five minutes of virtual time."""
    setup = Setup(protocol=protocol, peers=peers, churn="weibull:0.59:2514", asks_per_s=asks_per_s, options=options)
    swarm = Swarm(setup)
    minutes = round(hours * 60)
    told: list[tuple[float, float]] = []
    start = time.perf_counter()
    for minute in range(minutes):
        attack, undoing = ROUND[minute % len(ROUND)]
        for half, command in enumerate((attack, undoing)):
            try:
                swarm.do(command)
            except InputError as error:
                print(f"  {minute} min: {command.verb}: {error}")
            swarm.advance((minute * 60 + half * 30 + 30) * 1_000_000)
        gc.collect()
        told.append((minute + 1.0, resident() / (1 << 20)))
        if (minute + 1) % 5 == 0:
            totals = swarm.snapshot().totals
            print(
                f"{minute + 1:4d} min  {told[-1][1]:7.1f} MiB  {remembered(swarm):9,} remembered  "
                f"{totals.delivered:12,} delivered  {totals.dropped:10,} dropped  "
                f"{len(swarm.asks()):6,} asks  {time.perf_counter() - start:6.0f} s",
                flush=True,
            )
    for words, first in (("three quarters", len(told) // 4), ("quarter", len(told) * 3 // 4)):
        rows = np.array(told[first:])
        slope = np.polyfit(rows[:, 0], rows[:, 1], 1)[0]
        print(f"{protocol}: {slope * 60:+.1f} MiB an hour over the last {words}, {rows[-1, 1]:.1f} MiB at the end")


def main() -> None:
    """Measure and print."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--protocol", default="gnutella")
    ask.add_argument("--peers", type=int, default=1_000)
    ask.add_argument("--hours", type=float, default=1.0)
    ask.add_argument("--asks", type=float, default=1.0)
    ask.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    args = ask.parse_args()
    soak(args.protocol, args.peers, args.hours, args.asks, dict(one.split("=", 1) for one in args.set))


if __name__ == "__main__":
    main()
