"""The story of a scenario at a moment: captions, questions to the user, and judged expectations.

A question is answered by the next expectation whose window starts at its caption or later: the author asks "how many
will be answered?", and then writes how many should be, as an expectation.
"""

from __future__ import annotations

from engine import Checked, Scenario, Swarm, check, dataclass

from .frame import Prediction

SHARES = ("success",)
"""Metrics that are shares, written as a percentage."""


@dataclass(frozen=True, slots=True)
class StorySoFar:
    """The part of the story that is shown: captions, questions, and each judged expectation with whether it held."""

    captions: tuple[str, ...] = ()
    predictions: tuple[Prediction, ...] = ()
    expectations: dict[str, bool] | None = None


class Narrator:
    """Reads the story of a scenario. An expectation is measured once, when its window is over."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._checked: dict[int, Checked] = {}

    def at(self, swarm: Swarm) -> StorySoFar:
        """The story up to now."""
        scenario, now_s = self._scenario, swarm.now_us / 1e6
        for number, expect in enumerate(scenario.expects):
            if number not in self._checked and now_s >= expect.known_at_s:
                self._checked[number] = check(swarm, expect)
        reached = [caption for caption in scenario.captions if caption.at_s <= now_s]
        asked = [caption for caption in reached if caption.predict]
        judged = {c.expect.sentence(): bool(c.held) for _, c in sorted(self._checked.items())}
        opening = (f"{scenario.title}. {scenario.about}",) if scenario.about else ()
        return StorySoFar(
            captions=(*opening, *(caption.say for caption in reached)),
            predictions=tuple(Prediction(c.at_s, c.predict or "", self._measured(c.at_s)) for c in asked),
            expectations=judged if scenario.expects else None,
        )

    def _measured(self, from_s: float) -> str:
        for number, expect in enumerate(self._scenario.expects):
            if expect.from_s >= from_s:
                found = self._checked.get(number)
                if found is None:
                    return ""
                value = found.value
                result = "nothing" if value is None else f"{value:.0%}" if expect.metric in SHARES else f"{value:,.1f}"
                return f"{result} ({expect.metric.replace('_', ' ')}, {expect.from_s:g} to {expect.to_s:g} s)"
        return ""
