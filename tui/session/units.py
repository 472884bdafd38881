"""Quantities as text, for sentences and for widgets."""

from __future__ import annotations


def clock(us: int, *, millis: bool = True) -> str:
    """Virtual time as `00:42.180`, or `1:02:42.180` from an hour on."""
    seconds, rest = divmod(max(0, us), 1_000_000)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    tail = f"{second:02d}.{rest // 1000:03d}" if millis else f"{second:02d}"
    return f"{hours}:{minute:02d}:{tail}" if hours else f"{minute:02d}:{tail}"
