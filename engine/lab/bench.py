"""`swarmtop bench`: what this machine makes of the kernel, as ratios within one run.

Each round of a row runs ours and its rivals in turn in one process, a fresh one, under the same collector settings (on,
as Python starts, and emptied before each). Ours keeps every book (accounts, paths, series, fingerprint), and a flood is
recorded in a file meanwhile; the rivals keep none (`rivals.py`). A single number from a busy machine says little, so
each row is the median of `rounds`, and the ratio is the median of the ratios of each round: what slows one slows the
other. Seconds are of computing, so that others on the machine count as little as can be.
"""

from __future__ import annotations

import gc
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..commands import AskFor
from ..record.checkpoints import Checkpoints, pack_swarm, unpack_swarm
from ..record.time_machine import TimeMachine
from ..setup import Setup
from ..sim.rng import Stream
from ..swarm import Swarm
from . import averaging, rivals
from .workers import alone

# What going back costs, for `swarmtop bench`: recording, a checkpoint, a seek.
#
# Seconds are of computing in this process, so that others on the machine do not count. Floods are timed in pairs,
# recorded and not, in turn, through one swarm; the run that is sought in is a Gnutella with background asks and churn,
# with the checkpoints of this process (in the dashboard another process takes them).

SECOND_US = 1_000_000
FRAME_US = 10_000
SEEKS = 9


@dataclass(frozen=True, slots=True)
class GoingBack:
    """Seconds of computing: a checkpoint, its thawing, a seek (median and longest of some); `bytes` of a checkpoint."""

    checkpoint_s: float
    thaw_s: float
    bytes: int
    seek_s: float
    longest_seek_s: float


def recording_share(swarm: Swarm, pairs: int = 7) -> float:
    """What recording adds to a flood, as a share of its time; the median of the pairs. All are floods of one swarm: two
    that were made alike lie differently in memory, and differ by more than what is asked for."""
    machine = TimeMachine(swarm)
    machine.advance(FRAME_US)
    _flood_s(machine)
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        for i in range(pairs):
            took = {}
            for recorded in (True, False) if i % 2 else (False, True):
                if recorded:
                    machine.record(str(Path(folder) / "run.swarm"), {}, time.monotonic)
                took[recorded] = _flood_s(machine)
                machine.stop_recording()
            ratios.append(took[True] / took[False])
    machine.close()
    return statistics.median(ratios) - 1


def flood_s(swarm: Swarm, path: str) -> float:
    """Seconds of computing that a flood from peer 0 takes, its fingerprint included, while the run is recorded in a
    file."""
    machine = TimeMachine(swarm)
    machine.record(path, {}, time.monotonic)
    # What peers do when they start is no part of it.
    machine.advance(FRAME_US)
    took = _flood_s(machine)
    machine.close()
    return took


def _flood_s(machine: TimeMachine) -> float:
    gc.collect()
    start = time.process_time()
    machine.swarm.do(AskFor(0, "nobody has this"))
    while not machine.swarm.quiet():
        machine.advance(machine.now_us + FRAME_US)
    machine.swarm.fingerprint()
    return time.process_time() - start


def going_back(peers: int, seconds: int) -> GoingBack:
    """Of a run so long, at moments drawn from all of it."""
    run = Swarm(Setup(peers=peers, churn="exponential:600", asks_per_s=0.2))
    machine = TimeMachine(run, checkpoints=Checkpoints())
    while machine.now_us < seconds * SECOND_US:
        machine.advance(machine.now_us + SECOND_US)
    swarm = machine.swarm
    start = time.process_time()
    packed, parts = pack_swarm(swarm, {})
    packed_s = time.process_time()
    unpack_swarm(packed, swarm, parts)
    unpacked_s = time.process_time()
    rng = Stream("bench/seek")
    took = []
    for _ in range(SEEKS):
        begun = time.process_time()
        for _share in machine.seek(rng.randrange(seconds * SECOND_US)):
            pass
        took.append(time.process_time() - begun)
    machine.close()
    return GoingBack(packed_s - start, unpacked_s - packed_s, len(packed.body), statistics.median(took), max(took))


DEGREE = 20
AVERAGING_PERIODS = 4
SOUGHT_S = 600
FACTOR_WITHIN = 0.08
"""How far from theory the averaging may be: delays let exchanges overlap, which theory forbids, and four periods are
few."""
FLOOD_OPTIONS = {"ttl": rivals.TTL, "download": False, "ping_s": 3600.0}
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class BenchCost:
    """What one thing takes: `figure` with its unit, and what was measured, in words."""

    name: str
    figure: str
    about: str


@dataclass(frozen=True, slots=True)
class BenchRow:
    """Deliveries a second of ours, of SimPy (None: not installed) and of the bare loop; `ratio` and `of_bare` are
    medians of the rounds' own. `held` is whether every round did what theory says, `theory` the last in words."""

    load: str
    peers: int
    ours_per_s: float
    simpy_per_s: float | None
    bare_per_s: float
    ratio: float | None
    of_bare: float
    held: bool
    theory: str


def bench(sizes: Sequence[int], say: Say, rounds: int = 3) -> Iterator[BenchRow]:
    """A row for each load and size, as they are done."""
    for load in ("flood", "averaging"):
        for peers in sizes:
            say(f"{load}, {peers:,} peers")
            # Large ones take long, and scatter less.
            yield _row(load, peers, rounds if peers < 100_000 else 1)


@dataclass(frozen=True, slots=True)
class Round:
    """One round of a row: deliveries a second, and whether ours did what theory says."""

    ours_per_s: float
    simpy_per_s: float | None
    bare_per_s: float
    held: bool
    theory: str


def _row(load: str, peers: int, rounds: int) -> BenchRow:
    done = [apart(load, peers) for _ in range(rounds)]
    simpy = [one.simpy_per_s for one in done if one.simpy_per_s is not None]
    median = statistics.median
    return BenchRow(
        load=load,
        peers=peers,
        ours_per_s=median(one.ours_per_s for one in done),
        simpy_per_s=median(simpy) if simpy else None,
        bare_per_s=median(one.bare_per_s for one in done),
        ratio=median(one.ours_per_s / their for one, their in zip(done, simpy, strict=True)) if simpy else None,
        of_bare=median(one.ours_per_s / one.bare_per_s for one in done),
        held=all(one.held for one in done),
        theory=done[-1].theory,
    )


def apart(load: str, peers: int) -> Round:
    """A round in a process of its own, as a run is: in the holes that an earlier swarm left in memory, the peers of the
    next lie scattered."""
    made: Round = alone(measured, load, peers)
    return made


def measured(load: str, peers: int) -> Round:
    """A round in this process."""
    rate, right, theory, near = (_flood if load == "flood" else _average)(peers)
    if load == "flood":
        their: Callable[[], int] = partial(rivals.simpy_flood, near)
        bare: Callable[[], int] = partial(rivals.bare_flood, near)
    else:
        their = partial(rivals.simpy_averaging, near, AVERAGING_PERIODS)
        bare = partial(rivals.bare_averaging, near, AVERAGING_PERIODS)
    return Round(rate, _rate(their) if rivals.has_simpy() else None, _rate(bare), right, theory)


def _rate(run: Callable[[], int]) -> float:
    gc.collect()
    start = time.process_time()
    count = run()
    return count / (time.process_time() - start)


def _near(swarm: Swarm) -> list[tuple[int, ...]]:
    return [swarm.links_of(peer) for peer in range(swarm.setup.peers)]


def flooded(peers: int) -> Swarm:
    """A Gnutella that is about to be flooded, with constant delays and nothing else going on."""
    latency = f"constant:{rivals.DELAY_US // 1000}"
    setup = Setup(peers=peers, topology=f"random:{DEGREE}", latency=latency, asks_per_s=0.0, options=FLOOD_OPTIONS)
    return Swarm(setup)


def _flood(peers: int) -> tuple[float, bool, str, list[tuple[int, ...]]]:
    swarm = flooded(peers)
    near = _near(swarm)
    with tempfile.TemporaryDirectory() as folder:
        took_s = flood_s(swarm, str(Path(folder) / "run.swarm"))
    messages, theory = swarm.record(1).messages, 2 * swarm.edges - peers + 1
    return messages / took_s, messages == theory, f"{messages:,} messages; 2E-N+1 is {theory:,}", near


def _average(peers: int) -> tuple[float, bool, str, list[tuple[int, ...]]]:
    latency = f"constant:{rivals.DELAY_US // 1000}"
    setup = Setup(peers=peers, topology=f"random:{DEGREE}", latency=latency, asks_per_s=0.0)
    swarm = Swarm(setup, averaging.Averager)
    near = _near(swarm)
    before = _variance(swarm)

    def run() -> int:
        delivered = swarm.advance(AVERAGING_PERIODS * averaging.PERIOD_US)
        swarm.fingerprint()
        return delivered

    rate = _rate(run)
    factor = (_variance(swarm) / before) ** (1 / AVERAGING_PERIODS)
    right = abs(factor - averaging.FACTOR) < FACTOR_WITHIN
    return rate, right, f"variance x {factor:.3f} a period; in theory {averaging.FACTOR:.3f}", near


def _variance(swarm: Swarm) -> float:
    return statistics.pvariance([getattr(swarm.peer(peer), "value", 0.0) for peer in range(swarm.setup.peers)])


def bench_costs(sizes: Sequence[int], say: Say) -> Iterator[BenchCost]:
    """What peers take in memory, and what going back takes, as they are done."""
    for peers in sizes:
        say(f"memory of {peers:,} peers")
        each = bytes_per_peer(peers)
        total = each * peers / (1 << 20)
        yield BenchCost("memory", f"{each:,.0f} bytes a peer", f"gnutella, {peers:,} peers: {total:,.0f} MiB")
    peers = min(10_000, max(sizes))
    say("recording")
    yield BenchCost("recording", f"{recording_share(flooded(peers)):+.1%}", f"of the time of a flood, {peers:,} peers")
    peers = min(1_000, max(sizes))
    say(f"going back in {SOUGHT_S} s")
    back = going_back(peers, SOUGHT_S)
    run = f"{peers:,} peers, {SOUGHT_S} s of churn and asks"
    yield BenchCost("checkpoint", f"{back.checkpoint_s * 1e3:.0f} ms", f"{run}: {back.bytes / 1e6:.2f} MB")
    yield BenchCost(
        "seek", f"{back.seek_s * 1e3:.0f} ms", f"{run}; longest of {SEEKS}: {back.longest_seek_s * 1e3:.0f} ms"
    )


# --- memory ----------------------------------------------------------------------------------------------------


def weighed(peers: int) -> Swarm:
    """A Gnutella as the dashboard opens it, once a question has gone through it."""
    swarm = Swarm(Setup(peers=peers, asks_per_s=0.0))
    swarm.do(AskFor(0, "nobody has this"))
    swarm.advance(2_000_000)
    return swarm


def resident() -> int:
    """Bytes of this process that are in memory; where the system does not say, the most there ever were."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * 4096
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def bytes_per_peer(peers: int) -> float:
    """Of a Gnutella with four links a peer, in a process of its own so that nothing is shared with what ran here."""
    return int(alone(weight, peers)) / peers


def weight(peers: int) -> int:
    """Bytes that a swarm takes in this process, in which there was none before."""
    gc.collect()
    before = resident()
    swarm = weighed(peers)
    gc.collect()
    return resident() - before if swarm.now_us else 0
