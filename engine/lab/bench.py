"""`swarmtop bench`: the speed of the kernel on this machine, in deliveries a second, and the costs of memory and seeks.

Speeds are measured on floods that are recorded in a file meanwhile, and compared with a bare loop over buckets without
peers: a single number from a busy machine says little, and what slows one of the two slows the other. Both run one
after the other in one process, a fresh one each round, with the garbage collector as Python starts it, and a collection
before each. A row is the median of its rounds, the ratio the median of the ratios of each round. Seconds are processor
time. The comparison with SimPy is `tests/bench/bench_rivals.py`.

Small asks (`lookups`) are compared with the same messages without asks: the difference is the cost of an ask. In the
same way requests with answers are compared with messages that are no calls, and small messages and transfers over
limited lines with those over lines without a limit (`loads`). The first seconds of each are reported separately.
"""

from __future__ import annotations

import gc
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from heapq import heappop, heappush
from pathlib import Path

from ..commands import AskFor
from ..record.checkpoints import Checkpoints, pack_swarm
from ..record.time_machine import TimeMachine
from ..setup import Setup
from ..sim.rng import Stream
from ..swarm import Swarm
from ..values import dataclass
from . import loads, lookups
from .workers import alone

SECOND_US = 1_000_000
FRAME_US = 10_000
DELAY_US = 50_000
DEGREE = 20
TTL = 20
"""Hops of a flood: more than any graph of that degree needs."""
FLOOD_OPTIONS = {"ttl": TTL, "download": False, "ping_s": 3600.0}
SEEKS = 9
SOUGHT_S = 600
"""Virtual seconds of the run in which seeks are measured."""

LOADS: tuple[tuple[str, Callable[[int], loads.Compared], int, str], ...] = (
    ("requests", loads.requests, 1_000, "of the same messages without calls"),
    ("idle lines", loads.idle_lines, 1_000, "of the same small messages over lines without a limit"),
    ("transfers", loads.transfers, 64, "of blocks over lines without a limit"),
)
"""Name, function that measures it, greatest number of peers, and what it is compared with."""

Say = Callable[[str], None]
"""Called with what is being measured."""


@dataclass(frozen=True, slots=True)
class BenchCost:
    """A cost: `figure` with its unit, and in words what it was measured on."""

    name: str
    figure: str
    about: str


@dataclass(frozen=True, slots=True)
class BenchRow:
    """Deliveries a second of swarmtop and of the bare loop, medians of the rounds; `of_bare`: the median of their
    ratios. `held`: whether each round sent as many messages as theory says; `theory`: the last round in words."""

    load: str
    peers: int
    ours_per_s: float
    bare_per_s: float
    of_bare: float
    held: bool
    theory: str


def bench(sizes: Sequence[int], say: Say, rounds: int = 3) -> Iterator[BenchRow]:
    """A row for each number of peers, as they are done. Sizes of 100,000 and more have one round: they take long, and
    vary less."""
    for peers in sizes:
        say(f"flood, {peers:,} peers")
        yield _row(peers, rounds if peers < 100_000 else 1)


@dataclass(frozen=True, slots=True)
class Round:
    """One round of a row."""

    ours_per_s: float
    bare_per_s: float
    held: bool
    theory: str


def _row(peers: int, rounds: int) -> BenchRow:
    done = [round_in_process(peers) for _ in range(rounds)]
    median = statistics.median
    return BenchRow(
        load="flood",
        peers=peers,
        ours_per_s=median(one.ours_per_s for one in done),
        bare_per_s=median(one.bare_per_s for one in done),
        of_bare=median(one.ours_per_s / one.bare_per_s for one in done),
        held=all(one.held for one in done),
        theory=done[-1].theory,
    )


def round_in_process(peers: int) -> Round:
    """A round in a process of its own, as a run is. In a process in which an earlier swarm has left gaps in memory, the
    peers of the next swarm are scattered over these gaps, which is slower."""
    made: Round = alone(one_round, peers)
    return made


def one_round(peers: int) -> Round:
    """A round in this process."""
    swarm = flooded(peers)
    near = [swarm.links_of(peer) for peer in range(peers)]
    with tempfile.TemporaryDirectory() as folder:
        took_s = flood_s(swarm, str(Path(folder) / "run.swarm"))
    messages, theory = swarm.record(1).messages, messages_of_a_flood(swarm)
    gc.collect()
    start = time.process_time()
    bare = bare_flood(near) / (time.process_time() - start)
    return Round(messages / took_s, bare, messages == theory, f"{messages:,} messages; 2E-N+1 is {theory:,}")


def messages_of_a_flood(swarm: Swarm) -> int:
    """The number of messages by theory: each peer sends the query on all its links but the one that it came from."""
    return 2 * swarm.edges - swarm.setup.peers + 1


def flooded(peers: int) -> Swarm:
    """A Gnutella with constant delays that is ready to be flooded; it sends no other messages."""
    latency = f"constant:{DELAY_US // 1000}"
    setup = Setup(peers=peers, topology=f"random:{DEGREE}", latency=latency, asks_per_s=0.0, options=FLOOD_OPTIONS)
    return Swarm(setup)


def bare_flood(near: Sequence[Sequence[int]]) -> int:
    """A flood from peer 0 in a loop over buckets, without peers, hosts or records: two lists for each instant, one set
    of the peers that have seen it. Returns the deliveries. `near`: the neighbours of each peer."""
    buckets: dict[int, tuple[list[int], list[tuple[int, int]]]] = {0: ([0], [(-1, TTL)])}
    instants = [0]
    seen: set[int] = set()
    count = 0
    while instants:
        now = heappop(instants)
        tos, envelopes = buckets.pop(now)
        for to, (sender, ttl) in zip(tos, envelopes, strict=True):
            count += 1
            if to in seen:
                continue
            seen.add(to)
            if not ttl:
                continue
            envelope = (to, ttl - 1)
            at = now + DELAY_US
            bucket = buckets.get(at)
            if bucket is None:
                bucket = buckets[at] = ([], [])
                heappush(instants, at)
            for other in near[to]:
                if other != sender:
                    bucket[0].append(other)
                    bucket[1].append(envelope)
    return count - 1


def bench_costs(sizes: Sequence[int], say: Say) -> Iterator[BenchCost]:
    """Memory of peers and small asks for each size, then recording, checkpoints and seeks, as they are done."""
    for peers in sizes:
        say(f"memory of {peers:,} peers")
        each = bytes_per_peer(peers)
        total = each * peers / (1 << 20)
        yield BenchCost("memory", f"{each:,.0f} bytes a peer", f"gnutella, {peers:,} peers: {total:,.0f} MiB")
    for peers in sizes:
        say(f"small asks, {peers:,} peers")
        hit, miss, plain = small_asks(peers)
        figure = " and ".join(f"{one[1] / plain[1]:.2f}" for one in (hit, miss))
        first = " and ".join(f"{one[0] / plain[0]:.2f}" for one in (hit, miss))
        about = f"of the speed without asks ({plain[1]:,.0f}/s), with a hit and without: {hit[1]:,.0f}/s and "
        about += f"{miss[1]:,.0f}/s; in the first {lookups.WARM_UP_S} s {first}"
        yield BenchCost("small asks", figure, f"{peers:,} peers, {lookups.MESSAGES} messages each; {about}")
    for name, measure, most, beside in LOADS:
        peers = min(most, max(sizes))
        say(f"{name}, {peers:,} peers")
        done: loads.Compared = alone(measure, peers)
        about = f"of the speed {beside} ({done.plain_per_s:,.0f}/s): {done.per_s:,.0f}/s; in the first second"
        yield BenchCost(name, f"{done.later:.2f}", f"{peers:,} peers; {about} {done.first:.2f}")
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


def small_asks(peers: int) -> tuple[tuple[float, float], ...]:
    """Deliveries a second, first and later, of lookups with a hit, without, and of the same messages without asks, each
    in a process of its own."""
    hit, miss, plain = (
        alone(lookups.measured, (peers, *load)) for load in ((True, True), (True, False), (False, False))
    )
    return hit, miss, plain


def swarm_after_a_flood(peers: int) -> Swarm:
    """A Gnutella as the dashboard opens it, after one flood."""
    swarm = Swarm(Setup(peers=peers, asks_per_s=0.0))
    swarm.do(AskFor(0, "nobody has this"))
    swarm.advance(2_000_000)
    return swarm


def resident() -> int:
    """Bytes of this process that are in memory; where the system does not state this, the maximum so far."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * 4096
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def bytes_per_peer(peers: int) -> float:
    """Bytes of memory per peer of a Gnutella with four links a peer, measured in a fresh process."""
    return int(alone(bytes_of_swarm, peers)) / peers


def bytes_of_swarm(peers: int) -> int:
    """Bytes that a swarm takes in this process. There must have been no swarm in it before."""
    gc.collect()
    before = resident()
    swarm = swarm_after_a_flood(peers)
    gc.collect()
    return resident() - before if swarm.now_us else 0


def recording_share(swarm: Swarm, pairs: int = 7) -> float:
    """What recording adds to a flood, as a share of its time: the median of pairs, one recorded and one not, in
    alternating order. All are floods of one swarm: two swarms of the same setup have different places in memory, and
    differ by more than this share."""
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
    """Processor seconds of a flood from peer 0, its fingerprint included, while the run is recorded in a file."""
    machine = TimeMachine(swarm)
    machine.record(path, {}, time.monotonic)
    machine.advance(FRAME_US)  # What peers do when they start is not measured.
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


@dataclass(frozen=True, slots=True)
class GoingBack:
    """Processor seconds of a checkpoint and of a seek (median, longest); `bytes` of a checkpoint."""

    checkpoint_s: float
    bytes: int
    seek_s: float
    longest_seek_s: float


def going_back(peers: int, seconds: int) -> GoingBack:
    """Costs of going back in a Gnutella with background asks and churn, to times drawn from all of it. Checkpoints are
    made in this process; the dashboard has a process of its own for them."""
    run = Swarm(Setup(peers=peers, churn="exponential:600", asks_per_s=0.2))
    machine = TimeMachine(run, checkpoints=Checkpoints())
    while machine.now_us < seconds * SECOND_US:
        machine.advance(machine.now_us + SECOND_US)
    swarm = machine.swarm
    start = time.process_time()
    packed, _parts = pack_swarm(swarm, {})
    packed_s = time.process_time() - start
    rng = Stream("bench/seek")
    took = []
    for _ in range(SEEKS):
        begun = time.process_time()
        for _share in machine.seek(rng.randrange(seconds * SECOND_US)):
            pass
        took.append(time.process_time() - begun)
    machine.close()
    return GoingBack(packed_s, len(packed.body), statistics.median(took), max(took))
