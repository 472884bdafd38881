"""What a run was given from outside, in order: with the setup, the truth about it. Everything else follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from ..commands import Command

Position: TypeAlias = tuple[int, int]
"""A moment of a run: virtual time in us, and how many commands from outside had been done. Both, because several
commands may fall into one instant and one may want to stand between them. The instant itself is over."""


@dataclass(frozen=True, slots=True)
class Given:
    """One command from outside. `said` is what the person said, `meant` the same with its selectors replaced by those
    they named, `drawn` how the stream that selectors draw from stood afterwards. `fresh`: it was said in this very
    run, so that saying it again means the same."""

    at_us: int
    said: Command
    meant: Command
    by: str
    drawn: int
    fresh: bool = True

    @property
    def again(self) -> Command:
        """What to do to do it again."""
        return self.said if self.fresh else self.meant


def moment(log: list[Given], t_us: int) -> Position:
    """The end of an instant, with all that was done in it."""
    count = len(log)
    while count and log[count - 1].at_us > t_us:
        count -= 1
    return t_us, count
