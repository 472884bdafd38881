"""Every network passes every conformance check, and each check detects the network that was broken for it."""

from __future__ import annotations

import pytest
from broken.chatters import Chatterer
from broken.founds import Founder
from broken.grows import Hoarder
from broken.haunts import Ghost
from broken.keeps_host import Keeper
from broken.lingers import Lingerer
from broken.reads_clock import Punctual
from broken.rewrites import Rewriter
from broken.shares_memory import Telepath
from broken.sound import Sound
from broken.trusts import Truster
from broken.walks_set import Walker
from conformance import CHECKS, Network, variants
from conformance.attacked import ATTACKS

from engine import Peer, PeerFailed, networks

pytestmark = pytest.mark.uncounted

OF_ROLES = [
    *("answers", "survives_nonsense", "survives_trouble", "forgets", "leaves_messages_alone", "keeps_no_host"),
    *("lives_on_as_a_copy", "ends_when_it_stops", "reads_no_clock", "walks_no_set"),
]
"""Checks of what the programs of single roles do. A network with an option that adds a role has to pass these; the
others are of the network as a whole."""
NETWORKS = [network for program in networks().values() for network in variants(program)]


def called(network: Network) -> str:
    return "-".join((network.program.name, *(f"{name}={value}" for name, value in network.options.items())))


def test_every_network_and_every_role_is_checked() -> None:
    assert [network.program.name for network in NETWORKS if not network.options] == list(networks())
    fleet = next(network for network in NETWORKS if called(network) == "web-servers=3")
    assert [program.role for program in fleet.programs()] == ["client", "balancer", "server"]


@pytest.mark.parametrize(
    ("network", "check"),
    [(network, check) for network in NETWORKS for check in (OF_ROLES if network.options else CHECKS)],
    ids=lambda value: value if isinstance(value, str) else called(value),
)
def test_a_network_conforms(network: Network, check: str) -> None:
    CHECKS[check](network)


@pytest.mark.parametrize("check", CHECKS)
def test_the_correct_network_beside_the_broken_ones_conforms(check: str) -> None:
    CHECKS[check](Network(Sound))


@pytest.mark.parametrize(
    ("program", "check", "says"),
    [
        (Keeper, "keeps_no_host", "a program holds a Spy of the engine"),
        (Punctual, "reads_no_clock", "imports time"),
        (Walker, "walks_no_set", "goes through a set"),
        (Rewriter, "leaves_messages_alone", "became"),
        (Hoarder, "forgets", "the programs grew from"),
        (Ghost, "ends_when_it_stops", "sent Hello when it was no more"),
        (Chatterer, "is_calm", "for nothing"),
        (Telepath, "lives_on_as_a_copy", "was changed by the run"),
        (Truster, "survives_nonsense", "unhashable"),
        (Lingerer, "ends_when_it_stops", "set a timer while it said goodbye"),
        (Founder, "survives_sybil", "list index out of range"),
        (Founder, "survives_crowd", "list index out of range"),
    ],
)
def test_each_check_detects_its_broken_network(program: type[Peer], check: str, says: str) -> None:
    with pytest.raises((AssertionError, PeerFailed), match=says):
        CHECKS[check](Network(program))


@pytest.mark.parametrize("check", ["answers", "survives_trouble", *(check.__name__ for check in ATTACKS)])
def test_a_fault_with_newcomers_is_detected_only_under_attacks_that_bring_them(check: str) -> None:
    if check in ("survives_sybil", "survives_eclipse", "survives_crowd"):
        with pytest.raises(PeerFailed, match="Hello: IndexError"):
            CHECKS[check](Network(Founder))
    else:
        CHECKS[check](Network(Founder))
