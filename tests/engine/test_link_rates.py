"""Links with a capacity: delays and drops by closed forms, and streams, ends and copies with messages that wait."""

from __future__ import annotations

import itertools
import pickle
from typing import Any

import networkx as nx
import pytest
from routings import at_rest, far, living, router

from engine import (
    AskFor,
    AskRow,
    Cut,
    FakeHost,
    InputError,
    Kill,
    Leave,
    Mend,
    Revive,
    Set,
    Setup,
    Swarm,
    TimeMachine,
    options_for,
)
from engine.protocols.routing import Router
from engine.protocols.routing.packets import Answer, Packet, rate_of

SECOND = 1_000_000
DELAY_US = 10_000


def chain_of(**options: Any) -> Swarm:
    """Routers 1 - 0 - 2, whose protocol sends next to nothing in the first second. With this seed the two links have
    different rates where a range is given."""
    values = {"hosts_share": 0.0, "protocol": "link state", "ospf.hello_s": 60.0, **options}
    setup = Setup("routing", 3, seed=2, topology="tree:2", latency="constant:10", asks_per_s=0.0, options=values)
    return Swarm(setup)


def packets(swarm: Swarm, count: int, seconds: float = 60.0) -> list[AskRow]:
    """So many packets from #1 to #2 at once."""
    asks = []
    for _ in range(count):
        swarm.do(AskFor(1, "#2"))
        asks.append(swarm.asks_total)
    swarm.advance(swarm.now_us + round(seconds * SECOND))
    return [swarm.record(one) for one in asks]


def rates_of(swarm: Swarm) -> tuple[int, int]:
    """The rates of the links 1 - 0 and 0 - 2, in kbit/s."""
    hosts = swarm.simulation.peer_hosts
    assert hosts[1].kbit_s(0) == hosts[0].kbit_s(1)
    assert hosts[0].kbit_s(2) == hosts[2].kbit_s(0)
    return hosts[1].kbit_s(0), hosts[0].kbit_s(2)


def took(row: AskRow) -> int:
    """The time, in us, from the beginning of the run, when all packets are sent, to the answer."""
    assert row.issued_us == 0
    assert row.first_hit_us is not None
    return row.first_hit_us


@pytest.mark.parametrize("size", [84, 1_000, 1_500])
def test_a_packet_takes_the_sum_of_its_bytes_over_the_rates_and_of_the_delays(size: int) -> None:
    swarm = chain_of(slowest_kbit_s=56, fastest_kbit_s=2_048, packet_bytes=size)
    first, second = rates_of(swarm)
    assert 56 <= first <= 2_048
    assert first != second
    (row,) = packets(swarm, 1, 5)
    one_way_us = sum(size * 8_000 / rate for rate in (first, second)) + 2 * DELAY_US
    # The answer is an echo of the same size. Each queue ends within the next microsecond.
    assert 0 <= took(row) - 2 * one_way_us < 4


def test_packets_sent_at_once_arrive_as_far_apart_as_the_slowest_link_takes_for_one() -> None:
    swarm = chain_of(slowest_kbit_s=56, fastest_kbit_s=2_048, packet_bytes=1_000)
    rates = rates_of(swarm)
    rows = packets(swarm, 12)
    arrivals = [took(row) for row in rows]
    assert all(abs(b - a - 1_000 * 8_000 / min(rates)) < 2 for a, b in itertools.pairwise(arrivals))
    least = 2 * (sum(1_000 * 8_000 / rate for rate in rates) + 2 * DELAY_US)
    assert arrivals[0] == pytest.approx(least, abs=4)


def test_a_full_buffer_drops_what_comes_then() -> None:
    swarm = chain_of(slowest_kbit_s=64, packet_bytes=1_000, buffer_bytes=4_500)
    rows = packets(swarm, 10)
    assert [row.hits for row in rows] == [1] * 4 + [0] * 6
    assert [dict(row.losses) for row in rows[4:]] == [{"queue": 1}] * 6
    assert "queue: 1" in rows[4].verdict


def test_a_packet_larger_than_the_buffer_passes_an_idle_link() -> None:
    swarm = chain_of(slowest_kbit_s=64, packet_bytes=1_000, buffer_bytes=0)
    assert [row.hits for row in packets(swarm, 2)] == [1, 0]


@pytest.mark.parametrize("name", ["slowest_kbit_s", "fastest_kbit_s", "buffer_bytes"])
def test_what_links_are_made_with_cannot_be_changed_while_it_runs(name: str) -> None:
    swarm = chain_of(slowest_kbit_s=64)
    with pytest.raises(InputError, match=f"{name} is read when a run begins"):
        swarm.do(Set(name, 128))


def test_each_direction_of_each_link_has_a_queue_of_its_own() -> None:
    swarm = chain_of(slowest_kbit_s=64, packet_bytes=1_000)
    swarm.do(AskFor(1, "#0"))
    swarm.do(AskFor(2, "#0"))
    swarm.advance(5 * SECOND)
    one, other = (took(swarm.record(ask)) for ask in (1, 2))
    assert one == other == 2 * (125_000 + DELAY_US)


def test_what_waits_is_dropped_when_its_sender_is_killed_and_sent_when_it_leaves() -> None:
    for command, arrived in ((Kill(1), [2, 0, 0]), (Leave(1), [2, 2, 2])):
        swarm = chain_of(slowest_kbit_s=64, packet_bytes=1_000)
        for _ in range(3):
            swarm.do(AskFor(1, "#2"))
        swarm.advance(200_000)
        assert swarm.simulation.network.queued(1, 0) == 2_000
        swarm.do(command)
        assert swarm.simulation.network.queued(1, 0) == (0 if arrived[1] == 0 else 2_000)
        swarm.advance(10 * SECOND)
        rows = [swarm.record(ask) for ask in (1, 2, 3)]
        assert [row.reached for row in rows] == arrived
        assert [row.losses.get("unsent", 0) for row in rows] == [int(not each) for each in arrived]


def test_tables_are_right_with_slow_links() -> None:
    for protocol in ("distance vector", "link state", "path vector"):
        options = {"protocol": protocol, "hosts_share": 0.0, "cold": True, "slowest_kbit_s": 56}
        swarm = Swarm(Setup("routing", 12, seed=3, asks_per_s=0.0, options=options))
        swarm.advance(150 * SECOND)
        at_rest(swarm, protocol)


def test_ospf_takes_the_capacity_as_the_cost() -> None:
    options = {"protocol": "link state", "hosts_share": 0.0, "slowest_kbit_s": 56, "fastest_kbit_s": 200_000}
    swarm = Swarm(Setup("routing", 24, seed=3, asks_per_s=0.0, options={**options, "ospf.metric": "capacity"}))
    hosts, graph = swarm.simulation.peer_hosts, nx.Graph()
    for a in living(swarm):
        graph.add_edges_from((a, b, {"weight": max(1, 100_000 // hosts[a].kbit_s(b))}) for b in swarm.links_of(a))
    swarm.advance(SECOND)
    assert len({cost for _, _, cost in graph.edges(data="weight")}) > 5
    for peer, lengths in nx.all_pairs_dijkstra_path_length(graph):
        assert far(router(swarm, peer)) == dict(lengths)


def test_capacities_are_drawn_between_the_slowest_and_the_fastest_for_both_ends_alike() -> None:
    drawn = [rate_of(a, a + 1, 64, 65_536) for a in range(2_000)]
    assert [rate_of(a + 1, a, 64, 65_536) for a in range(2_000)] == drawn
    # Each of eleven has an eleventh of 2,000, of standard deviation 12.9.
    assert set(drawn) == {64 << at for at in range(11)}
    assert all(abs(drawn.count(one) - 2_000 / 11) < 4 * 12.9 for one in set(drawn))
    assert rate_of(1, 2, 64, 127) == 64
    assert rate_of(1, 2, 64, 0) == 64


def test_a_copy_and_the_time_machine_go_on_alike_while_packets_wait() -> None:
    options = {"protocol": "path vector", "slowest_kbit_s": 56, "packet_bytes": 1_500, "buffer_bytes": 6_000}
    machine = TimeMachine(Swarm(Setup("routing", 16, seed=2, asks_per_s=20.0, options=options)))
    link = (0, machine.swarm.links_of(0)[0])
    for at_s, command in ((2, Cut(link)), (4, Kill(7)), (9, Mend(link)), (11, Revive(7))):
        machine.advance(at_s * SECOND)
        machine.swarm.do(command)
    machine.advance(20 * SECOND)
    rates = machine.swarm.simulation.network.link_rates
    assert rates is not None
    assert len(list(rates.rows())) > 10
    live = machine.swarm.fingerprint()
    for at_us in (5 * SECOND, 20 * SECOND):
        for _ in machine.seek(at_us):
            pass
    assert machine.swarm.fingerprint() == live
    copy: Swarm = pickle.loads(pickle.dumps(machine.swarm))
    copy.advance(30 * SECOND)
    machine.swarm.advance(30 * SECOND)
    assert copy.fingerprint() == machine.swarm.fingerprint()
    machine.close()


def test_a_router_limits_its_links_as_the_options_say() -> None:
    options = options_for(Router, {"slowest_kbit_s": 64, "buffer_bytes": 9_000}, "options")
    fake, one = FakeHost(me=1, options=options), Router()
    fake.start(one)
    fake.now_us = SECOND
    fake.neighbours(one, (2,))
    assert fake.limits == {2: (64, 9_000)}
    assert fake.kbit_s(2) == 64
    assert fake.kbit_s(3) == 0


def test_a_packet_has_the_size_of_one_whatever_it_says() -> None:
    assert [Packet(1, 2, "", 3, size).wire_size() for size in (-1, 100, 1 << 62)] == [28, 100, 65_535]


def test_what_went_wrong_is_told_in_a_packet_of_the_usual_size() -> None:
    assert Answer(1, 2, "", 3, 4, 0, 5, 1_500).wire_size() == 1_500
    assert Answer(1, 2, "", 3, 4, 1, 5, 1_500).wire_size() == 84
