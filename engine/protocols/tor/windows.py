"""Flow control: how many relay cells with data may be under way (tor-spec 7.3 and 7.4).

Each end of a circuit, and each end of a stream, counts a window down for each data cell and up for each SENDME; the
receiver sends a SENDME for each `increment` cells. At zero nothing more is packed.
"""

from __future__ import annotations

from dataclasses import dataclass

CIRCUIT_START, CIRCUIT_INCREMENT = 1_000, 100
STREAM_START, STREAM_INCREMENT = 500, 50


@dataclass(slots=True)
class Window:
    """One direction of a circuit or a stream, as its sender and its receiver keep it.

    package  cells that may still be sent; deliver: cells that may still arrive before a SENDME is due
    """

    increment: int
    package: int
    deliver: int
    start: int

    @classmethod
    def circuit(cls) -> Window:
        """1,000 cells, a SENDME for each 100."""
        return cls(CIRCUIT_INCREMENT, CIRCUIT_START, CIRCUIT_START, CIRCUIT_START)

    @classmethod
    def stream(cls) -> Window:
        """500 cells, a SENDME for each 50."""
        return cls(STREAM_INCREMENT, STREAM_START, STREAM_START, STREAM_START)

    def pack(self) -> bool:
        """Send one cell. False: the window is empty, so that it has to wait."""
        if self.package <= 0:
            return False
        self.package -= 1
        return True

    def delivered(self) -> bool:
        """One cell has arrived. Returns whether a SENDME is due. Raises ValueError when the sender sent more than the
        window allows."""
        if self.deliver <= 0:
            raise ValueError("more cells arrived than the window allows")
        self.deliver -= 1
        if self.deliver <= self.start - self.increment:
            self.deliver += self.increment
            return True
        return False

    def sendme(self) -> None:
        """A SENDME has arrived. Raises ValueError when it lets in more than the window holds at the start."""
        if self.package + self.increment > self.start:
            raise ValueError("a SENDME came for cells that were not sent")
        self.package += self.increment
