"""Which values an array holds."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Number = TypeVar("Number", bound=np.generic)


def distinct(values: NDArray[Number]) -> NDArray[Number]:
    """Each value once, in ascending order, as `np.unique` gives them. That looks values up in a hash table before it
    sorts them, which takes longer, and imports `numpy.ma` at its first call, which was a fiftieth of the start."""
    made = np.sort(values, axis=None)
    return made[np.append(True, made[1:] != made[:-1])] if len(made) else made
