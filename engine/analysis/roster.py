"""Who they are: the columns that change only when newcomers come, as a selector and a frame want them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..measure.snapshot import Fixed, Kind, Places, Run
from ..simulation import Town


class Roster:
    """Makes `Fixed` of a town: anew when it has grown and somebody looks, so that a crowd costs one copy a frame."""

    def __init__(self, town: Town, protocol: str, places: Places, kinds: tuple[Kind, ...]) -> None:
        self._town = town
        self._protocol = protocol
        self._places = places
        self._kinds = kinds
        self.run = Run()
        self._roles = tuple(dict.fromkeys(kind.role for kind in town.crew))
        self._fixed: Fixed | None = None
        self._ids: dict[str, int] = {}
        self.begun_with = town.n
        """How many there were when the run began: ids from there on are newcomers."""

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_fixed": None, "_ids": {}}

    @property
    def ids(self) -> Mapping[str, int]:
        """PeerId of each label."""
        labels = self._town.labels
        for peer in range(len(self._ids), len(labels)):
            self._ids[labels[peer]] = peer
        return self._ids

    def fixed(self) -> Fixed:
        """The columns of all that there are now."""
        town = self._town
        if self._fixed is None or len(self._fixed.labels) != town.n:
            roles, lines = self._roles, town.desk.links.lines
            self._fixed = Fixed(
                protocol=self._protocol,
                seed=town.seed,
                labels=tuple(town.labels),
                roles=roles,
                role=np.array([roles.index(kind.role) for kind in town.crew], np.uint8),
                operator=tuple(town.operators),
                place=np.array(town.desk.links.place, np.int32),
                places=self._places,
                up_kbit_s=np.array([line.up_kbit_s for line in lines] or [0] * town.n, np.int32),
                down_kbit_s=np.array([line.down_kbit_s for line in lines] or [0] * town.n, np.int32),
                nat=np.array([line.nat for line in lines] or [False] * town.n, np.bool_),
                infrastructure=town.infrastructure.copy(),
                bootstrap=town.bootstrap,
                shares_files=np.array([kind.shares_files for kind in town.crew], np.bool_),
                begun_with=self.begun_with,
                run=self.run,
                kinds=self._kinds,
            )
        return self._fixed
