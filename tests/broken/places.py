"""Networks with stations: one that cannot give their places, and one that allows one station more at most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from broken.sound import Sound, SoundOptions

from engine import Peer, Station, option


class Helper(Peer):
    """Does nothing."""

    role = "helper"


@dataclass(slots=True)
class NarrowOptions(SoundOptions):
    helpers: int = option(1, "helpers; the second is one of its own kind", low=1, high=2)


class Narrow(Sound, name="narrow", options=NarrowOptions):
    """Has a second helper at most: nothing is wrong with it."""

    @classmethod
    def stations(cls, options: NarrowOptions, peers: int) -> Sequence[Station]:
        return [Station(Helper, "helper", "acme")] * (options.helpers - 1)


class Unplaced(Sound, name="unplaced"):
    @classmethod
    def stations(cls, options: Any, peers: int) -> Sequence[Station]:
        raise ValueError("where to?")
