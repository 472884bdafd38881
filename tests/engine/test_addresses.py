"""Addresses of peers: drawn from the seed, by place and operator."""

from __future__ import annotations

from engine import Setup, Swarm
from engine.sim.addresses import NETWORKS_A_PLACE, NETWORKS_AN_OPERATOR, address_of


def networks(operator: str, place: int = 3) -> set[int]:
    return {address_of(1, peer, place, operator) >> 16 for peer in range(2_000)}


def test_the_users_of_a_place_share_some_networks_and_an_operator_has_few() -> None:
    assert NETWORKS_A_PLACE * 0.9 < len(networks("")) <= NETWORKS_A_PLACE
    assert 0 < len(networks("bots")) <= NETWORKS_AN_OPERATOR
    assert networks("").isdisjoint(networks("", place=4))


def test_addresses_are_public_and_mostly_different() -> None:
    drawn = [address_of(7, peer, None, "") for peer in range(2_000)]
    assert {address >> 24 for address in drawn} <= {*range(1, 224)} - {10, 127}
    assert len(set(drawn)) > 1_990


def test_a_peer_keeps_its_address_as_does_a_number_of_no_peer() -> None:
    first, second, other = (Swarm(Setup(protocol="gossip", peers=8, seed=seed)) for seed in (1, 1, 2))
    known = [first.simulation.peer_hosts[0].address(peer) for peer in range(12)]
    second.advance(5_000_000)
    assert [second.simulation.peer_hosts[3].address(peer) for peer in range(12)] == known
    assert [other.simulation.peer_hosts[0].address(peer) for peer in range(12)] != known
