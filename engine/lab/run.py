"""A scenario without a screen: run it, check what it expects, and tell what came of it.

`run` gives a `Report`; `Report.to_json` is what `swarmtop run --json` prints and `Report.text` is for reading. A
report of the same setup is the same in every key but `wall_s` and `deliveries_per_s`, which measure the machine and
cover the running alone, not the building of the swarm.

The swarm is advanced in slices of deliveries, only so that progress can be told and a person can interrupt: slicing
never shows in a run. This module may look at a clock, being at the outermost edge; it hands no time to the engine.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any, Literal, TypeAlias

from ..commands import AskFor
from ..errors import InputError, plain
from ..measure.snapshot import ALIVE, STATES, AskRow, Series, Snapshot, Totals
from ..record.file import Recording, read
from ..record.time_machine import TimeMachine
from ..swarm import Swarm
from .check import Checked, Expect, check, check_names
from .export import series_pairs
from .scenario import BYTES_MAX, Caption, Scenario, _caption, _expect, _items

# Ctrl+C, or SIGTERM, between two slices of a run, and not in the middle of a delivery.
#
# An exception that a signal raises wherever the program happens to be would leave the swarm half in one instant and
# half in the next, and its recording could not be closed: its last fingerprint would be of a state that never was. So
# the first one is noted, and takes effect when the slice at hand is over, some 50 ms later. The second does not wait.

WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}


class Halted(KeyboardInterrupt):
    """A signal ended what was going on; `number` is its number."""

    def __init__(self, number: int, said: str = "") -> None:
        super().__init__(said or WORDS.get(signal.Signals(number), "interrupted"))
        self.number = number


class Interrupted(Halted):
    """The same, and the run stands between two slices."""


@contextmanager
def interrupts_noted() -> Iterator[Callable[[], None]]:
    """While this lasts. What it hands out is to be called between slices; it raises Interrupted when it is time.

    Where somebody else has said what a signal does, or this is not the main thread, nothing is changed.
    """
    noted: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if noted:
            raise Halted(number)
        noted.append(number)

    def look() -> None:
        if noted:
            raise Interrupted(noted[0])

    before = {number: signal.getsignal(number) for number in WORDS}
    ours = [number for number, does in before.items() if does in (signal.default_int_handler, signal.SIG_DFL)]
    try:
        for number in ours:
            signal.signal(number, note)
    except ValueError:  # only the main thread may
        ours = []
    try:
        yield look
    finally:
        for number in ours:
            signal.signal(number, before[number])


Until: TypeAlias = float | Literal["quiet"] | None
Progress: TypeAlias = Callable[[float, float | None, int], None]
"""Called after each slice with the virtual time in s, the end in s (None: not known), and the deliveries so far."""

SLICE = 20_000
"""Deliveries between two looks at the clock: some tenths of a second."""

QUIET_LIMIT_S = 3600.0
"""Virtual time after which a run that waits for quiet gives up."""


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a run. `peers` counts those asked for, or those that a topology file brought; `peers_by_state`
    counts infrastructure too, since a dead index is what a person looks for there. `warnings` are sentences."""

    scenario: Scenario
    peers: int
    edges: int
    virtual_s: float
    wall_s: float
    fingerprint: str
    totals: Totals
    peers_by_state: dict[str, int]
    success: float | None
    expectations: tuple[Checked, ...]
    asks: tuple[AskRow, ...]
    labels: tuple[str, ...]
    series: Series | None
    warnings: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether no expectation failed."""
        return all(c.held is not False for c in self.expectations)

    @property
    def deliveries_per_s(self) -> float:
        """Deliveries a second of wall time."""
        return self.totals.delivered / self.wall_s if self.wall_s > 0 else 0.0

    def to_json(self, *, series: bool = True) -> dict[str, Any]:
        """Plain values for `json.dumps`; `series` says whether with the samples, if there are any. What could not be
        measured is null; nothing is NaN."""
        setup, totals = self.scenario.setup, self.totals
        out: dict[str, Any] = {
            "protocol": setup.protocol,
            "seed": setup.seed,
            "peers": self.peers,
            "edges": self.edges,
            "virtual_s": self.virtual_s,
            "wall_s": round(self.wall_s, 6),
            "deliveries": totals.delivered,
            "deliveries_per_s": round(self.deliveries_per_s, 1),
            "fingerprint": self.fingerprint,
            "messages": {
                "sent": totals.sent,
                "delivered": totals.delivered,
                "dropped": totals.dropped,
                "in_flight": totals.in_flight,
                "bytes": totals.bytes,
                "by_kind": dict(totals.by_kind),
                "dropped_by": dict(totals.dropped_by),
            },
            "peers_by_state": self.peers_by_state,
            "success": self.success,
            "expectations": [
                {
                    "metric": c.expect.metric,
                    "from_s": c.expect.from_s,
                    "to_s": c.expect.to_s,
                    "value": c.value,
                    "held": c.held,
                }
                for c in self.expectations
            ],
            "asks": [self._ask(row) for row in self.asks],
        }
        if series and self.series is not None:
            out["series"] = series_pairs(self.series)
        return out

    def _ask(self, row: AskRow) -> dict[str, Any]:
        return {
            "id": row.id,
            "from": self.labels[row.origin],
            "text": row.text,
            "reached": row.reached,
            "messages": row.messages,
            "bytes": row.bytes,
            "duplicates": row.duplicates,
            "hits": row.hits,
            "decoys": row.decoys,
            "fetched": row.fetched,
            "first_hit_s": None if row.first_hit_us is None else row.first_hit_us / 1e6,
            "hops": row.hops,
            "lost": row.lost,
            "verdict": row.verdict,
        }

    def text(self) -> str:
        """The report for a person, aligned, without a last newline."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        setup, totals, states = self.scenario.setup, self.totals, self.peers_by_state
        yield f"{self.scenario.title}  ({setup.protocol}, {self.peers:,} peers, seed {setup.seed})"
        yield ""
        ranked = sorted(totals.by_kind.items(), key=lambda kn: (-kn[1], kn[0]))
        kinds = ", ".join(f"{kind} {n:,}" for kind, n in ranked if n)
        drops = ", ".join(f"{why} {n:,}" for why, n in sorted(totals.dropped_by.items()))
        rows = [
            ("time", f"{self.virtual_s:g} s, run in {self.wall_s:.2f} s"),
            ("deliveries", f"{totals.delivered:,}  ({self.deliveries_per_s:,.0f} a second)"),
            ("messages", f"{totals.sent:,} sent, {totals.dropped:,} dropped, {totals.in_flight:,} in flight"),
            ("bytes", f"{totals.bytes:,}"),
            ("kinds", kinds or "none"),
            *([("dropped by", drops)] if drops else []),
            ("peers", ", ".join(f"{n:,} {state}" for state, n in states.items())),
            ("links", f"{self.edges:,} at the start"),
            ("asks", f"{len(self.asks):,}" if self.asks else "nothing was asked"),
            ("answered", "-" if self.success is None else f"{self.success:.1%} within 10 s"),
            ("fingerprint", self.fingerprint),
        ]
        yield from (f"  {name:<12} {value}" for name, value in rows)
        if self.asks:
            yield ""
            yield from self._ask_lines()
        if self.expectations:
            yield ""
            for c in self.expectations:
                word = {True: "held", False: "FAILED", None: "not reached"}[c.held]
                value = "nothing measured" if c.value is None else f"{c.value:.4g}"
                yield f"  {word:<12} {c.expect.sentence()}" + ("" if c.held is None else f"  ({value})")

    def _ask_lines(self, limit: int = 20) -> Iterator[str]:
        heads = f"{'ask':>4} {'from':<10} {'wanted':<24} {'reached':>8} {'messages':>9} {'hits':>5} {'first':>9}"
        yield f"  {heads}  verdict"
        for row in self.asks[:limit]:
            first = "" if row.first_hit_us is None else f"{row.first_hit_us / 1e6:.3f} s"
            yield (
                f"  {row.id:>4} {plain(self.labels[row.origin], 10):<10} {plain(row.text, 24):<24} {row.reached:>8,} "
                f"{row.messages:>9,} {row.hits:>5,} {first:>9}  {row.verdict}"
            ).rstrip()
        if len(self.asks) > limit:
            yield f"  and {len(self.asks) - limit:,} more (--json tells all)"


def run(
    scenario: Scenario,
    *,
    until: Until = None,
    series: bool = False,
    progress: Progress | None = None,
    record: str | None = None,
) -> Report:
    """Run a scenario to its end and check it.

    until     virtual seconds; "quiet": the instant at which the last ask closes, upkeep not counted; None: the
              scenario's own end (`Scenario.end_s`)
    series    whether the report carries the samples over time
    progress  told after each slice
    record    a file to write the run into while it goes on, see `engine.record`

    Raises InputError for a setup or command that is wrong, PeerFailed if a protocol's own code raised, and
    KeyboardInterrupt, with the virtual time in its text, when a person interrupts.
    """
    swarm = Swarm(scenario.setup)
    check_names(swarm)
    edges = len(swarm.snapshot().links.a)
    machine = TimeMachine(swarm) if record is not None else None
    if machine is not None and record is not None:
        machine.record(record, story_of(scenario), time.monotonic)
    runner = Runner(swarm, scenario, progress, machine)
    begun_s = time.perf_counter()
    try:
        with interrupts_noted() as look:
            runner.look = look
            if until == "quiet":
                runner.to_quiet()
            else:
                runner.to(round((scenario.end_s if until is None else until) * 1e6))
    except KeyboardInterrupt as error:
        if machine is not None and not isinstance(error, Interrupted):
            machine.abandon_recording()
        number = error.number if isinstance(error, Halted) else signal.SIGINT
        raise Halted(number, f"{WORDS[signal.Signals(number)]} at {swarm.now_us / 1e6:.3f} s of virtual time") from None
    finally:
        if machine is not None:
            machine.close()
            runner.warnings += [machine.recording_error] if machine.recording_error else []
    wall_s = time.perf_counter() - begun_s
    return runner.report(edges, wall_s, series)


def report_of(swarm: Swarm, scenario: Scenario, wall_s: float, series: bool = False) -> Report:
    """Of a run that somebody else paced, as far as it has come."""
    return Runner(swarm, scenario, None).report(swarm.edges, wall_s, series)


class Runner:
    """A swarm on its way: where it has to halt, and what was seen there. A time machine writes it down, or knows
    what is done to it on the way."""

    def __init__(
        self, swarm: Swarm, scenario: Scenario, progress: Progress | None, machine: TimeMachine | None = None
    ) -> None:
        self.swarm = swarm
        self.machine = machine
        self.scenario = scenario
        self.progress = progress
        self.deliveries = 0
        self.warnings: list[str] = []
        # Series keep their latest samples only, so each window is judged as soon as it is over.
        self.windows = sorted({round(e.known_at_s * 1e6) for e in scenario.expects})
        self.checked: dict[int, Checked] = {}
        self.look: Callable[[], None] = lambda: None
        """Between slices: whether a person has interrupted."""

    def to(self, end_us: int) -> None:
        """Advance to a time, halting where an expectation can be judged."""
        for halt_us in [w for w in self.windows if self.swarm.now_us < w < end_us] + [end_us]:
            while self.swarm.now_us < halt_us:
                self._tell((self.machine or self.swarm).advance(halt_us, SLICE), end_us / 1e6)
            # A slice may have ended within the last instant, and commands may be due at its end.
            self._tell((self.machine or self.swarm).advance(halt_us), end_us / 1e6)
            self._judge()

    def to_quiet(self) -> None:
        """Advance to the instant at which the last ask closes, commands still to come included."""
        swarm, setup = self.swarm, self.scenario.setup
        limit_us = round(QUIET_LIMIT_S * 1e6)
        planned = [at_us for at_us, command in setup.schedule if isinstance(command, AskFor)]
        if not planned and setup.asks_per_s <= 0:
            raise InputError("--until quiet: nothing is ever asked in this run, so it has no end; --ask asks")
        swarm.advance(0)
        self.to(max(planned, default=0))
        # Background asks come when they come: quiet before the first of them would be no answer.
        while not swarm.asks() and swarm.now_us < limit_us:
            self._tell(swarm.advance(swarm.now_us + 1_000_000), None)
        while not swarm.quiet() and swarm.now_us < limit_us:
            halt_us = min(swarm.now_us + 1_000_000, limit_us)
            if not swarm.advance_quiet(halt_us):
                swarm.advance(halt_us)  # Where nothing happens, time stands; it has to go on all the same.
            self._tell(0, None)
            self._judge()
        if not swarm.quiet():
            self.warnings.append(f"not quiet after {QUIET_LIMIT_S:,.0f} s of virtual time: stopped there")
        self._judge()

    def report(self, edges: int, wall_s: float, series: bool) -> Report:
        """All that is to be told."""
        swarm, snapshot = self.swarm, self.swarm.snapshot()
        virtual_s = swarm.now_us / 1e6
        return Report(
            scenario=self.scenario,
            peers=swarm.peers,
            edges=edges,
            virtual_s=virtual_s,
            wall_s=wall_s,
            fingerprint=swarm.fingerprint(),
            totals=snapshot.totals,
            peers_by_state=_states(snapshot),
            success=swarm.success(0.0, virtual_s),
            expectations=tuple(
                self.checked.get(i) or check(swarm, expect) for i, expect in enumerate(self.scenario.expects)
            ),
            asks=tuple(swarm.asks()),
            labels=snapshot.fixed.labels,
            series=swarm.series() if series else None,
            warnings=(*swarm.warnings, *self.warnings),
        )

    def _judge(self) -> None:
        for i, expect in enumerate(self.scenario.expects):
            if i not in self.checked and self.swarm.now_us >= round(expect.known_at_s * 1e6):
                self.checked[i] = check(self.swarm, expect)

    def _tell(self, delivered: int, end_s: float | None) -> None:
        self.deliveries += delivered
        if self.machine is not None:
            self.machine.on_advanced()
        if self.progress is not None:
            self.progress(self.swarm.now_us / 1e6, end_s, self.deliveries)
        self.look()


def _states(snapshot: Snapshot) -> dict[str, int]:
    out = {name: int((snapshot.state == code).sum()) for code, name in enumerate(STATES)}
    out["censored"] = int((snapshot.censored & (snapshot.state == ALIVE)).sum())
    return out


# Recordings with their scenario: what was to be told and expected is written beside the run, and read back with it.

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
    """What came of running a recording again. `diverged` says, in a sentence, where it was another run, or is empty."""

    report: Report
    diverged: str


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
    machine.check_final_fingerprint()
    if recording.note:
        runner.warnings.append(recording.note)
    report = runner.report(edges, time.perf_counter() - begun_s, series)
    return Replayed(report, parted_sentence(machine.diverged, path))


def parted_sentence(diverged: tuple[int, int] | None, path: str) -> str:
    """Where a run was another one than its recording, for a person."""
    if diverged is None:
        return ""
    good, bad = (f"{at_us / 1e6:g} s" for at_us in diverged)
    return f'this is not the run that "{plain(path)}" recorded: they part between {good} and {bad}'
