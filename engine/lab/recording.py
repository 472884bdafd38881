"""Recordings with their scenario: what was to be told and expected is written beside the run, and read back with it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import InputError, plain
from ..record.reader import Recording, read
from ..record.time_machine import TimeMachine
from ..swarm import Swarm
from .check import Expect
from .run import Progress, Report, Runner
from .scenario import BYTES_MAX, Caption, Scenario, _caption, _expect, _items

TEXT_MAX = 2_000


def story_of(scenario: Scenario) -> dict[str, Any]:
    """What a scenario tells, as plain values; its setup stands elsewhere."""
    captions = [{"s": c.at_s, "say": c.say, **({"predict": c.predict} if c.predict else {})} for c in scenario.captions]
    expects = [
        {"metric": e.metric, "from_s": e.from_s, "to_s": e.to_s, **_bound("min", e.min), **_bound("max", e.max)}
        for e in scenario.expects
    ]
    told = {"title": scenario.title, "about": scenario.about, "source": scenario.source}
    return {**told, "caption": captions, "expect": expects, "asks": [list(ask) for ask in scenario.asks]}


def _bound(name: str, value: float | None) -> dict[str, float]:
    return {} if value is None else {name: value}


def scenario_of(recording: Recording, path: str) -> Scenario:
    """The scenario of a recording. Raises InputError for a story that is none."""
    story: Mapping[str, Any] = recording.story
    where = f'"{plain(path)}"'
    captions, expects = _told(story, where)
    asks = story.get("asks", [])
    if not isinstance(asks, list) or not all(isinstance(a, list) and len(a) == 2 for a in asks):
        raise InputError(f"{where}: its asks should be pairs of a text and a selector")
    return Scenario(
        title=_text(story, "title", where),
        about=_text(story, "about", where),
        setup=recording.setup,
        captions=captions,
        expects=expects,
        asks=tuple((str(text)[:TEXT_MAX], str(who)[:TEXT_MAX]) for text, who in asks),
        source=_text(story, "source", where),
    )


def _told(story: Mapping[str, Any], where: str) -> tuple[tuple[Caption, ...], tuple[Expect, ...]]:
    captions = tuple(_caption(item, f"{where} {place}") for place, item in _items(story, "caption", where))
    return captions, tuple(_expect(item, f"{where} {place}") for place, item in _items(story, "expect", where))


def _text(story: Mapping[str, Any], name: str, where: str) -> str:
    value = story.get(name, "")
    if not isinstance(value, str) or len(value) > BYTES_MAX:
        raise InputError(f"{where}: its {name} should be a text")
    return value


def load_recording(path: str) -> tuple[Scenario, Recording]:
    """A recording and its scenario. Raises InputError, in one sentence, for a file that is none."""
    recording = read(path)
    return scenario_of(recording, path), recording


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of running a recording again. `parted` says, in a sentence, where it was another run, or is empty."""

    report: Report
    parted: str


def replay(path: str, *, series: bool = False, progress: Progress | None = None) -> Replayed:
    """Run a recording again, to where it ends. Raises InputError for a file that is none, and as `run` does."""
    scenario, recording = load_recording(path)
    machine = TimeMachine(Swarm(recording.setup, world=recording.world), recording=recording)
    runner = Runner(machine.swarm, scenario, progress, machine)
    edges = machine.swarm.edges
    begun_s = time.perf_counter()
    try:
        runner.to(recording.end_us)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"interrupted at {machine.now_us / 1e6:.3f} s of virtual time") from None
    machine.check_end()
    if recording.note:
        runner.warnings.append(recording.note)
    report = runner.report(edges, time.perf_counter() - begun_s, series)
    return Replayed(report, parted_sentence(machine.parted, path))


def parted_sentence(parted: tuple[int, int] | None, path: str) -> str:
    """Where a run was another one than its recording, for a person."""
    if parted is None:
        return ""
    good, bad = (f"{at_us / 1e6:g} s" for at_us in parted)
    return f'this is not the run that "{plain(path)}" recorded: they part between {good} and {bad}'
