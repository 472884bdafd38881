"""What every network must survive, as checks: each takes a network, runs it, and fails with a sentence.

All networks in `engine/protocols/` are checked. The networks in `tests/broken/` show that the checks find the faults
that they look for.
"""

from __future__ import annotations

from collections.abc import Callable

from .attacked import ATTACKS
from .manners import (
    ASKS,
    acts,
    answers,
    calls_end,
    ends_when_it_stops,
    forgets,
    is_calm,
    keeps_no_host,
    late_answers,
    leaves_messages_alone,
    lives_on_as_a_copy,
    shows_what_is_so,
    starts_alike,
    tells_the_truth_of_asks,
    traffic,
)
from .nonsense import survives_nonsense
from .source import reads_no_clock, tells_whether_it_shares_files, walks_no_set
from .trouble import lives_with_thin_lines, repeats, survives_any_option, survives_trouble
from .watch import ITEMS_MOST, Network, collected, variants

__all__ = ["ASKS", "CHECKS", "ITEMS_MOST", "Network", "collected", "traffic", "variants"]

CHECKS: dict[str, Callable[[Network], None]] = {
    check.__name__: check
    for check in (
        answers,
        survives_nonsense,
        survives_trouble,
        lives_with_thin_lines,
        survives_any_option,
        forgets,
        repeats,
        is_calm,
        leaves_messages_alone,
        keeps_no_host,
        lives_on_as_a_copy,
        starts_alike,
        acts,
        ends_when_it_stops,
        late_answers,
        calls_end,
        shows_what_is_so,
        reads_no_clock,
        walks_no_set,
        tells_whether_it_shares_files,
        tells_the_truth_of_asks,
        *ATTACKS,
    )
}
