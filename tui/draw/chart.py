"""Charts, meters and figures as text. Figures that change keep their width, so that nothing beside them moves."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .raster import Canvas, lines, points
from .rounding import decade, rounded
from .styles import Mode

Floats = NDArray[np.float64]

STEPS = " ▁▂▃▄▅▆▇█"
STEPS_ASCII = " _.-=+*%#"
EIGHTHS = " ▏▎▍▌▋▊▉█"


def chart(
    series: Sequence[ArrayLike],
    width_cells: int,
    height_cells: int,
    mode: Mode,
    low: float | None = None,
    high: float | None = None,
    inks: Sequence[int] | None = None,
    across: int | None = None,
    area: bool = False,
) -> Canvas:
    """Lines over equally spaced samples, the last at the right edge; NaN leaves a gap.

    inks: one a series, 1, 2, .. by default; later series are drawn on top. across: how many samples the width holds,
    the length of the longest by default; a fixed one keeps a short history from being stretched. low, high: values of
    the bottom and top edge, by default the least (0 when none is negative) and a round figure above the greatest. area:
    fills below the first series.
    """
    canvas = Canvas(width_cells, height_cells, mode)
    values = [np.asarray(one, np.float64).ravel() for one in series]
    if not canvas.width or not canvas.height or not values:
        return canvas
    seen = np.concatenate(values)
    seen = seen[np.isfinite(seen)]
    if low is None:
        low = min(0.0, -nice_scale(-float(seen.min()))) if seen.size and seen.min() < 0 else 0.0
    if high is None:
        high = nice_scale(float(seen.max())) if seen.size and seen.max() > 0 else max(0.0, low)
    span = high - low if high > low else 1.0
    most = max(2, across or max(one.size for one in values))
    right, bottom = canvas.dots_w - 1, canvas.dots_h - 1
    for index, one in enumerate(values):
        ink = inks[index] if inks is not None else index + 1
        shown = one[-most:]
        # Several samples in one dot overlap: the line then shows their range.
        x = right - np.arange(shown.size - 1, -1, -1) * (right / (most - 1))
        y = bottom - np.clip((shown - low) / span, 0.0, 1.0) * bottom
        if area and index == 0:
            lines(canvas, x, y, x, np.where(np.isfinite(y), bottom, np.nan), ink)
        points(canvas, x, y, ink)
        if shown.size > 1:
            lines(canvas, x[:-1], y[:-1], x[1:], y[1:], ink)
    return canvas


def stacked(
    series: Sequence[ArrayLike],
    width_cells: int,
    height_cells: int,
    mode: Mode,
    high: float,
    inks: Sequence[int],
    across: int | None = None,
) -> Canvas:
    """Areas on top of each other over equally spaced samples, the last at the right edge: how a whole is divided.

    series: the parts, from below; NaN counts as 0. high: value of the top edge. A cell has the ink of the part that
    covers most of it.
    """
    canvas = Canvas(width_cells, height_cells, mode)
    if not canvas.width or not canvas.height or not len(series):
        return canvas
    most = max(2, across or max(len(np.atleast_1d(one)) for one in series))
    parts = np.zeros((len(series), most))
    known = 0
    for row, one in zip(parts, series, strict=True):
        shown = np.nan_to_num(np.asarray(one, np.float64).ravel()[-most:])
        row[most - shown.size :] = shown
        known = max(known, shown.size)
    # The sample of each column of dots, and the height of each boundary there, in dots.
    column = np.arange(canvas.dots_w)
    sample = np.round(column * ((most - 1) / max(canvas.dots_w - 1, 1))).astype(np.int64)
    shown_at = sample >= most - known
    tops = np.cumsum(parts, axis=0)[:, sample] / (high if high > 0 else 1.0)
    tops = np.round(rounded(np.clip(tops, 0.0, 1.0)) * canvas.dots_h).astype(np.int64)
    height = canvas.dots_h - np.arange(canvas.dots_h)  # Of the upper edge of each row of dots.
    part = (height[:, None] > tops[:, None, :]).sum(axis=0)  # len(series): above all parts.
    part[:, ~shown_at] = len(series)
    canvas.dots |= part < len(series)
    # A gap between two parts, which is seen without colours.
    canvas.dots[1:][(part[1:] != part[:-1]) & (part[:-1] < len(series))] = False
    cells = part.reshape(canvas.height, canvas.down, canvas.width, canvas.across)
    counts = np.stack([(cells == number).sum(axis=(1, 3)) for number in range(len(series))])
    covered = counts.sum(axis=0) > 0
    canvas.ink[covered] = np.asarray(inks, np.uint8)[counts.argmax(axis=0)][covered]
    return canvas


def spark(values: ArrayLike, width: int, ascii: bool = False, top: float | None = None) -> str:  # noqa: A002
    """One character a sample, the last at the right, exactly `width` long; of more samples the newest are shown.

    Heights are from 0 to `top`, by default the greatest shown. NaN is blank, and so is what came before the start; 0
    is the lowest step, not blank.
    """
    steps = STEPS_ASCII if ascii else STEPS
    shown = np.asarray(values, np.float64).ravel()
    shown = shown[max(0, shown.size - max(width, 0)) :]
    known = np.isfinite(shown)
    most = top if top is not None else float(shown[known].max(initial=0.0))
    level = np.where(known, np.clip(np.where(known, shown, 0.0) / (most if most > 0 else 1.0), 0.0, 1.0), 0.0)
    index = np.where(known, 1 + np.round(level * (len(steps) - 2)).astype(np.int64), 0)
    return "".join(steps[i] for i in index.tolist()).rjust(max(width, 0))


def meter(value: float, width: int, ascii: bool = False) -> str:  # noqa: A002
    """A bar for 0..1, exactly `width` long, in eighths of a cell; anything above zero shows at least one eighth."""
    if width <= 0:
        return ""
    value = min(max(value, 0.0), 1.0) if math.isfinite(value) else 0.0
    if ascii:
        return ("#" * round(value * width)).ljust(width, ".")
    eighths = round(value * width * 8)
    if value > 0:
        eighths = max(eighths, 1)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (EIGHTHS[rest] if rest else "")).ljust(width)


def heat(value: ArrayLike, steps: int = 5, top: float = 1.0) -> NDArray[np.int64]:
    """Which of `steps` shades a value of 0..top has; 0 is for the value 0 only. By square root, so that small loads are
    visible."""
    share = np.nan_to_num(np.asarray(value, np.float64) / (top if top > 0 else 1.0), nan=0.0)
    return np.ceil(rounded(np.sqrt(np.clip(share, 0.0, 1.0)) * (steps - 1))).astype(np.int64)


def nice_scale(most: float) -> float:
    """The least of 1, 2, 5 times a power of ten that is not below `most`; 1 for zero, less, and what is not finite."""
    if not math.isfinite(most) or most <= 0:
        return 1.0
    power = decade(most)
    for exponent in (power, power + 1):
        for figure in (1.0, 2.0, 5.0):
            # Division keeps 0.2 and 0.5 exact; multiplication by 0.1 does not.
            scale = figure * 10.0**exponent if exponent >= 0 else figure / 10.0**-exponent
            if scale >= most * (1.0 - 1e-12):
                return scale
    return most


def si(number: float, width: int = 0) -> str:
    """A number in at most five characters, right aligned in `width`: 812, 1.2k, 34.5M, 0.25, -3.1k."""
    return _si(number).rjust(width)


def _si(number: float) -> str:
    if math.isnan(number):
        return "–"
    sign, size = ("-", -number) if number < 0 else ("", number)
    if math.isinf(size):
        return sign + "∞"
    if size < 1000 and (size == int(size) or size >= 99.95):
        whole = round(size)
        if whole < 1000:
            return f"{sign if whole else ''}{whole}"
    if size < 99.95:
        digits = 2 if size < 9.995 else 1
        shown = f"{size:.{digits}f}"
        return shown if not float(shown) else sign + shown
    for unit in "kMGTPE":
        size /= 1000.0
        if size < 99.95:
            shown = f"{size:.1f}"
            # A sign and three figures with a point leave no room for the unit.
            return f"{sign}{shown}{unit}" if len(sign) + len(shown) < 5 else f"{sign}{size:.0f}{unit}"
        if size < 999.5:
            return f"{sign}{size:.0f}{unit}"
    return sign + "big"


def age(seconds: float, width: int = 0) -> str:
    """A span of time in at most five characters, right aligned in `width`: 0.4s, 12s, 1m12s, 3h05m, 2d04h, 120d."""
    return _age(seconds).rjust(width)


def _age(seconds: float) -> str:
    if not math.isfinite(seconds):
        return "–"
    seconds = max(seconds, 0.0)
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 600:
        return f"{whole // 60}m{whole % 60:02d}s"
    if whole < 3600:
        return f"{whole // 60}m"
    hours = whole // 3600
    if hours < 10:
        return f"{hours}h{whole % 3600 // 60:02d}m"
    if hours < 48:
        return f"{hours}h"
    days = hours // 24
    return f"{days}d{hours % 24:02d}h" if days < 10 else f"{days}d" if days < 10_000 else "ages"
