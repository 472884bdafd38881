"""What the selected peer believes, as rows: whom it knows, how lately it heard, and where it is wrong.

The wrong ones stand first: they are what a person looks for. What is so is the screen's knowledge, not the peer's.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine import ALIVE, STATES, Snapshot
from tui.draw.belief import Mind, age_words, mind
from tui.session.frame import Frame

from .text import Row, Span, width_of, wrap

ROWS_MOST = 100


def belief_rows(frame: Frame, width: int) -> Iterator[Row]:
    """Rows for the inspector; none for a peer that nobody looked at yet."""
    facts, snapshot = frame.facts, frame.snapshot
    if facts is None or facts.peer != frame.selected:
        return
    yield _rule("it believes", width)
    laid = mind(snapshot, facts.peer, facts.beliefs)
    known, wrong = int(laid.known.sum()), int(laid.wrong.sum())
    tail = f", {wrong:,} of them wrong" if wrong else ""
    yield ((f"knows {known:,} of {len(laid.known) - 1:,} peers", "text"), (tail, "bad"))
    for name, value in facts.beliefs.facts.items():
        lines = wrap(value, max(8, width - len(name) - 1))
        yield ((f"{name} ", "dim"), (lines[0], "text"))
        yield from (((" " * (len(name) + 1), "dim"), (line, "text")) for line in lines[1:])
    ids = np.flatnonzero(laid.known)
    order = ids[np.lexsort((ids, -laid.heard_us[ids], ~laid.wrong[ids]))]
    for other in order[:ROWS_MOST].tolist():
        belief = facts.beliefs.known.get(other)
        what = belief.what if belief is not None else ""
        files = f", {belief.files} files" if belief is not None and belief.files is not None else ""
        yield _row(snapshot, laid, other, f"{what}{files}", width)
    if len(order) > ROWS_MOST:
        yield ((f"and {len(order) - ROWS_MOST:,} more", "dim"),)


def _row(snapshot: Snapshot, laid: Mind, other: int, what: str, width: int) -> Row:
    age = age_words(laid, other, snapshot.now_us) or "hearsay"
    if laid.silent[other]:
        age += ": dead or blocked?"
    row: list[Span] = [
        ("✕ " if laid.wrong[other] else "  ", "bad"),
        (f"{snapshot.fixed.labels[other][:10]:<6} ", "bad" if laid.wrong[other] else "text"),
        (age, "warn" if laid.silent[other] else "dim"),
    ]
    if laid.wrong[other]:
        row.append((f"  in truth {truth(snapshot, other)}", "bad"))
    elif what and width_of(row) + len(what) + 2 <= width:
        row.append((f"  {what}", "dim"))
    return tuple(row)


def truth(snapshot: Snapshot, peer: int) -> str:
    """How a peer is, as the screen knows."""
    if snapshot.state[peer] != ALIVE:
        return STATES[int(snapshot.state[peer])]
    return "censored" if snapshot.censored[peer] else "alive"


def _rule(title: str, width: int) -> Row:
    row: Row = (("── ", "dim"), (title, "text bold"), (" ", "dim"))
    return (*row, ("─" * max(0, width - width_of(row)), "dim"))
