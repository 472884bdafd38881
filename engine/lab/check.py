"""Expectations of a scenario, and whether a run meets them. Used by `swarmtop run` and by the dashboard.

An expectation holds, does not hold, or was not reached because the run ended before the end of its window. An
expectation for a window in which nothing could be measured (there was no ask) does not hold.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..api import Peer
from ..commands import Arrive, Attack
from ..errors import InputError, nearest, plain
from ..measure.shown import ROLE, ShownReader, split_metric
from ..measure.snapshot import AskRow
from ..programs import components_of
from ..rules import may_give_other_roles
from ..values import dataclass

if TYPE_CHECKING:
    from ..swarm import Swarm

METRICS: dict[str, str] = {
    "success": "share of the asks issued in the window that had a hit in the time of their goal (10 s in most "
    "networks), 0 to 1; a broadcast counts with the share of its audience that it reached by then",
    "alive": "peers alive, mean over the window",
    "censored": "peers alive and censored, mean over the window",
    "messages_per_s": "messages sent a second, mean over the window",
    "bytes_per_s": "bytes sent a second, mean over the window",
    "duplicates_per_s": "deliveries without anything new for their receiver, a second, mean over the window",
    "dropped_per_s": "messages dropped a second, mean over the window",
    "decoys_per_s": "decoys that users noticed, a second, mean over the window",
    "first_hit_s": "time to the first hit of the asks issued in the window, median of those that had one",
    "first_hit_p95_s": "the same, 95th percentile",
    "reach": "peers that a question reached, mean of the asks issued in the window",
    "load_max": "messages to the busiest living peer divided by the mean, mean over the window",
    "load_gini": "Gini coefficient of the load of living peers, 0 (even) to 1, mean over the window",
    "components": "connected components of the living peers, mean over the window",
    "largest_component": "share of the living peers that are in the largest component, mean over the window",
    "belief_error": "share of the peers known to living peers that are dead or have left, mean over the window",
}
OF_SHOWN: dict[str, str] = {
    "COLUMN": "a column that the network shows, mean of the living users and over the window; a share is 0 to 1",
    "COLUMN.VALUE": "living users with this value in a category that the network shows, mean over the window",
    "role.ROLE": "living users with this role, mean over the window",
    "remark.KEY.VALUES": "share of the asks issued in the window that have just these values of a remark, as "
    "`remark.watcher.client + page`, 0 to 1",
    "askers.KEY.VALUES": "the same of the peers that asked in the window: share of those with at least one such ask",
}
"""Further metrics, of columns that a network shows, of its roles, and of what peers remarked of asks."""
OF_REMARKS = ("remark", "askers")
OUTCOMES: dict[str, str] = {
    "success": "{} of the asks were answered in time",
    "alive": "{} peers were alive on average",
    "censored": "{} peers were censored on average",
    "messages_per_s": "{} messages were sent a second",
    "bytes_per_s": "{} bytes were sent a second",
    "duplicates_per_s": "{} deliveries a second told their receiver nothing new",
    "dropped_per_s": "{} messages were dropped a second",
    "decoys_per_s": "users noticed {} decoys a second",
    "first_hit_s": "the first hit came after {} s (median)",
    "first_hit_p95_s": "the first hit came after {} s (95th percentile)",
    "reach": "a question reached {} peers on average",
    "load_max": "the busiest peer got {} times the mean number of messages",
    "load_gini": "the Gini coefficient of the load was {}",
    "components": "the living peers were in {} connected parts on average",
    "largest_component": "{} of the living peers were in the largest part",
    "belief_error": "{} of the peers that living peers know were dead or had left",
}
"""Each metric as part of a sentence, with its value."""
SHOWN: dict[str, str] = dict.fromkeys(("success", "largest_component", "belief_error"), "{:.1%}")
"""How a value is written where it is a share."""
OF_ASKS = ("success", "first_hit_s", "first_hit_p95_s", "reach")
"""Metrics that are measured on the asks of the window, not on samples."""

ANSWER_WINDOW_S = 10.0
"""Virtual s after a window in which the asks of its last instant may still be answered; its expectations on asks are
checked then. Of a goal with a longer `success_s`, asks that are neither answered nor closed by then are left out."""

ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Expect:
    """The expectation that `metric`, measured from `from_s` to `to_s` (virtual s), is in min..max, both included;
    either limit may be None. `METRICS` lists the metrics with their units."""

    metric: str
    from_s: float
    to_s: float
    min: float | None = None
    max: float | None = None

    @property
    def known_at_s(self) -> float:
        """Virtual time in s from which it can be checked: asks of the last instant of the window have had time for an
        answer."""
        return self.to_s + (ANSWER_WINDOW_S if self.metric in OF_ASKS or _of_remark(self.metric) else 0.0)

    def bounds(self, form: str = "{:g}") -> str:
        """What is allowed: `at least 3 and at most 5`, each number written by `form`."""
        bounds = [f"at least {form.format(self.min)}"] if self.min is not None else []
        bounds += [f"at most {form.format(self.max)}"] if self.max is not None else []
        return " and ".join(bounds)

    def sentence(self) -> str:
        """In words: `success from 35 to 60 s: at most 0`."""
        return f"{self.metric} from {self.from_s:g} to {self.to_s:g} s: {self.bounds()}"


@dataclass(frozen=True, slots=True)
class Checked:
    """An expectation with its result: the measured value (None: nothing was measured), and whether it held (None: the
    run ended before its window did)."""

    expect: Expect
    value: float | None
    held: bool | None

    def told(self) -> str:
        """A sentence on what was measured, and whether it is as expected."""
        expect = self.expect
        window = f"From {expect.from_s:g} to {expect.to_s:g} s"
        if self.held is None:
            return f"{window}: not reached, the run ended before."
        bounds = expect.bounds(SHOWN.get(expect.metric, "{:.4g}"))
        held = "as expected" if self.held else "not as expected"
        if self.value is None:
            about = METRICS.get(expect.metric, expect.metric)
            return f"{window} nothing could be measured ({about.split(',')[0]}); {held}: {bounds}."
        if remark := _of_remark(expect.metric):
            whose, key, values = remark
            those = "asks have" if whose == "remark" else "peers that asked have an ask with"
            of = f"{self.value:.1%} of the {those} the remark {key}: {values}"
            return f"{window} {of}; {held}: {expect.bounds('{:.1%}')}."
        value = SHOWN.get(expect.metric, "{:.4g}").format(self.value)
        outcome = OUTCOMES.get(expect.metric, f"{expect.metric} was {{}} on average")
        return f"{window} {outcome.format(value)}; {held}: {bounds}."


def check(swarm: Swarm, expect: Expect) -> Checked:
    """Check an expectation against a swarm at its present virtual time. `held` is None before the end of the window."""
    if swarm.now_us < round(expect.to_s * 1e6):
        return Checked(expect, None, None)
    value = measure(swarm, expect.metric, expect.from_s, expect.to_s)
    return Checked(expect, value, _within(value, expect))


def check_metric(metric: str, programs: Iterable[type[Peer]], where: str) -> None:
    """Raise InputError unless a network of these programs has a metric of that name."""
    if metric in METRICS:
        return
    programs = tuple(programs)
    if remark := _of_remark(metric):
        _check_remark(remark[1], programs, where)
        return
    roles = dict.fromkeys(role for program in programs for role in (program.role, *program.roles))
    columns = {ROLE.name: replace(ROLE, values=tuple(roles))} | ShownReader(programs).columns
    split = split_metric(metric, columns)
    values = {name: one.values for name, one in columns.items() if one.kind == "category"}
    if split is None:
        known = [name for name in columns if name not in values]
        known += [f"{name}.{value}" for name, some in values.items() for value in some or ("VALUE",)]
        raise InputError(f'{where}: no metric is called "{plain(metric, 60)}"{nearest(metric, (*METRICS, *known))}')
    name, value = split
    # A protocol may give a role that it does not list.
    if values.get(name) and value not in values[name] and name != ROLE.name:
        raise InputError(f'{where}: no {name} is called "{plain(value, 60)}"{nearest(value, values[name])}')


def _check_remark(key: str, programs: Sequence[type[Peer]], where: str) -> None:
    """Raise InputError unless a network of these programs makes remarks under this key."""
    classes = (part for program in programs for part in (program, *components_of(program).values()))
    keys = dict.fromkeys(known for one in classes for known in one.remark_keys)
    if key not in keys:
        tail = nearest(key, keys) if keys else ": it remarks nothing of asks"
        raise InputError(f'{where}: this network makes no remark called "{plain(key, 60)}"{tail}')


def follow(swarm: Swarm, expects: Iterable[Expect]) -> None:
    """Begin the series of the shown columns that these expectations name; to be called at t = 0. Columns that this
    swarm does not show are ignored, since with other options there may be other programs."""
    if names := [expect.metric for expect in expects if expect.metric not in METRICS and not _of_remark(expect.metric)]:
        swarm.follow(names, strict=False)


def check_names(swarm: Swarm) -> None:
    """Raise InputError if a command of the schedule names peers or an operator that this swarm does not have.

    At the time of such a command the swarm only notes the error, and the run goes on; here a mistyped name is reported
    before the run. New peers have names of their own, so commands after the first arrival are not checked. A role that
    this swarm does not have is no error where the network may give roles that it does not list. The swarm is not
    changed.
    """
    from ..analysis.selectors import UnknownRoleError  # a run without commands does without the parser

    fixed = swarm.snapshot().fixed
    grows = swarm.setup.arrivals.law != "none"
    for at_us, command in swarm.setup.schedule:
        where = f"at {at_us / 1e6:g} s, {command.verb}"
        peers, operator = getattr(command, "peers", None), getattr(command, "operator", None)
        if isinstance(command, Arrive | Attack):
            grows = True
        if grows:
            continue
        try:
            if isinstance(peers, str):
                swarm.select(peers)
        except UnknownRoleError as error:
            if not may_give_other_roles(swarm.simulation.all_programs, swarm.columns.known_roles()):
                raise InputError(f"{where}: {error}") from None
        except InputError as error:
            raise InputError(f"{where}: {error}") from None
        if isinstance(peers, int) and not 0 <= peers < len(fixed.labels):
            raise InputError(f"{where}: there is no peer #{plain(peers, 20)}: they are #0 to #{len(fixed.labels) - 1}")
        known = {name for name in fixed.operator if name}
        if operator is not None and operator not in known:
            raise InputError(
                f'{where}: no peer is run by an operator called "{plain(operator)}"{nearest(operator, known)}'
            )


def measure(swarm: Swarm, metric: str, from_s: float, to_s: float) -> float | None:
    """The value of a metric over a window of virtual time; None when there was nothing to measure."""
    if metric == "success":
        return swarm.success(from_s, to_s)
    if metric in OF_ASKS:
        value: float | None = getattr(swarm.asked(from_s, to_s), metric)
        return value
    if remark := _of_remark(metric):
        return _remarked(swarm.asks(), *remark, (from_s * 1e6, to_s * 1e6))
    series = swarm.series()
    column = series.columns.get(metric)
    if column is None:
        return None
    pairs = zip(series.t_s.tolist(), column.tolist(), strict=True)
    inside = [float(v) for t, v in pairs if from_s <= t <= to_s and not math.isnan(v)]
    return math.fsum(inside) / len(inside) if inside else None


def _of_remark(metric: str) -> tuple[str, str, str] | None:
    """(`remark` or `askers`, key, values) of a metric of remarks; None for another metric."""
    whose, _, rest = metric.partition(".")
    key, _, values = rest.partition(".")
    return (whose, key, values) if whose in OF_REMARKS and key and values else None


def _remarked(asks: Iterable[AskRow], whose: str, key: str, values: str, span: tuple[float, float]) -> float | None:
    """The share of the asks of a time span, or of their askers, that have these values of a remark."""
    those = [one for one in asks if span[0] <= one.issued_us <= span[1]]
    wanted = tuple(sorted(values.split(" + ")))
    have = [one for one in those if one.remarks.get(key, ()) == wanted]
    if whose == "askers":
        askers = len(dict.fromkeys(one.origin for one in those))
        return len(dict.fromkeys(one.origin for one in have)) / askers if askers else None
    return len(have) / len(those) if those else None


def _within(value: float | None, expect: Expect) -> bool:
    if value is None:
        return False
    low = -math.inf if expect.min is None else expect.min
    high = math.inf if expect.max is None else expect.max
    return low - ROUNDING <= value <= high + ROUNDING
