"""Volunteer computing: a host by itself, and projects in a running swarm."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import pytest

from engine import (
    Act,
    Arrive,
    AskFor,
    Attack,
    Command,
    InputError,
    Kill,
    Leave,
    Machine,
    Reopen,
    Revive,
    Set,
    Setup,
    Shutdown,
    Swarm,
)
from engine.api import Ask, Blob, Facts
from engine.protocols.volunteer import Membership, Volunteer, Wake, backoff_s, shares_of
from engine.protocols.volunteer.messages import (
    Detach,
    Status,
    Stored,
    Submit,
    Submitted,
    Task,
    Upload,
    VolunteerOptions,
    WorkReply,
    WorkRequest,
    gflop_of,
    right_answer,
)
from engine.protocols.volunteer.project import Project
from engine.protocols.volunteer.workunits import ResultOutcome, ServerState
from engine.sim.rng import Stream
from engine.testing import FakeHost

SECOND = 1_000_000
DAY = 60 * SECOND
"""A day of the project by default, in us of virtual time."""
HOUR = DAY // 24
SERVER = 9


# --- a host by itself ---------------------------------------------------------------------------------------------


def client(**options: Any) -> tuple[FakeHost, Volunteer]:
    host = FakeHost(me=0, options=VolunteerOptions(**options))
    host.machine = Machine(1.87, 2_048)
    one = Volunteer()
    host.start(one, contacts=(SERVER,))
    return host, one


def task(host: FakeHost, number: int, deadline_us: int = 7 * DAY) -> Task:
    return Task(number, 0, "tape 1", 77, gflop_of(host.options), deadline_us, Blob(350_000))


def reply(tasks: int = 0, judged: tuple[tuple[int, int, bool], ...] = ()) -> WorkReply:
    return WorkReply(tasks, 3, 1, 374.5, 12.5, False, judged)


def test_a_host_asks_for_its_buffer_uploads_first_and_reports_later() -> None:
    host, one = client()
    host.wait(one, HOUR)
    [call] = host.calls
    assert (call.to, call.request.reports) == (SERVER, ())
    assert call.request.wanted_s == pytest.approx(0.6 * 86_400, rel=1e-3)
    for number in (1, 2):
        host.give(one, task(host, number), SERVER, cause=5)
    host.answer(one, call, reply(2))
    begun_us = host.now_us
    host.wait(one, 8 * HOUR)
    upload = host.calls[-1]
    assert isinstance(upload.request, Upload)
    assert (upload.to, upload.cause, upload.request.data.size) == (SERVER, 5, 30_000)
    assert host.now_us - begun_us == 8 * HOUR
    host.answer(one, upload, Stored(1, 0))
    assert host.calls[-1] is upload
    host.wait(one, HOUR + HOUR // 10)
    report = host.calls[-1]
    assert isinstance(report.request, WorkRequest)
    assert [(each.unit, each.answer) for each in report.request.reports] == [(1, right_answer(77, 0))]
    assert one.has_work()
    host.answer(one, report, reply(judged=((1, 0, True),)))
    assert one.shown()[:4] == ("computes", 1, 0.75, 374.5)
    assert one.passed == 0


def test_refusals_double_the_back_off_from_ten_minutes_to_a_day() -> None:
    host, one = client()
    waits: list[float] = []
    host.wait(one, HOUR)
    for _ in range(14):
        host.answer(one, host.calls[-1], reply())
        at_us, calls = host.now_us, len(host.calls)
        while len(host.calls) == calls:
            host.wait(one, HOUR // 60)
        waits.append((host.now_us - at_us) / DAY * 86_400)
    for number, wait_s in enumerate(waits):
        middle_s = min(600.0 * 2**number, 86_400.0)
        assert 0.5 * middle_s <= wait_s <= 1.5 * middle_s + 120, number
    assert max(waits) > 43_200


def test_a_silent_server_is_tried_again_after_a_minute_to_four_hours() -> None:
    rng = Stream("backoff")
    for failures in (1, 4, 8, 200):
        drawn = [backoff_s(failures, rng) for _ in range(200)]
        most_s = {1: 60.0, 4: 60.0, 8: 2_981.0, 200: 14_400.0}[failures]
        assert 60.0 <= min(drawn) <= max(drawn) <= most_s
        assert max(drawn) > 0.9 * most_s


def test_a_host_that_is_switched_off_goes_on_from_its_last_checkpoint() -> None:
    host, one = client(checkpoint_s=3_600.0)
    host.give(one, task(host, 1), SERVER)
    host.wait(one, 5 * HOUR + HOUR // 2)
    host.stopped_us = host.now_us
    again, later = Volunteer(), FakeHost(me=0, options=host.options)
    later.machine, later.now_us, later.stopped_us = host.machine, host.now_us + DAY, host.stopped_us
    later.start(again, contacts=(SERVER,), saved=pickle.loads(pickle.dumps(one.saved())))
    later.wait(again, 3 * HOUR - 1_000)
    assert again.has_work()
    assert [work.unit for work in again.disk.queue] == [1]
    later.wait(again, 2_000)
    assert again.disk.queue == []


def test_what_is_due_comes_first_and_what_is_too_late_is_not_begun() -> None:
    host, one = client()
    for number, deadline_us in ((1, 7 * DAY), (2, 7 * DAY), (3, 10 * HOUR), (4, 9 * HOUR)):
        host.give(one, task(host, number, deadline_us), SERVER)
    host.wait(one, 8 * HOUR)
    assert [work.unit for work in one.disk.queue] == [4, 2, 3]
    host.wait(one, 8 * HOUR)
    assert [work.unit for work in one.disk.queue] == [2]


def test_a_host_asks_again_if_what_was_announced_does_not_come() -> None:
    host, one = client()
    host.wait(one, HOUR)
    host.answer(one, host.calls[-1], reply(2))
    host.wait(one, 29 * SECOND)
    assert len(host.calls) == 1
    host.wait(one, 2 * SECOND)
    assert len(host.calls) == 2
    host.time_out(one, host.calls[-1])
    host.wait(one, DAY)
    assert len(host.calls) > 2


def test_a_host_computes_for_its_own_projects_only_and_no_nonsense() -> None:
    host, one = client()
    host.give(one, task(host, 1), 4)
    for gflop in (float("nan"), float("inf"), -1.0, 0.0):
        host.give(one, Task(1, 0, "tape", 1, gflop, 7 * DAY, Blob(1)), SERVER)
    host.give(one, task(host, 2), SERVER)
    host.give(one, task(host, 2), SERVER)
    assert [work.unit for work in one.disk.queue] == [2]


def test_a_result_whose_deadline_is_near_is_reported_at_once_also_on_the_first_day() -> None:
    host, one = client()
    host.wait(one, HOUR)
    for number, deadline_us in ((1, 18 * HOUR), (2, 7 * DAY)):
        host.give(one, task(host, number, deadline_us), SERVER)
    host.answer(one, host.calls[0], reply(2))
    host.wait(one, 8 * HOUR)
    host.answer(one, host.calls[-1], Stored(1, 0))
    assert [report.unit for report in host.calls[-1].request.reports] == [1]


def test_the_verdict_when_the_asker_or_another_project_is_down() -> None:
    def said(**facts: Any) -> str | None:
        return Volunteer.verdict(Facts("batch", "tape 1", 0, **facts), VolunteerOptions())

    under_way: dict[str, Any] = {"hits": 1, "done": 2, "of": 5}
    assert said(**under_way, trouble="is dead") == (
        "Not done yet: 2 of 5 work units were done when the asker heard of them last; the asker is dead, so that "
        "nobody waits for them."
    )
    assert said(trouble="is dead") == "Not known whether it is begun: the asker is dead."
    assert said(hits=1, done=1, of=1) == "Done: its work unit has a result that the project takes for right."
    states = {"project1": "dead", "project2": "alive"}
    for chosen, end in (
        ("project1", "; the project1 is dead, and nobody else knows the work units."),
        ("project2", "."),
    ):
        told = said(**under_way, stations=states, remarks={"project": (chosen,)})
        assert told == f"Not done yet: 2 of 5 work units are done{end}"


def test_closed_forms_are_given_only_where_they_hold() -> None:
    def theory(**options: Any) -> dict[str, float]:
        return {row.of: row.value for row in Volunteer.theory({"goal": "batch"}, VolunteerOptions(**options))}

    assert theory() == {"results a work unit": 2.0, "wrong work units": 0.0}
    assert theory(unstable=True, same_class=True) == theory()
    for options in ({"vanish": 1.0}, {"crashes": 1.0}, {"unstable": True}, {"adaptive": True}, {"quorum": 3}):
        assert theory(**options) == {}


def test_shares_are_numbers_above_zero() -> None:
    assert shares_of("2:1:1") == (0.5, 0.25, 0.25)
    for text in ("", "x", "1:0", "1:-1", "nan", "1:" * 20):
        with pytest.raises(InputError, match="shares should be 1 to 8 numbers above 0 such as 2:1"):
            shares_of(text)
    with pytest.raises(InputError, match="shares should be"):
        swarm_of(shares="two")


def test_a_batch_that_the_project_declines_or_does_not_know_has_failed() -> None:
    host, one = client()
    host.ask(one, Ask(7, "batch", "tape 1"))
    [call] = host.calls
    assert call.request == Submit("tape 1")
    host.answer(one, call, Submitted(0, 0, "it takes no more"))
    assert host.noted("failed") == [{"why": "the project declined: it takes no more"}]
    host.ask(one, Ask(8, "batch", "tape 2"))
    host.answer(one, host.calls[-1], Submitted(3, 5, ""))
    host.wait(one, 13 * HOUR)
    query = next(call for call in host.calls if type(call.request).__name__ == "Query")
    host.answer(one, query, Status(3, 0, 0, 0))
    assert host.noted("failed")[-1] == {"why": "the project does not know it any more"}
    assert not one.disk.submitted


def test_progress_is_taken_from_the_project_alone_and_never_goes_back() -> None:
    host, one = client()
    host.ask(one, Ask(7, "batch", "tape 1"))
    host.answer(one, host.calls[-1], Submitted(3, 5, ""))
    for sender, status in (
        (2, Status(3, 5, 0, 5)),
        (SERVER, Status(3, 6, 0, 5)),
        (SERVER, Status(3, 2, 0, 5)),
        (SERVER, Status(3, 1, 0, 5)),
        (SERVER, Status(3, 3, -2, 5)),
    ):
        host.give(one, status, sender)
    assert [note["done"] for note in host.noted("progress")] == [0, 2]


def test_a_host_that_leaves_detaches_and_one_that_abandons_its_work_sends_nothing() -> None:
    host, one = client()
    host.give(one, task(host, 1), SERVER)
    host.act(one, "abandon")
    assert not one.has_work()
    assert not any(isinstance(message, Detach) for _, message in host.take())
    one.stop(host)  # type: ignore[arg-type]
    assert host.take() == [(SERVER, Detach())]


# --- in a swarm ---------------------------------------------------------------------------------------------------


def swarm_of(peers: int = 16, seed: int = 3, churn: str = "none", **options: Any) -> Swarm:
    setup = Setup(protocol="volunteer", peers=peers, seed=seed, asks_per_s=0.0, churn=churn, options=options)
    return Swarm(setup)


def project_of(swarm: Swarm, number: int = 0) -> Project:
    program = swarm.peer(swarm.peers + number)
    assert isinstance(program, Project)
    return program


def volunteer(swarm: Swarm, peer: int) -> Volunteer:
    program = swarm.peer(peer)
    assert isinstance(program, Volunteer)
    return program


def played(swarm: Swarm, *steps: tuple[float, Command]) -> Swarm:
    """Do commands at their days of the project."""
    for days, command in steps:
        swarm.advance(int(days * DAY))
        swarm.do(command)
    return swarm


def test_a_batch_completes_and_its_progress_is_seen() -> None:
    swarm = played(swarm_of(), (0, AskFor(4, "tape 12")))
    swarm.advance(DAY // 2)
    early = swarm.record(1)
    assert (early.hits, early.of) == (1, 5)
    assert swarm.advance_quiet(20 * DAY)
    row = swarm.record(1)
    assert (row.done, row.of, row.outcome) == (5, 5, "answered")
    assert row.verdict == "Done: all 5 work units have a result that the project takes for right."
    db = project_of(swarm).db
    assert (db.assimilated, db.wrong, db.sent) == (5, 0, 10)
    assert 0 < swarm.now_us < 4 * DAY
    assert swarm.success(0, 1_000) == 1.0
    credit = sum(record.credit for record in db.hosts.values())
    assert credit == pytest.approx(10 * gflop_of(VolunteerOptions()) / 86_400 * 200)
    told = [volunteer(swarm, peer).shown()[3] for peer in range(16)]
    assert all(have <= db.hosts[peer].credit for peer, have in enumerate(told))
    assert sum(told) > credit / 2, "a host is told with its next request"


def test_a_project_may_issue_a_batch_itself() -> None:
    swarm = played(swarm_of(), (0, AskFor("project", "tape 12")))
    swarm.advance_quiet(20 * DAY)
    assert swarm.record(1).verdict.startswith("Done: all 5")
    assert not swarm.simulation.peer_hosts[16].kept_open


def test_a_project_that_is_down_for_a_day_loses_nothing() -> None:
    swarm = played(swarm_of(12), (0, AskFor(3, "tape 1")), (0.2, Kill("project")))
    swarm.advance(int(1.2 * DAY))
    waiting = [volunteer(swarm, peer).shown()[0] for peer in range(12)]
    assert waiting == ["gets no answer"] * 12
    assert sum(float(volunteer(swarm, peer).shown()[1]) for peer in range(12)) == 10
    swarm.do(Revive("project"))
    assert swarm.advance_quiet(20 * DAY)
    assert (swarm.record(1).done, project_of(swarm).db.sent) == (5, 10)
    assert swarm.now_us < 3 * DAY


def test_without_its_operator_a_batch_is_lost_and_under_another_it_goes_on() -> None:
    begin = ((0, AskFor(3, "tape 1")), (0.2, Shutdown("project operator")))
    lost = played(swarm_of(12, patience_days=3.0), *begin)
    lost.advance_quiet(20 * DAY)
    assert lost.record(1).verdict == (
        "Not done: 0 of 5 work units are done; given up after 3 days; the project is dead, and nobody else knows the "
        "work units."
    )
    assert lost.record(1).outcome == "not fetched"
    kept = played(swarm_of(12), *begin, (3, Reopen("project operator", "another university")))
    kept.advance_quiet(20 * DAY)
    assert kept.record(1).done == 5
    never = played(swarm_of(12, patience_days=3.0), (0, Kill("project")), (0, AskFor(3, "tape 1")))
    never.advance_quiet(20 * DAY)
    assert never.record(1).verdict == (
        "Not begun: given up after 3 days; the project is dead, and nobody else knows the work units."
    )


def test_what_a_dead_host_has_is_sent_to_another_at_the_deadline_and_what_a_leaver_has_at_once() -> None:
    ends = []
    for last in (Kill, Leave):
        swarm = played(swarm_of(6, deadline_days=3.0), (0, AskFor("project", "tape 1")), (0.2, Set("asks", 0.0)))
        busy = tuple(peer for peer in range(6) if volunteer(swarm, peer).has_work())[:2]
        swarm.do(last(busy))
        assert swarm.advance_quiet(30 * DAY)
        assert swarm.record(1).done == 5
        db = project_of(swarm).db
        ends.append((swarm.now_us, sum(record.late for record in db.hosts.values())))
        assert db.sent > 10
    (killed_us, late), (left_us, none) = ends
    assert killed_us > 3 * DAY > left_us
    assert (late > 0, none) == (True, 0)


def test_the_server_notices_at_the_deadline_that_work_was_abandoned() -> None:
    swarm = played(swarm_of(6, deadline_days=2.0), (0, AskFor("project", "tape 1")), (0.2, Act("#0 or #1", "abandon")))
    db = project_of(swarm).db
    assert sum(record.in_progress for record in db.hosts.values()) == 10
    swarm.advance_quiet(30 * DAY)
    assert swarm.record(1).done == 5
    assert sum(record.late for record in db.hosts.values()) == db.sent - 10 > 0


def cheating(how: str) -> tuple[Swarm, Project]:
    swarm = swarm_of(30, batch_units=100)
    swarm.do(Act("random 40%", "cheat", {"how": how}))
    swarm.do(AskFor("project", "tape 1"))
    swarm.advance(11 * DAY)
    return swarm, project_of(swarm)


def test_those_that_cheat_alike_pass_a_quorum_and_those_that_differ_do_not() -> None:
    alike, project = cheating("alike")
    law = 3 * 0.4**2 - 2 * 0.4**3
    share = project.db.wrong / project.db.assimilated
    assert abs(share - law) < 4 * (law * (1 - law) / project.db.assimilated) ** 0.5
    passed = sum(volunteer(alike, peer).passed for peer in range(30))
    assert passed >= 2 * project.db.wrong > 0
    differently, project = cheating("differently")
    assert (project.db.wrong, sum(volunteer(differently, peer).passed for peer in range(30))) == (0, 0)
    assert {volunteer(alike, peer).shown()[4] for peer in range(30)} == {"not trusted"}, "it is not adaptive"
    assert max(record.reputation.valid for record in project.db.hosts.values()) >= 10
    assert alike.record(1).verdict.startswith("Done: all 100")


def test_wrong_results_are_shown_though_the_project_does_not_know_them() -> None:
    swarm, project = cheating("alike")
    seen = [{column.name: value for column, value in swarm.shown_of(peer)} for peer in range(30)]
    assert [row["honesty"] for row in seen].count("cheats alike") == 12
    said = str(project.beliefs())
    assert [word in said for word in ("valid", "invalid", "cheat", "honest")] == [True, True, False, False]
    swarm.do(Act("all", "be-honest"))
    assert [volunteer(swarm, peer).honesty for peer in range(30)] == [0] * 30


@pytest.mark.parametrize(("mistakes", "vanish", "crashes"), [(0.2, 0.0, 0.0), (0.0, 0.2, 0.1)])
def test_errors_and_results_a_work_unit_follow_the_closed_forms(mistakes: float, vanish: float, crashes: float) -> None:
    swarm = swarm_of(
        60, batch_units=500, mistakes=mistakes, vanish=vanish, crashes=crashes, max_total=60, max_success=60,
        max_errors=60, deadline_days=3.0, patience_days=1_000.0, extra_days=0.2,
    )  # fmt: skip
    swarm.do(AskFor("project", "tape 1"))
    assert swarm.advance_quiet(400 * DAY)
    db = project_of(swarm).db
    n = db.assimilated
    assert (n, db.failed) == (500, 0)
    law = 3 * mistakes**2 - 2 * mistakes**3
    assert abs(db.wrong / n - law) <= 4 * (law * (1 - law) / n) ** 0.5
    back = (1 - vanish) * (1 - crashes)
    results = (2 + 2 * mistakes * (1 - mistakes)) / back
    deviation = max(2 * (1 - back) / back**2, 0.25) ** 0.5
    assert abs(db.sent / n - results) < 4 * deviation / n**0.5
    wanted = {row.of: row.value for row in swarm.theory(1)}
    assert wanted == pytest.approx({"results a work unit": results, "wrong work units": law})


def test_a_trusted_host_computes_alone_until_a_sample_finds_it_wrong() -> None:
    swarm = swarm_of(8, adaptive=True, batch_units=50, trusted_after=5)
    swarm.do(AskFor("project", "tape 1"))
    swarm.advance(6 * DAY)
    swarm.do(Set("batch_units", 300))
    swarm.do(AskFor("project", "tape 2"))
    db = project_of(swarm).db
    first = db.sent, db.assimilated
    assert all(volunteer(swarm, peer).shown()[4] == "trusted" for peer in range(8))
    swarm.advance(9 * DAY)
    assert (db.sent - first[0]) / (db.assimilated - first[1]) < 1.7, "fewer than with a quorum of two"
    assert db.wrong == 0
    swarm.do(Act((1, 2, 3), "cheat", {"how": "differently"}))
    swarm.advance(24 * DAY)
    found = [peer for peer in (1, 2, 3) if db.hosts[peer].reputation.valid == 0]
    assert found
    for peer in found:
        assert volunteer(swarm, peer).shown()[4] == "not trusted"
        assert db.hosts[peer].invalid > 0
    assert db.wrong == sum(volunteer(swarm, peer).passed for peer in (1, 2, 3)) > 0


def test_results_that_differ_between_machines_agree_within_a_class() -> None:
    def wasted(same: bool) -> tuple[int, set[tuple[int, ...]]]:
        swarm = swarm_of(24, seed=8, unstable=True, same_class=same, batch_units=12)
        swarm.do(AskFor("project", "tape 1"))
        classes: set[tuple[int, ...]] = set()
        for _ in range(40):
            swarm.advance(swarm.now_us + DAY // 8)
            for unit in project_of(swarm).db.units.values():
                hosts = [result.host for result in unit.results if result.host >= 0]
                classes.add(tuple(sorted({volunteer(swarm, host).disk.hr_class for host in hosts})))
        invalid = sum(record.invalid for record in project_of(swarm).db.hosts.values())
        return invalid, classes

    mixed, together = wasted(False), wasted(True)
    assert (mixed[0] > 0, max(map(len, mixed[1])) > 1) == (True, True)
    assert (together[0], max(map(len, together[1]))) == (0, 1)


def test_an_asker_that_was_switched_off_gives_up_no_later_than_otherwise() -> None:
    swarm = swarm_of(6, patience_days=3.0)
    played(swarm, (0, Kill("project")), (0, AskFor(2, "tape 1")), (1, Kill(2)), (2, Revive(2)))
    swarm.advance(int(2.9 * DAY))
    assert volunteer(swarm, 2).disk.submitted
    swarm.advance(int(3.1 * DAY))
    assert swarm.record(1).verdict == (
        "Not begun: given up after 3 days; the project is dead, and nobody else knows the work units."
    )


def test_a_batch_is_cancelled_at_the_same_time_if_the_project_was_down_meanwhile() -> None:
    swarm = swarm_of(6, patience_days=3.0, vanish=1.0)
    played(swarm, (0, AskFor("project", "tape 1")), (1, Kill("project")), (2, Revive("project")))
    swarm.advance(int(2.9 * DAY))
    assert len(project_of(swarm).db.batches) == 1
    swarm.advance(int(3.1 * DAY))
    assert (project_of(swarm).db.batches, project_of(swarm).db.failed) == ({}, 5)


def test_the_project_that_a_batch_was_submitted_to_is_told() -> None:
    swarm = played(
        swarm_of(6, shares="1:1"), *((0, AskFor(peer, "tape 1")) for peer in range(4)), (0.1, Set("asks", 0.0))
    )
    batches = [len(project_of(swarm, number).db.batches) for number in (0, 1)]
    remarks = [row.remarks["project"] for row in swarm.asks()]
    assert [remarks.count((label,)) for label in ("project1", "project2")] == batches
    assert min(batches) > 0


def test_two_projects_get_their_shares_of_each_processor() -> None:
    swarm = swarm_of(10, shares="3:1", batch_units=400)
    swarm.do(AskFor("project1", "tape 1"))
    swarm.do(AskFor("project2", "tape 2"))
    swarm.advance(10 * DAY)
    one, other = (
        sum(list(volunteer(swarm, peer).disk.projects.values())[at].used_us for peer in range(10)) for at in (0, 1)
    )
    assert 2.4 < one / other < 3.4
    swarm.do(Kill("project1"))
    before = project_of(swarm, 1).db.returned
    swarm.advance(12 * DAY)
    assert project_of(swarm, 1).db.returned - before > 30, "the other project gets what the dead one cannot use"


def states_of(project: Project) -> Iterator[tuple[tuple[int, int], tuple[ServerState, ResultOutcome]]]:
    for unit in project.db.units.values():
        assert len(unit.results) <= unit.max_total
        for result in unit.results:
            yield (unit.number, result.number), (result.state, result.outcome)


def test_states_of_results_change_only_as_the_source_says() -> None:
    swarm = swarm_of(
        12,
        churn="exponential:40",
        mistakes=0.2,
        crashes=0.1,
        vanish=0.1,
        deadline_days=1.0,
        max_total=8,
        batch_units=20,
    )
    swarm.do(AskFor("project", "tape 1"))
    after = {
        ServerState.UNSENT: {ServerState.IN_PROGRESS, ServerState.OVER},
        ServerState.IN_PROGRESS: {ServerState.OVER},
        ServerState.OVER: set(),
    }
    before: dict[tuple[int, int], tuple[ServerState, ResultOutcome]] = {}
    outcomes = set()
    for _ in range(600):
        swarm.advance(swarm.now_us + SECOND)
        now = dict(states_of(project_of(swarm)))
        for name, (state, outcome) in now.items():
            was = before.get(name, (ServerState.UNSENT, ResultOutcome.INIT))
            assert state is was[0] or state in after[was[0]] or was[0] is ServerState.UNSENT
            if was[1] is not outcome and was[1] is not ResultOutcome.INIT:
                assert was[1] is ResultOutcome.NO_REPLY, "only what was late may change once more"
            assert (state is ServerState.OVER) == (outcome is not ResultOutcome.INIT)
            outcomes.add(outcome)
        before = now
    db = project_of(swarm).db
    assert db.assimilated + db.failed + len(db.units) == 20
    assert {ResultOutcome.SUCCESS, ResultOutcome.NO_REPLY, ResultOutcome.CLIENT_ERROR} <= outcomes
    assert sum(record.in_progress for record in db.hosts.values()) == sum(
        result.state is ServerState.IN_PROGRESS for unit in db.units.values() for result in unit.results
    )


def test_a_work_unit_that_is_too_large_for_a_hundred_hosts_fails() -> None:
    swarm = swarm_of(12, needs_mb=100_000, batch_units=1, patience_days=1_000.0)
    swarm.do(AskFor("project", "tape 1"))
    swarm.advance_quiet(60 * DAY)
    assert swarm.record(1).verdict == "Not done: 0 of 1 work units are done; 1 of 1 work units failed."


def test_identities_that_collude_pass_the_quorum_when_they_are_many() -> None:
    swarm = swarm_of(16, batch_units=60)
    swarm.do(AskFor("project", "tape 1"))
    swarm.do(Arrive(48, 10.0, "one owner"))
    swarm.advance(12 * SECOND)
    swarm.do(Act('operator="one owner"', "cheat"))
    swarm.advance(6 * DAY)
    db = project_of(swarm).db
    assert db.assimilated > 50
    assert db.wrong / db.assimilated > 0.5


def test_cheats_may_be_an_attack_and_a_mass_exit_delays() -> None:
    swarm = swarm_of(20, batch_units=20)
    swarm.do(AskFor("project", "tape 1"))
    swarm.do(Attack("random", share=0.4, means="cheat"))
    assert [volunteer(swarm, peer).honesty for peer in range(20)].count(1) == 8
    swarm.advance(DAY // 5)
    swarm.do(Attack("exodus", share=0.5, over_s=1.0))
    swarm.advance_quiet(60 * DAY)
    assert swarm.record(1).done == 20


def test_a_copy_goes_on_as_the_run_itself() -> None:
    swarm = swarm_of(12, churn="exponential:50", adaptive=True, batch_units=30)
    swarm.do(AskFor(3, "tape 1"))
    swarm.advance(DAY)
    copy = pickle.loads(pickle.dumps(swarm))
    for each in (swarm, copy):
        each.do(Kill("project"))
        each.advance(2 * DAY)
        each.do(Revive("project"))
        each.advance(4 * DAY)
    assert copy.fingerprint() == swarm.fingerprint()
    assert copy.record(1).done == swarm.record(1).done > 0


def test_a_user_may_have_ten_batches_and_a_project_a_limit() -> None:
    swarm = swarm_of(4, units_most=30)
    for number in range(8):
        swarm.do(AskFor(number % 4, f"tape {number}"))
        swarm.advance(swarm.now_us + SECOND)
    said = [row.verdict for row in swarm.asks()]
    assert said[-1] == "Not begun: the project declined: it has 30 work units to do, and takes no more."
    assert len(project_of(swarm).db.units) <= 30


def test_membership_is_plain_and_a_second_wake_changes_nothing() -> None:
    host, one = client()
    host.tick(one, Wake())
    host.tick(one, Wake())
    assert len([call for call in host.calls if not call.over]) == 1
    assert pickle.loads(pickle.dumps(Membership(1.0))) == Membership(1.0)
