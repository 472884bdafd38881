"""Figures of KaZaA beside Gnutella 0.4 and LimeWire, and of pollution. It takes minutes, so it is not in the gate.

    python tests/bench/bench_kazaa.py [--peers N] [--asks N] [--only searches|pollution|levels]

1. The same searches in each, at N peers without downloads: success, hits, peers reached, messages and bytes an ask,
   and the queries that come to a peer of each role; the upkeep of a peer, in bytes a second. Gnutella with several
   TTLs, of which the one that answers as much is to be compared.
2. Pollution: of users who fetch one song of 4 MiB, the share that gets the genuine one, where m of k holders are a
   company's: with hashes of their own, and with the right hash. Beside it the chance that none of the p holders that
   are asked is a company's: C(k - m, p) / C(k, p).
3. Seconds for a song of users who claim the highest participation level, and of those that tell the truth.
"""

from __future__ import annotations

import argparse
import pickle
import sys
from math import comb
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).resolve().parents[2])]

from searches import HEAD, SECOND, say, searches  # noqa: E402

from engine import AskFor, ContentSpec, Poison, Setup, Swarm  # noqa: E402
from engine.setup import LinkSpec  # noqa: E402

LAST_S = 30


def polluted(company: int, weak: bool, parallel: int, users: int = 40, holders: int = 20) -> None:
    """One row: how many users get the genuine song."""
    peers = 100
    made = Swarm(
        Setup(
            "kazaa", peers, 11, latency="constant:40", asks_per_s=0,
            content=ContentSpec(items=1, replicas=holders, free_riders=1 - holders / peers, file_mib=4),
            links=LinkSpec("3000:8000"),
            options={"metadata_s": 5, "look_s": 1, "careless": 0.0, "fakers": 0.0, "versions": 1, "parallel": parallel},
        )
    )  # fmt: skip
    [song] = made.catalogue_titles(1)
    free = [one for one in made.simulation.users() if not made.library(one).matching(song)]
    those = tuple(free[:company])
    if those:
        made.do(Poison(those, weak=weak))
    made.advance(6 * SECOND)
    begun = pickle.dumps(made)
    genuine = 0
    for one in free[company : company + users]:
        # Each in a swarm of its own, so that all find the same holders.
        again: Swarm = pickle.loads(begun)
        again.do(AskFor(one, song, "fetch"))
        again.advance_quiet(again.now_us + 900 * SECOND)
        genuine += again.asks()[-1].fetched > 0
    share = genuine / users
    k = holders + company
    p = min(parallel, k)
    chance = comb(k - company, p) / comb(k, p) if weak else float("nan")
    say(f"{company:>8} {'right' if weak else 'own':>6} {parallel:>9} {share:>9.2f} {chance:>9.2f}")


def levels(peers: int = 60) -> None:
    """How long those who claim the highest level wait, and the others."""
    made = Swarm(
        Setup(
            "kazaa", peers, 5, latency="constant:40", asks_per_s=0,
            content=ContentSpec(items=1, replicas=6, free_riders=0.9, file_mib=4),
            links=LinkSpec("500:8000"), options={"fakers": 0.5},
        )
    )  # fmt: skip
    [song] = made.catalogue_titles(1)
    made.advance(SECOND)
    for one in made.simulation.users():
        if not made.library(one).matching(song):
            made.do(AskFor(one, song, "fetch"))
    made.advance_quiet(3_600 * SECOND)
    took: dict[bool, list[float]] = {True: [], False: []}
    users = {row.id: made.peer(row.origin) for row in made.asks()}
    for row in made.asks():
        record = made.simulation.records[row.id]
        done = record.success_after_us()
        program = users[row.id]
        if done is not None:
            took[program.fakes].append(done / SECOND)
    say("\nparticipation levels: one song, all ask at once")
    for fakes, seconds in took.items():
        who = "claim 1000" if fakes else "tell the truth"
        asked = sum(program.fakes is fakes for program in users.values())
        mean = f"{np.mean(seconds):.0f} s on average" if seconds else "-"
        say(f"{len(seconds):>4} of {asked} users who {who:<15} got it: {mean}")


def main() -> int:
    """Print all."""
    parser = argparse.ArgumentParser(description="Figures of KaZaA.")
    parser.add_argument("--peers", type=int, default=1_000)
    parser.add_argument("--asks", type=int, default=100)
    parser.add_argument("--only", choices=("searches", "pollution", "levels"))
    given = parser.parse_args()
    if given.only in (None, "searches"):
        say(f"{given.peers:,} peers, {given.asks} searches of four copies each")
        say(HEAD)
        for ttl in (4, 5, 6, 7):
            searches("gnutella", given.peers, given.asks, LAST_S, ttl=ttl)
        for scope in (1, 2):
            searches("kazaa", given.peers, given.asks, LAST_S, scope=scope)
        searches("limewire", given.peers, given.asks, LAST_S)
    if given.only in (None, "pollution"):
        say(f"\n{'company':>8} {'hash':>6} {'parallel':>9} {'genuine':>9} {'formula':>9}   20 genuine holders")
        for company in (0, 1, 2, 5, 10, 20):
            for weak in (False, True):
                polluted(company, weak, 8)
        for company in (5, 10, 20):
            polluted(company, True, 1)
    if given.only in (None, "levels"):
        levels()
    return 0


if __name__ == "__main__":
    sys.exit(main())
