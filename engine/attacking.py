"""Attacks on a town: what `world.attacks` may know of it, and how their steps are carried out.

The steps go through the same door as a person's commands, marked `attack`: those that are due at once before the
command returns, the others at the end of the instant at which they fall due.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .api import PeerId
from .commands import Attack, Command, Peers
from .core.rand import Stream
from .life import Due, Life
from .snapshot import ALIVE
from .town import Town
from .view import Columns
from .world import attacks
from .world.content import Catalogue
from .world.plans import Facts, Plan

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
        """How many there were: each has a stream of its own."""

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
        changed: dict[PeerId, None] = {}
        for at_s, step in plan.steps:
            if at_s > 0:
                self.life.later(max(1, round(at_s * 1e6)), Due(step, "attack"))
            else:
                changed.update(dict.fromkeys(self.do(step, "attack")))
        return tuple(changed)

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
