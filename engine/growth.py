"""Room for newcomers: every column of a town that has an entry for each peer, lengthened.

New ids are appended after all others, so nobody's id changes and stations stay where they stand. Lists grow in place,
since hot loops and hosts hold on to them; arrays are replaced, and nobody keeps one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .api import Line
from .measure.snapshot import LEFT
from .sim.host import Seat
from .sim.rng import Stream
from .simulation import Town
from .world.content import Shelf


def grow(
    town: Town,
    shelves: Sequence[Shelf],
    places: Sequence[int],
    lines: Sequence[Line],
    labels: Sequence[str],
    operator: str,
) -> range:
    """As many newcomers as there are shelves. They have not started yet; their ids are returned."""
    count = len(shelves)
    ids = range(town.n, town.n + count)
    town.kernel.grow(count)
    town.desk.links.grow(places, lines)
    town.streams.grow(ids)
    town.rules.grow(count)
    town.books.grow(count)
    town.n += count
    town.crew += [town.program] * count
    town.labels += labels
    town.operators += [operator] * count
    town.shelves += shelves
    town.seats += [Seat(p, town.desk, Stream(f"{town.seed}/peer/{p}"), town.shelves[p]) for p in ids]
    town.programs += [None] * count
    town.disks += [None] * count
    town.born_us += [0] * count
    town.state = np.concatenate([town.state, np.full(count, LEFT, np.uint8)])
    more = np.zeros(count, np.bool_)
    town.censored = np.concatenate([town.censored, more])
    town.colluding = np.concatenate([town.colluding, more])
    town.poisoned = np.concatenate([town.poisoned, more])
    town.infrastructure = np.concatenate([town.infrastructure, more])
    town.group = np.concatenate([town.group, np.zeros(count, np.int32)])
    town.since_us = np.concatenate([town.since_us, np.zeros(count, np.int64)])
    return ids
