"""Attacks on a town: what `world.attacks` may know of it, and how their steps are carried out.

The steps go through the same door as a person's commands, marked `attack`: those that are due at once before the
command returns, the others at the end of the instant at which they fall due. Until then an attack can be called off; a
crowd that a step has set in motion is the attack's too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..analysis.capture import Columns
from ..api import PeerId
from ..commands import Arrive, Attack, Command, Depart, Peers
from ..errors import InputError
from ..measure.snapshot import ALIVE, UnderWay
from ..sim.rng import Stream
from ..simulation import Town
from ..world.content import Catalogue
from . import attacks
from .plans import Facts, Plan
from .workload import Due, Life

TITLES = 20
"""Words that are offered as a ban."""


class Attacks:
    """`resolve` says whom a selector means; `do` is the door."""

    def __init__(
        self,
        town: Town,
        life: Life,
        resolve: Callable[[Peers], tuple[PeerId, ...]],
        do: Callable[[Command, str], tuple[PeerId, ...]],
    ) -> None:
        self.town = town
        self.life = life
        self.columns: Columns
        """What a watcher sees, which whoever watches hands in."""
        self.resolve = resolve
        self.do = do
        self.done = 0
        """How many there were: each has a stream of its own, and a number from 1 on."""
        self._going: dict[int, UnderWay] = {}
        """Those that may have something to do yet, by number."""

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "columns"}

    def presets(self) -> tuple[attacks.Preset, ...]:
        """What there is to choose from."""
        return attacks.offered(self._facts(()))

    def preview(self, command: Attack, victims: tuple[PeerId, ...]) -> Plan:
        """What it would do now, and to whom. Draws what it would draw, and changes nothing."""
        return attacks.plan(command, self._facts(victims), self._stream())

    def carry_out(self, command: Attack) -> tuple[PeerId, ...]:
        """Begin. Returns the peers that its first steps changed."""
        victims = () if command.peers is None else self.resolve(command.peers)
        plan = attacks.plan(command, self._facts(victims), self._stream())
        self.done += 1
        until_us = self.town.kernel.now_us + round(max(map(_over_s, plan.steps), default=0.0) * 1e6)
        self._going[self.done] = UnderWay(command.name, attacks.PRESETS[command.name][0].title, until_us)
        changed: dict[PeerId, None] = {}
        outer, self.life.attack = self.life.attack, self.done
        for at_s, step in plan.steps:
            if at_s > 0:
                self.life.later(max(1, round(at_s * 1e6)), Due(step, "attack", self.life.attack))
            else:
                changed.update(dict.fromkeys(self.do(step, "attack")))
        self.life.attack = outer
        return tuple(changed)

    def under_way(self) -> tuple[UnderWay, ...]:
        """Those that have something still to do, in the order in which they were begun."""
        now_us = self.town.kernel.now_us
        self._going = {number: one for number, one in self._going.items() if one.until_us > now_us}
        return tuple(self._going.values())

    def call_off(self, name: str | None) -> None:
        """What is still to come of all, or of those of this name, does not. Raises InputError where nothing is."""
        if name is not None:
            attacks.known(name, "calloff")
        going = dict.fromkeys(one.name for one in self.under_way())
        those = [number for number, one in self._going.items() if name in (None, one.name)]
        if not those:
            what = "no attack has anything" if name is None else f'no attack "{name}" has anything'
            others = f"; under way: {', '.join(going)}" if going else ""
            raise InputError(f"calloff: {what} still to do{others}")
        for number in those:
            del self._going[number]
            self.life.off[number] = None

    def _stream(self) -> Stream:
        return Stream(f"{self.town.seed}/attack/{self.done}")

    def _facts(self, victims: tuple[PeerId, ...]) -> Facts:
        town, columns = self.town, self.columns
        alive = town.state == ALIVE
        catalogue: Catalogue = self.life.catalogue
        return Facts(
            labels=town.labels,
            living=tuple(np.flatnonzero(alive).tolist()),
            users=tuple(np.flatnonzero(alive & ~town.infrastructure).tolist()),
            degree=columns.degrees(),
            betweenness=columns.betweenness,
            near=columns.near,
            role=columns.roles(),
            city=columns.cities(),
            operator=town.operators,
            infrastructure=columns.infrastructure(),
            bootstrap=town.bootstrap,
            titles=tuple(catalogue.popular(TITLES)),
            overlay=town.program.overlay,
            relays=town.program.overlay or not town.stations,
            shares=town.program.shares_files,
            victims=tuple(peer for peer in victims if alive[peer]),
        )


def _over_s(step: tuple[float, Command]) -> float:
    """When a step, and the crowd that it sets in motion, is over."""
    at_s, command = step
    return at_s + (command.over_s if isinstance(command, Arrive | Depart) else 0.0)
