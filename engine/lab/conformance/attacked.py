"""Checks with each attack preset, on any network: the attack is carried out or is refused beforehand, all invariants
hold meanwhile, and when everything is undone the network works again."""

from __future__ import annotations

from collections.abc import Callable

from ...commands import Attack, Cure, Defect, Join, Revive, Set, Uncensor
from ...control.attacks import PRESETS
from ...errors import InputError
from .invariants import all_hold
from .watch import Spied, Variant

USERS = 20
AFTERWARDS_S = 5.0
"""Seconds that an attack is watched after its last step."""
LOOKS = 6
"""Moments of an attack at which every peer is looked at."""


def survives(name: str) -> Callable[[Variant], None]:
    """The check that a network survives the attack of this name."""

    def check(network: Variant) -> None:
        made = attacked(network, name)
        if made is None:
            return
        made.do(Set("asks", 0.0), Defect("all"), Uncensor("all"), Cure("all"))
        made.do(Revive("state=dead"), Join("state=left"))
        assert made.recovers(90), "when the attack is over and all is well again it does not recover"
        made.look()
        all_hold(made.swarm)
        assert not made.late, made.late[0]

    check.__name__ = f"survives_{name}"
    check.__doc__ = f'It survives the attack "{name}".'
    return check


def attacked(network: Variant, name: str) -> Spied | None:
    """A swarm that was attacked, `AFTERWARDS_S` after the last step; None where the attack is not possible."""
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
        made.run(lasts_s / LOOKS)
        made.look()
        all_hold(swarm)
    assert not made.late, made.late[0]
    assert not swarm.warnings, swarm.warnings[0]
    assert [command for _, command, _ in swarm.history] == [attack], "its steps follow from the seed"
    return made


def refused(made: Spied, attack: Attack) -> None:
    """The attack is refused with an InputError."""
    try:
        made.swarm.do(attack)
    except InputError:
        return
    raise AssertionError(f'attack "{attack.name}" was refused in a preview, and is done')


ATTACKS = tuple(survives(name) for name in PRESETS)
"""One check for each attack preset."""
