"""How often Python's garbage collector runs in our commands."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

COLLECT = (5_000, 10, 10)
"""Thresholds. A frame of the dashboard makes a thousand short-lived objects: with Python's own threshold of 700 the
collector ran ten times a second, which was a twentieth of the time of an idle dashboard. A run without a screen takes
15 % (Bitcoin, 200 peers) or 9 % (Gnutella, 600 peers) less time with these: what was delivered is kept until the next
sample, and the collector went through it again and again."""


@contextmanager
def rarely_collected() -> Iterator[None]:
    """These thresholds in the block."""
    before = gc.get_threshold()
    gc.set_threshold(*COLLECT)
    try:
        yield
    finally:
        gc.set_threshold(*before)
