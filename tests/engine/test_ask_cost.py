"""The indexes that make the cost of an ask independent of the number of peers, compared with slow code for the same."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from random import Random

import numpy as np
import pytest

from engine import BROADCAST, FIND, AskFor, AskRow, Kill, Publish, Setup, Swarm
from engine.api import PARTS
from engine.lab import lookups
from engine.measure import metrics
from engine.measure.asks import ANSWER, FEW_REACHED, NONE, QUESTION, AskRecord, FirstArrivals, add_arrivals
from engine.measure.metrics import quantile
from engine.sim.kernel import HOP_BITS, KIND_SHIFT
from engine.sim.paths import PathLengths
from engine.sim.rng import Stream
from engine.simulation import LivingUsers

SUCCESS_WITHIN_US = round(BROADCAST.success_s * 1e6)
SECOND = 1_000_000


@pytest.mark.parametrize("peers", [20, 400, 5_000])
def test_first_arrivals_do_not_depend_on_how_the_deliveries_were_cut(peers: int) -> None:
    rng = Stream(f"firsts/{peers}")
    single, batched = FirstArrivals(3, 7), FirstArrivals(3, 7)
    first: dict[int, tuple[int, int, int]] = {3: (-1, 0, 7)}
    repeats: dict[int, int] = {}
    n, now = peers, 8
    for batch in (1, 5, 30, 2, 200, 1, 400):
        rows = [(rng.randrange(n), rng.randrange(n), 1 + rng.randrange(5), now + i) for i in range(batch)]
        now += batch
        new = []
        for frm, to, hop, at_us in rows:
            repeats[to] = repeats.get(to, 0) + (to in first)
            first.setdefault(to, (frm, hop, at_us))
            if single.add(n, frm, to, hop, at_us):
                new.append(hop)
        assert batched.add_all(n, *np.array(rows, np.int64).T) == (len(new), max(new, default=0))
        assert single.count == batched.count == len(first)
        assert single.bytes == batched.bytes
        if rng.random() < 0.5:
            batched.replace(batched.packed())
        n += 2
        living = LivingUsers(n)
        for peer in range(0, n, 3):
            living.set(peer, True)
        for one in (single, batched):
            assert one.among(living) == sum(peer % 3 == 0 for peer in first)
            half = now // 2
            assert one.among(living, half) == sum(peer % 3 == 0 and first[peer][2] <= half for peer in first)
            frms, hops, times, again = one.columns(n)
            expected = [(*first.get(peer, (-1, -1, -1)), repeats.get(peer, 0)) for peer in range(n)]
            assert list(zip(frms.tolist(), hops.tolist(), times.tolist(), again.tolist(), strict=True)) == expected
            assert [one.heard(peer) for peer in range(n)] == [peer in first for peer in range(n)]


@pytest.mark.parametrize("referred", [False, True])
def test_a_record_is_the_same_whether_few_arrivals_are_written_out_or_added(referred: bool) -> None:
    """Arrivals among fewer than `FEW_REACHED` peers take a shorter way than `FirstArrivals.add` and `hop`."""
    rng = Random(7)
    record = AskRecord(1, 0, "blue train", FIND, "user", 0)
    firsts, depth = FirstArrivals(0, 0), 0
    for at_us in range(1, 300):
        frm, to, hop = rng.choice(list(firsts.by_peer or {0: None})), rng.randrange(100), rng.randrange(1, 9)
        via = rng.randrange(100) if referred and at_us % 3 else -1
        record.arrived(0, 1_000, frm, to, hop, at_us - 1, at_us, via)
        by = via if via >= 0 and via != to and firsts.hop(via) >= 0 else frm
        if referred and (via >= 0 or record.referred):
            hop = firsts.hop(by) + 1
        if firsts.add(1_000, by if referred else frm, to, hop, at_us):
            depth = max(depth, hop)
    assert record.firsts is not None
    assert record.reached == firsts.count - 1 > FEW_REACHED
    assert record.deepest == depth
    assert record.questions.total == 299
    for mine, other in zip(record.firsts.columns(1_000), firsts.columns(1_000), strict=True):
        assert mine.tolist() == other.tolist()


@pytest.mark.parametrize("by", ["person", "background"])
def test_arrivals_that_are_added_together_are_those_that_are_added_one_by_one(by: str) -> None:
    """Among few peers and many, until no more rows are kept, and after the rows were read or the path was removed."""
    rng = Random(by)
    together, single = (AskRecord(1, 0, "blue train", FIND, by, 0) for _ in range(2))
    parts = [QUESTION, ANSWER, PARTS.index("transfer")]
    ever = 0
    for step, peers in enumerate((5, 5, 40, 2_000, 2_000, 3, 300)):
        rows = []
        for at_us in range(step * 3_000, step * 3_000 + 3_000):
            frm, to, kind, hop = rng.randrange(peers), rng.randrange(peers), rng.randrange(3), rng.randrange(9)
            envelope = (frm, None, 1 << HOP_BITS | hop, at_us - 1, together, kind << KIND_SHIFT)
            rows.append((at_us, to, envelope))
            single.arrived(parts[kind], 4_000, frm, to, hop, at_us - 1, at_us)
        add_arrivals(rows, 4_000, parts, 0b11, lambda _: together)
        ever = max(ever, together.questions.beyond)
        with np.printoptions(threshold=100_000):
            assert repr(together.trace(4_000)) == repr(single.trace(4_000))
        assert together.packed() == single.packed()
        assert (together.path_bytes, together.path_version) == (single.path_bytes, single.path_version)
        if step == 4:
            for record in (together, single):
                record.forget_path()
    assert (ever > 0) == (by == "background"), "one of them keeps fewer rows than arrive"


def test_records_share_nothing_that_is_written_to() -> None:
    first, second = (AskRecord(ask, 0, "blue train", FIND, "person", 0) for ask in (1, 2))
    before = second.packed()
    first.hit(3, 4, living=False, now_us=5)
    first.lose("dead")
    first.file_opened(3, True, 6)
    first.file_opened(4, False, 7)
    first.remark("way", "north")
    first.arrived(QUESTION, 10, 0, 3, 1, 0, 1)
    first.arrived(QUESTION, 10, 0, 3, 1, 0, 2)
    assert second.packed()[1:] == before[1:]
    assert not NONE
    row = first.row()
    assert (row.hits, row.stale, row.losses, row.decoys, row.fetched) == (1, 1, {"dead": 1}, 1, 1)


def test_records_and_paths_are_the_same_if_the_log_is_read_at_each_close(monkeypatch: pytest.MonkeyPatch) -> None:
    def run() -> tuple[object, ...]:
        swarm = Swarm(Setup(peers=70, asks_per_s=20.0, churn="exponential:20", loss=0.02, seed=5))
        swarm.advance(2 * SECOND)
        traces = [repr(swarm.trace(ask)) for ask in range(1, swarm.asks_total)]
        return swarm.asks(), traces, swarm.fingerprint(), repr(swarm.series())

    often = run()
    monkeypatch.setattr(metrics, "SETTLED_ALONE", -1)
    monkeypatch.setattr(metrics, "ROWS_ALONE", -1)
    assert run() == often


def churned() -> Iterator[Swarm]:
    """Moments of a swarm in which peers come and go, publish, download, and are copied."""
    swarm = Swarm(Setup(peers=60, churn="exponential:10", asks_per_s=5.0, seed=2))
    for number in range(4):
        swarm.do(Publish("random 5", f"the new one {number}"))
        swarm.advance(swarm.now_us + 2 * SECOND)
        yield swarm
        if number == 1:
            swarm = pickle.loads(pickle.dumps(swarm))
            yield swarm


def test_the_index_of_holders_is_what_a_search_of_all_libraries_finds() -> None:
    held = 0
    for swarm in churned():
        sim = swarm.simulation
        title = swarm.catalogue_titles(1)[0]
        for text in (title, title.split()[0], "new one", "the new one 1", "nobody has this", "", "!"):
            found = [peer for peer, library in enumerate(sim.libraries) if library.matching(text)]
            assert sim.holders.of(text) == found
            names = {file.name for library in sim.libraries for file in library.matching(text)}
            assert sim.holders.names(text) == sorted(names)
            held += len(found)
    assert held


def test_living_users_are_counted_and_found_by_their_number() -> None:
    for swarm in churned():
        sim = swarm.simulation
        living = np.flatnonzero((sim.state == 0) & ~sim.infrastructure).tolist()
        assert sim.living_users.count == len(living) > 0
        assert [sim.living_users.nth(k) for k in range(len(living))] == living
        assert [peer for peer in range(sim.n) if peer in sim.living_users] == living


def hops_from(swarm: Swarm, origin: int, closed: set[int]) -> dict[int, int]:
    """Breadth first from the origin alone."""
    near = swarm.simulation.streams.near
    found, front = {origin: 0}, [origin]
    for peer in front:
        for other in near[peer]:
            if other not in found and other not in closed:
                found[other] = found[peer] + 1
                front.append(other)
    return found


def test_paths_to_holders_are_as_long_from_both_ends() -> None:
    told = set()
    for seed in range(6):
        swarm = Swarm(Setup(peers=60, topology="random:2.5" if seed % 2 else "ring", asks_per_s=0.0, seed=seed))
        rng = Stream(f"goals/{seed}")
        near = swarm.simulation.streams.near
        for origin in range(60):
            if not origin % 20:
                swarm.do(Kill("random 5%"))
            unlimited = hops_from(swarm, origin, set())
            for other in rng.sample(range(60), 3):
                assert swarm.simulation.streams.connected(origin, other) == (other in unlimited), (seed, origin, other)
            closed = set(rng.sample(range(60), 9)) if seed > 1 else set()
            slow = hops_from(swarm, origin, closed)
            goals = rng.sample(range(60), 1 + rng.randrange(8))
            paths = PathLengths(near, origin, closed=closed.__contains__ if closed else None)
            for left, goal in zip(range(len(goals), 0, -1), goals, strict=True):
                if rng.random() < 0.5:
                    assert paths.lead_to(goal) == (goal in slow), (seed, origin, goal)
                most = rng.randrange(6)
                assert paths.lead_to(goal, most, left) == (slow.get(goal, 60) <= most), (seed, origin, goal)
                hops = paths.to(goal, left)
                assert hops == slow.get(goal, -1), (seed, origin, goal)
                told.add(hops)
            most = rng.randrange(6)
            assert set(paths.within(most)) == {peer for peer, hops in slow.items() if hops <= most}
            assert set(paths.within()) == set(slow)
    assert {-1, 0, 1, 2, 3, 9} <= told


def slow(rows: list[AskRow], from_us: int, to_us: int, now_us: int) -> tuple[object, ...]:
    """What `Swarm.asked` tells, ask by ask."""
    rows = [row for row in rows if from_us <= row.issued_us <= to_us]
    over = [row.closed_us is not None or now_us - row.issued_us >= SUCCESS_WITHIN_US for row in rows]
    reach = [row.reached for row, done in zip(rows, over, strict=True) if done and row.sought != "nothing"]
    looked = [(row, done) for row, done in zip(rows, over, strict=True) if row.sought == "answer"]
    good = sum(row.first_hit_us is not None and row.first_hit_us <= SUCCESS_WITHIN_US for row, _ in looked)
    late = sum(done and (row.first_hit_us is None or row.first_hit_us > SUCCESS_WITHIN_US) for row, done in looked)
    first_s = sorted(row.first_hit_us / 1e6 for row, _ in looked if row.first_hit_us is not None)
    success = good / (good + late) if good + late else None
    return len(rows), success, quantile(first_s, 0.5), quantile(first_s, 0.95), sum(reach) / len(reach)


def test_figures_of_a_window_are_those_of_its_asks_whether_archived_or_not() -> None:
    swarm = Swarm(Setup(protocol="web", peers=12, seed=3, asks_per_s=30.0, latency="constant:10"))
    swarm.advance(25 * SECOND)
    swarm.do(Publish("random 3", "blue train"))
    swarm.do(AskFor("random 3", "nobody has this"))
    swarm.advance(25_500_000)
    records = swarm.simulation.records
    assert records.live < len(records) - 200
    for from_s, to_s in ((0, 26), (0, 3), (2.5, 11), (20, 25.4), (24.99, 26)):
        told = swarm.asked(from_s, to_s)
        expected = slow(swarm.asks(), round(from_s * 1e6), round(to_s * 1e6), swarm.now_us)
        assert (told.asks, told.success, told.first_hit_s, told.first_hit_p95_s, told.reach) == expected


def test_the_success_of_broadcasts_is_the_mean_of_their_shares() -> None:
    swarm = Swarm(Setup(protocol="gossip", peers=30, seed=4, asks_per_s=0.0, loss=0.4))
    shares = []
    for second in range(3, 8):
        swarm.advance(second * SECOND)
        swarm.do(AskFor("random 1", f"rumour {second}", goal="broadcast"))
    for at_s in (20, 40):
        swarm.advance(at_s * SECOND)
        shares = []
        for row in swarm.asks():
            trace = swarm.trace(row.id)
            assert trace is not None
            heard = (trace.hop > 0) & (trace.at_us <= row.issued_us + SUCCESS_WITHIN_US)
            shares.append(int(heard.sum()) / 29)
        assert swarm.success(0, at_s) == pytest.approx(sum(shares) / 5)
    assert len(set(shares)) > 1


@pytest.mark.parametrize("hits", [False, True])
def test_lookups_are_the_same_messages_with_asks_and_without(hits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups, "LOOKUPS_PER_S", 100)
    asked = lookups.lookups(50, asks=True, hits=hits)
    speed = lookups.speed(asked, 0, 2)
    assert speed.messages == lookups.ROUNDS
    row = asked.asks()[0]
    assert (row.messages, row.hits) == (lookups.ROUNDS, int(hits))
    others = lookups.speed(lookups.lookups(50, asks=False), 0, 2)
    assert others.asks == 0
    assert others.deliveries == pytest.approx(speed.deliveries, rel=0.5)
