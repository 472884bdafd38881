"""Runs without a screen: `run` runs a scenario, `replay` a recording; both check expectations and give a `Report`.

`Report.to_json` is what `swarmtop run --json` prints, `Report.text` is for reading. Two reports of the same setup are
equal in every key except `wall_s`, `cpu_s` and `deliveries_per_s`: these measure the machine, while the swarm runs, and
not while it is built.

The swarm is advanced in slices of deliveries, so that progress can be shown and a user can interrupt. Slices change
nothing in a run. The clock is read here only to measure the run; the engine gets no time from it.
"""

from __future__ import annotations

import signal
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Literal, TypeAlias

from ..commands import AskFor
from ..errors import InputError, plain
from ..measure.snapshot import ALIVE, SPREAD, STATES, AskRow, Series, Snapshot, Totals
from ..record.file import Recording, read
from ..record.time_machine import TimeMachine
from ..swarm import Swarm
from ..values import dataclass
from .check import Checked, check, check_names, follow
from .export import series_pairs
from .interrupts import WORDS, Halted, Interrupted, interrupts_noted
from .scenario import Scenario, scenario_of, story_of

Until: TypeAlias = float | Literal["quiet"] | None
Progress: TypeAlias = Callable[[float, float | None, int], None]
"""Called after each slice with the virtual time in s, the end in s (None: not known), and the deliveries so far."""

SLICE = 20_000
"""Deliveries of a slice: some tenths of a second."""

QUIET_LIMIT_S = 3600.0
"""Virtual time after which `--until quiet` gives up."""

UNDER_WAY = "Still under way."
"""Shown in place of the verdict for an ask that is not over."""


@dataclass(frozen=True, slots=True)
class Report:
    """The results of a run. `peers` counts the peers that were asked for, or those of a topology file; `peers_by_state`
    counts infrastructure as well, so that it shows a dead index. `success`: share of the asks that had a hit in time,
    or None. `edges`: links at the start. `warnings` are sentences."""

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
    cpu_s: float = 0.0
    """Processor time of this process while the swarm ran."""

    @property
    def ok(self) -> bool:
        """Whether no expectation failed."""
        return all(c.held is not False for c in self.expectations)

    @property
    def deliveries_per_s(self) -> float:
        """Deliveries a second of wall time."""
        return self.totals.delivered / self.wall_s if self.wall_s > 0 else 0.0

    def to_json(self, *, series: bool = True) -> dict[str, Any]:
        """Plain values for `json.dumps`, with the samples over time if there are any and `series` is true. What could
        not be measured is None; nothing is NaN."""
        setup, totals = self.scenario.setup, self.totals
        out: dict[str, Any] = {
            "protocol": setup.protocol,
            "seed": setup.seed,
            "peers": self.peers,
            "edges": self.edges,
            "virtual_s": self.virtual_s,
            "wall_s": round(self.wall_s, 6),
            "cpu_s": round(self.cpu_s, 6),
            "deliveries": totals.delivered,
            "deliveries_per_s": round(self.deliveries_per_s, 1),
            "fingerprint": self.fingerprint,
            "version": version(),
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
            "goal": row.goal,
            "from": self.labels[row.origin],
            "text": row.text,
            "reached": row.reached,
            "messages": row.messages,
            "bytes": row.bytes,
            "duplicates": row.duplicates,
            "hits": row.hits,
            "answerers": row.answerers,
            "progress": [row.done, row.of] if row.of else None,
            "decoys": row.decoys,
            "fetched": row.fetched,
            "first_hit_s": None if row.first_hit_us is None else row.first_hit_us / 1e6,
            "hops": row.hops,
            "lost": row.lost,
            **(
                {
                    "spread_s": {
                        str(percent): None if at_us is None else at_us / 1e6
                        for percent, at_us in zip(SPREAD, row.spread_us, strict=True)
                    }
                }
                if row.spread_us
                else {}
            ),
            **({"remarks": {key: list(values) for key, values in row.remarks.items()}} if row.remarks else {}),
            "verdict": row.verdict,
        }

    def text(self) -> str:
        """The report for reading, aligned, without a last newline."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        setup, totals, states = self.scenario.setup, self.totals, self.peers_by_state
        yield f"{self.scenario.title}  ({setup.protocol}, {self.peers:,} peers, seed {setup.seed})"
        yield ""
        ranked = sorted(totals.by_kind.items(), key=lambda kn: (-kn[1], kn[0]))
        kinds = ", ".join(f"{kind} {n:,}" for kind, n in ranked if n)
        malformed = "; ".join(why for _, why in sorted(totals.malformed.items()))
        drops = ", ".join(
            f"{why} {n:,}{f' ({malformed})' if why == 'malformed' else ''}"
            for why, n in sorted(totals.dropped_by.items())
        )
        within = self.scenario.success_within(row.goal for row in self.asks if row.by != "network")
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
            ("answered", "-" if self.success is None else f"{self.success:.1%} {within}"),
            *(
                [("stray hits", f"{totals.stray_hits:,}, which belong to no ask of the peer that reported them")]
                if totals.stray_hits
                else []
            ),
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
        if self.expectations or self.scenario.captions:
            yield ""
            yield "  What came of it"
            for sentence in self.outcome():
                yield from textwrap.wrap(sentence, 100, initial_indent="  ", subsequent_indent="    ")

    def outcome(self) -> list[str]:
        """What came of a story, in plain sentences: the measured value of each expectation in the order of time, the
        state at the end, the last ask, and whether it went as the scenario expects."""
        sentences = [c.told() for c in sorted(self.expectations, key=lambda c: (c.expect.from_s, c.expect.to_s))]
        states = ", ".join(f"{n:,} {state}" for state, n in self.peers_by_state.items() if n)
        sentences.append(f"At the end, at {self.virtual_s:g} s: {states or 'no peer is left'}.")
        if self.asks:
            last = self.asks[-1]
            by = plain(self.labels[last.origin], 20)
            sentences.append(f"The last ask, “{plain(last.text, 40)}” by {by}: {last.verdict or UNDER_WAY}")
        failed = sum(c.held is False for c in self.expectations)
        waiting = sum(c.held is None for c in self.expectations)
        if failed:
            sentences.append(
                f"{failed} of {len(self.expectations)} expectations failed: it went otherwise than expected."
            )
        elif waiting:
            sentences.append(
                f"{waiting} of {len(self.expectations)} expectations were not reached: the run ended before."
            )
        elif self.expectations:
            all_ = "The expectation" if len(self.expectations) == 1 else f"All {len(self.expectations)} expectations"
            sentences.append(f"{all_} held: it went as the scenario expects.")
        return sentences

    def _ask_lines(self, limit: int = 20) -> Iterator[str]:
        heads = f"{'ask':>4} {'from':<10} {'wanted':<24} {'reached':>8} {'messages':>9} {'hits':>5} {'first':>9}"
        yield f"  {heads}  verdict"
        for row in self.asks[:limit]:
            first = "" if row.first_hit_us is None else f"{row.first_hit_us / 1e6:.3f} s"
            yield (
                f"  {row.id:>4} {plain(self.labels[row.origin], 10):<10} {plain(row.text, 24):<24} {row.reached:>8,} "
                f"{row.messages:>9,} {row.hits:>5,} {first:>9}  {row.verdict or UNDER_WAY}"
            )
        if len(self.asks) > limit:
            yield f"  and {len(self.asks) - limit:,} more (--json tells all)"


def run(
    scenario: Scenario,
    *,
    until: Until = None,
    series: bool = False,
    progress: Progress | None = None,
    record: str | None = None,
    at_end: Callable[[Swarm], None] | None = None,
) -> Report:
    """Run a scenario to its end and check it.

    until     virtual seconds; "quiet": the instant at which the last ask closes, upkeep not counted; None: the
              scenario's own end (`Scenario.end_s`)
    series    whether the report carries the samples over time
    progress  called after each slice
    record    a file to write the run into while it goes on, see `engine.record`
    at_end    called with the swarm when the run is over

    Raises InputError for a setup or command that is wrong, PeerFailed if a protocol's own code raised, and
    KeyboardInterrupt, with the virtual time in its text, when a user interrupts.
    """
    swarm = Swarm(scenario.setup)
    check_names(swarm)
    _follow(swarm, scenario, series)
    edges = len(swarm.snapshot().links.a)
    machine = TimeMachine(swarm) if record is not None else None
    if machine is not None and record is not None:
        machine.record(record, story_of(scenario), time.monotonic)
    runner = Runner(swarm, scenario, progress, machine)
    begun_s, cpu_s = time.perf_counter(), time.process_time()
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
    wall_s, cpu_s = time.perf_counter() - begun_s, time.process_time() - cpu_s
    if at_end is not None:
        at_end(swarm)
    return replace(runner.report(edges, wall_s, series), cpu_s=cpu_s)


def _follow(swarm: Swarm, scenario: Scenario, series: bool) -> None:
    """Begin the series of shown columns at t = 0: of the columns that expectations name; with `series` also of all
    columns, and of roles if they can change."""
    follow(swarm, scenario.expects)
    if series:
        swarm.follow_all()


def version() -> str:
    """The version of swarmtop that is installed, or "unknown" for one that runs from its source."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("swarmtop")
    except PackageNotFoundError:
        return "unknown"


def report_of(swarm: Swarm, scenario: Scenario, wall_s: float, series: bool = False) -> Report:
    """The report of a swarm that was advanced elsewhere (the dashboard does), at its present time."""
    return Runner(swarm, scenario, None).report(swarm.edges, wall_s, series)


class Runner:
    """Advances a swarm, stopping where an expectation can be judged, and makes the report.

    With a time machine the swarm is advanced by that: it records the run, or gives the commands of a recording.
    """

    def __init__(
        self, swarm: Swarm, scenario: Scenario, progress: Progress | None, machine: TimeMachine | None = None
    ) -> None:
        self.swarm = swarm
        self.machine = machine
        self.scenario = scenario
        self.progress = progress
        self.deliveries = 0
        self.warnings: list[str] = []
        # In a long run samples are merged into means, so each expectation is judged as soon as its window is over.
        self.windows = sorted({round(e.known_at_s * 1e6) for e in scenario.expects})
        self.checked: dict[int, Checked] = {}
        self.look: Callable[[], None] = lambda: None
        """Called between slices; raises when a user has interrupted."""

    def to(self, end_us: int) -> None:
        """Advance to a time, stopping where an expectation can be judged."""
        for halt_us in [w for w in self.windows if self.swarm.now_us < w < end_us] + [end_us]:
            while self.swarm.now_us < halt_us:
                self._tell((self.machine or self.swarm).advance(halt_us, SLICE), end_us / 1e6)
            # The slice may have ended within the last instant: the rest of it, and commands that are due then.
            self._tell((self.machine or self.swarm).advance(halt_us), end_us / 1e6)
            self._judge()

    def to_quiet(self) -> None:
        """Advance to the instant at which the last ask closes, asks of the schedule included."""
        swarm, setup = self.swarm, self.scenario.setup
        limit_us = round(QUIET_LIMIT_S * 1e6)
        planned = [at_us for at_us, command in setup.schedule if isinstance(command, AskFor)]
        if not planned and setup.asks_per_s <= 0:
            raise InputError("--until quiet: nothing is ever asked in this run, so it has no end; --ask asks")
        swarm.advance(0)
        self.to(max(planned, default=0))
        # Before the first background ask every swarm is quiet: wait for one.
        while not swarm.asks() and swarm.now_us < limit_us:
            self._tell(swarm.advance(swarm.now_us + 1_000_000), None)
        while not swarm.quiet() and swarm.now_us < limit_us:
            halt_us = min(swarm.now_us + 1_000_000, limit_us)
            if not swarm.advance_quiet(halt_us):
                swarm.advance(halt_us)  # Without deliveries `advance_quiet` does not move time.
            self._tell(0, None)
            self._judge()
        if not swarm.quiet():
            self.warnings.append(f"not quiet after {QUIET_LIMIT_S:,.0f} s of virtual time: stopped there")
        self._judge()

    def report(self, edges: int, wall_s: float, series: bool) -> Report:
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


def load_recording(path: str) -> tuple[Scenario, Recording]:
    """The scenario and the recording in a file. Raises InputError, in one sentence, for a file that is no recording."""
    recording = read(path)
    return scenario_of(recording, path), recording


@dataclass(frozen=True, slots=True)
class Replayed:
    """The result of running a recording again. `diverged` says, in a sentence, where it differed, or is empty."""

    report: Report
    diverged: str


def replay(path: str, *, series: bool = False, progress: Progress | None = None) -> Replayed:
    """Run a recording again, to its end. Raises InputError for a file that is no recording, and as `run` does."""
    scenario, recording = load_recording(path)
    machine = TimeMachine(Swarm(recording.setup, world=recording.world), recording=recording)
    _follow(machine.swarm, scenario, series)
    runner = Runner(machine.swarm, scenario, progress, machine)
    edges = machine.swarm.edges
    begun_s, cpu_s = time.perf_counter(), time.process_time()
    try:
        runner.to(recording.end_us)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"interrupted at {machine.now_us / 1e6:.3f} s of virtual time") from None
    machine.check_final_fingerprint()
    if recording.note:
        runner.warnings.append(recording.note)
    cpu_s = time.process_time() - cpu_s
    report = replace(runner.report(edges, time.perf_counter() - begun_s, series), cpu_s=cpu_s)
    return Replayed(report, parted_sentence(machine.diverged, path))


def parted_sentence(diverged: tuple[int, int] | None, path: str) -> str:
    """A sentence that says between which times a run began to differ from its recording `path`; empty if it did not."""
    if diverged is None:
        return ""
    good, bad = (f"{at_us / 1e6:g} s" for at_us in diverged)
    return f'this is not the run that "{plain(path)}" recorded: they part between {good} and {bad}'
