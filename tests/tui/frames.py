"""Frames made by hand: a small swarm with something of everything, for tests of widgets."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import (
    AskRow,
    Belief,
    Beliefs,
    Event,
    File,
    Fixed,
    Flight,
    Links,
    Places,
    Run,
    Series,
    Snapshot,
    Totals,
)
from tui.session.frame import Frame, PeerFacts

N = 64
RUN = Run()


def ask_row(number: int, **changes: Any) -> AskRow:
    """An ask that is over and was answered, unless told otherwise."""
    row: dict[str, Any] = {
        "id": number,
        "origin": (number * 7) % N,
        "text": ("blue train", "night owl", "tin soldier", "paper moon")[number % 4],
        "goal": "find",
        "by": "background",
        "issued_us": number * 3_000_000,
        "closed_us": number * 3_000_000 + 900_000,
        "reached": 61,
        "alive": N - 1,
        "messages": 246,
        "bytes": 9_840,
        "duplicates": 180,
        "hits": 1,
        "first_hit_us": 630_000,
        "hops": 5,
        "losses": {},
        "verdict": "Found: 1 of 3 holders replied, the first after 0.63 s from 3 hops away",
    }
    return AskRow(**(row | changes))


SPREADING = ask_row(
    12, origin=17, text="blue train", by="person", closed_us=None, reached=41, messages=163, duplicates=122, hits=2,
    first_hit_us=412_000, hops=3, losses={"dead": 3, "censored": 2}, verdict="",
)  # fmt: skip
UNANSWERED = ask_row(
    10, origin=3, text="tin soldier", reached=61, messages=244, hits=0, first_hit_us=None,
    verdict="No answer: 3 peers hold it; 2 are dead, 1 is nine hops away and the TTL is 7",
)  # fmt: skip
ASKS = (*(ask_row(n) for n in range(1, 10)), UNANSWERED, ask_row(11), SPREADING)


def series(seconds: int = 43) -> Series:
    t = np.arange(seconds, dtype=np.float64)
    success = np.clip(0.9 + 0.08 * np.sin(t / 5), 0, 1)
    success[:8] = np.nan
    return Series(
        t,
        {
            "alive": 61 - np.clip(np.round(6 * np.sin(t / 9)), 0, 6),
            "censored": np.ones(seconds),
            "messages_per_s": 400 + 300 * np.abs(np.sin(t / 4)) + 112,
            "bytes_per_s": 40_000 + 0 * t,
            "duplicates_per_s": 200 + 150 * np.abs(np.sin(t / 4)),
            "success": success,
        },
    )


def snapshot(n: int = N, **changes: Any) -> Snapshot:
    state = np.zeros(n, np.uint8)
    state[[20, 52]] = 1
    state[33] = 2
    censored = np.zeros(n, np.bool_)
    censored[31] = True
    a = np.arange(n, dtype=np.int32)
    fixed = Fixed(
        protocol="gnutella",
        seed=7,
        labels=tuple(f"p{i:03d}" for i in range(n)),
        operator=("",) * n,
        place=np.zeros(n, np.int32),
        places=Places(("Lisbon",), np.array([38.7], np.float32), np.array([-9.1], np.float32)),
        up_kbit_s=np.zeros(n, np.int32),
        down_kbit_s=np.zeros(n, np.int32),
        nat=np.zeros(n, np.bool_),
        infrastructure=np.zeros(n, np.bool_),
        bootstrap=(),
        shares_files=np.ones(n, np.bool_),
        begun_with=n,
        run=RUN,
    )
    values: dict[str, Any] = {
        "now_us": 42_180_000,
        "fixed": fixed,
        "state": state,
        "role": np.zeros(n, np.uint8),
        "roles": ("servent",),
        "censored": censored,
        "colluding": np.zeros(n, np.bool_),
        "poisoned": np.zeros(n, np.bool_),
        "group": np.zeros(n, np.int32),
        "load": np.full(n, 48, np.float32),
        "last_heard_us": np.full(n, 41_900_000, np.int64),
        "files": np.full(n, 23, np.int32),
        "up_since_us": np.zeros(n, np.int64),
        "links": Links(1, a, np.roll(a, 1)),
        "flight": Flight(a[:0], a[:0], np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.uint8), a[:0], 0),
        "totals": Totals(1000, 900, 20, 80_000, 400, {"Query": 1000}, {"dead": 20}),
        "asks": ASKS,
        "asks_total": len(ASKS),
        "series": series(),
        "settings": {"churn": "none", "loss": 0.0, "latency": 1.0, "asks": 0.5, "ttl": 7},
        "horizon": 7,
    }
    values["spreading"] = frozenset(row.id for row in (values | changes)["asks"] if row.closed_us is None)
    return Snapshot(**(values | changes))


def facts(peer: int = 17, **changes: Any) -> PeerFacts:
    names = ("blue train", "paper moon [live]", "night owl", "tin soldier")
    values: dict[str, Any] = {
        "peer": peer,
        "files": tuple(File(name, 4_000_000, i) for i, name in enumerate(names)),
        "beliefs": Beliefs(
            {other: Belief(40_000_000) for other in range(37)},
            {"routes": "412 query ids kept", "host cache": "p003 p012 p031 p044 p050 and 22 more"},
        ),
        "links": (3, 12, 20, 31, 44),
        "ban": "",
    }
    return PeerFacts(**(values | changes))


def frame(*, events: tuple[Event, ...] = (), snap: Snapshot | None = None, **changes: Any) -> Frame:
    """Nothing selected, playing at an eighth of real time."""
    values: dict[str, Any] = {
        "snapshot": snap if snap is not None else snapshot(),
        "wall_s": 10.0,
        "playing": True,
        "speed": 0.125,
        "pace": 0.125,
        "fps": 30.0,
        "slowed": False,
        "selected": None,
        "ask": None,
        "trace": None,
        "facts": None,
        "events": events,
        "texts": {"find": ("blue train", "night owl", "tin soldier", "paper moon")},
    }
    return Frame(**(values | changes))
