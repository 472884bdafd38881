"""What the network tells a peer without anybody having sent it: a refusal, and the end of a stream.

No messages: they are not counted, but they take their time, and interference stops them as it stops messages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .api import PeerId


@dataclass(slots=True)
class Refusal:
    """Under way back to a sender: nobody is at `to`. Only the life that sent it is told."""

    peer: PeerId
    epoch: int
    to: PeerId
    message: Any


@dataclass(slots=True)
class Closing:
    """Under way to `peer`: the stream from `other` is closed. `parked`: it waited for what was sent before."""

    peer: PeerId
    epoch: int
    other: PeerId
    parked: bool = False
