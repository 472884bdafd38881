"""Figures of Tor against closed forms. Run by hand: `python tests/bench/bench_tor.py`.

How often both ends of a circuit are watched: relays drawn without replacement, position-weighted bandwidth, with and
without guards, over 1, 10 and 100 circuits, with the difference in standard errors; how long a circuit takes to build;
the sums of the position weights; the lowest window; and how fast 1,000 clients and 100 relays are simulated, in
processor time.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from math import sqrt
from random import Random

from lines import say

from engine import AskFor, Setup, Swarm, networks
from engine.protocols.tor import onion
from engine.protocols.tor.consensus import Relay, Table, path_from, weights
from engine.protocols.tor.guards import Guards
from engine.protocols.tor.messages import DATA_BYTES, LINK_STEPS
from engine.protocols.tor.odds import build_time_us, linked_in_one, linked_with_guards, linked_without_guards
from engine.protocols.tor.relays import ExitRouter
from engine.protocols.tor.windows import STREAM_START

SECOND = 1_000_000
LATENCY, LATENCY_US = "constant:40", 40_000


def told(name: str, measured: float, expected: float, tries: int) -> None:
    """A share of so many tries beside what is expected, and how many standard errors lie between them."""
    error = sqrt(max(expected * (1 - expected), 1e-12) / tries)
    say(f"  {name:<48} {measured:8.4f}   expected {expected:8.4f}   {(measured - expected) / error:+5.1f} s.e.")


def both_watched(paths: Sequence[tuple[Relay, ...]], watched: set[int]) -> bool:
    """Whether any of these circuits begins and ends at a watched relay."""
    return any(path[0].peer in watched and path[-1].peer in watched for path in paths)


def drawn(table: Table, rng: Random, guards: Sequence[Relay] = ()) -> tuple[Relay, ...]:
    path = path_from(lambda position, free: table.choose(position, rng, free), guards)
    assert path is not None
    return path


def odds_of_equal_relays() -> None:
    say("\nboth ends watched, equal relays that are guards and exits, none twice")
    for n, m in ((100, 10), (100, 30), (32, 4)):
        table, rng, tries = Table([Relay(k, 10, True, True, k) for k in range(n)]), Random(n + m), 40_000
        watched = set(range(m))
        found = sum(both_watched([drawn(table, rng)], watched) for _ in range(tries)) / tries
        told(f"n = {n}, m = {m}, one circuit", found, linked_in_one(n, m), tries)


def mixed(rng: Random, n: int = 3_000) -> list[Relay]:
    """Relays whose bandwidths differ by a hundred times; each alone in its /16."""
    made = []
    for k in range(n):
        slow = 100 << rng.randrange(7)
        made.append(Relay(k, slow + rng.randrange(slow), rng.random() < 0.5, rng.random() < 0.3, k))
    return made


def odds_by_bandwidth() -> None:
    say("\nboth ends watched, 3,000 relays of mixed bandwidth, a tenth watched: c is their weighted share")
    rng = Random(7)
    relays = mixed(rng)
    table = Table(relays)
    watched = set(rng.sample(range(len(relays)), len(relays) // 10))
    c_g, c_e = table.share(watched, "guard"), table.share(watched, "exit")
    say(f"  c_g = {c_g:.4f}, c_e = {c_e:.4f}, weights of case {table.weights.case}")
    for k, tries in ((1, 20_000), (10, 4_000), (100, 600)):
        found = sum(both_watched([drawn(table, rng) for _ in range(k)], watched) for _ in range(tries)) / tries
        told(f"without guards, {k} circuits", found, linked_without_guards(c_g, c_e, k), tries)
    for many in (1, 3):
        for k, tries in ((1, 20_000), (10, 4_000), (100, 600)):
            found = 0
            for _ in range(tries):
                guards = Guards()
                paths = []
                for _ in range(k):
                    first = guards.preferred(table, rng, 0, many=many, lifetime_us=1)
                    paths.append(drawn(table, rng, first))
                found += both_watched(paths, watched)
            expected = linked_with_guards(c_g, c_e, k, many)
            if many > 1 and k < 100:
                # Of three guards each circuit uses one, so that few circuits have not used all of them.
                expected = mean_of_three(c_g, c_e, k)
            told(f"with {many} guard{'s' if many > 1 else ''}, {k} circuits", found / tries, expected, tries)


def mean_of_three(c_g: float, c_e: float, circuits: int) -> float:
    """With three guards, one drawn for each circuit: 1 - E[(1 - c_e b / 3)^k], b watched ones among the three."""
    chances = ((1 - c_g) ** 3, 3 * c_g * (1 - c_g) ** 2, 3 * c_g**2 * (1 - c_g), c_g**3)
    return 1 - sum(chance * (1 - c_e * bad / 3) ** circuits for bad, chance in enumerate(chances))


def odds_in_a_swarm() -> None:
    say("\nthe same in a running network: 300 clients, 200 relays; circuits that clients really built")
    for guards in (1, 0):
        options = {"relay_share": 0.4, "bridge_share": 0.0, "guards": guards, "ready_circuits": 6, "family_share": 0.0}
        setup = Setup(protocol="tor", peers=500, seed=4, asks_per_s=0.0, latency="constant:20", options=options)
        swarm = Swarm(setup, networks()["tor"])
        swarm.advance(8 * SECOND)
        rng, paths = Random(1), []
        for peer in range(500):
            program = swarm.peer(peer)
            if isinstance(program, onion.OnionPeer) and not program.is_relay:
                paths.append([one.path for one in program.circuits.values() if one.open])
        client = next(one for one in map(swarm.peer, range(500)) if isinstance(one, onion.OnionPeer))
        assert client.consensus is not None
        table = Table(client.consensus.relays)
        one_circuit = any_circuit = 0
        expected_one = expected_any = 0.0
        draws = 300
        for _ in range(draws):
            watched = set(rng.sample([one.peer for one in table.relays], len(table.relays) // 5))
            c_g, c_e = table.share(watched, "guard"), table.share(watched, "exit")
            for mine in paths:
                ends = [path[0] in watched and path[-1] in watched for path in mine]
                one_circuit += ends[0]
                any_circuit += any(ends)
                expected_one += c_g * c_e
                formula = linked_with_guards if guards else linked_without_guards
                expected_any += formula(c_g, c_e, len(mine))
        total = draws * len(paths)
        name = "one fixed guard" if guards else "no guards"
        for what, found, expected in (
            ("1 circuit", one_circuit, expected_one),
            ("6 circuits", any_circuit, expected_any),
        ):
            say(f"  {name}, {what:<30} {found / total:8.4f}   expected {expected / total:8.4f}")


def build_times() -> None:
    say("\ntime to build three hops, constant latency of 40 ms one way, handshakes without time")
    options = {"ready_circuits": 1, "handshake_ms": 0.0}
    setup = Setup(protocol="tor", peers=40, seed=2, asks_per_s=0.0, latency=LATENCY, options=options)
    swarm = Swarm(setup, networks()["tor"])
    swarm.advance(4 * SECOND)
    took = []
    for peer in range(40):
        program = swarm.peer(peer)
        if isinstance(program, onion.OnionPeer):
            took += [one.opened_us - one.began_us for one in program.circuits.values() if one.open]
    hops, link = build_time_us([LATENCY_US] * 3), LINK_STEPS * 2 * LATENCY_US
    say(f"  formula: {hops / 1e3:.0f} ms where all links are open, and {link / 1e3:.0f} ms for each link that is not")
    for one in sorted(dict.fromkeys(took)):
        say(f"  {took.count(one):3d} circuits took {one / 1e3:.0f} ms = {hops / 1e3:.0f} + {(one - hops) / 1e3:.0f}")


def position_weights() -> None:
    say("position weights (dir-spec 3.8.3): width of guard, middle and exit as shares of all")
    for name, (g, m, e, d) in {
        "case 1": (500, 200, 400, 90),
        "case 3b, guards scarce": (100, 300, 600, 500),
        "case 3b, exits scarce": (600, 300, 100, 500),
        "case 3a, exits scarce": (900, 300, 50, 40),
    }.items():
        kinds = ((g, True, False), (m, False, False), (e, False, True), (d, True, True))
        relays = [Relay(n, b, guard, exit_, n) for n, (b, guard, exit_) in enumerate(kinds)]
        of = weights(relays)
        total = g + m + e + d
        wide = [
            sum(one.bandwidth * of.of(one, position) for one in relays) / total
            for position in ("guard", "middle", "exit")
        ]
        sums = (
            f"Wgd+Wmd+Wed {of.wgd + of.wmd + of.wed:.3f}  Wee+Wme {of.wee + of.wme:.3f}  Wgg+Wmg {of.wgg + of.wmg:.3f}"
        )
        say(f"  {name:<24} {wide[0]:.4f} {wide[1]:.4f} {wide[2]:.4f}   {sums}   ({of.case})")


def windows() -> None:
    say("\nwindows: a page of 5 MB, looked at every millisecond")
    setup = Setup(protocol="tor", peers=16, seed=1, asks_per_s=0.0, latency=LATENCY, options={"page_kb": 5_000})
    swarm = Swarm(setup, networks()["tor"])
    swarm.advance(3 * SECOND)
    everyone = [(peer, swarm.peer(peer)) for peer in range(16)]
    client = next(peer for peer, one in everyone if isinstance(one, onion.OnionPeer) and not one.is_relay)
    swarm.do(AskFor(client, "blue train"))
    lowest = [1_000, 500]
    while not swarm.asks()[-1].fetched and swarm.now_us < 60 * SECOND:
        swarm.advance(swarm.now_us + 1_000)
        for peer in range(16):
            program = swarm.peer(peer)
            if isinstance(program, ExitRouter):
                for hop in program.hops.values():
                    lowest[0] = min(lowest[0], hop.window.package)
                    lowest[1] = min([lowest[1], *(one.window.package for one in hop.streams.values())])
    took_s = swarm.asks()[-1].first_hit_us or 0
    say(f"  lowest of a circuit {lowest[0]}, of a stream {lowest[1]}; fetched after {took_s / 1e6:.1f} s")
    bytes_per_s = STREAM_START * DATA_BYTES / (3 * 2 * LATENCY_US / 1e6)
    say(
        f"  {STREAM_START} cells of {DATA_BYTES} bytes a round trip over three links: at most {bytes_per_s / 1e6:.2f} "
        f"MB/s, so {5e6 / bytes_per_s:.1f} s for the data alone"
    )


def speed() -> None:
    say("\n1,000 clients and 100 relays, one page of 100 kB a second in total: processor time, best of 3")
    options = {"relay_share": 100 / 1_100, "bridge_share": 0.0, "page_kb": 100}
    best = best_start = 1e9
    for seed in (1, 2, 3):
        setup = Setup(protocol="tor", peers=1_100, seed=seed, asks_per_s=1.0, latency="world", options=options)
        begun = time.process_time()
        swarm = Swarm(setup, networks()["tor"])
        swarm.advance(20 * SECOND)
        best_start = min(best_start, time.process_time() - begun)
        everyone = map(swarm.peer, range(setup.peers))
        circuits = sum(len(one.circuits) for one in everyone if isinstance(one, onion.OnionPeer))
        begun = time.process_time()
        swarm.advance(120 * SECOND)
        best = min(best, time.process_time() - begun)
    rows = swarm.asks()
    share = sum(one.fetched for one in rows) / len(rows)
    say(f"  start and first 20 s ({circuits:,} circuits): {best_start:.2f} s")
    say(f"  100 virtual seconds: {best:.2f} s, {100 / best:.0f} times real time; {share:.1%} of {len(rows)} pages")


if __name__ == "__main__":
    position_weights()
    build_times()
    windows()
    speed()
    odds_of_equal_relays()
    odds_by_bandwidth()
    odds_in_a_swarm()
