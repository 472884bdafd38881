"""Figures of volunteer computing against closed forms. Run by hand: `python tests/bench/bench_volunteer.py`.

Wrong work units against 3 e^2 - 2 e^3 (BOINC's quorum of two: the first two that agree win), results a work unit
against (2 + 2 e (1 - e)) / (1 - p) without and with a limit of results, work units that fail because of the limit,
what a trusted cheat passes against r (1 - 1/n), and what a month of 10,000 hosts takes (`month`; alone: with the
argument `month`). Times are processor time.
"""

from __future__ import annotations

import math
import resource
import sys
import time
from typing import Any, NamedTuple

from engine import Act, AskFor, Setup, Swarm
from engine.protocols.volunteer import Volunteer
from engine.protocols.volunteer.project import Database, Project

SECOND = 1_000_000
MONTH_DAYS = 30


class Outcomes(NamedTuple):
    """Work units that are done and that failed, wrong ones of the former, and results sent for all."""

    done: int
    failed: int
    wrong: int
    sent: int

    @property
    def results(self) -> float:
        """Results a work unit."""
        return self.sent / (self.done + self.failed)


def database(swarm: Swarm) -> Database:
    """What the project of a swarm has on disk."""
    project = swarm.peer(swarm.peers)
    assert isinstance(project, Project)
    return project.db


def computed(units: int, hosts: int = 100, seed: int = 1, cheats: float = 0.0, **options: Any) -> Outcomes:
    """One batch of so many work units, to its end. cheats: share of hosts that return the same wrong answer."""
    limits = {"max_total": 100, "max_success": 100, "max_errors": 100, "patience_days": 1_000.0, "deadline_days": 3.0}
    values: dict[str, Any] = {**limits, "batch_units": units, "units_most": units, "extra_days": 0.2, **options}
    swarm = Swarm(Setup(protocol="volunteer", peers=hosts, seed=seed, asks_per_s=0.0, sample_s=60.0, options=values))
    if cheats:
        swarm.do(Act(f"random {round(cheats * hosts)}", "cheat"))
    swarm.do(AskFor("project", "tape"))
    swarm.advance_quiet(10**12)
    db = database(swarm)
    return Outcomes(db.assimilated, db.failed, db.wrong, db.sent)


def wrong_law(e: float) -> float:
    """The share of wrong work units, for wrong answers that are all alike and have the chance e."""
    return 3 * e**2 - 2 * e**3


def results_law(e: float, p: float) -> float:
    """Results a work unit, of which the share p never comes back."""
    return (2 + 2 * e * (1 - e)) / (1 - p)


def told(got: Outcomes, e: float, p: float) -> str:
    """Results a work unit against the law, with the standard errors between them. R answers are needed, 2 or 3, and
    the number of results until R have come back has the variance R p / (1 - p)^2."""
    third = 2 * e * (1 - e)
    variance = ((2 + third) * p + third * (1 - third)) / (1 - p) ** 2
    law, error = results_law(e, p), math.sqrt(variance / (got.done + got.failed))
    return f"{got.results:.3f} against {law:.3f} ({(got.results - law) / error:+.1f} standard errors)"


def failing_law(p: float, most: int) -> float:
    """The chance that fewer than two of `most` results come back."""
    return p**most + most * (1 - p) * p ** (most - 1)


def trusted_cheat(share: float, hosts: int = 60, days: float = 120.0, seed: int = 2) -> tuple[int, float, int]:
    """Hosts that are trusted and cheat in a share of their results, each in another way: wrong results that passed,
    and how many are expected: the sum of 1 - 1/n over the wrong results of hosts with n valid ones in a row
    when the work was sent, if it was the first result of its work unit. Also the number of these."""
    options: dict[str, Any] = {"adaptive": True, "batch_units": 100_000, "units_most": 100_000}
    options |= {"patience_days": 1_000.0, "extra_days": 0.1, "buffer_days": 0.01}
    swarm = Swarm(Setup(protocol="volunteer", peers=hosts, seed=seed, asks_per_s=0.0, sample_s=60.0, options=options))
    swarm.do(AskFor("project", "tape"))
    swarm.advance(30 * 60 * SECOND)
    swarm.do(Act("random 20", "cheat", {"how": "differently", "share": share}))
    db = database(swarm)
    chance: dict[tuple[int, int], float] = {}
    wrong, expected = 0, 0.0
    done: dict[tuple[int, int], None] = {}
    end_us = swarm.now_us + int(days * 60 * SECOND)
    cheats = [p for p in range(hosts) if isinstance(v := swarm.peer(p), Volunteer) and v.honesty]
    before = sum(v.passed for p in cheats if isinstance(v := swarm.peer(p), Volunteer))
    while swarm.now_us < end_us:
        swarm.advance(swarm.now_us + SECOND // 4)
        for peer in cheats:
            program = swarm.peer(peer)
            assert isinstance(program, Volunteer)
            # A second result of a work unit is compared in any case.
            for work in (one for one in program.disk.queue if one.result == 0):
                chance.setdefault(work.name, db.hosts[peer].reputation.trusted_share())
            for membership in program.disk.projects.values():
                for name in membership.falsified:
                    if name not in done and name in chance:
                        done[name] = None
                        wrong += 1
                        expected += chance[name]
    passed = sum(v.passed for p in cheats if isinstance(v := swarm.peer(p), Volunteer)) - before
    return passed, expected, wrong


def month(hosts: int = 10_000, days: int = MONTH_DAYS, seed: int = 3) -> float:
    """Hosts with work units of eight hours and 1.5 sessions a day, in true time; returns the processor time in s.

    The law of sessions has 80 % of the hosts up: sessions of 12.8 h on average, and 3.2 h away. Each day the project
    makes a batch that is a little more than the hosts can do, so that nobody is without work."""
    begun = time.process_time()
    options: dict[str, Any] = {"day_s": 86_400.0, "units_most": 100_000_000, "batch_units": int(hosts * 1.3)}
    law = "exponential:46080"
    swarm = Swarm(
        Setup(
            protocol="volunteer", peers=hosts, seed=seed, asks_per_s=0.0, churn=law, sample_s=3_600.0, options=options
        )
    )
    print(f"{hosts:,} hosts: made in {time.process_time() - begun:.1f} s", flush=True)
    for day in range(1, days + 1):
        for number in range(2 if day == 1 else 1):
            # At first the hosts have to fill their buffers.
            swarm.do(AskFor("project", f"tape {day} {number}"))
        swarm.advance(day * 86_400 * SECOND)
        db = database(swarm)
        counts = f"{db.sent:,} results sent, {db.returned:,} back, {db.assimilated:,} work units done"
        counts += f", {swarm.simulation.shared.sent:,} messages"
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        print(f"day {day:2}: {time.process_time() - begun:6.1f} s, {counts}, {memory:,} MiB", flush=True)
    return time.process_time() - begun


def within(measured: float, law: float, many: int) -> str:
    """How many standard errors a measured share is from its law."""
    error = math.sqrt(law * (1 - law) / many)
    return f"{measured:.5f} against {law:.5f} ({(measured - law) / error if error else 0:+.1f} standard errors)"


def main() -> None:
    """Print all figures."""
    if sys.argv[1:] == ["month"]:
        print(f"a month: {month():.0f} s of processor time")
        return
    units = 6_000
    print("wrong work units, quorum of 2, wrong answers alike:")
    for e in (0.01, 0.05, 0.1, 0.2):
        got = computed(units, mistakes=e)
        print(f"  e = {e}: {within(got.wrong / got.done, wrong_law(e), got.done)}", end="; ")
        print(f"results a work unit {told(got, e, 0)}")
    got = computed(units, cheats=0.2)
    print(f"  a fifth of 100 hosts colludes: {within(got.wrong / got.done, wrong_law(0.2), got.done)}")
    got = computed(units // 2, quorum=1, redundancy=1)
    print(f"  quorum of 1, nothing wrong: {got.wrong} wrong, {got.results:.3f} results a work unit")
    print("results a work unit, of which a share never comes back:")
    for p in (0.1, 0.2, 0.3):
        got = computed(units // 2, vanish=p)
        print(f"  p = {p}: {told(got, 0, p)}; failed {got.failed}")
    got = computed(units // 2, vanish=0.2, mistakes=0.2)
    print(f"  p = 0.2, e = 0.2: {told(got, 0.2, 0.2)}")
    print("work units that fail, since at most M results are made:")
    for p, most in ((0.3, 5), (0.5, 5), (0.5, 10)):
        got = computed(units // 2, vanish=p, max_total=most)
        law, many = failing_law(p, most), got.done + got.failed
        print(f"  p = {p}, M = {most}: {within(got.failed / many, law, many)}; {got.results:.3f} results a work unit")
    print("trusted hosts that cheat in a share r of their results, each otherwise:")
    for share in (0.05, 0.2, 1.0):
        passed, expected, wrong = trusted_cheat(share)
        print(f"  r = {share}: {passed} of {wrong} wrong results passed, {expected:.1f} expected (sum of 1 - 1/n)")
    print(f"1,000 hosts for three days: {month(1_000, 3):.1f} s of processor time")


if __name__ == "__main__":
    main()
