"""How fast BitTorrent swarms are, compared with closed forms, and what they cost. It takes minutes, so it is not in the
gate.

    python tests/bench/bench_bittorrent.py [--runs N] [table] [riders] [large]

table   100 peers and a torrent of 100 pieces: time of the last peer over the bound of Kumar and Ross, for a seed that
        is 1, 2, 4 and 10 times as fast as a peer, at two speeds, beside the sketch of which the figures are known
riders  time of a free rider over that of a contributor, the mean of the runs with its 95 % interval, for a seed that is
        2 and 10 times as fast as a peer: a slow seed is what all wait for, and they end at almost the same time
large   1,000 peers, 257 pieces of 256 KiB, 40 neighbours, one seed, lines of 1000:8000 kbit/s: processor time against
        virtual time, in stages and of the whole, and the messages by kind. Each looks for 20 neighbours and accepts
        others, so that the mean is 40 (`connections=40` makes it 75)

The bound is max(F / u_s, N F / (u_s + N u)): F bytes, u_s and u the upload rates of the seed and of each of N peers,
no limit to downloads ("Peer-assisted file distribution: the minimum distribution time", HotWeb 2006). No swarm can be
faster; overhead makes a swarm slower. Times are virtual; processor time with the collector as Python starts it.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[2])]

from lines import say  # noqa: E402

from engine import AskFor, ContentSpec, LinkSpec, Setup, Swarm  # noqa: E402
from engine.protocols.bittorrent import Client  # noqa: E402
from engine.world.world import World  # noqa: E402

PIECE_KIB = 256
SKETCH = {
    (205, 1): 2.30, (205, 2): 1.45, (205, 4): 1.18, (205, 10): 1.18,
    (820, 1): 2.87, (820, 2): 1.87, (820, 4): 1.35, (820, 10): 1.18,
}  # fmt: skip
"""(F / u in s, u_s / u) -> time of the last peer over the bound, of a sketch without the engine, one run each."""


@dataclass(frozen=True)
class Distribution:
    """One torrent that a seed gives to `leechers`, who all ask for it at t = 0.

    finished_s: when each leecher had it, None for never; bound_s: no swarm is faster; copies: what the seed sent, in
    files; up, down: bytes of blocks that all peers sent and got; virtual_s and cpu_s: of the run
    """

    finished_s: dict[int, float | None]
    bound_s: float
    copies: float
    up: int
    down: int
    in_flight: int
    virtual_s: float
    cpu_s: float
    messages: dict[str, int]
    riders: tuple[int, ...]

    @property
    def last_s(self) -> float:
        """When the last one had it; infinite if one never had."""
        return max(math.inf if one is None else one for one in self.finished_s.values())

    @property
    def ratio(self) -> float:
        """Over the bound."""
        return self.last_s / self.bound_s


def bound_s(file: int, leechers: int, up_kbit_s: float, seed_kbit_s: float) -> float:
    """The least time in which all can have a file of so many bytes, in s."""
    bits = 8 * file / 1000
    return max(bits / seed_kbit_s, leechers * bits / (seed_kbit_s + leechers * up_kbit_s))


def distribute(
    leechers: int,
    pieces: int,
    up_kbit_s: int,
    seed_times: float,
    *,
    down_kbit_s: int = 10_000_000,
    seed: int = 1,
    until_s: float = 36_000.0,
    piece_kib: int = PIECE_KIB,
    latency: str = "constant:1",
    watch: Callable[[Swarm, float], None] | None = None,
    **options: Any,
) -> Distribution:
    """Let one seed, whose upload is so many times that of a leecher, give a torrent to all others. watch: called every
    10 s of virtual time, with the processor time so far."""
    n = leechers + 1
    setup = Setup(
        protocol="bittorrent",
        peers=n,
        seed=seed,
        latency=latency,
        asks_per_s=0.0,
        links=LinkSpec(f"{up_kbit_s}:{down_kbit_s}"),
        content=ContentSpec(1, 1.0, free_riders=leechers / n, file_mib=pieces * piece_kib / 1024),
        options={"piece_kib": piece_kib, **options},
        sample_s=10.0,
    )
    made = World.generate(setup, lambda peers: Client.stations(Client.options_type(**setup.options), peers))
    [source] = [peer for peer, library in enumerate(made.catalogue.libraries) if len(library)]
    lines = list(made.lines)
    lines[source] = lines[source]._replace(up_kbit_s=round(up_kbit_s * seed_times))
    swarm = Swarm(setup, Client, replace(made, lines=tuple(lines)))
    begun_s = time.process_time()
    others = tuple(peer for peer in range(n) if peer != source)
    swarm.do(AskFor(others, made.catalogue.titles[0]))
    while swarm.now_us < until_s * 1e6 and any(row.closed_us is None for row in swarm.asks()):
        swarm.advance(min(swarm.now_us + 10_000_000, round(until_s * 1e6)))
        if watch is not None:
            watch(swarm, time.process_time() - begun_s)
    cpu_s, virtual_s = time.process_time() - begun_s, swarm.now_us / 1e6
    clients = {peer: program for peer, program in enumerate(swarm.simulation.programs) if isinstance(program, Client)}
    file = made.catalogue.files[0].size
    return Distribution(
        {row.origin: None if not row.fetched else (row.closed_us or 0) / 1e6 for row in swarm.asks()},
        bound_s(file, leechers, up_kbit_s, up_kbit_s * seed_times),
        clients[source].uploaded / file,
        sum(one.uploaded for one in clients.values()),
        sum(one.downloaded for one in clients.values()),
        swarm.snapshot().totals.in_flight,
        virtual_s,
        cpu_s,
        dict(swarm.snapshot().totals.by_kind),
        tuple(peer for peer, one in clients.items() if one.rides_free),
    )


def table(runs: int) -> None:
    """Time of the last peer over the bound."""
    say("seed / peer   F/u      sketch   ours: each run, copies that the seed sent")
    for span_s in (205, 820):
        up = round(100 * PIECE_KIB * 1024 * 8 / 1000 / span_s)
        for times in (1, 2, 4, 10):
            made = [distribute(100, 100, up, times, seed=run) for run in range(1, runs + 1)]
            ours = ", ".join(f"{one.ratio:.2f} ({one.copies:.1f})" for one in made)
            say(f"{times:6} x   {span_s:4} s     {SKETCH[span_s, times]:.2f}     {ours}")
            assert all(one.ratio >= 1 for one in made), "faster than the bound"


def riders(runs: int) -> None:
    """Time of a free rider over that of a contributor, for a fifth of free riders among 40 peers and 40 pieces."""
    for times in (2, 10):
        rider_ratio(runs, times)


def rider_ratio(runs: int, times: float) -> None:
    """For a seed that is so many times as fast as a peer."""
    ratios = []
    for run in range(1, runs + 1):
        made = distribute(40, 40, 1023, times, seed=run, free_rider_share=0.2)
        assert made.up == made.down, "what went up has come down"
        assert made.ratio >= 1, "faster than the bound"
        end = made.virtual_s
        mean = [
            statistics.fmean(end if at is None else at for peer, at in made.finished_s.items() if rides(peer, made))
            for rides in (lambda peer, one: peer in one.riders, lambda peer, one: peer not in one.riders)
        ]
        ratios.append(mean[0] / mean[1])
    spread = 1.96 * statistics.stdev(ratios) / math.sqrt(len(ratios)) if len(ratios) > 1 else math.nan
    say(f"seed {times} x: free rider / contributor: {statistics.fmean(ratios):.2f} +- {spread:.2f} (95 %, {runs} runs)")


@dataclass
class Stages:
    """Prints a line for each `every_s` of virtual time."""

    every_s: int = 60
    cpu_s: float = 0.0
    messages: int = 0

    def __call__(self, swarm: Swarm, cpu_s: float) -> None:
        at_s = swarm.now_us // 1_000_000
        if at_s % self.every_s:
            return
        messages = sum(swarm.snapshot().totals.by_kind.values())
        clients = [one for one in swarm.simulation.programs if isinstance(one, Client)]
        torrents = [torrent for one in clients for torrent in one.torrents.values()]
        had = statistics.fmean(torrent.state.pieces / torrent.layout.pieces for torrent in torrents)
        neighbours = statistics.fmean(len(torrent.peers) for torrent in torrents)
        spent_s, sent = cpu_s - self.cpu_s, messages - self.messages
        self.cpu_s, self.messages = cpu_s, messages
        say(
            f"to {at_s:5} s: {spent_s / self.every_s:5.2f} s of processor time a second, {sent / self.every_s:7,.0f} "
            f"messages a second; {had:.1%} of the pieces, {neighbours:.1f} neighbours"
        )


def large(until_s: float) -> None:
    """The large swarm."""
    made = distribute(
        1_000,
        257,
        1_000,
        1.0,
        down_kbit_s=8_000,
        until_s=until_s,
        latency="world",
        watch=Stages(),
        connections=20,
    )
    done = [one for one in made.finished_s.values() if one is not None]
    say(f"{len(done)} of 1,000 finished in {made.virtual_s:.0f} s, in {made.cpu_s:.0f} s of processor time")
    say(f"ratio to the bound of {made.bound_s:.0f} s: {made.ratio:.2f}; the seed sent {made.copies:.2f} copies")
    say(", ".join(f"{kind} {count:,}" for kind, count in sorted(made.messages.items()) if count))


def main() -> None:
    """Run what is named, or all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("what", nargs="*", help="table, riders, large")
    parser.add_argument("--runs", type=int, default=3, help="runs of each figure")
    parser.add_argument("--until", type=float, default=36_000.0, help="end of `large`, in s")
    given = parser.parse_args()
    chosen = given.what or ["table", "riders", "large"]
    if "table" in chosen:
        table(given.runs)
    if "riders" in chosen:
        riders(max(2, given.runs))
    if "large" in chosen:
        large(given.until)


if __name__ == "__main__":
    main()
