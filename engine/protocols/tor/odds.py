"""Closed forms: how often both ends of a circuit are watched, and how long a circuit takes to build.

c_g, c_e: the shares of the position-weighted bandwidth of guards, and of exits, that are watched, 0 to 1.
"""

from __future__ import annotations

from collections.abc import Sequence


def linked_in_one(relays: int, watched: int) -> float:
    """The chance that the first and the last relay of a circuit are watched, if all relays are equal and none is chosen
    twice: m (m - 1) / (n (n - 1))."""
    return watched * (watched - 1) / (relays * (relays - 1)) if relays > 1 else 0.0


def linked_without_guards(c_g: float, c_e: float, circuits: int) -> float:
    """The chance that at least one of k circuits is watched at both ends, if the first relay of each is drawn anew:
    1 - (1 - c_g c_e)^k."""
    return 1.0 - float((1.0 - c_g * c_e) ** circuits)


def linked_with_guards(c_g: float, c_e: float, circuits: int, guards: int = 1) -> float:
    """The same with g fixed guards, all of which are used: (1 - (1 - c_g)^g) (1 - (1 - c_e)^k)."""
    return float((1.0 - (1.0 - c_g) ** guards) * (1.0 - (1.0 - c_e) ** circuits))


def build_time_us(one_way_us: Sequence[int]) -> int:
    """How long a circuit takes to build, in us: for each hop, there and back over all links up to it, if the links are
    open and a handshake takes no time. one_way_us: delays of the links, from the client on."""
    far = total = 0
    for delay in one_way_us:
        far += delay
        total += 2 * far
    return total
