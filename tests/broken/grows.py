"""Programs whose memory grows without a limit, in several ways."""

from __future__ import annotations

from broken.sound import Sound


class Hoarder(Sound, name="grows"):
    """Does not declare that it grows."""

    def keep(self, table: dict[int, None], key: int) -> None:
        table[key] = None


class Clerk(Hoarder, name="clerk"):
    """Keeps so much else that its size hardly changes."""

    def __init__(self) -> None:
        super().__init__()
        self.ballast = b"x" * 1_000_000


class Recorder(Hoarder, name="recorder"):
    """Keeps a ledger, and declares that: nothing is wrong with it."""

    ledger = True


class Squarer(Hoarder, name="squarer"):
    """Keeps a ledger, and with each entry as much as there were before it."""

    ledger = True

    def __init__(self) -> None:
        super().__init__()
        self.copies: list[int] = []

    def keep(self, table: dict[int, None], key: int) -> None:
        super().keep(table, key)
        self.copies += range(len(table) // 100)
