"""The contacts of peers, as links, in a network that keeps no open streams (a hash table, a gossip of datagrams).

`Peer.contacts` is called for each living peer, so this is computed on demand. Where a stream is open anywhere, the open
streams are the links, and no contacts are read.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..api import Peer, PeerId
from ..arrays import sorted_once
from ..errors import PeerFailed
from ..measure.snapshot import ALIVE
from ..simulation import Simulation

I32 = NDArray[np.int32]


def have_contacts(sim: Simulation) -> bool:
    """Whether some program of this network has contacts."""
    return any(kind.contacts is not Peer.contacts for kind in dict.fromkeys(sim.program_types))


def contacts_of_all(sim: Simulation) -> list[list[PeerId]]:
    """For each peer the living peers that it could ask next, each once, in its own order. Raises PeerFailed."""
    alive: list[bool] = (sim.state == ALIVE).tolist()
    rows: list[list[PeerId]] = []
    for peer, program in enumerate(sim.programs):
        if program is None or type(program).contacts is Peer.contacts:
            rows.append([])
            continue
        try:
            named = dict.fromkeys(program.contacts() or ())
        except Exception as error:
            raise PeerFailed(peer, "contacts", error) from error
        # An address may be invented, or belong to a peer that is not alive.
        rows.append([q for q in named if type(q) is int and 0 <= q < sim.n and q != peer and alive[q]])
    return rows


def pairs_of(rows: list[list[PeerId]]) -> tuple[I32, I32]:
    """Contacts as undirected pairs, a < b, each once, in ascending order: int32 (L,)."""
    lengths = np.fromiter(map(len, rows), np.int64, len(rows))
    frm = np.repeat(np.arange(len(rows), dtype=np.int64), lengths)
    to = np.fromiter((q for row in rows for q in row), np.int64, int(lengths.sum()))
    keys = sorted_once(np.minimum(frm, to) << 32 | np.maximum(frm, to))
    return (keys >> 32).astype(np.int32), (keys & 0xFFFFFFFF).astype(np.int32)
