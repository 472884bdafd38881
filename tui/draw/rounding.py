"""Results that are the same on every processor: values whose last bit may differ are rounded.

Sine, cosine, arc tangent, exponential and logarithm are not exact: their last bit depends on the processor's vector
instructions and on the maths library, and so does that of a long sum or of a Fourier transform. Two gaps or two angles
that are mathematically equal then differ in the last bit, and which one is greater depends on the machine. The rule:
such a result is rounded before it is compared, sorted, cut at a limit or turned into dots, and ties are broken by the
peer's id. Addition, multiplication, division, square root and rounding are exact by IEEE 754 and need no care.
"""

from __future__ import annotations

from decimal import Decimal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

DIGITS = 9
"""Decimals that are kept of a number about 1: a millionth of a dot on the widest screen, and ten million times the last
bit."""


def rounded(values: ArrayLike, digits: int = DIGITS) -> Floats:
    """Rounded to this many decimals. No result is negative zero, for which the arc tangent differs from that of
    zero."""
    return np.asarray(np.round(np.asarray(values, np.float64), digits) + 0.0, np.float64)


def cos(turn: ArrayLike) -> Floats:
    """Cosine of an angle in radians, rounded."""
    return rounded(np.cos(turn))


def sin(turn: ArrayLike) -> Floats:
    """Sine of an angle in radians, rounded."""
    return rounded(np.sin(turn))


def direction(y: ArrayLike, x: ArrayLike) -> Floats:
    """Angle of the vector (x, y) in radians, rounded; 0 where x and y are 0 except for their last bits."""
    return rounded(np.arctan2(rounded(y), rounded(x)))


def mean(values: ArrayLike, digits: int = DIGITS) -> Floats:
    """Mean along the first axis. Its sum is rounded, as the mean of numbers with few decimals often lies right between
    two that have as few."""
    return rounded(np.sum(np.asarray(values, np.float64), axis=0), digits) / max(len(np.asarray(values)), 1)


def decade(value: float) -> int:
    """The exponent of the greatest power of ten that is not above a positive number, without a logarithm."""
    return Decimal(value).adjusted()
