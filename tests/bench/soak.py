"""An hour of virtual time with churn and attacks: does memory stay flat?

1,000 peers whose sessions are Weibull, background asks, and each minute another attack that is undone half a minute
later. Prints resident memory over the hour, and the slope of its last three quarters; nothing is asserted.

    python tests/bench/soak.py [--protocol gnutella] [--peers 1000] [--hours 1] [--asks 1.0]
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


def soak(protocol: str, peers: int, hours: float, asks_per_s: float) -> None:
    """Run, and tell each five minutes."""
    setup = Setup(protocol=protocol, peers=peers, churn="weibull:0.59:2514", asks_per_s=asks_per_s)
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
                f"{minute + 1:4d} min  {told[-1][1]:7.1f} MiB  {totals.delivered:12,} delivered  "
                f"{totals.dropped:10,} dropped  {len(swarm.asks()):6,} asks  {time.perf_counter() - start:6.0f} s",
                flush=True,
            )
    rows = np.array(told[len(told) // 4 :])
    slope = np.polyfit(rows[:, 0], rows[:, 1], 1)[0]
    print(f"{protocol}: {slope * 60:+.1f} MiB an hour over the last three quarters, {rows[-1, 1]:.1f} MiB at the end")


def main() -> None:
    """Measure and print."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--protocol", default="gnutella")
    ask.add_argument("--peers", type=int, default=1_000)
    ask.add_argument("--hours", type=float, default=1.0)
    ask.add_argument("--asks", type=float, default=1.0)
    args = ask.parse_args()
    soak(args.protocol, args.peers, args.hours, args.asks)


if __name__ == "__main__":
    main()
