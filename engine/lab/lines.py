"""What a person says about links: `[links]` of a scenario, and the flags of the command line. See `world.capacity`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..errors import InputError
from ..options import as_number, as_text
from ..setup import LinkSpec
from ..world.access_links import JITTER_MS_MAX, parse

KEYS = ("capacity", "jitter_ms", "nat")


def read_links(values: Mapping[str, object], where: Mapping[str, str], base: LinkSpec | None = None) -> LinkSpec:
    """`base`, or none, with these of `KEYS` changed; numbers may be texts. `where` is what errors call each key.

    Raises InputError for a capacity that is not understood, and for a number out of range.
    """
    made = LinkSpec() if base is None else base
    if "capacity" in values:
        capacity = as_text(values["capacity"], where["capacity"], "saroiu")
        try:
            parse(capacity)
        except InputError as error:
            raise InputError(f"{where['capacity']}: {error}") from None
        made = replace(made, capacity=capacity)
    if "jitter_ms" in values:
        jitter_ms = as_number(values["jitter_ms"], where["jitter_ms"], 0, JITTER_MS_MAX, texts=True)
        made = replace(made, jitter_ms=jitter_ms)
    if "nat" in values:
        made = replace(made, nat=as_number(values["nat"], where["nat"], 0, 1, texts=True))
    return made
