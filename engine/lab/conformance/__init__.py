"""Checks that every network must pass: each takes a network, runs it, and fails with a sentence.

`swarmtop check` runs them. The tests check all networks in `engine/protocols/`; those in `tests/broken/` show that the
checks find the faults that they look for. A check fails by `assert`: Python's flag -O leaves these out, so
`planned_checks` refuses to run with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ...api import Peer
from ...errors import InputError, SwarmError, nearest, place_in_protocol, plain
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
from .source import means_what_it_says, reads_no_clock, tells_whether_it_shares_files, walks_no_set
from .trouble import lives_with_thin_lines, repeats, survives_any_option, survives_trouble
from .watch import ITEMS_MOST, Variant, collected, variants

__all__ = [
    "ASKS",
    "CHECKS",
    "ITEMS_MOST",
    "OF_ROLES",
    "Planned",
    "Variant",
    "collected",
    "planned_checks",
    "traffic",
    "variants",
]


CHECKS: dict[str, Callable[[Variant], None]] = {
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
        means_what_it_says,
        tells_the_truth_of_asks,
        *ATTACKS,
    )
}

OF_ROLES = (
    *("answers", "survives_nonsense", "survives_trouble", "forgets", "leaves_messages_alone", "keeps_no_host"),
    *("lives_on_as_a_copy", "ends_when_it_stops", "reads_no_clock", "walks_no_set", "shows_what_is_so"),
)
"""Checks of the programs of single roles. A variant of a network with an option that adds a role has to pass these; the
other checks are about the network as a whole."""
SENTENCE_MAX = 400


@dataclass(frozen=True, slots=True)
class Planned:
    """A check of a network, or of one of its variants. about: what passes it, in a sentence."""

    network: Variant
    name: str

    @property
    def about(self) -> str:
        first, stop, _ = " ".join((CHECKS[self.name].__doc__ or "").split()).partition(". ")
        return first + stop.strip()

    @property
    def called(self) -> str:
        """Its name, with the options of a variant: `answers servers=3`."""
        return " ".join((self.name, *(f"{name}={value}" for name, value in self.network.options.items())))

    def why_failed(self) -> str:
        """Run the check. Returns a sentence on what is wrong, or "" if it passes. It takes up to a minute."""
        try:
            CHECKS[self.name](self.network)
        except SwarmError as error:
            return plain(error, SENTENCE_MAX)
        except AssertionError as error:
            return plain(error, SENTENCE_MAX) or f"it is not so{place_in_protocol(error)}"
        except Exception as error:
            return plain(f"{type(error).__name__}: {error}{place_in_protocol(error)}", SENTENCE_MAX)
        return ""


def planned_checks(program: type[Peer], names: Sequence[str] = ()) -> Iterator[Planned]:
    """The checks of a network: all, or those of these names. Raises InputError for an unknown name, and where Python
    leaves out what the checks are made of."""
    for name in names:
        if name not in CHECKS:
            raise InputError(f'no check is called "{plain(name)}"{nearest(name, CHECKS)}')
    if not __debug__:
        raise InputError("Python was started with -O or PYTHONOPTIMIZE, with which no check could fail")
    for network in variants(program):
        for name in OF_ROLES if network.options else CHECKS:
            if not names or name in names:
                yield Planned(network, name)
