"""Each attack that has a name, on any network: it runs its course or is refused beforehand, nothing that must hold is
broken meanwhile, and when all is well again the network works."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from invariants import all_hold

from engine import Attack, Cure, Defect, InputError, Join, Revive, Set, Uncensor
from engine.control.attacks import PRESETS

from .watch import SECOND, Network, Spied

USERS = 20
AFTERWARDS_S = 5.0
"""A protocol may still be busy with an attack after its last step."""
LONG_S = 10.0
"""An attack that has ended by then was one of a single moment."""
LOOKS = 12
"""Moments of an attack at which all is looked at."""


def survives(name: str) -> Callable[[Network], None]:
    """The check that a network stands the attack of this name."""

    def check(network: Network) -> None:
        made = attacked(network, name)
        if made is None:
            return
        # How the run is cut into slices never shows, and neither does who looks on. An attack of one moment is a few
        # commands, and `repeats` runs those in slices; but it has no newcomers, as a crowd is.
        if made.swarm.now_us > LONG_S * SECOND or name == "crowd":
            again = attacked(network, name, budget=97)
            assert again is not None
            assert again.swarm.fingerprint() == made.swarm.fingerprint(), "the same attack went differently"
        made.do(Set("asks", 0.0), Defect("all"), Uncensor("all"), Cure("all"))
        made.do(Revive("state=dead"), Join("state=left"))
        made.run(90)
        made.look()
        all_hold(made.swarm)
        assert not made.late, made.late[0]
        assert made.answered(6), "when the attack is over and all is well again it does not recover"

    check.__name__ = f"survives_{name}"
    check.__doc__ = f'It stands the attack "{name}".'
    return check


def attacked(network: Network, name: str, budget: int | None = None) -> Spied | None:
    """A swarm that was attacked, up to a while after the last step; None where there is no such attack to be had."""
    made = Spied(network, peers=USERS, asks_per_s=2.0)
    made.run(2)
    attack, swarm = Attack(name), made.swarm
    [preset] = [one for one in swarm.attacks() if one.name == name]
    before = swarm.fingerprint()
    try:
        plan = swarm.preview(attack)
    except InputError:
        assert preset.why_not, f'attack "{name}" is offered and cannot be had'
        refused(made, attack)
        assert swarm.fingerprint() == before, "what was refused has changed something"
        return None
    assert not preset.why_not, f'attack "{name}" is not offered and could be had'
    assert swarm.fingerprint() == before, "a preview has changed something"
    made.do(attack)
    lasts_s = max(at_s for at_s, _ in plan.steps) + AFTERWARDS_S
    for _ in range(LOOKS):
        until_us = swarm.now_us + round(lasts_s / LOOKS * SECOND)
        while budget is not None and swarm.advance(until_us, budget) >= budget:
            pass
        swarm.advance(until_us)
        if budget is None:
            made.look()
            all_hold(swarm)
    assert not made.late, made.late[0]
    assert not swarm.warnings, swarm.warnings[0]
    assert [command for _, command, _ in swarm.history] == [attack], "its steps follow from the seed"
    return made


def refused(made: Spied, attack: Attack) -> None:
    """It cannot be, and is told in a sentence."""
    with pytest.raises(InputError):
        made.swarm.do(attack)


ATTACKS = tuple(survives(name) for name in PRESETS)
"""One check for each: an attack that is added one day is one more."""
