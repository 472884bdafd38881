"""The account of every ask: what it cost, whom it reached, what it found. The same for every protocol.

Counts a sender makes (messages, bytes, pending) are written as they happen; what only a watcher wants (who was
reached first by whom, at which hop) is read by columns from the log of deliveries, see `metrics.Books`.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..api import AskId, PeerId, Want
from ..sim.memory import set_apart
from .paths import ROWS_BACKGROUND, ROWS_MOST, Lost, Rows
from .snapshot import AskRow, Trace

QUESTION, ANSWER = 0, 1


class Account:
    """Of one ask. `pending` counts messages and timers that descend from it and are not over yet."""

    __slots__ = (
        "answers",
        "at_us",
        "by",
        "by_part",
        "bytes",
        "closed_us",
        "decoys",
        "deepest",
        "duplicates",
        "fetched",
        "frm",
        "hits",
        "hop",
        "id",
        "issued_us",
        "losses",
        "lost",
        "origin",
        "pending",
        "questions",
        "reached",
        "repeats",
        "setback",
        "text",
        "verdict",
        "want",
    )

    def __init__(self, ask: AskId, origin: PeerId, text: str, want: Want, by: str, now_us: int) -> None:
        self.id = ask
        self.origin = origin
        self.text = text
        self.want = want
        self.by = by
        self.issued_us = now_us
        self.closed_us: int | None = None
        self.pending = 0
        self.by_part = [0, 0, 0, 0]
        self.bytes = 0.0
        self.duplicates = 0
        self.losses: dict[str, int] = {}
        self.hits: dict[PeerId, int] = {}
        self.decoys: dict[PeerId, int] = {}
        """Who served something that was not what its name said, and when the user noticed."""
        self.fetched: dict[PeerId, int] = {}
        """Who served what was wanted, and when it was here."""
        self.reached = 0
        self.deepest = 0
        self.verdict = ""
        self.setback = ""
        """Why what was found was not fetched in the end, in the protocol's words."""
        self.frm: NDArray[np.int32] | None = None
        self.hop: NDArray[np.int32] | None = None
        self.at_us: NDArray[np.int64] | None = None
        self.repeats: NDArray[np.int32] | None = None
        self.questions: Rows
        self.answers: Rows
        self.lost: Lost
        self.forget_path()

    def reach(
        self,
        n: int,
        frm: NDArray[np.int64],
        to: NDArray[np.int64],
        hop: NDArray[np.int64],
        at_us: NDArray[np.int64],
    ) -> None:
        """Delivered questions of this ask, in order of arrival, for a swarm of `n` peers. All shaped (k,)."""
        if self.hop is None:
            self._begin(n)
        elif len(self.hop) < n:
            self._grow(n)
        assert self.frm is not None
        assert self.hop is not None
        assert self.at_us is not None
        assert self.repeats is not None
        self.deepest = max(self.deepest, int(hop.max()))
        self.repeats += np.bincount(to, minlength=n).astype(np.int32)
        new = np.flatnonzero(self.hop[to] < 0)
        if not len(new):
            return
        # The first arrival at each peer: written backwards, the last to be written wins. (Sorting them for the same
        # took a third of all posting.)
        row = np.full(n, -1)
        row[to[new[::-1]]] = new[::-1]
        peers = np.flatnonzero(row >= 0)
        first = row[peers]
        self.hop[peers] = hop[first]
        self.frm[peers] = frm[first]
        self.at_us[peers] = at_us[first]
        self.repeats[peers] -= 1
        self.reached += len(peers)

    def _begin(self, n: int) -> None:
        """Columns for `n` peers, of whom the asker alone knows of it."""
        self.frm = np.full(n, -1, np.int32)
        self.hop = np.full(n, -1, np.int32)
        self.at_us = np.full(n, -1, np.int64)
        self.repeats = np.zeros(n, np.int32)
        self.hop[self.origin] = 0
        self.at_us[self.origin] = self.issued_us

    def _grow(self, n: int) -> None:
        """The swarm has grown since this ask began: columns for `n` peers."""
        assert self.frm is not None
        assert self.hop is not None
        assert self.at_us is not None
        assert self.repeats is not None
        more = n - len(self.hop)
        self.frm, self.hop, self.at_us = (
            np.concatenate([column, np.full(more, -1, column.dtype)]) for column in (self.frm, self.hop, self.at_us)
        )
        self.repeats = np.concatenate([self.repeats, np.zeros(more, np.int32)])

    def _begun(self, n: int) -> Account:
        """A copy that has reached its origin: all there is to see while nothing has arrived."""
        made = copy(self)
        made._begin(n)
        return made

    def heard(self, peer: PeerId) -> bool:
        """Whether a question of this ask reached a peer."""
        return self.hop is not None and peer < len(self.hop) and bool(self.hop[peer] >= 0)

    def forget_path(self) -> None:
        """Give back the columns of an old ask; its figures stay."""
        self.frm = self.hop = self.at_us = self.repeats = None
        most = ROWS_BACKGROUND if self.by == "background" else ROWS_MOST
        self.questions, self.answers, self.lost = Rows(most), Rows(most), Lost()

    def packed(self) -> tuple[Any, ...]:
        """All but its path, as plain values."""
        return tuple(getattr(self, name) for name in FIGURES)

    @staticmethod
    def unpacked(values: tuple[Any, ...]) -> Account:
        """An account of these values, without a path."""
        made = Account.__new__(Account)
        for name, value in zip(FIGURES, values, strict=True):
            setattr(made, name, value)
        made.forget_path()
        return made

    @property
    def path_version(self) -> int:
        """Rises whenever its path does."""
        return self.questions.total + self.answers.total + self.lost.total

    @property
    def path_bytes(self) -> int:
        """What its path takes: 20 bytes for each peer of the swarm, and the rows."""
        size = 0 if self.hop is None else 20 * len(self.hop)
        return size + self.questions.bytes + self.answers.bytes + self.lost.bytes

    def settle_path(self) -> None:
        """The ask is closed: put what it left into a block of its own, without the room for more."""
        assert self.frm is not None
        assert self.hop is not None
        assert self.at_us is not None
        assert self.repeats is not None
        lost = self.lost.view()
        losses = (lost.frm, lost.to, lost.sent_us, lost.at_us, lost.reason)
        rows = (*self.questions.columns(), *self.answers.columns())
        made = set_apart([self.frm, self.hop, self.at_us, self.repeats, *rows, *losses])
        self.frm, self.hop, self.at_us, self.repeats = made[:4]
        self.questions.settle(made[4], made[5])
        self.answers.settle(made[6], made[7])
        self.lost.settle(made[8], made[9], made[10], made[11], made[12])

    def settle_hits(self) -> None:
        """It is long over: who answered stays, and when the first of them did. The other times are half of what an
        account that was put away would take, and nobody asks for them."""
        if self.hits:
            self.hits = dict.fromkeys(self.hits, min(self.hits.values()))

    def opened(self, holder: object, decoy: bool, now_us: int) -> None:
        """The user has looked at what a holder served."""
        if isinstance(holder, int) and holder >= 0:
            (self.decoys if decoy else self.fetched).setdefault(holder, now_us)

    def first_hit_us(self) -> int | None:
        """Virtual time from the issue to the first hit."""
        return min(self.hits.values()) - self.issued_us if self.hits else None

    def row(self) -> AskRow:
        """A copy for a table."""
        return AskRow(
            id=self.id,
            origin=self.origin,
            text=self.text,
            want=self.want,
            by=self.by,
            issued_us=self.issued_us,
            closed_us=self.closed_us,
            reached=self.reached,
            messages=self.by_part[QUESTION],
            bytes=round(self.bytes),
            duplicates=self.duplicates,
            hits=len(self.hits),
            first_hit_us=self.first_hit_us(),
            hops=self.deepest,
            losses=dict(self.losses),
            verdict=self.verdict,
            decoys=len(self.decoys),
            fetched=len(self.fetched),
        )

    def trace(self, n: int) -> Trace | None:
        """Its path in a swarm of `n` peers, or None when it told nobody and is over, or its path was forgotten."""
        if self.hop is not None and len(self.hop) < n:
            self._grow(n)
        if self.hop is None and self.id and (self.closed_us is None or self.lost.total):
            return self._begun(n).trace(n)
        if self.hop is None or self.frm is None or self.at_us is None or self.repeats is None:
            return None
        answers = self.answers.view()
        return Trace(
            ask=self.id,
            origin=self.origin,
            frm=self.frm.copy(),
            hop=self.hop.copy(),
            at_us=self.at_us.copy(),
            repeats=self.repeats.copy(),
            answers_frm=answers.frm,
            answers_to=answers.to,
            answers_at_us=answers.at_us,
            holders=tuple(self.hits),
            answers_sent_us=answers.sent_us,
            questions=self.questions.view(),
            lost=self.lost.view(),
        )


PATH = ("frm", "hop", "at_us", "repeats", "questions", "answers", "lost")
"""What is forgotten with a path."""
FIGURES = tuple(name for name in Account.__slots__ if name not in PATH)


class Joint:
    """Stands for several accounts while one message that descends from all of them is under way.

    The sender has shared out the message's cost already; what is learned while it is handled (a duplicate,
    a loss) is handed to each account when the last copy has arrived.
    """

    __slots__ = ("accounts", "by_part", "bytes", "duplicates", "losses", "pending")

    def __init__(self, accounts: Sequence[Account]) -> None:
        self.accounts = tuple(accounts)
        self.pending = 0
        self.by_part = [0, 0, 0, 0]
        self.bytes = 0.0
        self.duplicates = 0
        self.losses: dict[str, int] = {}
        for account in accounts:
            account.pending += 1


class Nothing(Account):
    """The account of what no ask caused: takes anything, is never over."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(0, -1, "", "find", "", 0)
        self.pending = 1 << 60


def died(account: Account | Joint, frm: PeerId, to: PeerId, sent_us: int, at_us: int, reason: str) -> None:
    """A message of these asks never arrived: keep where it was lost. What no ask caused is not kept."""
    for each in account.accounts if isinstance(account, Joint) else (account,):
        if each.id:
            each.lost.add(frm, to, sent_us, at_us, reason)
