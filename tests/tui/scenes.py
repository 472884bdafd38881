"""Small swarms, asks and messages made by hand, for tests of the picture."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import frames
import numpy as np

from engine import Flight, Links, Snapshot, Trace
from tui.draw import raster
from tui.draw.colours import by_state
from tui.draw.scene import Scene, base, paint


def trace(n: int = frames.N, **changes: Any) -> Trace:
    """Peer 0 asked 1 and 2; 1 asked 3, who answered through 1."""
    frm, hop, at = np.full(n, -1, np.int32), np.full(n, -1, np.int32), np.full(n, -1, np.int64)
    frm[[1, 2, 3]], hop[[0, 1, 2, 3]], at[[0, 1, 2, 3]] = [0, 0, 1], [0, 1, 1, 2], [0, 50_000, 60_000, 100_000]
    values: dict[str, Any] = {
        "ask": 12,
        "origin": 0,
        "frm": frm,
        "hop": hop,
        "at_us": at,
        "repeats": np.zeros(n, np.int32),
        "answers_frm": np.array([3, 1], np.int32),
        "answers_to": np.array([1, 0], np.int32),
        "answers_at_us": np.array([150_000, 200_000], np.int64),
        "holders": (3,),
    }
    told = values | changes
    return Trace(**({"answerers": told["holders"]} | told))


def flight(*rows: tuple[int, int, int, int, int, int]) -> Flight:
    """Rows of (from, to, sent_us, arrives_us, part, ask)."""
    table = np.array(rows, np.int64).reshape(-1, 6)
    return Flight(
        table[:, 0].astype(np.int32),
        table[:, 1].astype(np.int32),
        table[:, 2],
        table[:, 3],
        table[:, 4].astype(np.uint8),
        table[:, 5].astype(np.int32),
        len(table),
    )


def quiet(n: int, **changes: Any) -> Snapshot:
    """n peers without links, nobody dead."""
    none = np.zeros(0, np.int32)
    whole = frames.snapshot(max(n, frames.N))
    fixed = replace(
        whole.fixed,
        labels=whole.fixed.labels[:n],
        place=whole.fixed.place[:n],
        infrastructure=whole.fixed.infrastructure[:n],
    )
    values: dict[str, Any] = {
        "fixed": fixed,
        "state": np.zeros(n, np.uint8),
        "censored": np.zeros(n, np.bool_),
        "links": Links(1, none, none),
    }
    columns = ("role", "colluding", "poisoned", "group", "load", "last_heard_us", "files")
    return replace(whole, **{name: getattr(whole, name)[:n] for name in columns} | values | changes)


def scene(snapshot: Snapshot, at: list[tuple[float, float]], **changes: Any) -> Scene:
    x, y = (np.array(column, np.float64) for column in zip(*at, strict=True))
    told = changes.pop("trace", None)
    colours = changes.pop("colours", by_state(snapshot, told))
    return Scene(snapshot=snapshot, x=x, y=y, trace=told, colours=colours, names=False, **changes)


def picture(what: Scene, width: int = 20, height: int = 5) -> raster.Canvas:
    under = raster.Canvas(width, height)
    base(under, what)
    return paint(under, what)
