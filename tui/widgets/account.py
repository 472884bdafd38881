"""The account of one ask, in rows: shared by the inspector and whoever else tells it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from engine import AskRow, PeerId, Snapshot, Theory
from tui.draw.chart import meter, si

from .ink import Row, wrap
from .named import names

METER_CELLS = 8
BESIDE_CELLS = 7
"""Room for what stands between a figure and its theory."""
BESIDE = ("reached", "messages", "duplicates")
"""Figures that a theory stands beside; any other is told on a line of its own."""


def state_of(row: AskRow, snapshot: Snapshot) -> tuple[str, str]:
    """In a word or two how an ask stands, and the ink for it."""
    if row.closed_us is None:
        if row.id in snapshot.spreading:
            return ("answered, spreading ▶", "answer") if row.hits else ("spreading ▶", "question")
        return ("answered, fetching", "answer") if row.hits else ("waiting", "question")
    if row.want == "broadcast":  # nobody answers a rumour: it is heard or not
        return "told", "text"
    return ("answered", "good") if row.hits else ("no answer", "bad")


def verdict_in(verdict: str, width: int) -> str:
    """As many of a verdict's clauses as fit into so many cells: a sentence that ends early beats one cut in a word."""
    if cell_len(verdict) <= width:
        return verdict
    ends = [verdict.find(mark, at) for mark in (": ", ", ", "; ", " (") for at in range(len(verdict))]
    fitting = [end for end in ends if end > 0 and cell_len(verdict[:end]) <= width]
    return verdict[: max(fitting)] if fitting else verdict


def reached_share(row: AskRow, snapshot: Snapshot) -> float:
    """Peers reached, as a share of all others that exist, dead ones too: so that the figure of an old ask stays."""
    return row.reached / max(1, len(snapshot.state) - 1)


def first_hit(row: AskRow) -> str:
    """`0.412 s`, or empty."""
    return "" if row.first_hit_us is None else f"{row.first_hit_us / 1e6:.3f} s"


def account_rows(
    row: AskRow, snapshot: Snapshot, width: int, theory: Sequence[Theory] = (), holders: Sequence[PeerId] = ()
) -> list[Row]:
    """What became of an ask: how far it came and who answered, then what that cost, beside each figure what `theory`
    has for it; and its verdict, wrapped. `holders`: who was named as having it, in order."""
    told = {each.of: each for each in theory}
    others = max(1, len(snapshot.state) - 1)
    horizon = snapshot.horizon
    hop = f"hop {row.hops}" if horizon is None else f"hop {row.hops} of {horizon}"
    share = row.duplicates / row.messages if row.messages else 0.0
    word, ink = state_of(row, snapshot)
    level = "meter-low" if share < 0.34 else "meter-mid" if share < 0.67 else "meter-high"
    first = first_hit(row)
    hits: list[Row] = []
    if row.want != "broadcast":
        came = (f"first {first}", "answer") if first else ("none yet", "dim")
        hits.append(_figure("hits", f"{row.hits:,}", *((came,) if row.closed_us is None or row.hits else ())))
    if holders:
        hits.append((("answered by", "dim"), *names(snapshot, holders, width - 11, "answer")))
    rows: list[Row] = [
        _figure(
            "reached",
            f"{row.reached:,}",
            (f"of {others:,} ".ljust(BESIDE_CELLS), "dim"),
            *([_foretold(told["reached"])] if "reached" in told else [(hop, "text")]),
        ),
        *hits,
        *([_figure("deepest", f"{row.hops:,}", *_of(horizon))] if "reached" in told else []),
        _figure(
            "messages",
            f"{row.messages:,}",
            (f"{size_text(row.bytes)} ".ljust(BESIDE_CELLS), "dim"),
            *([_foretold(told["messages"])] if "messages" in told else []),
        ),
        _figure("duplicates", f"{row.duplicates:,}", *_vain(share, level, told.get("duplicates"))),
    ]
    for each in theory:
        if each.of not in BESIDE:
            rows.append(_figure(each.of, f"{each.value:,.0f}", (each.why if width >= 44 else "in theory", "dim")))
    lost = row.lost
    if lost:
        several = len(row.losses) > 1
        reasons = "  ".join(f"{reason} {count:,}" if several else reason for reason, count in row.losses.items())
        rows.append(_figure("lost", f"{lost:,}", (reasons, "bad")))
    if row.closed_us is None:
        rows.append(((word, ink),))
    else:
        rows.extend(((line, ink),) for line in wrap(row.verdict or word, max(8, width)))
    return rows


def _of(horizon: int | None) -> tuple[tuple[str, str], ...]:
    return () if horizon is None else ((f"of {horizon} hops", "dim"),)


def _vain(share: float, level: str, theory: Theory | None) -> tuple[tuple[str, str], ...]:
    """A meter of what was told in vain; where a theory stands beside it there is room for the figure alone."""
    if theory is None:
        return (meter(share, METER_CELLS), level), (f" {share:4.0%}", "text")
    return (f"{share:.0%} ".ljust(BESIDE_CELLS), level), _foretold(theory)


def _foretold(theory: Theory) -> tuple[str, str]:
    value = f"{theory.value:,.0f}" if theory.value < 10_000 else si(theory.value)
    return f"theory {value}", "caption"


def size_text(size: int) -> str:
    """`9.8 kB`: bytes in decimal units."""
    figure = si(size)
    return f"{figure} B" if figure[-1].isdigit() else f"{figure[:-1]} {figure[-1]}B"


def _figure(name: str, value: str, *rest: tuple[str, str]) -> Row:
    return ((f"{name:<10} ", "dim"), (f"{value:>6} ", "text bold"), *rest)
