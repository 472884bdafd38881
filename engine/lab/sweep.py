"""A resilience curve: how well a network answers against the share of its peers that an attack takes.

    kill:0:0.9:10      ten runs, with 0, 10, 20 ... 90 % of the peers killed; also leave and censor
    poison:0:0.9:10    the share that serves decoys
    collude:0:1:5      the share that enforces a ban on what users ask for; collude:blue train:0:1:5 names the word

Each point is a run of its own from the same setup. For ten seconds nothing is done to it. Then the attack takes a share
of the living users at once, drawn from the run's own stream; as with the selector `random`, infrastructure is spared.
From then until ten seconds before the end users ask, 200 times in all, evenly: living peers that the attack did not
take, as the question is whether the network still serves them. They ask for the texts of the scenario's asks, else for
titles by their popularity. Background asks are off.

The metric is success: the share of asks that had a hit. Under poison it is `genuine`, since a decoy is a hit as well
until it is opened: of the asks whose user opened something before the end of the run, the share that got the genuine
file, at any try. A longer run leaves more time for tries.

Runs are independent, so they are spread over all cores in fresh interpreters, unless all of them together take less
time than starting these. Each result depends on the seed alone, so the number of workers changes nothing. A run whose
process is killed is done again. A run that fails again, or is not done when a user interrupts, is missing from the
curve; the others are kept. With several repetitions, a point is the mean over the scenario's seed and those that
follow, with the least and the greatest value.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from typing import Any, TypeAlias

import numpy as np

from ..api import PeerId, words_of
from ..commands import AskFor, Censor, Collude, Command, Kill, Leave, Poison
from ..errors import InputError, SwarmError, nearest, plain
from ..files import pipe_contents, use_pipe_contents
from ..measure.snapshot import ALIVE
from ..options import as_number, as_whole
from ..registry import network
from ..sim.rng import Stream
from ..swarm import Swarm
from ..values import dataclass
from .check import check_names
from .export import csv_of
from .interrupts import Halted, interrupts_noted
from .scenario import SEED_MAX, Scenario
from .workers import spread

VERBS: dict[str, type[Any]] = {"kill": Kill, "leave": Leave, "censor": Censor, "collude": Collude, "poison": Poison}
SETTLE_S = 10.0
ANSWER_S = 10.0
LEAST_S = 25.0
"""A shorter run leaves no time to ask in."""
RUN_S = 60.0
ASKS = 200
STEPS_MAX = 1_000
WORKERS_A_CORE = 4
"""Most workers for each core: more would not be faster, and would take memory."""
START_S = 0.6
"""Processor seconds to start a worker (an interpreter, NumPy and this engine). Measured: 0.5 to 0.7."""
SHAPE = "VERB:FROM:TO:STEPS"

Progress: TypeAlias = Callable[[int, int], None]
"""Called with the number of runs done and of all runs."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """What is swept: `steps` shares from `low` to `high`, both included. `word` is for collude."""

    verb: str
    low: float
    high: float
    steps: int
    word: str = ""

    @property
    def shares(self) -> tuple[float, ...]:
        """The shares, ascending or descending as given. Rounded to 9 digits, so that 0.3 is not 0.30000000000000004."""
        if self.steps == 1:
            return (self.low,)
        step = (self.high - self.low) / (self.steps - 1)
        return tuple(round(self.low + step * k, 9) for k in range(self.steps))


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run. struck: peers that the attack took; success: share of the asks that had a hit in time; reach: mean
    share of the other living peers that a question reached; first_hit_s: median; messages: questions sent for an ask,
    mean; decoys: opened by users; genuine: of the asks whose user opened something the share that got the genuine file;
    largest_component: share of the living, at the end. None for what could not be measured."""

    share: float
    seed: int
    struck: int
    asks: int
    success: float | None
    reach: float | None
    first_hit_s: float | None
    first_hit_p95_s: float | None
    messages: float | None
    decoys: int
    genuine: float | None
    largest_component: float | None
    fingerprint: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Point:
    """One share: the mean, the least and the greatest value of the metric (`Curve.metric`) over its runs."""

    share: float
    value: float | None
    least: float | None
    most: float | None
    runs: tuple[Outcome, ...]

    def mean(self, name: str) -> float | None:
        """The mean of one figure over the runs that have it."""
        known = [float(value) for value in (getattr(run, name) for run in self.runs) if value is not None]
        return math.fsum(known) / len(known) if known else None


FIGURES = (
    "struck",
    "asks",
    "success",
    "reach",
    "first_hit_s",
    "first_hit_p95_s",
    "messages",
    "decoys",
    "genuine",
    "largest_component",
)


@dataclass(frozen=True, slots=True)
class Curve:
    """The result of a sweep. `metric` says what `value` of each point is: success; reach, where asks want no answers;
    genuine, under poison. `missing`: number of runs that are not in it, because they failed or a user interrupted;
    `lost`: a sentence for each run that failed."""

    scenario: Scenario
    sweep: Sweep
    metric: str
    points: tuple[Point, ...]
    missing: int = 0
    lost: tuple[str, ...] = ()

    warnings: tuple[str, ...] = ()
    """Warnings of the runs, each sentence once."""

    @property
    def done(self) -> int:
        """Runs that are in it."""
        return sum(len(point.runs) for point in self.points)

    def to_json(self) -> dict[str, Any]:
        """Plain values for `json.dumps`."""
        setup = self.scenario.setup
        return {
            "protocol": setup.protocol,
            "seed": setup.seed,
            "sweep": asdict(self.sweep),
            "metric": self.metric,
            "missing": self.missing,
            "lost": list(self.lost),
            "points": [
                {
                    "share": point.share,
                    "value": point.value,
                    "least": point.least,
                    "most": point.most,
                    **{name: point.mean(name) for name in FIGURES},
                    "runs": [{"seed": run.seed, "fingerprint": run.fingerprint} for run in point.runs],
                }
                for point in self.points
            ],
        }

    def to_csv(self) -> str:
        """A CSV table with all figures of each run, one a line."""
        names = ("share", "seed", *FIGURES, "fingerprint")
        return csv_of(names, ([getattr(run, name) for name in names] for point in self.points for run in point.runs))


def parse_sweep(text: str, where: str = "--sweep") -> Sweep:
    """Read `kill:0:0.9:10` or `collude:blue train:0:1:5`. Raises InputError."""
    verb, *rest = text.split(":")
    if verb not in VERBS:
        raise InputError(f'{where}: "{plain(verb)}" cannot be swept{nearest(verb, VERBS)}')
    word = rest.pop(0) if verb == "collude" and len(rest) == 4 else ""
    if len(rest) != 3:
        shape = "collude[:WORD]:FROM:TO:STEPS" if verb == "collude" else SHAPE
        raise InputError(f'{where}: "{plain(text)}" should be {shape}, as in {verb}:0:0.9:10')
    if word and not words_of(word):
        raise InputError(f'{where}: "{plain(word)}" is no word that could be banned')
    low = as_number(rest[0], f"{where}: FROM", 0, 1, texts=True)
    high = as_number(rest[1], f"{where}: TO", 0, 1, texts=True)
    return Sweep(verb, low, high, as_whole(rest[2], f"{where}: STEPS", 1, STEPS_MAX, texts=True), word)


def sweep(
    scenario: Scenario,
    plan: Sweep,
    *,
    until_s: float | None = None,
    repeat: int = 1,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Curve:
    """Run every point of a sweep, in at most `workers` processes; by default as many as there are cores.

    Raises InputError for a setup that is wrong or a run too short to ask in, SweepHalted with the runs that are done
    when a user interrupts, and, if no run could be done, what the first of them raised (PeerFailed for a fault in a
    protocol's code). If some could, `Curve.lost` has the errors of the others.
    """
    end_s = RUN_S if until_s is None else until_s
    if end_s < LEAST_S:
        raise InputError(f"a sweep needs runs of at least {LEAST_S:g} s, not {end_s:g}")
    seed = scenario.setup.seed
    if seed + repeat - 1 > SEED_MAX:
        raise InputError(f"--repeat: the seeds that follow {seed} end at {SEED_MAX}")
    swarm = Swarm(scenario.setup)
    check_names(swarm)
    if plan.verb == "poison":
        swarm.do(Poison("all"))
    jobs = [(scenario, plan, share, seed + k, end_s) for share in plan.shares for k in range(repeat)]
    done: dict[int, Outcome] = {}
    lost: dict[int, Exception] = {}
    halted: Halted | None = None
    tell = progress or (lambda done, there: None)
    try:
        with interrupts_noted() as look, closing(_all(jobs, workers, look)) as runs:
            tell(0, len(jobs))
            for number, what in runs:
                if isinstance(what, Outcome):
                    done[number] = what
                else:
                    lost[number] = what
                tell(len(done) + len(lost), len(jobs))
    except Halted as error:
        halted = error
    if lost and not done and halted is None:
        first = lost[min(lost)]
        raise first if isinstance(first, SwarmError) and len(jobs) == 1 else _lost(jobs[min(lost)], first)
    sentences = tuple(str(_lost(jobs[number], lost[number])) for number in sorted(lost))
    curve = _curve(scenario, plan, repeat, done, sentences, swarm.warnings)
    if halted is not None:
        raise SweepHalted(halted.number, curve)
    return curve


class SweepHalted(Halted):
    """A signal ended a sweep. `curve` has the runs that were done."""

    def __init__(self, number: int, curve: Curve, said: str = "") -> None:
        super().__init__(number, said)
        self.curve = curve


def _curve(
    scenario: Scenario,
    plan: Sweep,
    repeat: int,
    done: dict[int, Outcome],
    lost: tuple[str, ...],
    warnings: tuple[str, ...],
) -> Curve:
    answered = network(scenario.setup.protocol).goals[0].sought == "answer"
    metric = "success" if answered and any(run.success is not None for run in done.values()) else "reach"
    if plan.verb == "poison":
        metric = "genuine"
    points = []
    for at, share in enumerate(plan.shares):
        runs = tuple(done[number] for number in range(at * repeat, (at + 1) * repeat) if number in done)
        known = [value for value in (getattr(run, metric) for run in runs) if value is not None]
        mean = math.fsum(known) / len(known) if known else None
        points.append(Point(share, mean, min(known, default=None), max(known, default=None), runs))
    sentences = dict.fromkeys([*warnings, *(said for run in done.values() for said in run.warnings)])
    return Curve(scenario, plan, metric, tuple(points), len(points) * repeat - len(done), lost, tuple(sentences))


Job: TypeAlias = tuple[Scenario, Sweep, float, int, float]


def _lost(job: Job, error: Exception) -> SwarmError:
    """An error that names the run. InputError stays InputError; all others become SwarmError."""
    _, plan, share, seed, _ = job
    why = str(error) if isinstance(error, SwarmError) else f"{type(error).__name__}: {error}"
    kind = InputError if isinstance(error, InputError) else SwarmError
    return kind(f"{plan.verb} {share:.1%}, seed {seed}: this run could not be done: {plain(why, limit=300)}")


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _all(
    jobs: Sequence[Job], wanted: int | None, look: Callable[[], None]
) -> Generator[tuple[int, Outcome | Exception], None, None]:
    """The number of each job with its result or error, in the order in which they finish. wanted: number of workers,
    None for one a core. `look` is called several times a second."""
    workers = min(wanted or cores(), WORKERS_A_CORE * cores(), len(jobs))
    begun_s = time.process_time()

    def worth(done: int, left: int) -> bool:
        """Whether workers would save more time than they cost, judged by the `done` runs so far."""
        took_s = time.process_time() - begun_s
        return workers > 1 and took_s / done * left * (1 - 1 / workers) > START_S

    def look_at_first() -> None:
        look()
        if time.process_time() - begun_s > START_S and worth(1, len(jobs)):
            raise _TooLongError

    for number, job in enumerate(jobs):
        if number and worth(number, len(jobs) - number):
            rest = range(number, len(jobs))
            break
        try:
            what: Outcome | Exception = one(*job, look=look if number else look_at_first)
        except _TooLongError:
            rest = range(len(jobs))
            break
        except Exception as error:
            what = error
        yield number, what
    else:
        return
    calls = [(pipe_contents(), jobs[number]) for number in rest]
    with closing(spread(_in_worker, calls, min(workers, len(rest)), look)) as done:
        for number, what in done:
            yield rest[number], what


def _in_worker(contents: dict[str, list[bytes]], job: Job) -> Outcome:
    """A worker cannot read the pipes of this process, so it gets their `contents`."""
    use_pipe_contents(contents)
    return one(*job)


class _TooLongError(Exception):
    """The first run takes longer than a worker takes to start."""


def one(
    scenario: Scenario,
    plan: Sweep,
    share: float,
    seed: int,
    end_s: float,
    look: Callable[[], None] = lambda: None,
) -> Outcome:
    """One run of a sweep. `look` is called before each ask; what it raises ends the run."""
    swarm = Swarm(replace(scenario.setup, seed=seed, asks_per_s=0.0))
    rng = Stream(f"{seed}/sweep")
    texts = [text for text, _, _ in scenario.asks] or ([plan.word] if plan.word else [])
    goal = next((goal for _, _, goal in scenario.asks), "") or None
    word = plan.word or next(iter(texts or swarm.catalogue_titles(1)), "")
    if plan.verb == "collude" and not texts:
        texts = [word]
    swarm.advance(round(SETTLE_S * 1e6))
    struck: tuple[PeerId, ...] = ()
    if share > 0:
        whom = f"random {share * 100:.7f}%"
        struck = swarm.do(_command(plan, whom, word), by="scenario")
    spared = np.ones(len(swarm.labels), np.bool_)
    spared[list(struck)] = False
    first = len(swarm.asks())
    for number in range(ASKS):
        look()
        swarm.advance(round((SETTLE_S + (end_s - ANSWER_S - SETTLE_S) * (number + 1) / ASKS) * 1e6))
        able = np.flatnonzero((swarm.simulation.state == ALIVE) & ~swarm.simulation.infrastructure & spared)
        # Drawn for every ask, whether or not a peer can ask, so that later draws stay the same.
        at, drawn = rng.random(), swarm.world.catalogue.sample_title(rng)
        if len(able):
            text = texts[number % len(texts)] if texts else drawn
            swarm.do(AskFor(int(able[int(at * len(able))]), text, goal), by="scenario")
    swarm.advance(round(end_s * 1e6))
    return _outcome(swarm, share, seed, len(struck), first)


def _command(plan: Sweep, whom: str, word: str) -> Command:
    made: Command = Collude(whom, word) if plan.verb == "collude" else VERBS[plan.verb](whom)
    return made


def _outcome(swarm: Swarm, share: float, seed: int, struck: int, first: int) -> Outcome:
    rows = swarm.asks()[first:]
    opened = [row for row in rows if row.decoys or row.fetched]
    fared = swarm.asked(SETTLE_S, swarm.now_us / 1e6)
    snapshot = swarm.snapshot()
    others = int(((snapshot.state == ALIVE) & ~snapshot.fixed.infrastructure).sum()) - 1
    parts = snapshot.series.columns["largest_component"]
    largest = float(parts[-1]) if len(parts) and not math.isnan(parts[-1]) else None
    return Outcome(
        share=share,
        seed=seed,
        struck=struck,
        asks=len(rows),
        success=fared.success,
        reach=min(1.0, fared.reach / others) if fared.reach is not None and others > 0 else None,
        first_hit_s=fared.first_hit_s,
        first_hit_p95_s=fared.first_hit_p95_s,
        messages=sum(row.messages for row in rows) / len(rows) if rows else None,
        decoys=sum(row.decoys for row in rows),
        genuine=sum(row.fetched > 0 for row in opened) / len(opened) if opened else None,
        largest_component=largest,
        fingerprint=swarm.fingerprint(),
        warnings=swarm.warnings,
    )
