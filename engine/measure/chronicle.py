"""The ring of events: what a watcher may still ask about, numbered from the beginning of the run."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

from . import events as e

EVENTS = 5_000
KINDS: dict[str, type[e.Event]] = {
    "adrift": e.Adrift,
    "arrived": e.Arrived,
    "asked": e.Asked,
    "churned": e.Churned,
    "closed": e.Closed,
    "commanded": e.Commanded,
    "hit": e.Hit,
    "refused": e.Refused,
}
"""Whatever else is told is a protocol's own note."""


class Chronicle:
    """Keeps the last events. They are part of the swarm: a copy tells what the original would have told."""

    def __init__(self) -> None:
        self.kept: deque[e.Event] = deque(maxlen=EVENTS)
        self.seen = 0
        """How many there have been, and the number of the latest."""

    def tell(self, now_us: int, kind: str, *what: Any) -> None:
        """One event of a kind; `what` are its fields, or the account that it is about."""
        self.seen += 1
        if kind == "asked":
            account = what[0]
            what = (account.id, account.origin, account.text, account.by)
        self.kept.append(KINDS.get(kind, e.Noted)(self.seen, now_us, *what))

    def since(self, number: int) -> Iterator[e.Event]:
        """Those with a number above that, oldest first."""
        kept = self.kept
        fresh = max(0, min(len(kept), self.seen - number))
        return iter([kept[i] for i in range(len(kept) - fresh, len(kept))])
