"""Which program each peer runs, stations that are known or linked, and networks that start converged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from tables import Quiet, Table, Tower, Watcher

from engine import (
    ArrivalSpec,
    Arrive,
    Candidate,
    Host,
    InputError,
    Kill,
    LinkSpec,
    NetworkStart,
    Peer,
    PeerFailed,
    PeerId,
    Revive,
    Rng,
    Setup,
    Swarm,
    message,
    on,
)

S = 1_000_000
SETUP = Setup(peers=40, seed=5, asks_per_s=0)


def swarm_of(program: type[Peer] = Watcher, setup: Setup = SETUP, **options: Any) -> Swarm:
    return Swarm(replace(setup, options=options), program)


def roles(swarm: Swarm) -> list[str]:
    return [kind.role for kind in swarm.simulation.program_types]


# --- cast ------------------------------------------------------------------------------------------------------------


def test_a_share_of_the_peers_runs_another_program() -> None:
    swarm = swarm_of(quiet_share=0.5)
    chosen = roles(swarm)
    assert 10 < chosen.count("quiet") < 30
    assert [type(swarm.peer(p)).role for p in range(40)] == chosen
    assert roles(swarm_of(quiet_share=0.5)) == chosen, "the same seed casts the same"
    assert roles(Swarm(replace(SETUP, seed=6, options={"quiet_share": 0.5}), Watcher)) != chosen
    assert swarm.select("role=quiet") == tuple(p for p, role in enumerate(chosen) if role == "quiet")


def test_a_peer_has_the_same_program_after_a_restart() -> None:
    swarm = swarm_of(quiet_share=0.5)
    before = roles(swarm)
    swarm.do(Kill("all"))
    swarm.do(Revive("all"))
    assert roles(swarm) == before
    assert [type(swarm.peer(p)).role for p in range(40)] == before


def test_newcomers_are_cast_one_at_a_time_so_a_share_is_a_chance() -> None:
    swarm = swarm_of(quiet_share=0.5)
    swarm.do(Arrive(60))
    new = roles(swarm)[40:]
    assert 15 < new.count("quiet") < 45
    one_by_one = swarm_of(quiet_share=0.5)
    for _ in range(60):
        one_by_one.do(Arrive(1))
    assert roles(one_by_one)[40:] == new


def test_a_cast_without_draws_leaves_the_run_as_it_was() -> None:
    def told(setup: Setup) -> str:
        swarm = Swarm(setup)
        swarm.advance(20 * S)
        return swarm.fingerprint()

    setup = Setup(protocol="gossip", peers=20, asks_per_s=1, arrivals=ArrivalSpec("poisson:5"))
    assert told(setup) == told(setup)


class ByLine(Watcher):
    """Peers with a slow line are quiet."""

    name = "by-line"
    seen: tuple[Candidate, ...] = ()

    @classmethod
    def cast(cls, options: Any, members: Sequence[Candidate], rng: Rng) -> Sequence[type[Peer]]:
        ByLine.seen = tuple(members)
        return [Quiet if one.line.up_kbit_s < 200 else cls for one in members]


def test_cast_sees_the_line_and_the_library_of_each() -> None:
    swarm = swarm_of(ByLine, replace(SETUP, links=LinkSpec(capacity="saroiu")))
    assert [one.id for one in ByLine.seen] == list(range(40))
    assert [one.line for one in ByLine.seen] == list(swarm.world.lines)[:40]
    assert [len(one.library) for one in ByLine.seen] == [len(swarm.library(p)) for p in range(40)]
    slow = [line.up_kbit_s < 200 for line in swarm.world.lines]
    assert roles(swarm) == ["quiet" if it else "watcher" for it in slow]
    assert 0 < sum(slow) < 40


class Short(Watcher):
    """Casts too few."""

    @classmethod
    def cast(cls, options: Any, members: Sequence[Candidate], rng: Rng) -> Sequence[type[Peer]]:
        return [cls]


class Wrong(Watcher):
    """Casts a class that is no program of its module."""

    @classmethod
    def cast(cls, options: Any, members: Sequence[Candidate], rng: Rng) -> Sequence[Any]:
        return ["seed"] * len(members)


class Stranger(Watcher):
    """Casts a component."""

    @classmethod
    def cast(cls, options: Any, members: Sequence[Candidate], rng: Rng) -> Sequence[Any]:
        return [Table] * len(members)


class Nothing(Watcher):
    """Casts nobody."""

    @classmethod
    def cast(cls, options: Any, members: Sequence[Candidate], rng: Rng) -> Any:
        return None


@pytest.mark.parametrize(
    ("program", "says"),
    [
        (Short, "Short.cast should return 40 programs for as many peers, not 1"),
        (Wrong, "Wrong.cast returned str: it may be Wrong"),
        (Stranger, "Stranger.cast returned Table: it may be"),
        (Nothing, "Nothing.cast should return 40 programs for as many peers, not 0"),
    ],
)
def test_an_invalid_cast_is_refused_in_a_sentence(program: type[Peer], says: str) -> None:
    with pytest.raises(InputError) as caught:
        swarm_of(program)
    assert says in str(caught.value)


# --- stations ---------------------------------------------------------------------------------------------------------


def test_a_station_that_is_not_known_is_no_contact() -> None:
    swarm = swarm_of(watchers=2)
    hidden, known = swarm.simulation.stations
    assert all(known in peer.started and hidden not in peer.started for peer in map(swarm.peer, range(40)) if peer)
    (new,) = swarm.do(Arrive(1))
    assert hidden not in swarm.simulation.bootstrap
    assert known in swarm.peer(new).started  # type: ignore[union-attr]
    assert swarm.simulation.streams.count == 0


def test_with_only_hidden_stations_the_bootstrap_peers_are_peers() -> None:
    swarm = swarm_of(watchers=1)
    assert 40 not in swarm.simulation.bootstrap
    assert len(swarm.simulation.bootstrap) > 1


def test_every_peer_has_a_stream_with_a_linked_station_at_the_start() -> None:
    swarm = swarm_of(watchers=2, linked=True)
    stations = swarm.simulation.stations
    assert stations == (40, 41)
    assert swarm.simulation.streams.count == 80
    for peer in range(40):
        assert swarm.links_of(peer) == stations
        assert swarm.peer(peer).near == stations  # type: ignore[union-attr]
    for station in stations:
        tower = swarm.peer(station)
        assert isinstance(tower, Tower)
        assert tower.near == tuple(range(40))
    (new,) = swarm.do(Arrive(1))
    assert swarm.links_of(new) == ()


# --- converge -----------------------------------------------------------------------------------------------------


def test_a_network_starts_with_full_tables() -> None:
    swarm = swarm_of(**{"table.k": 12})
    tables = [tuple(swarm.peer(p).table.known) for p in range(40)]  # type: ignore[union-attr]
    assert all(len(table) == 12 for table in tables)
    assert all(swarm.peer(p).met for p in range(40)), "the owners hear what their components emit"  # type: ignore[union-attr]
    again = swarm_of(**{"table.k": 12})
    assert [tuple(again.peer(p).table.known) for p in range(40)] == tables  # type: ignore[union-attr]
    off = swarm_of(refuses=True, **{"table.k": 12})
    assert [swarm.simulation.peer_hosts[p].rng.state for p in range(40)] == [
        off.simulation.peer_hosts[p].rng.state for p in range(40)
    ], "no peer's own random stream was touched"
    assert [tuple(off.peer(p).table.known) for p in range(40)] != tables  # type: ignore[union-attr]


class Seeing(Watcher):
    """Keeps what converge was told."""

    world: NetworkStart

    @classmethod
    def converge(cls, world: NetworkStart, options: Any, rng: Rng) -> None:
        Seeing.world = world


def test_converge_sees_all_that_run() -> None:
    swarm = swarm_of(Seeing, replace(SETUP, churn="exponential:60"), watchers=1)
    world, sim = Seeing.world, swarm.simulation
    up = [p for p, program in enumerate(sim.programs) if program is not None]
    assert [one.id for one in world.members] == up
    assert 40 in up
    for one in world.members:
        assert one.peer is swarm.peer(one.id)
        assert (one.host.me, one.label, one.line) == (one.id, swarm.labels[one.id], one.host.line)
        assert one.library is one.host.library
    assert [one.id for one in world.of(Tower)] == [40]
    tables = world.inside("table").members
    assert [one.id for one in tables] == [p for p in up if p != 40], "a station without the component is left out"
    assert all(isinstance(one.peer, Table) and one.host.options.k == 4 for one in tables)


@message()
class Early:
    """A message that is sent too early."""


class Sending(Watcher):
    """Sends while it converges."""

    @classmethod
    def converge(cls, world: NetworkStart, options: Any, rng: Rng) -> None:
        world.members[0].host.send(1, Early())

    @on(Early)
    def early(self, host: Host, sender: PeerId, message: Early) -> None:
        pass


class Failing(Watcher):
    """Fails while it converges."""

    @classmethod
    def converge(cls, world: NetworkStart, options: Any, rng: Rng) -> None:
        raise IndexError("no more")


def test_converge_may_not_send() -> None:
    with pytest.raises(InputError, match=r"Sending.converge sent a message: it may only fill what peers hold"):
        swarm_of(Sending)


def test_a_failure_of_converge_is_one_of_the_network() -> None:
    with pytest.raises(PeerFailed, match="converge: IndexError: no more"):
        swarm_of(Failing)
